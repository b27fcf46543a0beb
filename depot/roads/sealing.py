# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes days that are over into the proof of inspection, and reads it.

What comes later (a vehicle was out of reach for days) is a row with the next revision; nothing is ever changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, Row, func, insert, select, tuple_, update

from depot.people import audit
from depot.roads import looked, proof
from depot.roads.matching import waiting
from depot.roads.projections import moment
from depot.roads.proof import Checked, Inspection
from depot.roads.tables import inspections, road_days, roads
from depot.store.database import Change, Database

_WHO = "rule:proof"
_PAGE = 1000
_CHUNK = 200


class Sealer:
    """Seals road and day. Several may run."""

    def __init__(self, database: Database, zone: ZoneInfo, *, after_h: float = 6.0) -> None:
        self._database = database
        self._zone = zone
        self._after = timedelta(hours=after_h)

    def run_once(self, limit: int = 500) -> int:
        """Write at most `limit` days of roads that are over; gives how many were looked at. Raises StoreError."""
        before = self._today()
        with self._database.reading() as connection:
            if before is None or waiting(connection) or not _unsealed(connection, before, 1):
                return 0  # stretches that are not laid yet may belong to these days
        with self._database.changing() as change:
            rows = [] if waiting(change.connection) else _unsealed(change.connection, before, limit)
            _seal(change, rows)
        return len(rows)

    def _today(self) -> str | None:
        """The first day that is not over yet."""
        now = moment(self._database.now_utc())
        return None if now is None else (now.astimezone(self._zone) - self._after).date().isoformat()


def _unsealed(connection: Connection, before: str, limit: int) -> list[Row[Any]]:
    joined = select(road_days, roads.c.name, roads.c.district, roads.c.length_m).join(
        roads, roads.c.id == road_days.c.road
    )
    over = joined.where(road_days.c.sealed.is_(False), road_days.c.day < before)
    return list(connection.execute(over.order_by(road_days.c.day, road_days.c.road).limit(limit)))


def _seal(change: Change, rows: list[Row[Any]]) -> None:
    connection = change.connection
    number, digest = last_digest(connection)
    written = []
    for some in (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)):
        keys = [(row.road, row.day) for row in some]
        newest = _newest(connection, keys)
        for found in map(_inspection, some):
            revision, content = newest.get((found.road, found.day), (0, ""))
            if content == found.content:
                continue
            number += 1
            line = found.line(number, revision + 1, change.now_utc)
            digest = proof.next_digest(digest, line)
            row = {"number": number, "road": found.road, "day": found.day, "revision": revision + 1}
            written.append({**row, "content": found.content, "line": line, "digest": digest})
        connection.execute(
            update(road_days).where(tuple_(road_days.c.road, road_days.c.day).in_(keys)).values(sealed=True)
        )
    if written:
        connection.execute(insert(inspections), written)
        after = {"rows": len(written), "last": number, "digest": digest}
        audit.record(connection, utc=change.now_utc, who=_WHO, action="seal", kind="proof", subject=number, after=after)
        change.next()


def _newest(connection: Connection, keys: list[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, str]]:
    """Of each road and day the highest revision and what it says."""
    told = select(inspections.c.road, inspections.c.day, inspections.c.revision, inspections.c.content)
    mine = told.where(tuple_(inspections.c.road, inspections.c.day).in_(keys)).order_by(inspections.c.revision)
    return {(row.road, row.day): (row.revision, row.content) for row in connection.execute(mine)}


def _inspection(row: Row[Any]) -> Inspection:
    codes = np.frombuffer(row.state, dtype=np.uint8)
    return Inspection(
        road=row.road,
        name=row.name,
        district=row.district,
        day=row.day,
        length_m=row.length_m,
        looked_at_m=row.length_m * looked.valid_share(codes),
        not_judged_m=looked.not_judged_m(codes, row.length_m),
        vehicles=tuple(json.loads(row.vehicles)),
        looks=row.looks,
        first_utc=row.first_utc,
        last_utc=row.last_utc,
    )


def last_digest(connection: Connection) -> tuple[int, str]:
    """Number and digest of the last row."""
    newest = select(inspections.c.number, inspections.c.digest).order_by(inspections.c.number.desc()).limit(1)
    row = connection.execute(newest).first()
    return (0, proof.START) if row is None else (row.number, row.digest)


def export(database: Database, first: int = 1, last: int | None = None) -> Iterator[str]:
    """The file of the proof from row `first` to `last`, a page at a time. Raises StoreError."""
    with database.reading() as connection:
        end = last_digest(connection)[0] if last is None else last
        row = connection.execute(select(inspections.c.digest).where(inspections.c.number == first - 1)).scalar()

    def rows() -> Iterator[tuple[str, str]]:
        for start in range(first, end + 1, _PAGE):
            page = inspections.c.number.between(start, min(start + _PAGE - 1, end))
            with database.reading() as connection:
                lines = select(inspections.c.line, inspections.c.digest).where(page).order_by(inspections.c.number)
                found = [(line, digest) for line, digest in connection.execute(lines)]
            yield from found

    return proof.write(rows(), proof.START if row is None else row)


def check(database: Database) -> Checked:
    """Check all that is written. Raises StoreError."""
    return proof.check(export(database))


def numbers_of(connection: Connection, from_day: str | None, to_day: str | None) -> tuple[int, int]:
    """First and last number of the rows for these days, and all rows between; (1, 0) where there is none."""
    wheres = [] if from_day is None else [inspections.c.day >= from_day]
    wheres += [] if to_day is None else [inspections.c.day <= to_day]
    least, most = connection.execute(
        select(func.min(inspections.c.number), func.max(inspections.c.number)).where(*wheres)
    ).one()
    return (1, 0) if least is None else (least, most)
