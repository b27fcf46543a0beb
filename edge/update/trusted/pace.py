# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How fast and how much may be downloaded: bytes a second (a token bucket) and bytes a day (kept over restarts)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import msgspec

from edge.update.trusted.disk import write_durably

#: Counts and content are made durable so often: a power cut costs no more than this.
STEP = 256 * 1024
_MOST_AT_ONCE = 16 * 1024
_LEAST_AT_ONCE = 1024


class EndedError(Exception):
    """The run ends here, and nothing is wrong; the text says why."""


class _Spent(msgspec.Struct, frozen=True):
    day: str
    bytes: int


def _today() -> str:
    return datetime.now(timezone.utc).date().isoformat()


class Pace:
    """Asked before each piece, told after it.

    A day is one of UTC by this computer's clock; a clock that jumps begins a new one.
    """

    def __init__(
        self,
        *,
        bytes_per_s: float,
        bytes_per_day: int,
        file: Path,
        wait: Callable[[float], bool],
        monotonic: Callable[[], float] = time.monotonic,
        today: Callable[[], str] = _today,
    ) -> None:
        """0 stands for no limit.

        Args:
            bytes_per_s: on average; up to one second's worth, at least 1 KiB, may come at once.
            bytes_per_day: in all runs of a day together.
            file: keeps the day's sum.
            wait: waits so many seconds, True as soon as the run is to stop.
            monotonic: seconds.
            today: the day's name.
        """
        self._rate, self._daily, self._file = bytes_per_s, bytes_per_day, file
        self._wait, self._monotonic, self._today = wait, monotonic, today
        self._most = int(max(_LEAST_AT_ONCE, min(_MOST_AT_ONCE, bytes_per_s or _MOST_AT_ONCE)))
        self._capacity = max(bytes_per_s, self._most)
        self._tokens, self._since_s = float(self._most), monotonic()
        self._spent = self._read()
        self._unsaved = 0
        self.received = 0

    def pause(self, seconds: float) -> None:
        """Wait. Raises EndedError: the run is to stop."""
        if self._wait(seconds):
            raise EndedError("stopped")

    def ask(self, most: int) -> int:
        """How many bytes may be read now, at least one; waits for them. Raises EndedError."""
        most = min(most, self._most)
        if self._daily:
            left = self._daily - self._spent_today()
            if left <= 0:
                raise EndedError("the day's allowance is used up")
            most = min(most, left)
        if not self._rate:
            self.pause(0)
            return most
        while True:
            now_s = self._monotonic()
            self._tokens = min(self._capacity, self._tokens + (now_s - self._since_s) * self._rate)
            self._since_s = now_s
            if self._tokens >= most:
                self.pause(0)
                return most
            self.pause(max(0.001, (most - self._tokens) / self._rate))

    def took(self, count: int) -> None:
        """So many bytes came."""
        self._tokens -= count
        self.received += count
        self._spent = _Spent(self._today(), self._spent_today() + count)
        self._unsaved += count
        if self._unsaved >= STEP:
            self.save()

    def save(self) -> None:
        """Keep the day's sum. Raises OSError."""
        if self._daily and self._unsaved:
            write_durably(self._file, msgspec.json.encode(self._spent))
        self._unsaved = 0

    def _spent_today(self) -> int:
        return self._spent.bytes if self._spent.day == self._today() else 0

    def _read(self) -> _Spent:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Spent)
        except (OSError, msgspec.MsgspecError, UnicodeError):
            return _Spent("", 0)
