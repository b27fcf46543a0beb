# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the antenna sits on the vehicle: what a receiver sees is the antenna's motion, not the axle's."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Mounting:
    """The antenna, in metres ahead of and to the left of the middle of the rear axle.

    That point moves where the vehicle's heading points; every other one also swings round it in a bend.
    """

    antenna_forward_m: float = 0.0
    antenna_left_m: float = 0.0

    def arm(self, heading: float) -> tuple[float, float]:
        """Metres east and north from the axle to the antenna; heading in radians clockwise from north."""
        ahead, left = self.antenna_forward_m, self.antenna_left_m
        sin, cos = math.sin(heading), math.cos(heading)
        return ahead * sin - left * cos, ahead * cos + left * sin

    def arm_turned(self, heading: float) -> tuple[float, float]:
        """How `arm` changes with the heading, metres per radian: the arm turned by a right angle, clockwise."""
        east, north = self.arm(heading)
        return north, -east

    def velocity(self, speed_mps: float, turn_rate: float) -> tuple[float, float]:
        """The antenna's metres per second ahead and to the right; the axle's speed, turn rate in rad/s clockwise."""
        return speed_mps + turn_rate * self.antenna_left_m, turn_rate * self.antenna_forward_m
