# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is known of cases' later pictures: for the page, and for who decides whether to ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, func, select

from depot.asking.deciding import ACTIVE, Asked, Later, Situation
from depot.cases.passes import saw
from depot.cases.records import Case, Seen, sighting_of
from depot.cases.tables import asked_pictures, later_pictures, looks
from depot.store.tables import audit, events, pictures, sightings
from messages import envelope
from messages.types import Look

_MOST = 20


class LaterPicture(Struct, frozen=True, kw_only=True):
    """A case's place as a vehicle that was asked saw it on a later pass.

    `found`: classes that its model saw there. `seen`: it found something, or the pass was also a sighting of the case.
    `box`: the place, in pixels of the picture. `error_m`: of the place on that pass.
    """

    utc: str
    vehicle: str
    event: str
    picture: str
    picture_stored: bool
    expired: bool
    width: int
    height: int
    box: tuple[float, float, float, float]
    found: list[str]
    seen: bool
    frames_judged: int
    error_m: float | None = None
    model: str
    model_version: str
    software: str
    anonymised_by: str


class AskedOf(Struct, frozen=True, kw_only=True):
    """A vehicle that is asked for a picture. `told`: it has said that it will."""

    vehicle: str
    told: bool
    asked_utc: str
    until_utc: str


def later_of(connection: Connection, number: int) -> list[LaterPicture]:
    """The later pictures of a case, newest first."""
    query = (
        select(later_pictures, events.c.id, events.c.payload, pictures.c.sha256, pictures.c.expired_utc)
        .join(events, events.c.received == later_pictures.c.received)
        .outerjoin(pictures, pictures.c.sha256 == later_pictures.c.picture)
        .where(later_pictures.c.case == number)
        .order_by(later_pictures.c.utc.desc(), later_pictures.c.received.desc())
        .limit(_MOST)
    )
    rows = connection.execute(query).all()
    seen = _sightings(connection, [number]) if rows else {}
    return [_shown(row, seen.get(number, [])) for row in rows]


def _shown(row: Row[tuple[object, ...]], seen: Sequence[Seen]) -> LaterPicture:
    look = envelope.decode(row.payload).data
    assert isinstance(look, Look)
    error = look.position or look.line
    return LaterPicture(
        utc=row.utc,
        vehicle=row.vehicle,
        event=row.id,
        picture=row.picture,
        picture_stored=row.sha256 is not None and row.expired_utc is None,
        expired=row.expired_utc is not None,
        width=look.picture.width,
        height=look.picture.height,
        box=look.picture.box,
        found=list(look.found),
        seen=_is_seen(row, seen),
        frames_judged=look.frames_judged,
        error_m=None if error is None else error.error_m,
        model=look.model.name,
        model_version=look.model.version,
        software=look.software,
        anonymised_by=look.picture.anonymised.method,
    )


def _is_seen(row: Row[tuple[object, ...]], seen: Sequence[Seen]) -> bool:
    return bool(msgspec.json.decode(row.found)) or saw(row.vehicle, row.boot, row.monotonic_s, seen)


def asked_of(connection: Connection, number: int) -> list[AskedOf]:
    """Which vehicles are asked for a picture of a case now."""
    c = asked_pictures.c
    query = select(asked_pictures).where(c.case == number, c.state.in_(ACTIVE)).order_by(c.vehicle)
    return [
        AskedOf(vehicle=row.vehicle, told=row.state == "told", asked_utc=row.asked_utc, until_utc=row.until_utc)
        for row in connection.execute(query)
    ]


def ordered_utc(connection: Connection, numbers: Sequence[int]) -> Mapping[int, str]:
    """When each case was ordered last."""
    a = audit.c
    query = select(a.subject, func.max(a.utc)).where(
        a.kind == "case", a.action == "order", a.subject.in_([str(number) for number in numbers])
    )
    return {int(subject): utc for subject, utc in connection.execute(query.group_by(a.subject))}


def later_looks(connection: Connection, numbers: Sequence[int]) -> Mapping[int, list[Later]]:
    """The later pictures of cases, as far as they decide."""
    rows = connection.execute(select(later_pictures).where(later_pictures.c.case.in_(numbers))).all()
    seen = _sightings(connection, sorted({row.case for row in rows}))
    found: dict[int, list[Later]] = defaultdict(list)
    for row in rows:
        found[row.case].append(Later(row.utc, _is_seen(row, seen[row.case])))
    return found


def situations(connection: Connection, some: Sequence[Case], *, alive: frozenset[str]) -> list[Situation]:
    """Some cases (few enough for one IN) with all that decides. `alive`: vehicles that were heard of lately."""
    numbers = [case.number for case in some]
    ordered, later = ordered_utc(connection, numbers), later_looks(connection, numbers)
    asked: dict[int, list[Asked]] = defaultdict(list)
    a = asked_pictures.c
    for row in connection.execute(select(asked_pictures).where(a.case.in_(numbers)).order_by(a.asked_utc, a.id)):
        one = Asked(row.id, row.vehicle, row.state, row.asked_utc, row.until_utc, row.attempts)
        asked[row.case].append(one)
    passing = _passing(connection, numbers)
    return [
        Situation(
            case,
            ordered.get(case.number),
            later.get(case.number, ()),
            asked[case.number],
            [vehicle for vehicle in passing[case.number] if vehicle in alive],
        )
        for case in some
    ]


def _passing(connection: Connection, numbers: Sequence[int]) -> Mapping[int, list[str]]:
    """The vehicles that came past each case, whether they saw it or not; who came last is first."""
    last: dict[int, dict[str, str]] = defaultdict(dict)
    for table in (sightings, looks):
        c = table.c
        query = select(c.case, c.vehicle, func.max(c.utc)).where(c.case.in_(numbers), c.vehicle.is_not(None))
        for case, vehicle, utc in connection.execute(query.group_by(c.case, c.vehicle)):
            last[case][vehicle] = max(utc or "", last[case].get(vehicle, ""))
    return defaultdict(
        list,
        {
            case: sorted(sorted(times), key=lambda vehicle, times=times: times[vehicle], reverse=True)  # type: ignore[misc]
            for case, times in last.items()
        },
    )


def _sightings(connection: Connection, numbers: Sequence[int]) -> Mapping[int, list[Seen]]:
    found: dict[int, list[Seen]] = defaultdict(list)
    for row in connection.execute(select(sightings).where(sightings.c.case.in_(numbers))):
        found[row.case].append(sighting_of(row))
    return found
