# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A recorded track as a source of positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.types import Odometry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge.types import Fix, Measurement


class ReplayPositions:
    """Hands out fixes and odometry as their time comes. Odometry goes before a fix of the same time."""

    def __init__(self, fixes: Iterable[Fix], odometry: Iterable[Odometry] = ()) -> None:
        self._measurements: list[Measurement] = [*odometry, *fixes]
        self._measurements.sort(key=lambda measurement: (measurement.time_s, not isinstance(measurement, Odometry)))
        self._next = 0

    def until(self, time_s: float) -> Sequence[Measurement]:
        """All measurements up to `time_s` that were not handed out yet, in order of time."""
        start = self._next
        while self._next < len(self._measurements) and self._measurements[self._next].time_s <= time_s:
            self._next += 1
        return self._measurements[start : self._next]

    def close(self) -> None:
        """Nothing more is handed out."""
        self._next = len(self._measurements)
