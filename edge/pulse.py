# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the daemon's heartbeat (`edge.heartbeat`): tells the updater if the vehicle is parked and all is well."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from edge.heartbeat import EVERY_S, Heartbeat, write

#: Below this speed a vehicle stands, metres per second; receivers wander at rest.
_STANDS_MPS = 0.5


class Pulse:
    """`runtime`: systemd's folder; None: nobody asks, nothing is written. `clock`: monotonic seconds."""

    def __init__(self, runtime: Path | None, release: str | None, clock: Callable[[], float]) -> None:
        self._runtime = runtime
        self._release = release
        self._clock = clock
        self._looked = 0
        self._next_s = clock()
        self._standing_since_s: float | None = None

    def looked(self) -> None:
        """A frame has been looked at."""
        self._looked += 1

    def beat(self, *, frames: int, speed_mps: float | None, moved_m: float, online: bool) -> None:
        """Write, if it is time. Call it once a second or so.

        Args:
            frames: that came from the camera so far.
            speed_mps: None: not known, then nobody says that the vehicle stands.
            moved_m: way since the start, metres.
            online: the broker's link stands.
        """
        now_s = self._clock()
        if speed_mps is None or speed_mps > _STANDS_MPS:
            self._standing_since_s = None
        elif self._standing_since_s is None:
            self._standing_since_s = now_s
        if self._runtime is None or now_s < self._next_s:
            return
        self._next_s = now_s + EVERY_S
        beat = Heartbeat(
            monotonic_s=now_s,
            pid=os.getpid(),
            release=self._release,
            ready=self._looked > 0,
            frames=frames,
            looked=self._looked,
            moved_m=round(moved_m, 1),
            speed_mps=speed_mps,
            standing_since_s=self._standing_since_s,
            online=online,
        )
        write(beat, self._runtime)
