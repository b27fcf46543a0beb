# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A thread that makes its rounds: small looks at the computer that may take a while and must not hold up a frame."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Round:
    """`look` is called every `every_s` seconds, for the first time at once."""

    every_s: float
    look: Callable[[], None]


class Rounds:
    """Calls each look in turn; one that fails is logged once and tried again, and stops no other.

    `mistakes`: looks that failed.
    """

    def __init__(self, rounds: Sequence[Round], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rounds = tuple(rounds)
        self._clock = clock
        self._stop = threading.Event()
        self.mistakes = 0
        self._thread = threading.Thread(target=self._run, name="rounds", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; one that hangs in a look is left behind. May be called twice."""
        self._stop.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        due = [self._clock()] * len(self._rounds)
        while self._rounds and not self._stop.wait(max(0.0, min(due) - self._clock())):
            for number, each in enumerate(self._rounds):
                if due[number] <= self._clock():
                    self._look(each)
                    due[number] = self._clock() + each.every_s

    def _look(self, each: Round) -> None:
        try:
            each.look()
        except Exception:  # noqa: BLE001 - a mistake in one look must not end the others
            if not self.mistakes:
                _log.exception("a look at the computer failed")
            self.mistakes += 1
