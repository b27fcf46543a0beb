# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What an odometer's messages mean: metres rolled, forwards or backwards, and what is no motion at all.

A counter that falls a little rolls backwards. One that falls or rises by more than a vehicle can roll has overflowed
(the step fits a counter of 16, 24 or 32 bit in a usual unit: the way is kept), was reset (it fell), or jumped. One
that falls while the vehicle is fast counts backwards. One that a receiver contradicts again and again is not used.
An odometer that never fell may not know its direction at all: `sign` is then for others to say (`direction.py`).
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter

    from edge.types import Odometry

_MAX_SPEED_MPS = 60.0
_MAX_REVERSE_MPS = 10.0
_SLACK_M = 1.0
#: Messages nearer to each other than this give no speed, seconds.
SAME_TIME_S = 0.001
#: Speed is taken over at least so long: a counter of whole pulses is a few centimetres off at any moment.
_SPEED_OVER_S = 0.2
#: No pulse for so long is standing, seconds.
_STANDING_S = 1.0
#: Nobody reverses before the vehicle has slowed down.
_TREMBLE_M, _TOO_FAST_TO_REVERSE_MPS = 0.1, 3.0
#: A receiver's speed and the odometer's differ by less than this and that share of the larger one, m/s.
_APART_MPS, _APART_SHARE = 2.0, 0.3
_OFTEN = 3
#: Rolling back by more than this shows that the odometer knows its direction (a pulse may tremble), metres.
_SIGNED_M = 0.5
_MODULI = tuple(2**bits * unit for bits in (16, 24, 32) for unit in (0.001, 0.01, 0.1, 1.0) if 2**bits * unit > 500)


class Wheels:
    """The odometer since it first spoke."""

    def __init__(self, first: Odometry) -> None:
        self.last = first
        self.mps = 0.0
        self.knows_direction = False
        self.sign = 1
        self._foreseen_m = 0.0  # moved since `last` in advance of the next message
        self._total_m = self._fallen_m = 0.0
        self._recent = deque([(first.time_s, 0.0)])
        self._contradictions = 0
        self._rolled_s = first.time_s
        self._speed_said_s = first.time_s

    def foresee(self, dt: float) -> float:
        """The way in the next dt seconds at the present speed, for when no message covers them yet."""
        way = self.mps * dt
        self._foreseen_m += way
        return way

    def roll(self, wheels: Odometry, counts: Counter[str]) -> float | None:
        """Metres since the last message that were not foreseen; None (and counted) if it tells no motion.

        `wheels.time_s` is later than that of the message before.
        """
        before, self.last = self.last, wheels
        metres = _step(wheels.distance_m - before.distance_m, wheels.time_s - before.time_s, counts)
        if metres is not None and metres < -_TREMBLE_M and self.mps > _TOO_FAST_TO_REVERSE_MPS:
            counts["odometer_backwards"] += 1
            metres = None
        if metres is None:
            self._foreseen_m = 0.0
            self._recent = deque([(wheels.time_s, self._total_m)])
            return None
        self._learn_direction(metres)
        metres *= self.sign
        self._total_m += metres
        self._recent.append((wheels.time_s, self._total_m))
        while len(self._recent) > 2 and wheels.time_s - self._recent[1][0] >= _SPEED_OVER_S:
            self._recent.popleft()
        start_s, start_m = self._recent[0]
        mps = (self._total_m - start_m) / (wheels.time_s - start_s)
        self.mps = max(-_MAX_SPEED_MPS, min(_MAX_SPEED_MPS, mps))
        if metres:
            self._rolled_s = wheels.time_s
        rest = metres - self._foreseen_m
        forwards = metres > 0 or (metres == 0 and self._foreseen_m >= 0)
        if (rest >= 0) == forwards or rest == 0:
            self._foreseen_m = 0.0
            return rest
        self._foreseen_m = -rest  # it braked: nothing moves until that is used up
        return 0.0

    @property
    def standing(self) -> bool:
        """Whether no pulse has come for long enough."""
        return self.last.time_s - self._rolled_s >= _STANDING_S

    def new_speed(self) -> tuple[float, float] | None:
        """The speed and its error in m/s, once for each stretch of time."""
        dt = self.last.time_s - self._speed_said_s
        if dt < _SPEED_OVER_S:
            return None
        self._speed_said_s = self.last.time_s
        start_s, _ = self._recent[0]
        return self.mps, 0.05 + 0.05 / max(self.last.time_s - start_s, SAME_TIME_S)

    def contradicted(self, speed_mps: float) -> bool:
        """Take the true speed, as far as others know it; whether the odometer has shown another one several times."""
        apart = abs(abs(self.mps) - speed_mps)
        contradicts = apart > _APART_MPS + _APART_SHARE * max(abs(self.mps), speed_mps)
        self._contradictions = self._contradictions + 1 if contradicts else 0
        return self._contradictions >= _OFTEN

    def turn_back(self, sign: int) -> None:
        """The odometer does not know its direction, but somebody else does."""
        if self.knows_direction:
            return
        self.sign = sign
        self.mps = abs(self.mps) * sign
        self._recent = deque([(self.last.time_s, self._total_m)])
        self._foreseen_m = 0.0

    def _learn_direction(self, metres: float) -> None:
        """An odometer that has fallen knows its direction."""
        self._fallen_m = max(0.0, self._fallen_m - metres)
        if self._fallen_m > _SIGNED_M and not self.knows_direction:
            self.knows_direction, self.sign = True, 1


def _step(metres: float, dt: float, counts: Counter[str]) -> float | None:
    if _plausible(metres, dt):
        return metres
    for modulus in _MODULI:
        way = metres + modulus if metres < 0 else metres - modulus
        if _plausible(way, dt) and (metres < 0 or way <= 0):
            counts["odometer_overflow"] += 1
            return way
    counts["odometer_reset" if metres < 0 else "odometer_jump"] += 1
    return None


def _plausible(metres: float, dt: float) -> bool:
    return -_MAX_REVERSE_MPS * dt - _SLACK_M <= metres <= _MAX_SPEED_MPS * dt + _SLACK_M and math.isfinite(metres)
