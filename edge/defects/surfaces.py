# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What defects lie on, and the frame that each is tracked in.

The road is tracked in the odometry frame. A lining is unrolled along the way driven: x is the way (falling while the
vehicle reverses), y the way around the profile to the left; its bends are straightened, as the tunnel itself bends.
"""

from __future__ import annotations

import math
from typing import Protocol

from edge.defects.footprint import Base, Footprint, locate
from edge.defects.matching import is_round
from edge.defects.place import Surface
from edge.defects.wall import locate_on_lining
from edge.geometry import Calibration
from edge.lining import Lining, lining_to_pixel, pixel_to_lining
from edge.types import Detection, Pose


class Ground(Protocol):
    """A surface."""

    @property
    def name(self) -> Surface:
        """Which one."""

    def move(self, pose: Pose) -> Base:
        """The vehicle's place in the frame of this surface; poses come in order of time."""

    def locate(self, detection: Detection) -> Footprint | None:
        """Where a detection lies in the vehicle's frame; None where too far."""

    def pixel(self, ahead_m: float, left_m: float) -> tuple[float, float] | None:
        """Where a place in the vehicle's frame appears; None behind the camera."""


class Road:
    """The road plane."""

    name: Surface = "road"

    def __init__(self, calibration: Calibration, *, max_range_m: float) -> None:
        self._calibration, self._max_range_m = calibration, max_range_m

    def move(self, pose: Pose) -> Base:
        """The odometry frame is kept by the pose."""
        return Base.of(pose)

    def locate(self, detection: Detection) -> Footprint | None:
        """On the road plane."""
        return locate(
            detection.box, self._calibration, max_range_m=self._max_range_m, is_round=is_round(detection.label)
        )

    def pixel(self, ahead_m: float, left_m: float) -> tuple[float, float] | None:
        """Of a place on the road plane."""
        return self._calibration.road_to_pixel(ahead_m, left_m)


class Unrolled:
    """A tunnel's lining."""

    name: Surface = "lining"

    def __init__(self, calibration: Calibration, lining: Lining, *, max_range_m: float) -> None:
        self._calibration, self._lining, self._max_range_m = calibration, lining, max_range_m
        self._last: Base | None = None
        self._way_m = 0.0

    def move(self, pose: Pose) -> Base:
        """Adds up the way along the heading."""
        now = Base.of(pose)
        if self._last is not None:
            yaw = math.radians((now.yaw_deg + self._last.yaw_deg) / 2)
            self._way_m += (now.x_m - self._last.x_m) * math.cos(yaw) + (now.y_m - self._last.y_m) * math.sin(yaw)
        self._last = now
        return Base(self._way_m, 0.0, 0.0)

    def holds(self, detection: Detection) -> bool:
        """What meets the lining before the road."""
        x1, y1, x2, y2 = detection.box
        return pixel_to_lining(self._calibration, self._lining, (x1 + x2) / 2, (y1 + y2) / 2) is not None

    def locate(self, detection: Detection) -> Footprint | None:
        """On the unrolled lining."""
        return locate_on_lining(detection.box, self._calibration, self._lining, max_range_m=self._max_range_m)

    def pixel(self, ahead_m: float, left_m: float) -> tuple[float, float] | None:
        """Of a place on the unrolled lining."""
        return lining_to_pixel(self._calibration, self._lining, ahead_m, -left_m)
