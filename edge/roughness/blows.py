# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Blows: short peaks of the vertical acceleration that stand out from the road around them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.roughness.settings import RoughnessSettings

#: The RMS around a blow is that of the seconds before it; single samples count at most this many times it.
_AROUND_S, _CLIP = 2.0, 4.0
_KNOWN_S = 1.0
#: No road and no sensor is quieter; from nothing nothing could be learnt.
_QUIETEST_MPS2 = 0.05
#: Of all peaks nearer to each other than this the highest counts: a wheel swings at 10 to 15 Hz.
_BLOW_S = 0.10
#: Later ones count for the rest of this time only where they are not what is left of the same swing.
_SWING_S, _SWING_SHARE = 0.30, 0.6


@dataclass(frozen=True)
class Blow:
    """One axle's meeting with something; `time_s` of the highest peak. `alone`: high enough without a second one."""

    time_s: float
    way_m: float
    speed_mps: float
    peak_mps2: float
    alone: bool


class BlowFinder:
    """Takes samples one after the other."""

    def __init__(self, settings: RoughnessSettings) -> None:
        self._floor = settings.shock_floor_mps2
        self._factor, self._alone = settings.pair_factor, settings.shock_factor
        self.broken()

    def broken(self) -> None:
        """The samples are interrupted: what the road around is like must be learnt anew."""
        self._mean_square = 0.0
        self._known_s = 0.0
        self._last_s: float | None = None
        self._open: Blow | None = None
        self._before: Blow | None = None

    def add(self, value_mps2: float, time_s: float, way_m: float, speed_mps: float) -> Blow | None:
        """Take the sample; the blow that ended with it."""
        step_s = 0.0 if self._last_s is None else time_s - self._last_s
        self._last_s = time_s
        size = abs(value_mps2)
        ended = None
        if self._open is not None and time_s - self._open.time_s > _BLOW_S:
            ended, self._open = self._ended(self._open), None
        around = math.sqrt(self._mean_square)
        lowest = max(self._floor, self._factor * around) if self._known_s >= _KNOWN_S else math.inf
        if size > (lowest if self._open is None else self._open.peak_mps2):
            self._open = Blow(time_s, way_m, speed_mps, size, size > self._alone * around)
        self._learn(size, step_s)
        return ended

    def _ended(self, blow: Blow) -> Blow | None:
        """None where it is only the wheel that swings on after the blow before."""
        before = self._before
        if before is not None and blow.time_s - before.time_s < _SWING_S:
            share = (blow.time_s - before.time_s) / _SWING_S
            if blow.peak_mps2 < _SWING_SHARE * (1 - share) * before.peak_mps2:
                return None
        self._before = blow
        return blow

    def _learn(self, size: float, step_s: float) -> None:
        self._known_s = min(self._known_s + step_s, _AROUND_S)
        square = size**2
        if self._known_s >= _KNOWN_S:  # before, too little is known to call anything an exception
            square = min(square, _CLIP**2 * max(self._mean_square, _QUIETEST_MPS2**2))
        if self._known_s > 0:
            self._mean_square += (square - self._mean_square) * step_s / self._known_s
