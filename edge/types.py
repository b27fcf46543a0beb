# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The data that flows between the stages: frozen dataclasses, units in names, monotonic time.

`time_s` is always the vehicle's monotonic clock at capture (in a replay: the recording's own time axis).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
"""Height x width x 3, BGR, 8 bit."""

Box: TypeAlias = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the picture; x to the right, y down."""


@dataclass(frozen=True)
class Frame:
    """One picture with its capture time. `name` says where it came from (file name, camera)."""

    picture: Picture
    time_s: float
    index: int
    name: str


@dataclass(frozen=True)
class Detection:
    """One box in one frame; `score` is a probability 0..1."""

    label: str
    score: float
    box: Box


@dataclass(frozen=True)
class Fix:
    """What a receiver said. `error_m` is one standard deviation in the plane; `utc_s` is POSIX time."""

    time_s: float
    lon: float
    lat: float
    error_m: float
    heading_deg: float | None = None
    speed_mps: float | None = None
    utc_s: float | None = None


@dataclass(frozen=True)
class Odometry:
    """Distance run since start, and the turn rate where a gyro is fitted (positive: clockwise, to the right)."""

    time_s: float
    distance_m: float
    yaw_rate_dps: float | None = None


Measurement: TypeAlias = Fix | Odometry


@dataclass(frozen=True)
class Pose:
    """Our estimate of where the vehicle was at a time.

    `lon`, `lat`: the antenna's place on earth, None while nothing is known; `error_m` one standard deviation.
    `odom_x_m`, `odom_y_m`, `odom_yaw_deg`: the same motion in a frame that starts at zero, is continuous and only
    drifts (ROS REP 105 "odom": x forward at start, y left, yaw counter-clockwise); defects are tracked in it.
    """

    time_s: float
    odom_x_m: float
    odom_y_m: float
    odom_yaw_deg: float
    distance_m: float
    speed_mps: float | None
    lon: float | None = None
    lat: float | None = None
    error_m: float | None = None
    heading_deg: float | None = None
    method: Literal["gnss", "dead_reckoned", "line"] | None = None


@dataclass(frozen=True)
class RoadPoint:
    """A point on the road in the vehicle's frame, metres: x forward, y left, origin under the antenna."""

    x_m: float
    y_m: float
