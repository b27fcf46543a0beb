# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The outbox's book-keeping: this start's number and name, transactions, counts, operating time.

Where the disk takes nothing at start, or the store breaks on the way, a copy in memory stands in: it can be read,
every `transaction` fails, and `reopen` goes back to the disk as soon as that is possible.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from edge.delivery.database import open_database, stand_in, store_error
from edge.delivery.port import Counts
from edge.durable import write_durably
from edge.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_TOTALS = (
    "SELECT total(confirmed), total(acknowledged), total(refused), total(pictures_confirmed),"
    " total(pictures_acknowledged), total(pictures_refused), total(pictures_lost), total(dropped) FROM boot"
)
#: Errors that come from outside the store: it is as good as before when they are over.
_PASSING = ("full", "locked", "readonly")


class Ledger:
    """One process's hold on the store. Every method may be called by any thread.

    `start`: number of this start, rising for ever. `boot`: its name, never given twice. `fault`: one line
    when the store had to be made anew. `doubtful`: SQLite met something worse than a full disk; `reopen` looks at it.

    Raises:
        StoreError: another process has the store, or its folder cannot be used at all.
    """

    def __init__(self, path: Path, *, random_part: str, monotonic: Callable[[], float]) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.fault: str | None = None
        self.doubtful = False
        self._monotonic = monotonic
        self._closed = False
        self._unwritable: str | None = None  # why a copy in memory stands in
        self._holder = _hold(path)
        try:
            self._db = self._open()
            self._begin(random_part)
        except BaseException:
            os.close(self._holder)
            raise

    @property
    def writable(self) -> bool:
        """False while a copy in memory stands in."""
        return self._unwritable is None

    def _open(self) -> sqlite3.Connection:
        self.doubtful = False
        try:
            opened = open_database(self.path)
        except StoreError as error:
            self._unwritable = str(error)
            return stand_in(self.path)
        self._unwritable = None
        self.fault = opened.fault or self.fault
        return opened.connection

    def _begin(self, random_part: str) -> None:
        [(number,)] = self.rows("SELECT ifnull(max(number), 0) FROM boot")
        # A second place for the number: it must not fall back when the store was lost.
        with contextlib.suppress(OSError, ValueError):
            number = max(number, int(self._starts.read_text(encoding="ascii")))
        self.start = int(number) + 1
        self.boot = f"{self.start:05d}-{random_part}"
        self._began_s = self._monotonic()
        self._enter_start()

    def _enter_start(self) -> None:
        [(earlier_s,)] = self.rows("SELECT total(uptime_s) FROM boot WHERE number != ?", (self.start,))
        self._base_s = float(earlier_s) - self._began_s
        try:
            self._db.execute("INSERT OR IGNORE INTO boot (number, name) VALUES (?, ?)", (self.start, self.boot))
        except sqlite3.Error as error:
            self._db.close()
            self._unwritable = str(store_error(self.path, error))
            self._db = stand_in(self.path)
            return
        with contextlib.suppress(OSError):
            write_durably(self._starts, str(self.start).encode())

    @property
    def _starts(self) -> Path:
        return self.path.with_name(self.path.name + ".starts")

    def reopen(self) -> None:
        """Open the store on the disk anew, if a copy stands in for it or it is doubtful. Raises StoreError."""
        with self.lock:
            if self._closed or (self.writable and not self.doubtful):
                return
            if self.writable:
                self._db.close()  # first: what reads a broken file must not drop SQLite's locks on it
                self._db = self._open()
            else:
                with contextlib.suppress(StoreError):
                    opened = open_database(self.path)
                    self._db.close()
                    self._db, self._unwritable = opened.connection, None
                    self.fault = opened.fault or self.fault
            if self.writable:
                self._enter_start()
            if self._unwritable is not None:
                raise StoreError(self._unwritable)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, on the disk when it returns; a transaction within one is part of it. Raises StoreError."""
        with self.lock:
            if self._closed:
                raise StoreError(f"outbox {self.path} is closed")
            if self._unwritable is not None:
                raise StoreError(self._unwritable)
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
                    raise self._failed(error) from None
                raise

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """What a SELECT gives. Raises StoreError."""
        with self.lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise self._failed(error) from None

    def _failed(self, error: sqlite3.Error) -> StoreError:
        self.doubtful = self.doubtful or not (self._closed or any(word in str(error) for word in _PASSING))
        return store_error(self.path, error)

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
    except OSError:
        try:  # no file can be made: the folder itself can be locked all the same
            descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise store_error(path, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StoreError(f"outbox {path} is in use by another process; stop that one first") from None
    return descriptor
