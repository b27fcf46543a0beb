# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads decided cases and the pictures that whoever decided could see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from depot.cases.recalling import read as read_event
from depot.cases.records import Case, case_of
from depot.store.database import Database
from depot.store.tables import cases, events, pictures, sightings
from messages.types import Observation

#: Cases of one transaction.
_PAGE = 500
#: Pictures of a case that are looked through for those that may teach.
_MOST = 8
_DECIDED = ("confirmed", "ordered", "repaired", "rejected")


@dataclass(frozen=True)
class Sight:
    """A picture of a case by a vehicle, as its message describes it."""

    received: int
    observation: Observation


def decided(database: Database, conditions: Sequence[ColumnElement[bool]]) -> list[Case]:
    """All cases that somebody decided and that meet the conditions, by number. Raises StoreError."""
    with database.reading() as connection:
        query = select(cases).where(cases.c.state.in_(_DECIDED), *conditions).order_by(cases.c.number)
        return [case_of(row) for row in connection.execute(query)]


def sights(database: Database, some: Sequence[Case]) -> dict[int, list[Sight]]:
    """By case: its best pictures that are still there and had come when it was decided. Raises StoreError."""
    found: dict[int, list[Sight]] = {}
    for start in range(0, len(some), _PAGE):
        part = {case.number: case for case in some[start : start + _PAGE]}
        with database.reading() as connection:
            for row in _rows(connection, list(part)):
                case, here = part[row.case], found.setdefault(row.case, [])
                if len(here) < _MOST and case.decided_utc is not None and row.received_utc <= case.decided_utc:
                    here += _sight(row)
    return found


def _rows(connection: Connection, numbers: Sequence[int]) -> list[Row[Any]]:
    """Sightings by vehicles with a picture that is there; of each case the best one first, then by score."""
    query = (
        select(
            sightings.c.case, sightings.c.received, events.c.received_utc, events.c.payload,
            (sightings.c.received == cases.c.best).label("is_best"),
        )
        .join(cases, cases.c.number == sightings.c.case)
        .join(events, events.c.received == sightings.c.received)
        .join(pictures, pictures.c.sha256 == sightings.c.picture)
        .where(sightings.c.case.in_(numbers), pictures.c.expired_utc.is_(None))
        .order_by(sightings.c.case, sightings.c.score.desc().nulls_last(), sightings.c.number)
    )  # fmt: skip
    return sorted(connection.execute(query), key=lambda row: (row.case, not row.is_best))


def _sight(row: Row[Any]) -> list[Sight]:
    data = read_event(row.payload).data
    assert isinstance(data, Observation)
    return [] if data.picture is None else [Sight(row.received, data)]
