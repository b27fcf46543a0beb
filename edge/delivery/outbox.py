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
- Pictures go before facts: the last of the disk is kept for events.
- Observations are sent first, then what corrects them, then what was looked at and how it felt, pictures last.
- Safe to use from several threads; one process at a time (a lock file says so).

Readable with plain tools while it runs: `sqlite3 outbox.db "SELECT id, state FROM event"`.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.delivery.database import KINDS, store_error
from edge.delivery.ledger import Ledger
from edge.delivery.pictures import PictureFolder
from edge.errors import StoreError
from messages.envelope import event_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from edge.delivery.port import Counts

#: Acknowledged events stay this long (operating time), so that a depot that lost its disk can get them again.
GRACE_S = 24 * 3600.0
#: No picture is written when less than this would stay free: room for some 10,000 events.
RESERVE_BYTES = 32 * 1024 * 1024


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
        reserve_bytes: int = RESERVE_BYTES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = Path(path)
        self._grace_s = grace_s
        self._reserve_bytes = reserve_bytes
        self._counter = 0
        self._published: set[str] = set()  # sent in this run, not answered
        self._final: Counts | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._pictures = PictureFolder(self.path.with_name(self.path.name + ".pictures"))
        except OSError as error:
            raise store_error(self.path, error) from None
        self._ledger = Ledger(self.path, random_part=boot or secrets.token_hex(4), monotonic=monotonic)
        self._lock = self._ledger.lock
        if self.fault is None:  # after a damage the files may be all that is left: keep them for this run
            self._pictures.sweep({sha256 for (sha256,) in self._ledger.rows("SELECT sha256 FROM picture")})

    @property
    def boot(self) -> str:
        """Name of this start; never given twice."""
        return self._ledger.boot

    @property
    def start(self) -> int:
        """Number of this start; rises for ever."""
        return self._ledger.start

    @property
    def fault(self) -> str | None:
        """One line when a damaged store had to be set aside at this start."""
        return self._ledger.fault

    # -- what the vehicle puts in ---------------------------------------------------------------------------

    def confirm(self, kind: str, build: Callable[[str], bytes], picture: bytes | None = None) -> str:
        """Make an event durable; returns its id.

        Args:
            kind: one of `KINDS`.
            build: gives the payload for an id.
            picture: JPEG; when the disk has no room for it, the event is kept without (and it is counted).

        Raises:
            StoreError: nothing was confirmed.
        """
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r} does not go through the outbox")
        with self._lock:
            try:
                return self._confirm(kind, build, picture)
            except StoreError:
                if not self._make_room():
                    raise
                return self._confirm(kind, build, picture)

    def _confirm(self, kind: str, build: Callable[[str], bytes], picture: bytes | None) -> str:
        self._counter += 1  # also when this fails: after a failed commit nobody knows if the id is on the disk
        identity = event_id(self.boot, self._counter)
        payload = build(identity)
        sha256 = hashlib.sha256(picture).hexdigest() if picture is not None else None
        stored = sha256 is not None and picture is not None and self._write_picture(sha256, picture)
        with self._ledger.transaction() as db:
            db.execute(
                "INSERT INTO event (id, boot, kind, payload, picture) VALUES (?, ?, ?, ?, ?)",
                (identity, self.start, kind, payload, sha256),
            )
            self._ledger.count("confirmed", self.start)
            if sha256 is not None and picture is not None:
                self._enter_picture(sha256, len(picture), stored=stored)
        return identity

    def _write_picture(self, sha256: str, picture: bytes) -> bool:
        needed = self._reserve_bytes + len(picture)
        try:
            if self._pictures.free_bytes() < needed:
                self._make_room()
            if self._pictures.free_bytes() < needed:
                return False
            self._pictures.write(sha256, picture)
        except OSError:
            return False
        return True

    def _make_room(self) -> bool:
        """The disk is short: pictures that the depot has are not needed, grace time or not. True if there were any."""
        done = self._ledger.rows("SELECT sha256 FROM picture WHERE state IN ('acknowledged', 'refused')")
        return sum(self._pictures.remove(sha256) for (sha256,) in done) > 0

    def _enter_picture(self, sha256: str, size: int, *, stored: bool) -> None:
        rows = self._ledger.rows("SELECT state, boot FROM picture WHERE sha256 = ?", (sha256,))
        with self._ledger.transaction() as db:
            if not rows:
                state = "pending" if stored else "lost"
                db.execute(
                    "INSERT INTO picture (sha256, boot, bytes, state) VALUES (?, ?, ?, ?)",
                    (sha256, self.start, size, state),
                )
                self._ledger.count("pictures_confirmed", self.start)
                if not stored:
                    self._ledger.count("pictures_lost", self.start)
            elif rows[0][0] in ("lost", "refused") and stored:
                db.execute("UPDATE picture SET state = 'pending' WHERE sha256 = ?", (sha256,))
                self._ledger.count(f"pictures_{rows[0][0]}", rows[0][1], -1)

    # -- what the uplink takes out --------------------------------------------------------------------------

    def pending(self, limit: int, skip: Collection[str] = ()) -> list[OutboxItem]:
        """What to send next, without the keys in `skip`: events kind by kind, then pictures.

        The order of kinds is that of `KINDS`; within one it is that of confirmation.
        """
        many = limit + len(skip)
        items: list[OutboxItem] = []
        with self._lock:
            for kind in KINDS:
                if len(items) < limit:
                    events = self._ledger.rows(
                        "SELECT id, payload FROM event WHERE state = 'pending' AND kind = ? ORDER BY seq LIMIT ?",
                        (kind, many),
                    )
                    items += [OutboxItem(key, kind, len(body), body) for key, body in events if key not in skip]
            if len(items) < limit:
                pictures = self._ledger.rows(
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
        """The broker has taken this event. Not written to the disk: it proves nothing, and writing wears the card."""
        with self._lock:
            if self._ledger.rows("SELECT 1 FROM event WHERE id = ? AND state = 'pending'", (key,)):
                self._published.add(key)

    def acknowledge(self, events: Sequence[str], pictures: Sequence[str] = ()) -> Answered:
        """The depot has committed these. Unknown and repeated names change nothing. Raises StoreError."""
        with self._ledger.transaction():
            first = self._answer("event", "acknowledged", events)
            second = self._answer("picture", "acknowledged", pictures)
        return Answered(first.changed + second.changed, first.unknown + second.unknown)

    def refuse(self, key: str, reason: str) -> Answered:
        """The depot will never store this event (or picture): keep it aside, stop sending it. Raises StoreError."""
        with self._ledger.transaction():
            answered = self._answer("event", "refused", [key], reason)
            if answered.unknown:
                return self._answer("picture", "refused", [key], reason)
            # Its picture would never be acknowledged either, unless another event has the same one.
            orphans = self._ledger.rows(
                "SELECT picture FROM event AS gone WHERE id = ? AND state = 'refused' AND picture IS NOT NULL"
                " AND NOT EXISTS (SELECT 1 FROM event WHERE picture = gone.picture AND state != 'refused')",
                (key,),
            )
            self._answer("picture", "refused", [sha256 for (sha256,) in orphans], reason)
            return answered

    def resend_picture(self, sha256: str) -> bool:
        """Send an acknowledged picture again, if it is still here. Raises StoreError."""
        with self._lock:
            rows = self._ledger.rows("SELECT state, boot FROM picture WHERE sha256 = ?", (sha256,))
            if not rows or self._pictures.read(sha256) is None:
                return False
            if rows[0][0] == "acknowledged":
                with self._ledger.transaction() as db:
                    db.execute("UPDATE picture SET state = 'pending' WHERE sha256 = ?", (sha256,))
                    self._ledger.count("pictures_acknowledged", rows[0][1], -1)
            return True

    def _answer(self, table: str, state: str, keys: Sequence[str], reason: str | None = None) -> Answered:
        column, prefix = ("id", "") if table == "event" else ("sha256", "pictures_")
        select = f"SELECT state, boot FROM {table} WHERE {column} = ?"  # noqa: S608 - our own words
        update = f"UPDATE {table} SET state = ?, reason = ?, done_s = ? WHERE {column} = ?"  # noqa: S608
        with self._lock:
            found = {key: self._ledger.rows(select, (key,)) for key in keys}
            waiting = {key: rows[0][1] for key, rows in found.items() if rows and rows[0][0] == "pending"}
            if waiting:
                with self._ledger.transaction() as db:
                    for key, start in waiting.items():
                        db.execute(update, (state, reason, self._ledger.uptime_s(), key))
                        self._ledger.count(prefix + state, start)
                    self._ledger.note_uptime()
                self._published.difference_update(waiting)
        return Answered(len(waiting), sum(not rows for rows in found.values()))

    # -- house-keeping --------------------------------------------------------------------------------------

    def tidy(self) -> int:
        """Delete what the depot acknowledged more than the grace time ago; returns how many events.

        The age is operating time: no clock can be wrong about it. Raises StoreError.
        """
        with self._lock:
            before = self._ledger.uptime_s() - self._grace_s
            with self._ledger.transaction() as db:
                events = db.execute(
                    "DELETE FROM event WHERE state = 'acknowledged' AND done_s <= ?", (before,)
                ).rowcount
                pictures = db.execute(
                    "SELECT sha256 FROM picture WHERE state = 'acknowledged' AND done_s <= ?"
                    " AND NOT EXISTS (SELECT 1 FROM event WHERE event.picture = picture.sha256)",
                    (before,),
                ).fetchall()
                db.executemany("DELETE FROM picture WHERE sha256 = ?", pictures)
                self._ledger.note_uptime()
            # Rows first: a file without a row is swept at the next start, a row without a file would be a loss.
            for (sha256,) in pictures:
                self._pictures.remove(sha256)
            return events

    def counts(self) -> Counts:
        """Over the whole life of this store; the last state after `close`."""
        with self._lock:
            return self._final or self._ledger.totals(len(self._published))

    def close(self) -> None:
        """Close the store. May be called twice."""
        with self._lock:
            if self._final is None:
                self._final = self.counts()
                self._ledger.close()
