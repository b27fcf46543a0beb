# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Record and ladder together: what the daemon asks before it starts, while it runs, and when something has stalled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from edge.life.exits import STALLED, STALLED_ELSEWHERE
from edge.life.ladder import LadderSettings, Reopening, Start, start
from edge.life.record import Record

FILE = "last_end.json"


class Life:
    """One run of the daemon in the row of all runs. Its methods may be called by any thread.

    `start`: what this run does before it touches camera and models (`edge.life.ladder`); where a boot is asked for, the
    process ends at once with `edge.life.exits.REBOOT`.
    """

    def __init__(
        self,
        folder: Path,
        settings: LadderSettings | None = None,
        *,
        computer: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read how the run before ended.

        Args:
            folder: where the record lies: the data folder.
            settings: bounds of the ladder.
            computer: name of this boot of the computer (tests give one).
            clock: monotonic seconds.
        """
        self._settings = settings or LadderSettings()
        self._clock = clock
        self._lock = threading.Lock()
        self._began_s = clock()
        self._record = Record(folder / FILE, computer=computer, clock=clock)
        self._reopening = Reopening(self._settings)
        self.start = start(self._record.history, self._settings)
        # Without the record nobody would count the boots: then none.
        if self.start.reboot and not self._record.reboot_asked():
            self.start = Start(rest_s=self._settings.rest_s)
        self._over = self.start.reboot

    def camera_may_reopen(self) -> bool:
        """Whether a camera that gave no more frames is opened anew now, in this process."""
        with self._lock:
            return self._reopening.allowed(self._clock())

    def stalled(self, stage: str, line: str) -> int:
        """A stage stalled and the process ends: written down before this returns. Gives the exit code."""
        with self._lock:
            self._over = True
            self._record.failed("stalled", line, stage=stage)
            return STALLED.get(stage, STALLED_ELSEWHERE)

    def crashed(self, line: str) -> None:
        """The process ends by a mistake of ours or a configuration that cannot be used."""
        with self._lock:
            if not self._over:
                self._over = True
                self._record.failed("crashed", line)

    def ended(self) -> None:
        """The process ends on purpose. After `stalled` or `crashed` it changes nothing."""
        with self._lock:
            if not self._over:
                self._over = True
                self._record.ended()

    def tick(self) -> None:
        """To be called while all goes well, as often as you like."""
        with self._lock:
            if self._over:
                return
            if self._clock() - self._began_s >= self._settings.well_s + self.start.rest_s:
                self._record.well()
            self._record.tick()

    def undated(self, boot: str) -> tuple[str, ...]:
        """Names of earlier runs on this monotonic clock that never learnt their UTC (`UtcClock(earlier=...)`)."""
        with self._lock:
            return self._record.undated(boot)

    def dated(self) -> None:
        """The depot was told of the clock: `UtcClock.news` was confirmed."""
        with self._lock:
            self._record.dated()

    def counters(self) -> dict[str, int]:
        """For the health message; all but `camera_reopened` are over all runs ever."""
        with self._lock:
            return {**self._record.counters(), "camera_reopened": self._reopening.count}

    def faults(self) -> tuple[str, ...]:
        """What is wrong, one line each."""
        with self._lock:
            row, rest_s = self._record.history.row, self.start.rest_s
            found = (
                f"{row} runs in a row failed, the last one: {self._record.last}" if row else None,
                f"tries again only every {rest_s:g} s: restarts and boots did not help" if rest_s else None,
                self._record.fault,
            )
            return tuple(fault for fault in found if fault)
