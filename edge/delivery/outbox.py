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
- Pictures go before facts (`quota`): the last of the disk is kept for events.
- Observations are sent first, then what corrects them, what was asked for, what was looked at and how it felt;
  pictures last.
- Safe to use from several threads; one process at a time (a lock file says so).

A disk that takes nothing (full, read-only, broken) never stops the vehicle: events then wait in memory (`holding`),
are sent from there, and are written as soon as the disk takes them; `faults` says so, and what is lost is counted.

Readable with plain tools while it runs: `sqlite3 outbox.db "SELECT id, state FROM event"`.
"""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.delivery import entries
from edge.delivery.database import KINDS, store_error, take_over
from edge.delivery.gallery import Gallery
from edge.delivery.holding import Answer, Fact, Holding
from edge.delivery.ledger import Ledger
from edge.delivery.quota import Quota
from edge.delivery.writer import Writer
from edge.errors import StoreError
from messages.envelope import event_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from edge.delivery.port import Counts

log = logging.getLogger(__name__)

#: Acknowledged events stay this long (operating time), so that a depot that lost its disk can get them again.
GRACE_S = 24 * 3600.0
#: A health message takes no longer ones.
_FAULT_CHARACTERS = 500
#: The quota of facts is looked at after so many.
_QUOTA_EVERY = 100


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


@dataclass(frozen=True)
class Salvaged:
    """What came from a damaged store: events that were not known here, and picture files."""

    events: int
    pictures: int


class Outbox:
    """Events and pictures on their way to the depot.

    `path`: the SQLite file; pictures lie beside it in `PATH.pictures/`. `boot`: this start's random part
    (tests give one). `monotonic`: seconds, for the grace time and for trying a failing disk again.

    Raises:
        StoreError: another process has the store, or its folder cannot even be made or entered.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        boot: str | None = None,
        grace_s: float = GRACE_S,
        quota: Quota | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = Path(path)
        self._grace_s = grace_s
        self._quota = quota or Quota()
        self._counter = 0
        self._dropped = 0
        self._holding = Holding(self._quota.in_memory)
        self._published: set[str] = set()  # sent in this run, not answered
        self._final: Counts | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise store_error(self.path, error) from None
        self._ledger = Ledger(self.path, random_part=boot or secrets.token_hex(4), monotonic=monotonic)
        self._lock = self._ledger.lock
        pictures = self.path.with_name(self.path.name + ".pictures")
        self._gallery = Gallery(pictures, self._ledger, self._holding, self._quota)
        self._writer = Writer(self._ledger, self._holding, self._gallery.make_room, monotonic)
        self._writer.flush()
        for fault in self.faults():
            log.warning("%s", fault)

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
        """What is wrong, in one line; None when all is well."""
        return "; ".join(self.faults())[:_FAULT_CHARACTERS] or None

    def faults(self) -> tuple[str, ...]:
        """What is wrong, one line each: what the disk does not take, what was lost, that a store was set aside."""
        with self._lock:
            held, lost, trouble = len(self._holding.facts), self._holding.lost, self._writer.trouble
            found = (
                trouble and f"{trouble} ({held} events are only in memory, new pictures are lost)",
                f"{lost} events were lost: the disk took nothing and memory was full" if lost else None,
                f"{self._dropped} waiting events were over their quota and dropped" if self._dropped else None,
                f"under {self._quota.free_bytes / 1e6:g} MB free: pictures go" if self._gallery.short else None,
                self._ledger.fault,
            )
            return tuple(fault[:_FAULT_CHARACTERS] for fault in found if fault)

    def counters(self) -> dict[str, int]:
        """Of this run, for the health message."""
        with self._lock:
            return {
                "outbox_in_memory": len(self._holding.facts),
                "outbox_lost": self._holding.lost,
                "outbox_dropped": self._dropped,
                "outbox_pictures_dropped": self._gallery.dropped,
                "outbox_write_errors": self._writer.errors,
            }

    def gauges(self) -> dict[str, float]:
        """For the health message: what the disk has left."""
        free = self._gallery.free_bytes()
        return {} if free is None else {"disk_free_mb": round(free / 1e6, 1)}

    # -- what the vehicle puts in ---------------------------------------------------------------------------

    def confirm(self, kind: str, build: Callable[[str], bytes], picture: bytes | None = None) -> str:
        """Make an event durable; returns its id.

        A disk that takes nothing is no error here: see the head of this module.

        Args:
            kind: one of `KINDS`.
            build: gives the payload for an id.
            picture: JPEG; when the disk has no room for it, the event is kept without (and it is counted).

        Raises:
            StoreError: the outbox is closed.
        """
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r} does not go through the outbox")
        with self._lock:
            if self._final is not None:
                raise StoreError(f"outbox {self.path} is closed")
            self._counter += 1  # also when `build` fails: an id is never given twice
            identity = event_id(self.boot, self._counter)
            payload = build(identity)
            name = None if picture is None else self._gallery.write(picture)
            self._holding.add(Fact(identity, kind, payload, None if name is None else name.sha256), name)
            if self._writer.flush() and self._counter % _QUOTA_EVERY == 0:
                self._drop_over_quota()
            return identity

    def _drop_over_quota(self) -> None:
        try:
            dropped = entries.drop_over_quota(self._ledger, self._quota.waiting)
        except StoreError as error:
            self._writer.failed(error)
        else:
            self._dropped += dropped
            if dropped:
                log.warning("outbox %s: %d waiting events were more than their quota and dropped", self.path, dropped)

    # -- what the uplink takes out --------------------------------------------------------------------------

    def pending(self, limit: int, skip: Collection[str] = ()) -> list[OutboxItem]:
        """What to send next, without the keys in `skip`: events kind by kind, then pictures.

        The order of kinds is that of `KINDS`; within one it is that of confirmation. Raises StoreError: the store
        cannot even be read.
        """
        items: list[OutboxItem] = []
        with self._lock:
            self._writer.flush()
            answered = {key for _, key in self._holding.answers}
            many = limit + len(skip) + len(answered)
            for kind in KINDS:
                if len(items) < limit:
                    events = self._ledger.rows(
                        "SELECT id, payload FROM event WHERE state = 'pending' AND kind = ? ORDER BY seq LIMIT ?",
                        (kind, many),
                    )
                    events += [(fact.id, fact.payload) for fact in self._holding.facts.values() if fact.kind == kind]
                    items += [OutboxItem(key, kind, len(body), body) for key, body in events]
                    items = [item for item in items if item.key not in skip and item.key not in answered]
            if len(items) < limit:
                pictures = self._ledger.rows(
                    "SELECT sha256, bytes FROM picture WHERE state = 'pending' ORDER BY seq LIMIT ?", (many,)
                )
                waiting = [(key, size) for key, size in pictures if key not in skip and key not in answered]
                items += [OutboxItem(key, "picture", size) for key, size in waiting]
        return items[:limit]

    def picture(self, sha256: str) -> bytes | None:
        """A picture's bytes; None, counted as lost, where the file is missing or damaged."""
        content = self._gallery.read(sha256)
        if content is None:
            self._answer("picture", "lost", [sha256])
        return content

    def mark_sent(self, key: str) -> None:
        """The broker has taken this event. Not written to the disk: it proves nothing, and writing wears the card."""
        with self._lock:
            if key in self._holding.facts or self._ledger.rows(
                "SELECT 1 FROM event WHERE id = ? AND state = 'pending'", (key,)
            ):
                self._published.add(key)

    def acknowledge(self, events: Sequence[str], pictures: Sequence[str] = ()) -> Answered:
        """The depot has committed these. Unknown and repeated names change nothing. Raises StoreError: unreadable."""
        with self._lock:
            first = self._note("event", "acknowledged", events)
            second = self._note("picture", "acknowledged", pictures)
            self._writer.flush()
        return Answered(first.changed + second.changed, first.unknown + second.unknown)

    def refuse(self, key: str, reason: str) -> Answered:
        """The depot will never store this event (or picture): keep it aside, stop sending it.

        Raises StoreError: unreadable.
        """
        with self._lock:
            answered = self._note("event", "refused", [key], reason)
            if answered.unknown:
                answered = self._note("picture", "refused", [key], reason)
            else:
                # Its picture would never be acknowledged either, unless another event has the same one.
                orphans = self._ledger.rows(
                    "SELECT picture FROM event AS gone WHERE id = ? AND picture IS NOT NULL AND NOT EXISTS"
                    " (SELECT 1 FROM event WHERE picture = gone.picture AND id != gone.id AND state != 'refused')",
                    (key,),
                )
                if answered.changed:
                    self._note("picture", "refused", [sha256 for (sha256,) in orphans], reason)
            self._writer.flush()
            return answered

    def resend_picture(self, sha256: str) -> bool:
        """Send an acknowledged picture again; False where it is gone, or the disk does not take the order.

        Raises StoreError: unreadable.
        """
        with self._lock:
            rows = self._ledger.rows("SELECT state, boot FROM picture WHERE sha256 = ?", (sha256,))
            if not rows or self._gallery.read(sha256) is None:
                return False
            if rows[0][0] == "acknowledged":
                try:
                    entries.send_again(self._ledger, sha256, rows[0][1])
                except StoreError as error:
                    self._writer.failed(error)
                    return False
            return True

    def _answer(self, table: str, state: str, keys: Sequence[str]) -> None:
        with self._lock:
            self._note(table, state, keys)
            self._writer.flush()

    def _note(self, table: str, state: str, keys: Iterable[str], reason: str | None = None) -> Answered:
        """Keep answers in memory until the writer brings them to the disk."""
        select = f"SELECT state FROM {table} WHERE {'id' if table == 'event' else 'sha256'} = ?"  # noqa: S608
        changed = unknown = 0
        for key in keys:
            held = table == "event" and key in self._holding.facts
            rows = [("pending",)] if held else self._ledger.rows(select, (key,))
            unknown += not rows
            if rows and rows[0][0] == "pending" and (table, key) not in self._holding.answers:
                self._holding.answer(Answer(table, key, state, reason))
                self._published.discard(key)
                changed += 1
        return Answered(changed, unknown)

    # -- house-keeping --------------------------------------------------------------------------------------

    def tidy(self) -> int:
        """Delete what the depot acknowledged more than the grace time ago; returns how many events.

        The age is operating time: no clock can be wrong about it. A disk that takes nothing is tried again later.
        """
        with self._lock:
            if not self._writer.flush():
                return 0
            try:
                events, pictures = entries.delete_acknowledged(self._ledger, self._ledger.uptime_s() - self._grace_s)
            except StoreError as error:
                self._writer.failed(error)
                return 0
            # Rows first: a file without a row is swept at the next start, a row without a file would be a loss.
            for sha256 in pictures:
                self._gallery.remove(sha256)
            self._drop_over_quota()
            return events

    def salvage(self, damaged: Path) -> Salvaged:
        """Enter what waits in another, damaged store and is not known here; it is only read.

        Raises:
            StoreError: this store cannot be written.
        """
        with self._lock:
            with self._ledger.transaction() as db:
                events = take_over(damaged, db)
            waiting = self._ledger.rows("SELECT sha256 FROM picture WHERE state = 'pending'")
            beside = damaged.with_name(damaged.name.partition(".bad")[0] + ".pictures")
            return Salvaged(events, self._gallery.bring_in(beside, [sha256 for (sha256,) in waiting]))

    def counts(self) -> Counts:
        """Over the whole life of this store, with what is only in memory; the last state after `close`."""
        with self._lock:
            return self._final or self._holding.counted(self._ledger.totals(len(self._published)))

    def close(self) -> None:
        """Close the store. May be called twice."""
        with self._lock:
            if self._final is None:
                if not self._writer.flush(at_once=True) and self._holding.facts:
                    log.error("outbox %s: %d events were only in memory and go", self.path, len(self._holding.facts))
                self._final = self.counts()
                self._ledger.close()
