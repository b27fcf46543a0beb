# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Routes of the condition of sections, of tunnels, and of the network itself."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from depot.errors import ConfigError
from depot.roads import features, tunnels
from depot.roads.answers import GEOJSON, Area, Named, Word, box_of, described, json
from depot.roads.files import read_geojson
from depot.roads.given import Given, Manager, Reader
from depot.roads.importing import Mapping, Replaced, build, replace_roads
from depot.roads.matching import waiting
from depot.store.database import Database

_MOST_BYTES = 64_000_000


def router(given: Given) -> APIRouter:
    """`/api/sections`, `/api/tunnels`, `/api/roads`."""
    made = APIRouter(tags=["roads"])
    for add in (_add_sections, _add_tunnels, _add_network):
        add(made, given)
    return made


def _add_sections(made: APIRouter, given: Given) -> None:
    @made.get("/api/sections", responses=described("sections as lines", GEOJSON))
    def sections(
        *,
        _person: Reader,
        bbox: Area = None,
        road: Word | None = None,
        grade_min: Annotated[int | None, Query(ge=1, le=5)] = None,
        limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    ) -> Response:
        """Sections of about 20 m with an indicative grade 1 to 5 by `rule` (docs/condition.md), the worst first.

        No value of a condition survey (ZEB). `grade` null: nobody has looked. `total`: how many there are.
        """
        box = box_of(bbox)
        with given.database.reading() as connection:
            found, total = given.sections.find(
                connection,
                given.database.now_utc(),
                box=box,
                road=road,
                grade_min=grade_min,
                limit=limit,
                offset=offset,
            )
        return json(features.collection(map(features.section_feature, found), total=total), GEOJSON)


def _add_tunnels(made: APIRouter, given: Given) -> None:
    @made.get("/api/tunnels", responses=described("lines with a chainage", "application/json"))
    def lines(_person: Reader) -> Response:
        """Tunnels and other lines that vehicles know."""
        with given.database.reading() as connection:
            return json({"tunnels": tunnels.lines(connection)})

    @made.get("/api/tunnels/{line}", responses=described("sections of a line", "application/json", 404))
    def tunnel(_person: Reader, line: Named) -> Response:
        """A line in sections of 20 m with its defects. Marks S, V, D are proposals, to be confirmed by an inspector."""
        with given.database.reading() as connection:
            found = tunnels.tunnel(connection, line)
        if found is None:
            raise HTTPException(404, "no such line")
        return json(found)


def _add_network(made: APIRouter, given: Given) -> None:
    @made.get("/api/roads", responses=described("the network in figures", "application/json"))
    def network(_person: Reader) -> Response:
        """How many roads there are, and whether all that was looked at is laid on them."""
        with given.database.reading() as connection:
            known = given.roads.current(connection)
            laying = waiting(connection)
        return json(
            {
                "roads": len(known.roads),
                "length_km": round(sum(road.length_m for road in known.roads) / 1000, 1),
                "imports": known.version,
                "laying": laying,
                "classes": sorted({road.road_class for road in known.roads if road.road_class is not None}),
                "districts": sorted({road.district for road in known.roads if road.district is not None}),
            }
        )

    body = {"requestBody": {"required": True, "content": {GEOJSON: {"schema": {"type": "object"}}}}}

    @made.put(
        "/api/roads",
        responses=described("what the import changed", "application/json", 413),
        openapi_extra=body,
    )
    async def replace(
        *,
        request: Request,
        person: Manager,
        name: Word = "name",
        road_class: Annotated[Word, Query(alias="class")] = "highway",
        district: Word = "district",
        ident: Annotated[Word | None, Query(alias="id", description="lines of one value of it are one road")] = None,
    ) -> Response:
        """Put the roads of a GeoJSON file in the place of all there are; the parameters name its fields."""
        content = await _body(request)
        mapping = Mapping(name=name, road_class=road_class, district=district, id=ident)
        return json(await run_in_threadpool(partial(_replace, given.database, content, mapping, person.name)))


def _replace(database: Database, content: bytes, mapping: Mapping, who: str) -> Replaced:
    try:
        imported = build(read_geojson(content, "roads"), mapping)
    except ConfigError as error:
        raise HTTPException(422, str(error)) from None
    with database.changing() as change:
        return replace_roads(change, imported, who)


async def _body(request: Request) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise HTTPException(413, "roads: 64 MB are taken here; `wegewart-depot roads import` takes more")
    return bytes(content)
