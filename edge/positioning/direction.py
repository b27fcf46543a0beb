# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Forwards or backwards, where no odometer tells.

A receiver's course is the direction of motion: it turns by 180 degrees when the vehicle begins to reverse, from one fix
to the next and at walking pace. A turn takes seconds. What this cannot see: reversing slower than a receiver has a
course, the first metre or two before the course has flipped, a vehicle that starts its day in reverse, and a
three-point turn while no fixes come.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.positioning.alignment import Guess

#: How much of a half turn a flip may miss.
_FLIP = math.radians(140)
#: Both before and after a flip the vehicle is slow; a receiver has a course from the second speed on, m/s.
_SLOW_MPS, _CREEPING_MPS = 4.0, 0.5
#: Nobody reverses faster: then the heading was wrong, not the direction.
_TOO_FAST_MPS = 8.0
#: Between fixes further apart a vehicle can turn round, seconds.
_WITHIN_S = 2.5


class Direction:
    """Which way the vehicle rolls: `sign` is 1 forwards, -1 backwards."""

    def __init__(self) -> None:
        self.sign = 1
        self._heard_s = -math.inf

    def flips(self, course_gap: float | None, speed_mps: float, expected_mps: float, time_s: float) -> bool:
        """Take a fix's course; whether the vehicle now rolls the other way.

        Args:
            course_gap: by how much the course differs from what was expected, radians within -pi..pi; None: none.
            speed_mps: what the receiver says.
            expected_mps: the speed expected, of either sign.
            time_s: time of the fix.
        """
        recent = time_s - self._heard_s <= _WITHIN_S
        self._heard_s = time_s
        slow = abs(expected_mps) <= _SLOW_MPS and _CREEPING_MPS <= speed_mps <= _SLOW_MPS
        flipped = recent and slow and course_gap is not None and abs(course_gap) >= _FLIP
        if flipped or (self.sign < 0 and speed_mps > _TOO_FAST_MPS):
            self.sign = -self.sign
            return True
        return False

    def judged(self, start: Guess, heading: float) -> Guess:
        """A first guess, from a course, turned round where the vehicle faced the other way just before and is slow."""
        if abs(start.speed_mps) > _SLOW_MPS:
            self.sign = 1
            return start
        backwards = abs(math.remainder(start.heading - heading, math.tau)) >= _FLIP
        self.sign = -1 if backwards else 1
        if not backwards:
            return start
        return replace(start, heading=start.heading + math.pi, speed_mps=-start.speed_mps)
