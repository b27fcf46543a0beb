# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`/api/offices`, `/api/rules`, `/api/areas`: read by everybody, edited by those who dispatch.

Each list is written as a whole. `version` is that of the state which the person had before their eyes: where somebody
else has changed anything since, the answer is 409 and nothing is written. After a change all cases are placed anew,
before the answer comes if that takes few seconds (`done`); a case whose office a person chose keeps it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
import shapely
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, func, select

from depot.people import audit
from depot.people.guard import Person, allow
from depot.routing import areas as reading
from depot.routing import keeping
from depot.routing.areas import AreaError
from depot.routing.bodies import faults, json, limited_body
from depot.routing.quality import quality
from depot.routing.records import Area, Kind, Line, Office, Rule
from depot.routing.reproposing import Reproposer, try_rules
from depot.routing.router import Router
from depot.services import Services
from depot.store.database import Database
from depot.store.tables import cases

_MOST_BYTES = 32_000_000
#: So long an answer waits for the cases to be placed anew; the worker does the rest.
_PATIENCE_S = 3.0
_Version = Annotated[int | None, Field(ge=0, le=2**53 - 1, strict=True, description="null: whatever stands there now")]


class Offices(BaseModel):
    """All offices, in the order in which the page offers them."""

    model_config = ConfigDict(extra="forbid")
    version: _Version = None
    offices: Annotated[list[Office], Field(max_length=500)]


class Rules(BaseModel):
    """All rules, in the order in which they are asked."""

    model_config = ConfigDict(extra="forbid")
    version: _Version = None
    rules: Annotated[list[Rule], Field(max_length=500)]


def router(services: Services) -> APIRouter:
    """All routes of routing."""
    made = APIRouter(tags=["routing"])
    routing = Router(road_within_m=services.config.routing.road_within_m)
    desk = _Desk(services.database, Reproposer(services.database, routing))
    _add_offices(made, desk)
    _add_rules(made, desk, routing)
    _add_areas(made, desk)

    @made.get("/api/routing/quality", responses=faults(401, 403, 422))
    def how_good(
        _person: Annotated[Person, allow("read")],
        days: Annotated[int | None, Query(ge=1, le=3660, description="only cases opened within so many days")] = None,
    ) -> Response:
        """How many of the proposals that people looked at they had to change, and from which office to which."""
        with services.database.reading() as connection:
            return json(quality(connection, None if days is None else _days_before(services.database.now_utc(), days)))

    return made


class _Desk:
    """Writes a list, records who did it, and has the cases placed anew."""

    def __init__(self, database: Database, reproposer: Reproposer) -> None:
        self.database = database
        self._reproposer = reproposer

    def replace(
        self, person: Person, what: str, seen: int | None, write: Callable[[Connection], tuple[Any, Any]]
    ) -> Response:
        """`write` gives what stood there before and what stands there now. Raises HTTPException."""
        with self.database.changing() as change:
            connection = change.connection
            now = keeping.version(connection)
            if seen is not None and seen != now:
                raise HTTPException(409, f"offices, rules or areas were changed meanwhile (state {now}, not {seen})")
            before, after = write(connection)
            version = keeping.grow(connection)
            audit.record(
                connection, utc=change.now_utc, who=person.name, action="replace", kind="routing", subject=what,
                before=before, after=after,
            )  # fmt: skip
        placed, is_done = self._reproposer.run_for(_PATIENCE_S)
        return json({"version": version, "placed": placed, "done": is_done})


def _add_offices(made: APIRouter, desk: _Desk) -> None:
    @made.get("/api/offices", responses=faults(401, 403))
    def offices(_person: Annotated[Person, allow("read")]) -> Response:
        """All offices, also those that are not active."""
        with desk.database.reading() as connection:
            return json({"version": keeping.version(connection), "offices": keeping.read_offices(connection)})

    @made.put("/api/offices", responses=faults(400, 401, 403, 409, 422))
    def replace(wanted: Offices, person: Annotated[Person, allow("dispatch")]) -> Response:
        """Write all offices. One that cases have can only become inactive."""

        def write(connection: Connection) -> tuple[Any, Any]:
            before = keeping.read_offices(connection)
            _check_offices(connection, wanted.offices)
            keeping.write_offices(connection, wanted.offices)
            return before, wanted.offices

        return desk.replace(person, "offices", wanted.version, write)


def _add_rules(made: APIRouter, desk: _Desk, routing: Router) -> None:
    @made.get("/api/rules", responses=faults(401, 403))
    def rules(_person: Annotated[Person, allow("read")]) -> Response:
        """All rules, in the order in which they are asked."""
        with desk.database.reading() as connection:
            return json({"version": keeping.version(connection), "rules": keeping.read_rules(connection)})

    @made.put("/api/rules", responses=faults(400, 401, 403, 409, 422))
    def replace(wanted: Rules, person: Annotated[Person, allow("dispatch")]) -> Response:
        """Write all rules."""

        def write(connection: Connection) -> tuple[Any, Any]:
            before = keeping.read_rules(connection)
            _check_rules(connection, wanted.rules)
            keeping.write_rules(connection, wanted.rules)
            return before, wanted.rules

        return desk.replace(person, "rules", wanted.version, write)

    @made.post("/api/rules/try", responses=faults(400, 401, 403, 422))
    def attempt(wanted: Rules, _person: Annotated[Person, allow("dispatch")]) -> Response:
        """What these rules would change in the open cases. Writes nothing."""
        with desk.database.reading() as connection:
            _check_rules(connection, wanted.rules)
            return json(try_rules(connection, routing.plan(connection).areas, wanted.rules))


def _add_areas(made: APIRouter, desk: _Desk) -> None:
    @made.get("/api/areas", responses=faults(401, 403) | {200: {"content": {"application/geo+json": {}}}})
    def every(_person: Annotated[Person, allow("read")]) -> Response:
        """All areas as GeoJSON; the collection has the `version`, too."""
        with desk.database.reading() as connection:
            found, version = keeping.read_areas(connection), keeping.version(connection)
        features = [
            {
                "type": "Feature",
                "id": area.id,
                "properties": {"id": area.id, "name": area.name, "kind": area.kind},
                "geometry": msgspec.Raw(shapely.to_geojson(area.geometry).encode()),
            }
            for area in found
        ]
        return json(
            {"type": "FeatureCollection", "version": version, "features": features}, kind="application/geo+json"
        )

    @made.put("/api/areas", responses=faults(401, 403, 409, 413, 422), openapi_extra=_GEOJSON)
    async def replace(
        request: Request,
        person: Annotated[Person, allow("dispatch")],
        kind: Annotated[
            Kind | None, Query(description="replaces those of this kind only; not given: all, and features say theirs")
        ] = None,
        name_field: Annotated[Line, Query(description="property that holds the name")] = "name",
        version: Annotated[int | None, Query(ge=0, le=2**53 - 1)] = None,
    ) -> Response:
        """Write the areas: a GeoJSON FeatureCollection of polygons in WGS 84, as the city's open data has it."""
        content = await limited_body(request, _MOST_BYTES)

        def work() -> Response:
            uploaded = _uploaded(content, kind, name_field)
            return desk.replace(person, "areas", version, lambda connection: _write_areas(connection, uploaded, kind))

        return await run_in_threadpool(work)


_GEOJSON = {
    "requestBody": {
        "required": True,
        "content": {
            "application/geo+json": {
                "schema": {
                    "type": "object",
                    "required": ["type", "features"],
                    "properties": {
                        "type": {"const": "FeatureCollection"},
                        "features": {"type": "array", "items": {"type": "object"}},
                    },
                }
            }
        },
    }
}


def _uploaded(content: bytes, kind: Kind | None, name_field: str) -> list[Area]:
    try:
        return reading.read(content, kind=kind, name_field=name_field)
    except AreaError as error:
        raise HTTPException(422, f"areas: {error}") from None


def _write_areas(connection: Connection, uploaded: list[Area], kind: Kind | None) -> tuple[Any, Any]:
    before = keeping.read_areas(connection)
    after = [area for area in before if kind is not None and area.kind != kind] + uploaded
    _check_areas(connection, after)
    keeping.write_areas(connection, after)
    return _told(before), _told(after)


def _check_offices(connection: Connection, wanted: list[Office]) -> None:
    twice = [name for name, count in Counter(office.id for office in wanted).items() if count > 1]
    if twice:
        raise HTTPException(422, f"offices: the id {twice[0]} is there twice")
    names = {office.id for office in wanted}
    held = connection.execute(
        select(cases.c.office, func.count()).where(cases.c.office.is_not(None)).group_by(cases.c.office)
    )
    for office, count in held:
        if office not in names:
            raise HTTPException(422, f"offices: {office} has {count} cases; set it inactive instead of leaving it out")
    active = {office.id for office in wanted if office.active}
    for number, rule in enumerate(keeping.read_rules(connection), 1):
        if rule.office not in active:
            raise HTTPException(422, f"offices: rule {number} proposes {rule.office}; change the rule first")


def _check_rules(connection: Connection, wanted: list[Rule]) -> None:
    active = {office.id for office in keeping.read_offices(connection) if office.active}
    known = {area.id for area in keeping.read_areas(connection)}
    for number, rule in enumerate(wanted, 1):
        if rule.office not in active:
            raise HTTPException(422, f"rule {number}: there is no active office {rule.office}")
        for area in rule.areas:
            if area not in known:
                raise HTTPException(422, f"rule {number}: there is no area {area}")


def _check_areas(connection: Connection, wanted: list[Area]) -> None:
    names = Counter(area.id for area in wanted)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise HTTPException(422, f"areas: the id {twice[0]} is there twice")
    for number, rule in enumerate(keeping.read_rules(connection), 1):
        for area in rule.areas:
            if area not in names:
                raise HTTPException(
                    422, f"areas: rule {number} names {area}, which would be gone; change the rule first"
                )


def _told(areas: list[Area] | tuple[Area, ...]) -> list[dict[str, Any]]:
    """Areas as the record of changes keeps them: without their lines, but so that a change of those shows."""
    return [
        {"id": area.id, "name": area.name, "kind": area.kind, "geometry": reading.digest(area.geometry)}
        for area in areas
    ]


def _days_before(utc: str, days: int) -> str:
    return (datetime.fromisoformat(utc.replace("Z", "+00:00")) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
