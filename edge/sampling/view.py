# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which stretch of road ahead a camera shows finely enough to judge: from its calibration alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.geometry import Calibration

#: Half of the strip that has to be in the picture: what a bus rolls over, metres.
_HALF_STRIP_M = 1.0
#: How finely the road is searched along and across, and how far across, metres.
_STEP_M, _SIDE_STEP_M, _MAX_SIDE_M = 0.05, 0.1, 15.0


@dataclass(frozen=True)
class View:
    """Road from `near_m` to `far_m` ahead of the antenna, as far to the left (positive) and right as given there.

    Between near and far the sides are straight, as a picture's sides are on a plane.
    """

    near_m: float
    far_m: float
    near_left_m: float = 2.0
    near_right_m: float = -2.0
    far_left_m: float = 2.0
    far_right_m: float = -2.0

    def __post_init__(self) -> None:
        if not self.near_m < self.far_m:
            raise ValueError(f"near_m {self.near_m} must be below far_m {self.far_m}")

    @property
    def length_m(self) -> float:
        """From the near to the far edge."""
        return self.far_m - self.near_m

    def sees(self, x_m: float, y_m: float) -> bool:
        """Whether a point of the road, metres ahead and to the left, is in it."""
        share = (x_m - self.near_m) / self.length_m
        if not 0 <= share <= 1:
            return False
        left = self.near_left_m + share * (self.far_left_m - self.near_left_m)
        right = self.near_right_m + share * (self.far_right_m - self.near_right_m)
        return right <= y_m <= left


def view(calibration: Calibration, max_range_m: float = 25.0, min_px_per_m: float = 10.0) -> View | None:
    """The longest stretch up to `max_range_m` of which a strip 2 m wide is in the picture; None where there is none.

    `min_px_per_m`: rows of the picture per metre of road ahead, at least. A camera at height h with focal length f
    (pixels) gives a metre of road at distance x about f h / x**2 rows (derivative of v = f h / x: Hartley & Zisserman,
    ch. 6) and f / x columns, so rows run out first: with 10 a pothole of 0.2 m has 2 rows, and some 10 columns.
    Where the model judges a smaller picture than the camera's, pass the calibration scaled to that.
    """
    ranges = np.arange(0.0, max_range_m + _STEP_M / 2, _STEP_M).tolist()
    longest, start = range(0), 0
    for index, x_m in enumerate([*ranges, None]):
        if x_m is None or not _is_seen(calibration, x_m, min_px_per_m):
            longest, start = max(longest, range(start, index), key=len), index + 1
    if len(longest) < 2:
        return None
    near, far = ranges[longest[0]], ranges[longest[-1]]
    near_left, near_right = (_reach(calibration, near, side) for side in (1.0, -1.0))
    far_left, far_right = (_reach(calibration, far, side) for side in (1.0, -1.0))
    return View(near, far, near_left, near_right, far_left, far_right)


def _is_seen(calibration: Calibration, x_m: float, min_px_per_m: float) -> bool:
    if not all(_is_in_picture(calibration, x_m, y_m) for y_m in (-_HALF_STRIP_M, 0.0, _HALF_STRIP_M)):
        return False
    here, beyond = calibration.road_to_pixel(x_m, 0.0), calibration.road_to_pixel(x_m + _STEP_M, 0.0)
    return here is not None and beyond is not None and here[1] - beyond[1] >= min_px_per_m * _STEP_M


def _reach(calibration: Calibration, x_m: float, side: float) -> float:
    """How far to one side (1: left, -1: right) the road at this distance is in the picture."""
    y_m = _HALF_STRIP_M
    while y_m < _MAX_SIDE_M and _is_in_picture(calibration, x_m, side * (y_m + _SIDE_STEP_M)):
        y_m += _SIDE_STEP_M
    return side * y_m


def _is_in_picture(calibration: Calibration, x_m: float, y_m: float) -> bool:
    pixel = calibration.road_to_pixel(x_m, y_m)
    return pixel is not None and 0 <= pixel[0] < calibration.width and 0 <= pixel[1] < calibration.height
