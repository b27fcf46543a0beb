# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the vehicle's SIM card may carry: bytes a second and bytes a day. Beyond it only facts go.

- Everything that is sent or received counts; only pictures ever wait for it.
- Bytes a second: an account that is paid in all the time. A picture's part may overdraw it, the next one waits.
- Bytes a day: the account lies in a small file beside the outbox and is booked ahead, so that a process
  that is killed has spent too much rather than too little. The file is written about fifty times for a full
  day's budget, and every ten minutes while something is sent.
- A day ends when the trusted UTC date has become a later one, or after 24 hours of operation without that.
  A date that jumps back ends nothing. The computer's own clock is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from edge.durable import write_durably
from messages.chunks import CHUNK_BYTES

if TYPE_CHECKING:
    from pathlib import Path

#: What MQTT, TLS, TCP and IP add to a message of ordinary size, with the answer to it.
OVERHEAD_BYTES = 160
#: What a new connection costs: TCP, TLS with two certificates, CONNECT, SUBSCRIBE.
CONNECTION_BYTES = 6_000
DAY_S = 24 * 3600.0
_BURST_S = 2.0
_DEBT_S = 60.0
_NOTE_EVERY_S = 600.0


@dataclass(frozen=True)
class BudgetLimits:
    """None: no limit."""

    bytes_per_s: float | None = None
    bytes_per_day: int | None = None


class _Account(msgspec.Struct, forbid_unknown_fields=True):
    """The present day: its date where one is known, bytes booked, seconds of operation."""

    day: str | None = None
    spent: int = 0
    age_s: float = 0.0


class Budget:
    """Counts bytes and says whether pictures may go. Times are monotonic seconds that the caller gives.

    `path`: the day's account; None keeps it in memory only.
    """

    def __init__(self, limits: BudgetLimits, path: Path | None, now_s: float) -> None:
        self.limits = limits
        self.file_fault: str | None = None
        self._path = path
        self._account = self._read()
        self._booked = self._account.spent  # what the file says
        self._noted_age_s = self._account.age_s
        self._balance = 0.0
        self._then_s = now_s

    def spend(self, size: int, now_s: float) -> None:
        """A message of `size` bytes was sent or has come."""
        self._move(now_s)
        total = size + OVERHEAD_BYTES
        rate = self.limits.bytes_per_s
        # After a day's load of facts pictures wait for a minute, not for hours.
        self._balance = 0.0 if rate is None else max(self._balance - total, -rate * _DEBT_S)
        self._account.spent += total
        limit = self.limits.bytes_per_day
        if limit is not None and (
            self._account.spent > self._booked or self._account.age_s - self._noted_age_s > _NOTE_EVERY_S
        ):
            self._write(self._account.spent + max(16_384, limit // 50))

    def now(self, now_s: float, today: str | None) -> None:
        """Time has passed. `today`: the trusted UTC date, `2026-11-22`, where one is known."""
        self._move(now_s)
        self._turn_day(today)

    def allows(self, size: int) -> bool:
        """Whether a part of a picture of `size` bytes may go now."""
        if self.limits.bytes_per_s is not None and self._balance < 0:
            return False
        return not self._is_over(size)

    @property
    def spent(self) -> int:
        """Bytes of the present day."""
        return self._account.spent

    def fault(self) -> str | None:
        """One line while the day's budget is used up, or the account cannot be written."""
        limit = self.limits.bytes_per_day
        if limit is not None and self._is_over(CHUNK_BYTES):
            return f"the day's {limit / 1e6:g} MB of mobile data are used up: pictures wait, observations go on"
        return self.file_fault

    def close(self) -> None:
        """Write the account down exactly."""
        if self.limits.bytes_per_day is not None and self._account.spent != self._booked:
            self._write(self._account.spent)

    def _is_over(self, size: int) -> bool:
        limit = self.limits.bytes_per_day
        return limit is not None and self._account.spent + size + OVERHEAD_BYTES > limit

    def _move(self, now_s: float) -> None:
        passed_s, self._then_s = max(0.0, now_s - self._then_s), now_s
        self._account.age_s += passed_s
        rate = self.limits.bytes_per_s
        if rate is not None:
            self._balance = min(self._balance + rate * passed_s, rate * _BURST_S)

    def _turn_day(self, today: str | None) -> None:
        account = self._account
        if account.day is None:
            account.day = today
        is_later = today is not None and account.day is not None and today > account.day
        if is_later or account.age_s >= DAY_S:
            self._account = _Account(day=today)
            self._booked = 0
            if self.limits.bytes_per_day is not None:
                self._write(0)

    def _read(self) -> _Account:
        if self._path is None:
            return _Account()
        try:
            account = msgspec.json.decode(self._path.read_bytes(), type=_Account)
        except FileNotFoundError:
            return _Account()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            self.file_fault = f"the account of mobile data {self._path.name} cannot be read, begun anew: {error}"
            return _Account()
        return account if account.spent >= 0 and account.age_s >= 0 else _Account()

    def _write(self, booked: int) -> None:
        if self._path is None:
            return
        self._booked, self._noted_age_s = booked, self._account.age_s
        noted = msgspec.structs.replace(self._account, spent=booked)
        self.file_fault = None
        try:
            write_durably(self._path, msgspec.json.encode(noted))
        except OSError as error:
            self.file_fault = f"the account of mobile data {self._path.name} cannot be written: {error.strerror}"
