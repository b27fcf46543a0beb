# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a believed fix tells the filter: place, speed, course, and by its course whether the vehicle reverses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.positioning.direction import Direction
from edge.positioning.ekf import Ekf, wrap
from edge.positioning.states import H, V

if TYPE_CHECKING:
    from collections import Counter

    from edge.positioning.alignment import Guess
    from edge.positioning.odometer import Wheels
    from edge.types import Fix

_GATE = 4.0  # standard deviations
_AGREEING = 5
#: What a vehicle turns by at most between two fixes a second apart.
_BEND = math.radians(45)
#: A receiver's course is worth something from this speed on.
_MOVING_MPS = 2.0
#: Speed and course come from Doppler shifts: that good (m/s), and a share of the error of the place worse.
_SPEED_SIGMA, _SPEED_SHARE, _WORST_ERROR_M = 0.07, 0.07, 10.0
_COURSE_SIGMA = math.radians(0.5)
_NEW_HEADING_SIGMA = math.radians(15)


class Receiver:
    """Corrects the filter by fixes."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self.direction = Direction()
        self._refused = 0

    def watch_direction(self, ekf: Ekf, fix: Fix, wheels: Wheels | None) -> None:
        """Where no odometer knows it: whether the course says that the vehicle now rolls the other way."""
        said = fix.speed_mps
        if said is None or (wheels is not None and (wheels.knows_direction or wheels.standing)):
            return
        off = None if fix.heading_deg is None else wrap(math.radians(fix.heading_deg) - ekf.course())
        if self.direction.flips(off, said, float(ekf.x[V]), fix.time_s):
            self._count_direction()
            ekf.about_face()
            if wheels is not None:
                wheels.turn_back(self.direction.sign)

    def same_way_round(self, start: Guess, heading: float, wheels: Wheels | None) -> Guess:
        """Turn a first guess round that would have the vehicle face the other way than just before (`heading`)."""
        if wheels is not None and wheels.knows_direction:
            return start
        before = self.direction.sign
        start = self.direction.judged(start, heading)
        if self.direction.sign != before:
            self._count_direction()
            if wheels is not None:
                wheels.turn_back(self.direction.sign)
        return start

    def _count_direction(self) -> None:
        self._counts["reversing" if self.direction.sign < 0 else "forwards_again"] += 1

    def correct(self, ekf: Ekf, fix: Fix, place: tuple[float, float], wheels: Wheels | None, *, gyro: bool) -> bool:
        """Correct the filter; False if its heading had to be given up. `place`: the fix in the filter's plane."""
        ekf.update_position(*place, fix.error_m)
        sigma = _SPEED_SIGMA + _SPEED_SHARE * min(fix.error_m, _WORST_ERROR_M)
        held = True
        if fix.heading_deg is not None and (fix.speed_mps is None or fix.speed_mps >= _MOVING_MPS):
            held = self._correct_course(ekf, math.radians(fix.heading_deg), sigma, gyro=gyro)
        if fix.speed_mps is not None:
            ekf.update_speed(fix.speed_mps, sigma, backwards=self._rolls_back(ekf, wheels))
        return held

    def _correct_course(self, ekf: Ekf, course: float, speed_sigma: float, *, gyro: bool) -> bool:
        speed = ekf.antenna_speed()
        if speed < _MOVING_MPS:
            return True
        sigma = math.hypot(_COURSE_SIGMA, math.atan2(speed_sigma, speed))
        off = wrap(course - ekf.course())
        # Without a gyro a bend begins unforeseen.
        likely = not gyro and abs(off) < _BEND
        if ekf.update_course(course, sigma, gate=math.inf if likely else _GATE):
            self._refused = 0
            return True
        self._counts["heading_refused"] += 1
        self._refused += 1
        if self._refused < _AGREEING:
            return True
        self._refused = 0
        ekf.turn_to(float(ekf.x[H]) + off, _NEW_HEADING_SIGMA)
        return False

    def _rolls_back(self, ekf: Ekf, wheels: Wheels | None) -> bool:
        if wheels is not None:
            return wheels.mps < 0
        return self.direction.sign < 0 and float(ekf.x[V]) <= 0.5
