# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts what arrived into the database, whole batches in one transaction each.

Only appended, never derived: events go into `events` and wait in `pending` for the projector. So any number of
processes may do this at once, and none of them waits for whoever changes cases.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, insert, select

from depot.intake import Accepted, Chunk, Intake, Picture, Refused
from depot.services import Pictures
from depot.store import parts, standing
from depot.store.bulk import NewEvent, insert_events
from depot.store.database import Database
from depot.store.ingest_tables import news
from depot.store.tables import pictures as picture_table
from depot.store.tables import refused as refused_table
from depot.store.upserting import upsert
from messages import envelope
from messages.topics import SHA256_PATTERN
from messages.types import Health, Status

_TYPE_NAMES = {kind: name for name, kind in envelope.TYPES.items()}
_SHA256 = re.compile(SHA256_PATTERN)


class IntakeDatabase:
    """Where `depot.ingest` keeps what it has judged: a `Database`, with the pictures' bytes beside it."""

    def __init__(self, database: Database, pictures: Pictures) -> None:
        self._database = database
        self._pictures = pictures

    def save(self, batch: Sequence[Intake]) -> None:
        """Store a batch in one transaction; when it returns, all of it would survive a power cut.

        What is there already stays as it is. Refusals are counted by reason.

        Raises:
            StoreError: nothing of the batch counts as stored; it may be tried again.
        """
        append(self._database, self._pictures, batch)

    def look(self, chunk: Chunk) -> bytes | tuple[int, ...] | None:
        """What is here of the picture that a chunk belongs to: see `depot.ingest.IntakeStore`."""
        with self._database.reading() as connection:
            if connection.scalar(select(picture_table.c.sha256).where(picture_table.c.sha256 == chunk.sha256)):
                return None
            numbers = parts.held(connection, chunk)
            return parts.assembled(connection, chunk) if chunk.is_whole(numbers) else numbers


def append(database: Database, pictures: Pictures, items: Sequence[Intake]) -> None:
    """Store judged messages; pictures reach the disk before the rows that speak of them.

    Raises:
        StoreError: nothing of it counts as stored; it may be tried again.
    """
    _keep_bytes(database, pictures, [item for item in items if isinstance(item, Picture)])
    with database.writing() as connection:
        _append(connection, items, database.now_utc())


def _keep_bytes(database: Database, pictures: Pictures, items: Sequence[Picture]) -> None:
    """All but those that retention took away: the vehicle only did not hear that they had come."""
    if not items:
        return
    with database.reading() as connection:
        query = select(picture_table.c.sha256).where(
            picture_table.c.sha256.in_([item.sha256 for item in items]), picture_table.c.expired_utc.is_not(None)
        )
        expired = set(connection.scalars(query))
    for item in items:
        if item.sha256 not in expired:
            pictures.keep(item.sha256, item.content)


def _append(connection: Connection, items: Sequence[Intake], now_utc: str) -> None:
    kept = [item for item in items if isinstance(item, Accepted) and not isinstance(item.event.data, Status | Health)]
    heard = [item for item in items if not isinstance(item, Refused)]
    known = standing.stored_before(connection, filter(standing.is_undated_place, kept))
    insert_events(connection, _rows(kept, now_utc))
    shown = [("picture", sha256) for sha256 in _take_pictures(connection, items, now_utc)]
    shown += [("refused", reason) for reason in _count_refused(connection, items)]
    if heard:
        shown += [("vehicle", name) for name in standing.hear(connection, heard, known, now_utc)]
    if shown:
        connection.execute(insert(news), [{"kind": kind, "subject": subject} for kind, subject in shown])


def _rows(kept: Iterable[Accepted], now_utc: str) -> list[NewEvent]:
    """One row for each event, sorted by key; of one that is in the batch twice, the first."""
    rows: dict[tuple[str, str], NewEvent] = {}
    for item in kept:
        source, identity = item.event.source, item.event.id
        row = NewEvent(source, identity, _TYPE_NAMES[type(item.event.data)], now_utc, item.payload)
        rows.setdefault((source, identity), row)
    return sorted(rows.values())


def _take_pictures(connection: Connection, items: Sequence[Intake], now_utc: str) -> list[str]:
    """Pictures whole and in part, in the order of arrival; hashes of those that are new."""
    concerned = [item for item in items if isinstance(item, Picture | Chunk) or _names_a_picture(item)]
    if not concerned:
        return []
    parts.lock(connection)
    new: list[str] = []
    for item in concerned:
        if isinstance(item, Chunk):
            parts.put(connection, item)
        elif isinstance(item, Picture):
            parts.drop(connection, item.sha256)
            row = upsert(connection, picture_table).values(
                sha256=item.sha256,
                vehicle=item.vehicle,
                bytes=len(item.content),
                width=item.width,
                height=item.height,
                received_utc=now_utc,
            )
            if connection.execute(row.on_conflict_do_nothing().returning(picture_table.c.sha256)).first():
                new.append(item.sha256)
        elif isinstance(item, Refused):
            parts.drop(connection, item.id or "", item.vehicle)
    return new


def _names_a_picture(item: Intake) -> bool:
    return (
        isinstance(item, Refused)
        and item.vehicle is not None
        and item.id is not None
        and _SHA256.fullmatch(item.id) is not None
    )


def _count_refused(connection: Connection, items: Sequence[Intake]) -> list[str]:
    counts = Counter(item.reason for item in items if isinstance(item, Refused))
    if not counts:
        return []
    row = upsert(connection, refused_table)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=[refused_table.c.reason], set_={"count": refused_table.c.count + row.excluded.count}
        ),
        [{"reason": reason, "count": counts[reason]} for reason in sorted(counts)],
    )
    return sorted(counts)
