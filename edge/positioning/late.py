# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixes dated back to when they were measured.

A receiver computes a fix, then sends it: it arrives 50 to 200 ms after the moment that it tells of. At 50 km/h that is
one to three metres of road. It cannot be seen from here without a pulse-per-second line, so it is a setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.ports import PositionSource
from edge.types import Fix, Measurement


class LatePositions:
    """A receiver's fixes, `latency_s` earlier than they came in."""

    def __init__(self, source: PositionSource, latency_s: float) -> None:
        if latency_s < 0:
            raise ValueError(f"latency_s {latency_s} must not be negative")
        self._source = source
        self._latency_s = latency_s

    def until(self, time_s: float) -> Sequence[Measurement]:
        """Everything measured up to `time_s` that has come in. Ask for times at least `latency_s` in the past."""
        return [
            replace(fix, time_s=fix.time_s - self._latency_s)
            for fix in self._source.until(time_s + self._latency_s)
            if isinstance(fix, Fix)
        ]

    def close(self) -> None:
        """Close the other source."""
        self._source.close()
