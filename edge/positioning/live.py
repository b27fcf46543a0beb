# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What live sources share: a thread that reads, a queue that never blocks, and coming back after a loss.

What a source says has an age: where nothing came for `STALE_S` it says so in its state, whatever it said before.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = logging.getLogger(__name__)

STALE_S = 2.0
#: An hour of fixes at 1 Hz, 18 s of a gyro at 200 Hz; nobody takes older ones any more.
_QUEUE = 3600
_JOIN_S = 5.0
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
#: A connection that held for so long was good: the next wait is short again.
_GOOD_S = 60.0


class Timed(Protocol):
    """Anything that was measured at a time."""

    @property
    def time_s(self) -> float:
        """When, on the monotonic clock."""


M_co = TypeVar("M_co", bound=Timed, covariant=True)


class Reader(Protocol[M_co]):
    """One connection to a receiver or sensor. Only the source's own thread calls it."""

    def read(self) -> Sequence[M_co]:
        """Wait at most about a second for news; measurements in order of time.

        Raises:
            OSError: the connection is lost.
        """

    def close(self) -> None:
        """End the connection."""


@dataclass(frozen=True)
class SourceState:
    """How a source is. `fix_age_s` is of the last measurement, infinite before the first; `counts` what went wrong."""

    connected: bool
    fix_age_s: float
    counts: dict[str, int]

    @property
    def stale(self) -> bool:
        """Whether it says nothing of the present."""
        return self.fix_age_s > STALE_S


class LivePositions(Generic[M_co]):
    """A source of measurements that connects, and connects again, in a thread of its own."""

    def __init__(
        self,
        *,
        connect: Callable[[Counter[str]], Reader[M_co]],
        name: str,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Start to read.

        Args:
            connect: makes a connection or raises OSError; counts what goes wrong in the counter it is given.
            name: how log lines call it.
            clock: monotonic seconds.
            jitter: 0..1, what part of a wait is waited, so that many clients do not come back at once.
        """
        self._connect = connect
        self._name = name
        self._clock = clock
        self._jitter = jitter
        self._queue: deque[M_co] = deque(maxlen=_QUEUE)
        self._counts: Counter[str] = Counter()
        self._connected = False
        self._last_fix_s = -math.inf
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def until(self, time_s: float) -> Sequence[M_co]:
        """Everything up to `time_s` that was not handed out yet, in order of time. Never blocks."""
        ready: list[M_co] = []
        while self._queue and self._queue[0].time_s <= time_s:
            ready.append(self._queue.popleft())
        return ready

    @property
    def state(self) -> SourceState:
        """How the source is now."""
        return SourceState(self._connected, self._clock() - self._last_fix_s, dict(self._counts.copy()))

    def close(self) -> None:
        """Stop reading. May be called twice."""
        self._stop.set()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        attempt = 0
        while not self._stop.is_set():
            started = self._clock()
            try:
                self._read_until_lost()
            except (OSError, ValueError) as error:  # ValueError: a baud rate or host name that cannot be
                self._counts["connection_lost"] += 1
                attempt = 0 if self._clock() - started > _GOOD_S else attempt + 1
                # One line for the first loss and then one in eight: a receiver that stays away must not fill the log.
                if attempt % 8 <= 1:
                    _log.warning("%s: %s; trying again", self._name, error)
            finally:
                self._connected = False
            self._stop.wait(min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(attempt, 10)) * self._jitter())

    def _read_until_lost(self) -> None:
        reader = self._connect(self._counts)
        try:
            self._connected = True
            while not self._stop.is_set():
                for measurement in reader.read():
                    self._last_fix_s = measurement.time_s
                    if len(self._queue) == _QUEUE:
                        self._counts["queue_full"] += 1  # the oldest goes
                    self._queue.append(measurement)
        finally:
            reader.close()
