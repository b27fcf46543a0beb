# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How far along its line the vehicle is at a time: driving, standing, reversing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.geometry.route import Floats, Numbers

STEP_S = 0.01
#: Pulling away and braking, metres per second squared.
PULLING, BRAKING = 1.2, 2.0


@dataclass(frozen=True)
class Go:
    """Drive to `to_m`, backwards where that lies behind; ends standing where the next step is not a `Go` onwards."""

    to_m: float
    speed_kmh: float


@dataclass(frozen=True)
class Stand:
    """Stand still."""

    seconds: float


class Motion:
    """Metres along the line over time, from `start_m` on; rolls from the first moment unless `from_rest`."""

    def __init__(self, steps: Sequence[Go | Stand], *, start_m: float = 0.0, from_rest: bool = False) -> None:
        self._s, self._v = [start_m], [0.0]
        if not from_rest and isinstance(steps[0], Go):
            self._v = [math.copysign(steps[0].speed_kmh / 3.6, steps[0].to_m - start_m)]
        for step, after in zip(steps, [*steps[1:], None], strict=True):
            if isinstance(step, Stand):
                count = round(step.seconds / STEP_S)
                self._s += [self._s[-1]] * count
                self._v += [0.0] * count
            else:
                onwards = isinstance(after, Go) and (after.to_m - step.to_m) * (step.to_m - self._s[-1]) > 0
                self._go(step, leave=onwards or after is None)
        self.t = np.arange(len(self._s)) * STEP_S
        self.s, self.v = np.array(self._s), np.array(self._v)
        self.duration_s = float(self.t[-1])

    def _go(self, step: Go, *, leave: bool) -> None:
        sign = math.copysign(1.0, step.to_m - self._s[-1])
        speed, wanted = abs(self._v[-1]), step.speed_kmh / 3.6
        while (left := (step.to_m - self._s[-1]) * sign) > 0:
            # Braking to stand at the end of the way: v^2 = 2 b s.
            most = wanted if leave else min(wanted, math.sqrt(2 * BRAKING * left))
            speed = min(speed + PULLING * STEP_S, most) if speed < most else max(speed - BRAKING * STEP_S, most)
            speed = max(speed, 0.02)
            self._s.append(self._s[-1] + sign * min(speed * STEP_S, left))
            self._v.append(sign * speed)
        if not leave:
            self._v[-1] = 0.0

    def at(self, time_s: Numbers) -> tuple[Floats, Floats]:
        """Metres along the line and metres per second (below 0: backwards)."""
        return np.asarray(np.interp(time_s, self.t, self.s)), np.asarray(np.interp(time_s, self.t, self.v))

    def rolled(self, time_s: Numbers) -> Floats:
        """Metres rolled whatever the direction."""
        way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(self.s)))])
        return np.asarray(np.interp(time_s, self.t, way))
