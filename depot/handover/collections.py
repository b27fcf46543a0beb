# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What OGC API Features offers: collections of features, each with the questions that may be asked of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Protocol

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select

from depot.handover import times
from depot.handover.exported import COLUMNS, Wording, feature, read
from depot.review.filters import Bbox
from depot.store.tables import cases


class Wanted(Struct, frozen=True, kw_only=True):
    """Which features; what is None does not restrict. `since` and `until` belong to the interval."""

    limit: int
    offset: int = 0
    bbox: Bbox | None = None
    since: datetime | None = None
    until: datetime | None = None
    #: Equal to this, by a name of `Collection.filters`.
    properties: dict[str, str] = {}


class Items(Struct, frozen=True, kw_only=True):
    """A page of features, and how many there are on all pages."""

    matched: int
    features: list[dict[str, Any]]


class Extent(Struct, frozen=True, kw_only=True):
    """What a collection spans; None where it is empty or has no such thing."""

    bbox: Bbox | None = None
    first_utc: str | None = None
    last_utc: str | None = None


class Collection(Protocol):
    """One collection. All texts are English, as the interface is."""

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    #: Properties that a query may ask for by their value.
    filters: ClassVar[tuple[str, ...]]

    def extent(self, connection: Connection) -> Extent:
        """What it spans now."""

    def items(self, connection: Connection, wanted: Wanted, wording: Wording) -> Items:
        """A page, always in the same order."""

    def item(self, connection: Connection, name: str, wording: Wording) -> dict[str, Any] | None:
        """One feature by its id."""


class CaseCollection:
    """All cases that are not merged into another, by number. Their time is from the first to the last sighting."""

    name: ClassVar = "cases"
    title: ClassVar = "Cases"
    description: ClassVar = "One feature for each physical defect, joined from what vehicles and citizens saw."
    filters: ClassVar[tuple[str, ...]] = (
        "class",
        "state",
        "grade",
        "office",
        "district",
        "road",
        "road_class",
        "line",
        "surface",
        "trend",
    )
    _whole: ClassVar = frozenset(column.name for column in COLUMNS if column.kind == "integer")

    def extent(self, connection: Connection) -> Extent:
        """The box of all places, the first and the last sighting."""
        c = cases.c
        statement = select(
            func.min(c.lon), func.min(c.lat), func.max(c.lon), func.max(c.lat),
            func.min(c.first_seen_utc), func.max(c.last_seen_utc),
        ).where(c.state != "merged")  # fmt: skip
        west, south, east, north, first, last = connection.execute(statement).one()
        return Extent(bbox=None if west is None else Bbox(west, south, east, north), first_utc=first, last_utc=last)

    def items(self, connection: Connection, wanted: Wanted, wording: Wording) -> Items:
        """A page by number."""
        conditions = self._conditions(wanted)
        matched = connection.execute(select(func.count()).select_from(cases).where(*conditions)).scalar_one()
        found = read(connection, conditions, limit=wanted.limit, offset=wanted.offset)
        return Items(matched=matched, features=[feature(exported, wording) for exported in found])

    def item(self, connection: Connection, name: str, wording: Wording) -> dict[str, Any] | None:
        """The case of that number; one that was merged is none any more."""
        if not _is_number(name):
            return None
        found = read(connection, [cases.c.number == int(name), cases.c.state != "merged"], limit=1)
        return feature(found[0], wording) if found else None

    def _conditions(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        c = cases.c
        found: list[ColumnElement[bool]] = [c.state != "merged"]
        if wanted.bbox is not None:
            found.append(_within(wanted.bbox))
        if wanted.since is not None:
            found.append(c.last_seen_utc >= times.write(wanted.since))
        if wanted.until is not None:
            found.append(c.first_seen_utc <= times.at_most(wanted.until))
        if wanted.since is not None or wanted.until is not None:
            found += [c.first_seen_utc.is_not(None), c.last_seen_utc.is_not(None)]
        for name, value in wanted.properties.items():
            found.append(self._equal(name, value))
        return found

    def _equal(self, name: str, value: str) -> ColumnElement[bool]:
        column = cases.c[name]
        if name not in self._whole:
            return column == value
        return column == int(value) if _is_number(value) else false()  # no number equals a word


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _within(box: Bbox) -> ColumnElement[bool]:
    c = cases.c
    if box.west > box.east:  # across the date line
        columns: ColumnElement[bool] = or_(c.lon >= box.west, c.lon <= box.east)
    else:
        columns = c.lon.between(box.west, box.east)
    return and_(c.lat.between(box.south, box.north), columns)
