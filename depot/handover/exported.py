# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A case as it leaves the depot: flat, with units in the names, the same columns in every format.

Rows are read in pages by number, each in a short transaction of its own: a slow reader of a long export holds nothing
up, and every case comes at most once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, and_, select

from depot.cases.records import Case
from depot.describing import describe, title
from depot.store.database import Database
from depot.store.tables import cases, pictures, sightings

Language = Literal["de", "en"]
Kind = Literal["integer", "number", "text", "boolean", "time"]
#: Rows of one transaction.
PAGE = 2000

_COLUMNS: tuple[tuple[str, Kind], ...] = (
    ("case", "integer"),
    ("state", "text"),
    ("class", "text"),
    ("grade", "integer"),
    ("title", "text"),
    ("text", "text"),
    ("office", "text"),
    ("office_proposed", "text"),
    ("district", "text"),
    ("road", "text"),
    ("road_class", "text"),
    ("surface", "text"),
    ("lon", "number"),
    ("lat", "number"),
    ("error_m", "number"),
    ("heading_deg", "number"),
    ("line", "text"),
    ("track", "text"),
    ("chainage_m", "number"),
    ("chainage_error_m", "number"),
    ("side", "text"),
    ("lining_clock", "number"),
    ("length_m", "number"),
    ("width_m", "number"),
    ("size_error_m", "number"),
    ("trend", "text"),
    ("shock_mps2", "number"),
    ("score", "number"),
    ("sightings", "integer"),
    ("passes", "integer"),
    ("vehicles", "integer"),
    ("reports", "integer"),
    ("first_seen_utc", "time"),
    ("last_seen_utc", "time"),
    ("looks_without", "integer"),
    ("last_look_utc", "time"),
    ("opened_utc", "time"),
    ("decided_utc", "time"),
    ("reject_reason", "text"),
    ("note", "text"),
    ("picture", "text"),
    ("picture_stored", "boolean"),
)


class Column(Struct, frozen=True):
    """A column of every export."""

    name: str
    kind: Kind


COLUMNS = tuple(Column(name, kind) for name, kind in _COLUMNS)


class Exported(Struct, frozen=True, kw_only=True):
    """A case with its best picture's SHA-256."""

    case: Case
    picture: str | None
    stored: bool


class Wording(Struct, frozen=True, kw_only=True):
    """How an export speaks: language of the texts, and what stands before a picture's path."""

    language: Language = "de"
    base_url: str = ""


def query() -> Select[Any]:
    """All columns that `exported_of` wants."""
    joined = cases.outerjoin(sightings, and_(sightings.c.received == cases.c.best, cases.c.best.is_not(None)))
    joined = joined.outerjoin(pictures, pictures.c.sha256 == sightings.c.picture)
    return select(
        *cases.c,
        sightings.c.picture.label("best_picture"),
        and_(pictures.c.sha256.is_not(None), pictures.c.expired_utc.is_(None)).label("best_stored"),
    ).select_from(joined)


_FIELDS = tuple("defect_class" if column.name == "class" else column.name for column in cases.c)


def exported_of(row: Sequence[Any]) -> Exported:
    """A row of `query`."""
    *values, picture, stored = row
    return Exported(case=Case(**dict(zip(_FIELDS, values, strict=True))), picture=picture, stored=bool(stored))


def pages(
    database: Database, conditions: Sequence[ColumnElement[bool]], *, page: int = PAGE
) -> Iterator[list[Exported]]:
    """All cases that meet the conditions, by number. Raises StoreError, also between two pages."""
    after = 0
    while True:
        with database.reading() as connection:
            found = read(connection, [*conditions, cases.c.number > after], limit=page)
        if found:
            yield found
        if len(found) < page:
            return
        after = found[-1].case.number


def read(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    *,
    limit: int,
    offset: int = 0,
    newest: bool = False,
) -> list[Exported]:
    """Cases by number, or with `newest` by their opening."""
    order = [cases.c.opened_utc.desc(), cases.c.number.desc()] if newest else [cases.c.number]
    statement = query().where(*conditions).order_by(*order).limit(limit).offset(offset)
    return [exported_of(row) for row in connection.execute(statement)]


def properties(exported: Exported, wording: Wording) -> dict[str, Any]:
    """The columns' values, in their order."""
    case = exported.case
    own = {
        "case": case.number,
        "class": case.defect_class,
        "lon": _degrees(case.lon),
        "lat": _degrees(case.lat),
        "title": title(case, wording.language),
        "text": describe(case, wording.language),
        "picture": None if exported.picture is None else f"{wording.base_url}/pictures/{exported.picture}.jpg",
        "picture_stored": exported.stored,
    }
    return {name: own[name] if name in own else getattr(case, name) for name, _ in _COLUMNS}


def feature(exported: Exported, wording: Wording) -> dict[str, Any]:
    """A GeoJSON feature; its geometry is null where no place is known."""
    place = place_of(exported.case)
    return {
        "type": "Feature",
        "id": exported.case.number,
        "geometry": None if place is None else {"type": "Point", "coordinates": place},
        "properties": properties(exported, wording),
    }


def place_of(case: Case) -> tuple[float, float] | None:
    """Longitude and latitude, to the centimetre."""
    lon, lat = _degrees(case.lon), _degrees(case.lat)
    return None if lon is None or lat is None else (lon, lat)


def _degrees(value: float | None) -> float | None:
    return None if value is None else round(value, 7)
