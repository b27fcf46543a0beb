# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which cases: the filter that list, map, counts and exports share, and what it means in SQL.

`depot.review.index` applies the same filter in memory; tests/depot/review/test_filters.py holds both together.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Annotated, Literal, NamedTuple, TypeAlias

from fastapi import HTTPException, Query
from msgspec import Struct
from pydantic import BeforeValidator
from sqlalchemy import Column, ColumnElement, and_, or_, select

from depot.cases.records import State, Trend
from depot.store.database import utc_now
from depot.store.tables import cases, sightings

Surface = Literal["road", "lining"]
Place = Literal["map", "none"]

#: Free words in an address: bounded, and without control characters (PostgreSQL keeps no NUL).
WORD = r"^[^\x00-\x1f\x7f]*$"
_MANY = 50
_DEGREES = r"-?[0-9]{1,3}(\.[0-9]{1,20})?(e-[0-9]{1,2})?"
#: west,south,east,north, and lon,lat.
BBOX = f"^{_DEGREES}(,{_DEGREES}){{3}}$"
POINT = f"^{_DEGREES},{_DEGREES}$"


def _is_text(value: object) -> object:
    """A bare number would be taken for seconds since 1970."""
    if isinstance(value, str) and "-" not in value[1:]:
        raise ValueError("a time is wanted, e.g. 2026-05-04T09:30:00Z")
    return value


Moment: TypeAlias = Annotated[datetime, BeforeValidator(_is_text)]
Words: TypeAlias = list[Annotated[str, Query(max_length=100, pattern=WORD)]]


class Bbox(NamedTuple):
    """A box on the map, WGS 84 degrees; west may exceed east where it crosses the date line."""

    west: float
    south: float
    east: float
    north: float


class CaseFilter(Struct, frozen=True, kw_only=True):
    """Which cases; what is empty or None does not restrict. Without `states`: all that are not merged into another.

    In `districts`, `offices` and `lines` an empty word stands for "has none". `vehicles`: any sighting of the case.
    `since`: first seen then or later, RFC 3339 with Z. `seen_days`: last seen within so many days.
    """

    classes: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    districts: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()
    road: str | None = None
    lines: tuple[str, ...] = ()
    vehicles: tuple[str, ...] = ()
    surface: Surface | None = None
    trends: tuple[Trend, ...] = ()
    grade_min: int | None = None
    score_min: float | None = None
    since: str | None = None
    seen_days: int | None = None
    looks_min: int | None = None
    bbox: Bbox | None = None
    q: str | None = None
    place: Place | None = None


def case_filter(
    *,
    classes: Annotated[Words, Query(alias="class", max_length=_MANY)] = [],  # noqa: B006 - FastAPI copies it
    states: Annotated[list[State], Query(alias="state", max_length=_MANY)] = [],  # noqa: B006
    districts: Annotated[Words, Query(alias="district", max_length=_MANY, description="empty: has none")] = [],  # noqa: B006
    offices: Annotated[Words, Query(alias="office", max_length=_MANY, description="empty: has none")] = [],  # noqa: B006
    road: Annotated[str | None, Query(max_length=200, pattern=WORD, description="its whole name")] = None,
    lines: Annotated[Words, Query(alias="line", max_length=_MANY, description="empty: has none")] = [],  # noqa: B006
    vehicles: Annotated[Words, Query(alias="vehicle", max_length=_MANY, description="has seen it")] = [],  # noqa: B006
    surface: Annotated[Surface | None, Query()] = None,
    trends: Annotated[list[Trend], Query(alias="trend", max_length=_MANY)] = [],  # noqa: B006
    grade_min: Annotated[int | None, Query(ge=1, le=5)] = None,
    score_min: Annotated[float | None, Query(ge=0, le=1)] = None,
    since: Annotated[Moment | None, Query(description="first seen then or later, RFC 3339")] = None,
    seen_days: Annotated[int | None, Query(ge=0, le=36_500, description="last seen within so many days")] = None,
    looks_min: Annotated[
        int | None, Query(ge=0, le=1_000_000, description="passes since that looked and did not see it, at least")
    ] = None,
    bbox: Annotated[
        str | None, Query(max_length=200, pattern=BBOX, description="west,south,east,north in degrees")
    ] = None,
    q: Annotated[
        str | None, Query(max_length=100, pattern=WORD, description="number of a case, or part of a road's name")
    ] = None,
    place: Annotated[
        Place | None, Query(description="map: has coordinates; none: has not (a tunnel's line only)")
    ] = None,
) -> CaseFilter:
    """The filter of an address, for `Depends`. Answers 422 with one line where a value is none."""
    return CaseFilter(
        classes=tuple(classes),
        states=tuple(states),
        districts=tuple(districts),
        offices=tuple(offices),
        road=road,
        lines=tuple(lines),
        vehicles=tuple(vehicles),
        surface=surface,
        trends=tuple(trends),
        grade_min=grade_min,
        score_min=score_min,
        since=None if since is None else _moment(since),
        seen_days=seen_days,
        looks_min=looks_min,
        bbox=None if bbox is None else box(bbox),
        q=None if q is None else q.strip() or None,
        place=place,
    )


def box(text: str) -> Bbox:
    """A bbox of an address; degrees beyond the earth are cut off. Raises HTTPException 422."""
    if re.fullmatch(BBOX, text) is None:
        raise HTTPException(422, "bbox: four numbers are wanted: west,south,east,north in degrees")
    west, south, east, north = (float(part) for part in text.split(","))
    south, north = sorted((max(min(south, 90.0), -90.0), max(min(north, 90.0), -90.0)))
    return Bbox(max(west, -180.0), south, min(east, 180.0), north)


def moment(text: str) -> str:
    """A time as people write it, as the tables write it; without a zone it is UTC. Raises HTTPException 422."""
    try:
        return _moment(datetime.fromisoformat(text.strip().replace("Z", "+00:00")))
    except ValueError:
        raise HTTPException(422, "since: a time is wanted, e.g. 2026-05-04T09:30:00Z") from None


def _moment(time: datetime) -> str:
    try:
        return _text(time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc))
    except OverflowError:  # the first or the last day of the calendar, elsewhere
        return _text(time.replace(tzinfo=timezone.utc))


def seen_after(wanted: CaseFilter, now_utc: str) -> str | None:
    """The earliest time of the last sighting that `seen_days` lets through."""
    if wanted.seen_days is None:
        return None
    now = datetime.fromisoformat(now_utc.replace("Z", "+00:00"))
    return _text(now - timedelta(days=wanted.seen_days))


def _text(utc: datetime) -> str:
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number_of(q: str) -> int | None:
    """The case that a search names: 17 or #17."""
    digits = q.removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None


def spellings(q: str) -> set[str]:
    """A search in small, capital and title letters: databases fold the case of ASCII only."""
    return {q, q.lower(), q.upper(), q.title(), q[:1].upper() + q[1:].lower()}


def conditions(wanted: CaseFilter, *, now_utc: str | None = None) -> list[ColumnElement[bool]]:
    """What `WHERE` asks of `cases`; `now_utc` is the depot's clock, for `seen_days`."""
    c = cases.c
    found: list[ColumnElement[bool]] = [
        c.state.in_(wanted.states) if wanted.states else c.state != "merged",
        *_words(wanted),
        *_figures(wanted, now_utc or utc_now()),
    ]
    if wanted.bbox is not None:
        found.append(_within(wanted.bbox))
    if wanted.place is not None:
        known = and_(c.lon.is_not(None), c.lat.is_not(None))
        found.append(known if wanted.place == "map" else ~known)
    if wanted.q is not None:
        found.append(_named(wanted.q))
    return found


def _words(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    c = cases.c
    found: list[ColumnElement[bool]] = []
    if wanted.classes:
        found.append(c["class"].in_(wanted.classes))
    if wanted.trends:
        found.append(c.trend.in_(wanted.trends))
    if wanted.road is not None:
        found.append(c.road == wanted.road)
    if wanted.surface is not None:
        found.append(c.surface == wanted.surface)
    if wanted.vehicles:
        found.append(c.number.in_(select(sightings.c.case).where(sightings.c.vehicle.in_(wanted.vehicles))))
    for column, words in ((c.district, wanted.districts), (c.office, wanted.offices), (c.line, wanted.lines)):
        if words:
            found.append(_among(column, words))
    return found


def _among(column: Column[str], words: tuple[str, ...]) -> ColumnElement[bool]:
    named = column.in_([word for word in words if word])
    return or_(named, column.is_(None)) if "" in words else named


def _figures(wanted: CaseFilter, now_utc: str) -> list[ColumnElement[bool]]:
    c = cases.c
    bounds = (
        (c.grade, wanted.grade_min),
        (c.score, wanted.score_min),
        (c.first_seen_utc, wanted.since),
        (c.last_seen_utc, seen_after(wanted, now_utc)),
        (c.looks_without, wanted.looks_min),
    )
    return [column >= least for column, least in bounds if least is not None]


def _within(area: Bbox) -> ColumnElement[bool]:
    c = cases.c
    if area.west > area.east:
        columns: ColumnElement[bool] = or_(c.lon >= area.west, c.lon <= area.east)
    else:
        columns = c.lon.between(area.west, area.east)
    return and_(c.lat.between(area.south, area.north), columns)


def _named(q: str) -> ColumnElement[bool]:
    number = number_of(q)
    found = [cases.c.road.icontains(spelling, autoescape=True) for spelling in sorted(spellings(q))]
    return or_(*found) if number is None else or_(cases.c.number == number, *found)
