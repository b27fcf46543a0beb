# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The outbox's book-keeping: this start's number and name, transactions, counts, operating time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from edge.delivery.database import open_database, store_error
from edge.delivery.pictures import write_durably
from edge.delivery.port import Counts
from edge.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_TOTALS = (
    "SELECT total(confirmed), total(acknowledged), total(refused), total(pictures_confirmed),"
    " total(pictures_acknowledged), total(pictures_refused), total(pictures_lost) FROM boot"
)


class Ledger:
    """One process's hold on the store. Every method may be called by any thread.

    `start`: number of this start, rising for ever. `boot`: its name, never given twice. `fault`: one line
    when the store had to be made anew.

    Raises:
        StoreError: no store can be opened here, or another process has it.
    """

    def __init__(self, path: Path, *, random_part: str, monotonic: Callable[[], float]) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._monotonic = monotonic
        self._closed = False
        self._holder = _hold(path)
        try:
            opened = open_database(path)
        except BaseException:
            os.close(self._holder)
            raise
        self._db = opened.connection
        self.fault = opened.fault
        try:
            self._begin(random_part)
        except BaseException:
            self.close()
            raise

    def _begin(self, random_part: str) -> None:
        [(number, base_s)] = self.rows("SELECT ifnull(max(number), 0), total(uptime_s) FROM boot")
        # A second place for the number: it must not fall back when the store was lost.
        starts = self.path.with_name(self.path.name + ".starts")
        with contextlib.suppress(OSError, ValueError):
            number = max(number, int(starts.read_text(encoding="ascii")))
        self.start = int(number) + 1
        self.boot = f"{self.start:05d}-{random_part}"
        self._base_s = float(base_s) - self._monotonic()
        with self.transaction() as db:
            db.execute("INSERT INTO boot (number, name) VALUES (?, ?)", (self.start, self.boot))
        with contextlib.suppress(OSError):
            write_durably(starts, str(self.start).encode())

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, on the disk when it returns; a transaction within one is part of it. Raises StoreError."""
        with self.lock:
            if self._closed:
                raise StoreError(f"outbox {self.path} is closed")
            if self._db.in_transaction:
                yield self._db
                return
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except BaseException as error:
                with contextlib.suppress(sqlite3.Error):
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise store_error(self.path, error) from None
                raise

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """What a SELECT gives. Raises StoreError."""
        with self.lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise store_error(self.path, error) from None

    def count(self, what: str, start: int, by: int = 1) -> None:
        """Add to a count of the start in which the thing was confirmed; within a transaction."""
        self._db.execute(f"UPDATE boot SET {what} = {what} + ? WHERE number = ?", (by, start))  # noqa: S608

    def totals(self, waiting_published: int) -> Counts:
        """Over all starts; `waiting_published` were sent in this one and are not answered."""
        confirmed, acknowledged, refused, *pictures = (int(value) for value in self.rows(_TOTALS)[0])
        return Counts(confirmed, acknowledged + refused + waiting_published, acknowledged, refused, *pictures)

    def uptime_s(self) -> float:
        """Seconds of operation over all starts: an age that no clock can be wrong about."""
        return self._base_s + self._monotonic()

    def note_uptime(self) -> None:
        """Keep the operating time; within a transaction that is made anyway."""
        self._db.execute(
            "UPDATE boot SET uptime_s = ? - (SELECT total(uptime_s) FROM boot WHERE number != ?) WHERE number = ?",
            (self.uptime_s(), self.start, self.start),
        )

    def close(self) -> None:
        """Let the store go. May be called twice."""
        with self.lock:
            if not self._closed:
                self._closed = True
                self._db.close()
                os.close(self._holder)


def _hold(path: Path) -> int:
    """Take the lock file, so that two daemons never send from one store; it is free when the process is gone."""
    try:
        # To read only: the file of another user can be locked, too.
        descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise store_error(path, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StoreError(f"outbox {path} is in use by another process; stop that one first") from None
    return descriptor
