# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A band-pass for samples that do not come at an even pace."""

from __future__ import annotations

import math

_BUTTERWORTH = math.sqrt(2)
#: The bilinear transform ends at half the sampling rate; a corner above this share of the rate is drawn down to it.
_HIGHEST_SHARE = 0.4


class _Pole2:
    """A state variable filter of second order by the trapezoidal rule, with the corner warped to its true place.

    Its state is independent of the step, so every sample may have its own (V. Zavalishin, The Art of VA Filter Design,
    chapter 4).
    """

    def __init__(self, corner_hz: float) -> None:
        self._corner_hz = corner_hz
        self._s1 = self._s2 = 0.0

    def start(self, value: float) -> None:
        """As if `value` had been there forever."""
        self._s1, self._s2 = 0.0, value

    def step(self, value: float, dt_s: float) -> tuple[float, float]:
        """The parts of the signal below and above the corner."""
        g = math.tan(math.pi * min(self._corner_hz * dt_s, _HIGHEST_SHARE))
        over = value - self._s2
        band = (self._s1 + g * over) / (1 + g * (g + _BUTTERWORTH))
        low = self._s2 + g * band
        self._s1, self._s2 = 2 * band - self._s1, 2 * low - self._s2
        return low, value - _BUTTERWORTH * band - low


class Band:
    """Butterworth high-pass and low-pass of second order each."""

    def __init__(self, low_hz: float, high_hz: float) -> None:
        self._high_pass, self._low_pass = _Pole2(low_hz), _Pole2(high_hz)

    def start(self, value: float) -> None:
        """Begin anew at rest."""
        self._high_pass.start(value)
        self._low_pass.start(0.0)

    def step(self, value: float, dt_s: float) -> float:
        """The signal within the band."""
        _, high = self._high_pass.step(value, dt_s)
        low, _ = self._low_pass.step(high, dt_s)
        return low
