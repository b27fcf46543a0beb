# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The durable outbox: what is in it will reach the depot, whatever happens in between.

Guarantees:
- When `confirm` returns, event and picture hash lie on the disk in one transaction (SQLite, WAL,
  synchronous=FULL), and the picture file was there, whole, before it.
- Ids come from start number, a random part and a counter, never from a clock: unique even after the
  store was lost.
- Only `acknowledge` (the depot has committed) lets an event go, and its row stays for a grace time of
  operation. `refuse` keeps an event aside for good.
- Safe to use from several threads; one process at a time (a lock file says so).

Readable with plain tools while it runs: `sqlite3 outbox.db "SELECT id, state FROM event"`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.delivery.database import KINDS, open_database, store_error
from edge.delivery.pictures import PictureFolder, write_durably
from edge.delivery.port import Counts
from edge.errors import StoreError
from messages.envelope import event_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

#: Acknowledged events stay this long (operating time), so that a depot that lost its disk can get them again.
GRACE_S = 24 * 3600.0

_TOTALS = (
    "SELECT total(confirmed), total(acknowledged), total(refused), total(pictures_confirmed),"
    " total(pictures_acknowledged), total(pictures_refused), total(pictures_lost) FROM boot"
)


@dataclass(frozen=True)
class OutboxItem:
    """Something to send: an event (`key` is its id) or a picture (`key` is its sha256, `payload` None)."""

    key: str
    kind: str
    size_bytes: int
    payload: bytes | None = None


@dataclass(frozen=True)
class Answered:
    """What an answer of the depot changed: new ones, and names that we never sent (a fault elsewhere)."""

    changed: int
    unknown: int


class Outbox:
    """Events and pictures on their way to the depot.

    `path`: the SQLite file; pictures lie beside it in `PATH.pictures/`. `boot`: this start's random part
    (tests give one). `monotonic`: seconds, only for the grace time.

    Raises:
        StoreError: no store can be opened here, or another process has it.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        boot: str | None = None,
        grace_s: float = GRACE_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()
        self._grace_s = grace_s
        self._monotonic = monotonic
        self._counter = 0
        self._published: set[str] = set()
        self._final: Counts | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._holder = _hold(self.path)
            self._pictures = PictureFolder(self.path.with_name(self.path.name + ".pictures"))
        except OSError as error:
            raise store_error(self.path, error) from None
        try:
            opened = open_database(self.path)
            self._db = opened.connection
            self.fault = opened.fault
        except BaseException:
            os.close(self._holder)
            raise
        try:
            self._begin(boot or secrets.token_hex(4))
        except BaseException:
            self._db.close()
            os.close(self._holder)
            raise

    def _begin(self, random_part: str) -> None:
        """Give this start its number and name; both never come twice, even when the store was lost."""
        starts = self.path.with_name(self.path.name + ".starts")
        [(number, base_s)] = self._rows("SELECT ifnull(max(number), 0), total(uptime_s) FROM boot")
        with contextlib.suppress(OSError, ValueError):
            number = max(number, int(starts.read_text(encoding="ascii")))
        self.start = int(number) + 1
        self.boot = f"{self.start:05d}-{random_part}"
        self._base_s = float(base_s) - self._monotonic()
        with self._transaction() as db:
            db.execute("INSERT INTO boot (number, name) VALUES (?, ?)", (self.start, self.boot))
        with contextlib.suppress(OSError):  # only a second place for the number; the store itself is fine
            write_durably(starts, str(self.start).encode())
        if self.fault is None:  # after a damage the files may be all that is left: keep them for this run
            wanted = {sha256 for (sha256,) in self._rows("SELECT sha256 FROM picture")}
            self._pictures.sweep(wanted)

    # -- what the vehicle puts in ---------------------------------------------------------------------------

    def confirm(self, kind: str, build: Callable[[str], bytes], picture: bytes | None = None) -> str:
        """Make an event durable; returns its id.

        Args:
            kind: `observation` or `coverage`.
            build: gives the payload for an id.
            picture: JPEG; when the disk has no room for it, the event is kept without (and it is counted).

        Raises:
            StoreError: nothing was confirmed.
        """
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r} does not go through the outbox")
        with self._lock:
            self._counter += 1  # also when this fails: after a failed commit nobody knows if the id is on the disk
            identity = event_id(self.boot, self._counter)
            payload = build(identity)
            sha256 = hashlib.sha256(picture).hexdigest() if picture is not None else None
            written = sha256 is None or picture is None or self._write_picture(sha256, picture)
            with self._transaction() as db:
                db.execute(
                    "INSERT INTO event (id, boot, kind, payload, picture) VALUES (?, ?, ?, ?, ?)",
                    (identity, self.start, kind, payload, sha256),
                )
                self._count("confirmed", self.start)
                if sha256 is not None and picture is not None:
                    self._enter_picture(sha256, len(picture), written=written)
            return identity

    def _write_picture(self, sha256: str, picture: bytes) -> bool:
        try:
            self._pictures.write(sha256, picture)
        except OSError:
            self._make_room()
            try:
                self._pictures.write(sha256, picture)
            except OSError:
                return False
        return True

    def _make_room(self) -> None:
        """The disk is full: pictures that the depot has are not needed, grace time or not."""
        for (sha256,) in self._rows("SELECT sha256 FROM picture WHERE state = 'acknowledged'"):
            self._pictures.remove(sha256)

    def _enter_picture(self, sha256: str, size: int, *, written: bool) -> None:
        state = "pending" if written else "lost"
        rows = self._rows("SELECT state, boot FROM picture WHERE sha256 = ?", (sha256,))
        if not rows:
            self._db.execute(
                "INSERT INTO picture (sha256, boot, bytes, state) VALUES (?, ?, ?, ?)",
                (sha256, self.start, size, state),
            )
            self._count("pictures_confirmed", self.start)
            if not written:
                self._count("pictures_lost", self.start)
        elif rows[0][0] == "lost" and written:
            self._db.execute("UPDATE picture SET state = 'pending' WHERE sha256 = ?", (sha256,))
            self._count("pictures_lost", rows[0][1], -1)

    # -- what the uplink takes out --------------------------------------------------------------------------

    def pending(self, limit: int, skip: Collection[str] = ()) -> list[OutboxItem]:
        """What to send next: events in the order of confirmation, then pictures; without the keys in `skip`."""
        many = limit + len(skip)
        with self._lock:
            events = self._rows(
                "SELECT id, kind, payload FROM event WHERE state = 'pending' ORDER BY seq LIMIT ?", (many,)
            )
            items = [OutboxItem(key, kind, len(body), body) for key, kind, body in events if key not in skip]
            if len(items) < limit:
                pictures = self._rows(
                    "SELECT sha256, bytes FROM picture WHERE state = 'pending' ORDER BY seq LIMIT ?", (many,)
                )
                items += [OutboxItem(key, "picture", size) for key, size in pictures if key not in skip]
        return items[:limit]

    def picture(self, sha256: str) -> bytes | None:
        """A picture's bytes; None, counted as lost, where the file is missing or damaged."""
        content = self._pictures.read(sha256)
        if content is None:
            self._answer("picture", "lost", [sha256])
        return content

    def mark_sent(self, key: str) -> None:
        """The broker has taken it. Not written to the disk: it proves nothing, and every write wears the card."""
        with self._lock:
            self._published.add(key)

    def acknowledge(self, events: Sequence[str], pictures: Sequence[str] = ()) -> Answered:
        """The depot has committed these. Unknown and repeated names change nothing. Raises StoreError."""
        first = self._answer("event", "acknowledged", events)
        second = self._answer("picture", "acknowledged", pictures)
        return Answered(first.changed + second.changed, first.unknown + second.unknown)

    def refuse(self, key: str, reason: str) -> Answered:
        """The depot will never store this event (or picture): keep it aside, stop sending it. Raises StoreError."""
        with self._transaction():
            answered = self._answer("event", "refused", [key], reason)
            if answered.unknown:
                return self._answer("picture", "refused", [key], reason)
            # Its picture would never be acknowledged either, unless another event has the same one.
            orphans = self._rows(
                "SELECT picture FROM event AS gone WHERE id = ? AND state = 'refused' AND picture IS NOT NULL"
                " AND NOT EXISTS (SELECT 1 FROM event WHERE picture = gone.picture AND state != 'refused')",
                (key,),
            )
            self._answer("picture", "refused", [sha256 for (sha256,) in orphans], reason)
            return answered

    def resend_picture(self, sha256: str) -> bool:
        """Send an acknowledged picture again, if it is still here. Raises StoreError."""
        with self._lock:
            rows = self._rows("SELECT state, boot FROM picture WHERE sha256 = ?", (sha256,))
            if not rows or self._pictures.read(sha256) is None:
                return False
            if rows[0][0] == "acknowledged":
                with self._transaction() as db:
                    db.execute("UPDATE picture SET state = 'pending' WHERE sha256 = ?", (sha256,))
                    self._count("pictures_acknowledged", rows[0][1], -1)
            return True

    def _answer(self, table: str, state: str, keys: Sequence[str], reason: str | None = None) -> Answered:
        key_column, prefix = ("id", "") if table == "event" else ("sha256", "pictures_")
        select = f"SELECT state, boot FROM {table} WHERE {key_column} = ?"  # noqa: S608 - our own words
        update = f"UPDATE {table} SET state = ?, reason = ?, done_s = ? WHERE {key_column} = ?"  # noqa: S608
        with self._lock:
            found = {key: self._rows(select, (key,)) for key in keys}
            pending = {key: rows[0][1] for key, rows in found.items() if rows and rows[0][0] == "pending"}
            if pending:
                with self._transaction() as db:
                    for key, start in pending.items():
                        db.execute(update, (state, reason, self._uptime_s(), key))
                        self._count(prefix + state, start)
                    self._note_uptime()
                self._published.difference_update(pending)
        return Answered(len(pending), sum(not rows for rows in found.values()))

    # -- house-keeping --------------------------------------------------------------------------------------

    def tidy(self) -> int:
        """Delete what the depot acknowledged more than the grace time ago; returns how many events.

        The age is operating time (sum of monotonic seconds over all starts): no clock can be wrong about it.
        Raises StoreError.
        """
        with self._lock:
            before = self._uptime_s() - self._grace_s
            with self._transaction() as db:
                events = db.execute(
                    "DELETE FROM event WHERE state = 'acknowledged' AND done_s <= ?", (before,)
                ).rowcount
                pictures = db.execute(
                    "SELECT sha256 FROM picture WHERE state IN ('acknowledged', 'refused') AND done_s <= ?"
                    " AND NOT EXISTS (SELECT 1 FROM event WHERE event.picture = picture.sha256)",
                    (before,),
                ).fetchall()
                db.executemany("DELETE FROM picture WHERE sha256 = ?", pictures)
                self._note_uptime()
            # Rows first: a file without a row is swept at the next start, a row without a file would be a loss.
            for (sha256,) in pictures:
                self._pictures.remove(sha256)
            return events

    def counts(self) -> Counts:
        """Over the whole life of this store; the last state after `close`."""
        with self._lock:
            if self._final is not None:
                return self._final
            confirmed, acknowledged, refused, *pictures = (int(value) for value in self._rows(_TOTALS)[0])
            events = sum(len(key) != 64 for key in self._published)
            return Counts(confirmed, acknowledged + refused + events, acknowledged, refused, *pictures)

    def close(self) -> None:
        """Close the store. May be called twice."""
        with self._lock:
            if self._final is None:
                self._final = self.counts()
                self._db.close()
                os.close(self._holder)

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise store_error(self.path, error) from None

    def _uptime_s(self) -> float:
        return self._base_s + self._monotonic()

    def _note_uptime(self) -> None:
        other = "(SELECT total(uptime_s) FROM boot WHERE number != ?)"
        self._db.execute(
            f"UPDATE boot SET uptime_s = ? - {other} WHERE number = ?",  # noqa: S608 - our own words
            (self._uptime_s(), self.start, self.start),
        )

    def _count(self, what: str, start: int, by: int = 1) -> None:
        self._db.execute(f"UPDATE boot SET {what} = {what} + ? WHERE number = ?", (by, start))  # noqa: S608

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._final is not None:
                raise StoreError(f"outbox {self.path} is closed")
            if self._db.in_transaction:  # part of a larger one
                yield self._db
                return
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except BaseException as error:
                if self._db.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise store_error(self.path, error) from None
                raise


def _hold(path: Path) -> int:
    """Take the lock file, so that two daemons never send from one store; gone with the process."""
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreError(f"outbox {path} is in use by another process; stop that one first") from None
    return descriptor
