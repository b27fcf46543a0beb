# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a detection lies on the road: its box projected to the road plane.

A box is an upright rectangle in the picture: the outline of something flat that lies along the driving direction. Its
near end is on the box's bottom row, its far end on the top row. Its sides are two rays on the road that touch it
somewhere between: a rectangle at a corner, a hole, which is round, where the ray is tangent to an ellipse. Both have
one equation: with half extents a (along, known from the rows) and b (across, wanted), a ray that passes the centre
at a distance d across it and leans by m (metres across per metre along) touches where

    d = b + |m| a  (rectangle)      d^2 = b^2 + m^2 a^2  (ellipse)

(the support function of each figure). Two rays give b and the centre. A thin crack that runs ahead comes out thin
although its box is wide. Wrong for upright things.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.geometry import Calibration
from edge.types import Box, Pose

Matrix = NDArray[np.float64]

#: How well a detector's box fits the defect's edge, one standard deviation: as a share of the box, in pixels.
BOX_EDGE_SHARE = 0.08
BOX_EDGE_PX = 1.5
#: What odometry's heading and the body's sway turn a look by, one standard deviation, radians.
_SWAY = 0.01
#: A box so near to the picture's edge goes on outside, pixels.
_MARGIN_PX = 2.0


class Base(NamedTuple):
    """Where the vehicle is in the frame that defects are tracked in: metres, metres, degrees counter-clockwise."""

    x_m: float
    y_m: float
    yaw_deg: float

    @classmethod
    def of(cls, pose: Pose) -> Base:
        """In the odometry frame."""
        return cls(pose.odom_x_m, pose.odom_y_m, pose.odom_yaw_deg)

    def seen(self, x_m: float, y_m: float) -> tuple[float, float]:
        """A point of the frame as seen from the vehicle: metres ahead, metres to the left."""
        yaw = math.radians(self.yaw_deg)
        dx, dy = x_m - self.x_m, y_m - self.y_m
        return dx * math.cos(yaw) + dy * math.sin(yaw), -dx * math.sin(yaw) + dy * math.cos(yaw)


@dataclass(frozen=True, eq=False)
class Footprint:
    """A rectangle on a surface: centre, half extents along and across the heading `yaw_deg`, metres.

    `x_m` ahead and `y_m` to the left in the frame that the function returning it names.
    `spread`: covariance (2x2, square metres) of the centre by the box's own noise; `nod`: how far (2, metres) it is
    moved by a body that nods down by one standard deviation, alike for all boxes of a frame; `systematic`: covariance
    of what is alike in all frames. `cut`: the box touches the picture's edge, so the defect goes on outside.
    """

    x_m: float
    y_m: float
    half_length_m: float
    half_width_m: float
    spread: Matrix
    nod: Matrix
    systematic: Matrix
    cut: bool
    yaw_deg: float = 0.0

    def placed(self, base: Base) -> Footprint:
        """The same one in the frame in which the vehicle is at `base`."""
        yaw = math.radians(base.yaw_deg)
        turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
        x, y = turn @ (self.x_m, self.y_m)
        return replace(
            self,
            x_m=base.x_m + float(x),
            y_m=base.y_m + float(y),
            spread=turn @ self.spread @ turn.T,
            nod=turn @ self.nod,
            systematic=turn @ self.systematic @ turn.T,
            yaw_deg=self.yaw_deg + base.yaw_deg,
        )


def locate(box: Box, calibration: Calibration, *, max_range_m: float, is_round: bool = False) -> Footprint | None:
    """The footprint of a box in the vehicle's frame.

    Returns None where the box's bottom is at or above the horizon or farther than `max_range_m`.
    The far end of a box that reaches above the horizon is held at `max_range_m`.
    """
    x1, y1, x2, y2 = box
    middle_u = (x1 + x2) / 2
    near = calibration.pixel_to_road(middle_u, y2)
    if near is None or near.x_m > max_range_m:
        return None
    far = calibration.pixel_to_road(middle_u, y1)
    far_x = max_range_m if far is None else min(far.x_m, max_range_m)
    far_pixel = calibration.road_to_pixel(far_x, near.y_m)
    if far_pixel is None:
        return None
    rows = y2, max(far_pixel[1], y1)
    sides = [calibration.pixel_to_road(u, row) for u in (x1, x2) for row in rows]
    left_near, left_far, right_near, right_far = sides
    if left_near is None or left_far is None or right_near is None or right_far is None:
        return None
    y, half_width = _across(
        (left_near.y_m + left_far.y_m) / 2,
        (right_near.y_m + right_far.y_m) / 2,
        abs(left_near.y_m - left_far.y_m) / 2,
        abs(right_near.y_m - right_far.y_m) / 2,
        is_round=is_round,
    )
    half_length = max((far_x - near.x_m) / 2, 0.0)
    footprint = Footprint(
        x_m=(near.x_m + far_x) / 2,
        y_m=y,
        half_length_m=half_length,
        half_width_m=half_width,
        spread=np.zeros((2, 2)),
        nod=np.zeros(2),
        systematic=np.zeros((2, 2)),
        cut=far is None or is_cut(box, calibration),
    )
    return _with_errors(footprint, calibration)


def is_cut(box: Box, calibration: Calibration) -> bool:
    """Whether a box touches the picture's edge."""
    x1, y1, x2, y2 = box
    right, bottom = calibration.width - _MARGIN_PX, calibration.height - _MARGIN_PX
    return x1 <= _MARGIN_PX or y1 <= _MARGIN_PX or x2 >= right or y2 >= bottom


def _across(left: float, right: float, lean_left: float, lean_right: float, *, is_round: bool) -> tuple[float, float]:
    """Centre and half width from where both sides pass the centre and how far they lean over its half length."""
    gap = left - right
    if gap <= 0:
        return (left + right) / 2, 0.0
    if is_round:
        distance = (gap + (lean_left**2 - lean_right**2) / gap) / 2
        return left - distance, math.sqrt(max(distance**2 - lean_left**2, 0.0))
    return (left - lean_left + right + lean_right) / 2, max((gap - lean_left - lean_right) / 2, 0.0)


def _with_errors(footprint: Footprint, calibration: Calibration) -> Footprint | None:
    pixel = calibration.road_to_pixel(footprint.x_m, footprint.y_m)
    if pixel is None:
        return None
    # The centre is the mean of two edges.
    error = calibration.pixel_to_road_error(*pixel, pixel_px=BOX_EDGE_PX / math.sqrt(2))
    down, up = (calibration.pixel_to_road(*pixel, extra_pitch_deg=a * calibration.pitch_error_deg) for a in (1, -1))
    if error is None or down is None or up is None:
        return None
    nod = np.array([up.x_m - down.x_m, up.y_m - down.y_m]) / 2
    ahead, left = footprint.x_m - calibration.forward_m, footprint.y_m - calibration.left_m
    sight = np.array([-left, ahead]) * _SWAY
    size = np.diag([footprint.half_length_m, footprint.half_width_m]) * 2
    spread = (
        error.random - np.outer(nod, nod) + np.outer(sight, sight) + (BOX_EDGE_SHARE * size) ** 2 + 1e-4 * np.eye(2)
    )
    return replace(footprint, spread=spread, nod=nod, systematic=error.systematic)
