# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is known of a case beside itself: its record of changes, passes that looked, and others that may be the same."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, or_, select

from depot.cases.board import cells_about
from depot.cases.matching import compare
from depot.cases.passes import saw
from depot.cases.records import Case, Seen, case_of, sighting_of
from depot.cases.tables import case_cells, kept_apart
from depot.cases.tables import looks as look_rows
from depot.store.tables import audit, cases, sightings

#: Farther apart nobody takes two for one, whatever the errors, metres.
_NEAR_M = 15.0


class Entry(Struct, frozen=True, kw_only=True):
    """One change that a person or a rule made; `before` and `after` as they were recorded.

    `case`: this one, or one that was merged into it.
    """

    number: int
    case: int
    utc: str
    who: str
    action: str
    before: Any = None
    after: Any = None


class Look(Struct, frozen=True, kw_only=True):
    """One valid pass over a case's place. `utc` None: not dated yet."""

    utc: str | None
    vehicle: str
    seen: bool


class Duplicate(Struct, frozen=True, kw_only=True):
    """Another case that may be the same defect. `distance_m`: along the line where only that is known."""

    number: int
    distance_m: float


def history(connection: Connection, number: int) -> list[Entry]:
    """Oldest first; with what was recorded of the cases that were merged into it."""
    subjects = [str(one) for one in [number, *_parts_of(connection, number)]]
    statement = select(audit).where(audit.c.kind == "case", audit.c.subject.in_(subjects)).order_by(audit.c.number)
    return [
        Entry(
            number=row.number,
            case=int(row.subject),
            utc=row.utc,
            who=row.who,
            action=row.action,
            before=_read(row.before),
            after=_read(row.after),
        )
        for row in connection.execute(statement)
    ]


def _parts_of(connection: Connection, number: int) -> list[int]:
    """The cases that were merged into one, and into those."""
    found: list[int] = []
    wanted = [number]
    while wanted:
        below = select(cases.c.number).where(cases.c.merged_into.in_(wanted)).order_by(cases.c.number)
        wanted = [one for one in connection.execute(below).scalars() if one not in found]
        found += wanted
    return found


def _read(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def looks(connection: Connection, number: int, *, limit: int = 100) -> list[Look]:
    """Passes over the case's place, newest first, undated ones last."""
    seen = [sighting_of(row) for row in connection.execute(select(sightings).where(sightings.c.case == number))]
    statement = select(look_rows).where(look_rows.c.case == number).order_by(look_rows.c.utc.desc()).limit(10 * limit)
    found = [
        Look(utc=row.utc, vehicle=row.vehicle, seen=False)
        for row in connection.execute(statement)
        if not saw(row.vehicle, row.boot, row.monotonic_s, seen)
    ]
    found += [Look(utc=one.utc, vehicle=one.vehicle, seen=True) for one in seen if one.vehicle is not None]
    return sorted(found, key=lambda look: look.utc or "", reverse=True)[:limit]


def possible_duplicates(connection: Connection, number: int, *, limit: int = 5) -> list[Duplicate]:
    """Cases of a like class so near that their errors would allow it, nearest first; never one that was split off."""
    row = connection.execute(select(cases).where(cases.c.number == number)).first()
    if row is None:
        return []
    case = case_of(row)
    apart = _kept_apart(connection, number)
    found = []
    for other in _near(connection, case):
        pair = None if other.number in {number, *apart} or other.state == "merged" else compare(_as_seen(case), other)
        if pair is not None and pair.distance_m <= _NEAR_M:
            found.append(Duplicate(number=other.number, distance_m=round(pair.distance_m, 1)))
    return sorted(found, key=lambda one: (one.distance_m, one.number))[:limit]


def _kept_apart(connection: Connection, number: int) -> set[int]:
    statement = select(kept_apart).where(or_(kept_apart.c.case == number, kept_apart.c.other == number))
    return {one for row in connection.execute(statement) for one in row}


def _near(connection: Connection, case: Case) -> list[Case]:
    cells = sorted(cells_about(_as_seen(case)))
    inside = select(case_cells.c.case).where(case_cells.c.cell.in_(cells))
    return [case_of(row) for row in connection.execute(select(cases).where(cases.c.number.in_(inside)))]


def _as_seen(case: Case) -> Seen:
    shared = set(Seen.__struct_fields__) & set(Case.__struct_fields__)
    return Seen(**{name: getattr(case, name) for name in shared})
