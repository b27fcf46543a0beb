# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The data that flows between the stages: frozen dataclasses, units in names, monotonic time.

`time_s` is always the vehicle's monotonic clock at capture (in a replay: the recording's own time axis).
"""

from __future__ import annotations

from collections.abc import Callable
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


FixQuality: TypeAlias = Literal["autonomous", "differential", "rtk_float", "rtk_fixed", "dead_reckoning"]
"""What a receiver says its fix rests on; `dead_reckoning`: its own sensors, alone or together with satellites."""

Surroundings: TypeAlias = Literal["street", "tunnel"]
"""Where the vehicle is, as far as it decides which model judges."""


@dataclass(frozen=True)
class Fix:
    """What a receiver said. `error_m` is one standard deviation along any one direction; `utc_s` is POSIX time."""

    time_s: float
    lon: float
    lat: float
    error_m: float
    heading_deg: float | None = None
    speed_mps: float | None = None
    utc_s: float | None = None
    quality: FixQuality | None = None


@dataclass(frozen=True)
class Odometry:
    """Distance run since start, and the turn rate where a gyro is fitted (positive: clockwise, to the right).

    `distance_m` falls while the vehicle rolls backwards, where the odometer knows the direction.
    """

    time_s: float
    distance_m: float
    yaw_rate_dps: float | None = None


@dataclass(frozen=True)
class Landmark:
    """The vehicle is at a known point now: a tag that was read, a portal. `name` as in the line's file."""

    time_s: float
    name: str


@dataclass(frozen=True)
class Acceleration:
    """Vertical acceleration of the body, metres per second squared, upwards, gravity included (9.81 at rest)."""

    time_s: float
    vertical_mps2: float


Measurement: TypeAlias = Fix | Odometry | Landmark | Acceleration


@dataclass(frozen=True)
class LinePlace:
    """Where on a known line (track axis with stations). `error_m`: one standard deviation along the line.

    `forward`: whether chainage grows in the direction that the vehicle faces; `in_tunnel`: as the line's file says.
    """

    line: str
    chainage_m: float
    error_m: float
    track: str | None = None
    forward: bool = True
    in_tunnel: bool = False


@dataclass(frozen=True)
class Pose:
    """Our estimate of where the vehicle was at a time.

    `lon`, `lat`: the antenna's place on earth, None while nothing is known; `error_m` one standard deviation along any
    one direction; `quality`: of the last fix believed; `since_fix_m`: way rolled since then (0 while fixes come).
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
    quality: FixQuality | None = None
    since_fix_m: float | None = None
    line: LinePlace | None = None


@dataclass(frozen=True)
class Correction:
    """A stretch of the past whose poses are better known now than when they were given.

    `pose_at` gives the smoothed pose of any time from `start_s` to `end_s`; its `odom_*` are those given before.
    `reason`: what made them better known.
    """

    start_s: float
    end_s: float
    pose_at: Callable[[float], Pose]
    reason: Literal["fix_returned", "known_point"] = "fix_returned"


@dataclass(frozen=True)
class RoadPoint:
    """A point on the road in the vehicle's frame, metres: x forward, y left, origin under the antenna."""

    x_m: float
    y_m: float
