# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle's motion in a frame that starts at zero, is continuous and only drifts (ROS REP 105 "odom")."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Odom:
    """The middle of the rear axle: x forward at the start, y left, yaw counter-clockwise (radians).

    `distance_m` is the way rolled: it grows backwards, too.
    """

    x_m: float = 0.0
    y_m: float = 0.0
    yaw: float = 0.0
    distance_m: float = 0.0

    def at(self, ahead_m: float, left_m: float) -> tuple[float, float]:
        """Where a point on the vehicle is (x, y), in a frame that started at zero in that point."""
        sin, cos = math.sin(self.yaw), math.cos(self.yaw)
        return self.x_m + ahead_m * (cos - 1) - left_m * sin, self.y_m + ahead_m * sin + left_m * (cos - 1)

    def moved(self, way_m: float, turn: float) -> Odom:
        """After a way in metres (negative: backwards) and a turn in radians clockwise, as an arc."""
        middle = self.yaw - turn / 2
        return Odom(
            self.x_m + way_m * math.cos(middle),
            self.y_m + way_m * math.sin(middle),
            self.yaw - turn,
            self.distance_m + abs(way_m),
        )

    def between(self, other: Odom, share: float) -> Odom:
        """The place a share (0..1) of the way to another: the first is 0, the other 1."""

        def mix(a: float, b: float) -> float:
            return a + (b - a) * share

        return Odom(
            mix(self.x_m, other.x_m),
            mix(self.y_m, other.y_m),
            mix(self.yaw, other.yaw),
            mix(self.distance_m, other.distance_m),
        )


class OdomFrame:
    """Where the vehicle is in it now. Without a gyro its yaw follows the filter's heading, but never jumps."""

    #: Time constant of that, seconds.
    FOLLOWS_S = 1.0

    def __init__(self) -> None:
        self.now = Odom()
        #: Turn rate that brings the yaw back to the heading, rad/s clockwise.
        self.yaw_pull = 0.0
        self._heading_at_zero = 0.0

    def align(self, heading: float) -> None:
        """The heading (radians clockwise from north) is this, now."""
        self._heading_at_zero = heading + self.now.yaw

    def follow(self, heading: float | None) -> None:
        """Let the yaw follow this heading from now on; None: a gyro turns it."""
        lag = 0.0 if heading is None else math.remainder(heading - (self._heading_at_zero - self.now.yaw), math.tau)
        self.yaw_pull = lag / self.FOLLOWS_S

    def move(self, way_m: float, turn: float, dt: float) -> None:
        """Roll and turn, in dt seconds."""
        self.now = self.now.moved(way_m, turn + self.yaw_pull * min(dt, self.FOLLOWS_S))

    def replay(self, before: Odom, way_m: float, turn: float) -> None:
        """It was this way from `before` to now; nobody has asked yet."""
        self.now = before.moved(way_m, turn)
