# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Lists of cases, the map, counts, and one case."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response

from depot.people.guard import Person, allow
from depot.review import answers, mapping, selecting
from depot.review.deciding import RefusedError
from depot.review.documents import answers as answered
from depot.review.documents import reply
from depot.review.filters import BBOX, POINT, CaseFilter, box, case_filter
from depot.review.index import CaseIndex
from depot.review.selecting import Mark, Order
from depot.review.showing import detail, shown
from depot.services import Services

Number = Annotated[int, Path(ge=1, le=2**53, description="number of a case")]
Wanted = Annotated[CaseFilter, Depends(case_filter)]
Reader = Annotated[Person, allow("read")]

_CURSOR = r"^(-?[0-9]{1,20}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,2})?|inf)_[0-9]{1,15}$"


def add(router: APIRouter, services: Services, index: CaseIndex) -> None:
    """Add the routes."""
    _add_lists(router, services, index)
    _add_map(router, services, index)
    database = services.database

    @router.get("/api/cases/{number}", response_class=Response, responses=answered(answers.Detail, 404))
    def case(number: Number, person: Reader) -> Response:
        """All that is known of one case, and what the person who asks may do with it."""
        with database.reading() as connection:
            try:
                return reply(detail(connection, number, person))
            except RefusedError as error:
                raise HTTPException(error.status, error.detail) from None


def _add_lists(router: APIRouter, services: Services, index: CaseIndex) -> None:
    database = services.database

    @router.get("/api/cases", response_class=Response, responses=answered(answers.Page))
    def cases(
        _person: Reader,
        wanted: Wanted,
        sort: Annotated[Order, Query(description="urgency: rule wegewart-urgency-1; near: see there")] = "urgency",
        near: Annotated[
            str | None,
            Query(
                max_length=100,
                pattern=POINT,
                description="lon,lat that sort=near measures from; else the bbox's middle",
            ),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        cursor: Annotated[
            str | None, Query(max_length=60, pattern=_CURSOR, description="`next` of the page before")
        ] = None,
    ) -> Response:
        """Cases in an order, page by page. What changes meanwhile may move from one page to another."""
        after = None if cursor is None else _mark(cursor)
        origin = _origin(near, wanted) if sort == "near" else None
        with index.current() as columns:
            found = selecting.matching(columns, wanted, database.now_utc())
            keys = selecting.keys(columns, sort, origin)
            numbers, following = selecting.page(found, keys, after=after, limit=limit)
            total, sequence = int(found.sum()), columns.sequence
        with database.reading() as connection:
            page = answers.Page(
                cases=shown(connection, numbers),
                total=total,
                sequence=sequence,
                next=None if following is None else f"{following.key!r}_{following.number}",
            )
        return reply(page)

    @router.get("/api/counts", response_class=Response, responses=answered(selecting.Counts))
    def counts(_person: Reader, wanted: Wanted) -> Response:
        """How many cases a filter finds, by what they are; "" is those that have none of it."""
        with index.current() as columns:
            return reply(selecting.count(columns, selecting.matching(columns, wanted, database.now_utc())))


def _add_map(router: APIRouter, services: Services, index: CaseIndex) -> None:
    @router.get("/api/map", response_class=Response, responses=answered(answers.Map, media_type="application/geo+json"))
    def cases_on_the_map(
        _person: Reader,
        wanted: Wanted,
        bbox: Annotated[
            str, Query(max_length=200, pattern=BBOX, description="the window: west,south,east,north in degrees")
        ],
        zoom: Annotated[float, Query(ge=0, le=24, description="of the map, as MapLibre counts it (512 px tiles)")],
    ) -> Response:
        """Clusters and single cases in a window, at most 500 features. Squares at its edge count whole."""
        found = mapping.picture_of(services.database, index, wanted, box(bbox), zoom)
        return reply(found, media_type="application/geo+json")


def _mark(cursor: str) -> Mark:
    key, _, number = cursor.partition("_")
    return Mark(float(key), int(number))


def _origin(near: str | None, wanted: CaseFilter) -> tuple[float, float] | None:
    """Where sort=near measures from; None: nobody said, the order is that of the numbers then."""
    if near is not None:
        lon, lat = near.split(",")
        return float(lon), float(lat)
    if wanted.bbox is None:
        return None
    area = wanted.bbox
    width = (area.east - area.west) % 360
    return (area.west + width / 2 + 180) % 360 - 180, (area.south + area.north) / 2
