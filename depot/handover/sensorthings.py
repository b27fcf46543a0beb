# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""OGC SensorThings API 1.1, reading, below /sensorthings/v1.1: for the city's data platform.

Paths over several entities, `$top`, `$skip`, `$count`, `$select`, `$orderby`, `$expand` (two levels) and a basic
`$filter` (comparisons, and/or/not, startswith, endswith, substringof). Nothing can be created or changed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, func, select

from depot.handover.answers import base_url, faults, json, route_that_answers, with_query
from depot.handover.config import HandoverConfig
from depot.handover.entities import ENTITY_SETS, EntitySet
from depot.handover.odata import QueryError, Segment, parse_filter, parse_orderby, parse_path, split
from depot.people.guard import allow
from depot.services import Services

PREFIX = "/sensorthings/v1.1"
MAX_TOP, USUAL_TOP = 1000, 100
#: With `$expand` each entity costs queries of its own.
MAX_TOP_EXPANDED, EXPANDED_TOP = 100, 20
_DEEPEST = 2
_CONFORMS_TO = [
    "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path/resource-path-to-entities",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/expand",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/select",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/orderby",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/top",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/skip",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/count",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/filter",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/pagination",
]
_OPTIONS = ("$top", "$skip", "$count", "$select", "$orderby", "$expand", "$filter")
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "entities", "content": {"application/json": {"schema": {"type": "object"}}}},
    **faults(_400="a part of the query is not understood", _404="there is no such entity"),
}


class Options(Struct, frozen=True, kw_only=True):
    """The query options of one collection or entity."""

    top: int | None = None
    skip: int = 0
    count: bool = False
    select: tuple[str, ...] = ()
    orderby: str | None = None
    expand: tuple[tuple[str, Options], ...] = ()
    filter: str | None = None


def router(services: Services, settings: HandoverConfig) -> APIRouter:
    """The routes below /sensorthings/v1.1."""
    routes = APIRouter(
        prefix=PREFIX,
        tags=["OGC SensorThings"],
        dependencies=[allow("read")],
        route_class=route_that_answers(lambda _request, status, line: json({"detail": line}, status=status)),
    )

    @routes.get("", responses=_RESPONSES, response_class=Response)
    def root(request: Request) -> Response:
        """The collections there are."""
        url = f"{base_url(settings, request)}{PREFIX}"
        found = [{"name": name, "url": f"{url}/{name}"} for name in ENTITY_SETS]
        return json({"value": found, "serverSettings": {"conformance": _CONFORMS_TO}})

    @routes.get("/{path:path}", responses=_RESPONSES, response_class=Response)
    def entities(  # noqa: PLR0917 - FastAPI passes them by name
        request: Request,
        path: Annotated[str, Path(max_length=500, description="e.g. Things('bus-12')/Datastreams")],
        top: Annotated[str | None, Query(alias="$top", max_length=20, description=f"at most {MAX_TOP}")] = None,
        skip: Annotated[str | None, Query(alias="$skip", max_length=20)] = None,
        count: Annotated[str | None, Query(alias="$count", max_length=20, description="true or false")] = None,
        chosen: Annotated[str | None, Query(alias="$select", max_length=500)] = None,
        orderby: Annotated[str | None, Query(alias="$orderby", max_length=500)] = None,
        expand: Annotated[str | None, Query(alias="$expand", max_length=1000)] = None,
        wanted: Annotated[str | None, Query(alias="$filter", max_length=1000)] = None,
    ) -> Response:
        """Entities of a path."""
        given = dict(zip(_OPTIONS, (top, skip, count, chosen, orderby, expand, wanted), strict=True))
        try:
            options = _options({name: value for name, value in given.items() if value is not None})
            segments = parse_path(path.rstrip("/"))
            with services.database.reading() as connection:
                reading = _Reading(connection, f"{base_url(settings, request)}{PREFIX}")
                return reading.answer(segments, options, given, path.rstrip("/"))
        except QueryError as error:
            raise HTTPException(400, str(error)) from None

    return routes


def _options(given: Mapping[str, str], depth: int = 0) -> Options:
    top = _whole("$top", given.get("$top"))
    expand = tuple(_expanded(part, depth) for part in split(given.get("$expand", ""), ",") if part)
    count = given.get("$count", "false")
    if count not in {"true", "false"}:
        raise QueryError("$count: true or false")
    return Options(
        top=top,
        skip=_whole("$skip", given.get("$skip")) or 0,
        count=count == "true",
        select=tuple(part for part in split(given.get("$select", ""), ",") if part),
        orderby=given.get("$orderby") or None,
        expand=expand,
        filter=given.get("$filter") or None,
    )


def _expanded(part: str, depth: int) -> tuple[str, Options]:
    """`Datastreams`, `Datastreams/Observations` or `Datastreams($top=1;$orderby=...)`."""
    if depth >= _DEEPEST:
        raise QueryError(f"$expand: {_DEEPEST} levels at most")
    match = re.fullmatch(r"([A-Za-z]+)(?:/(.+)|\((.*)\))?", part, re.DOTALL | re.ASCII)
    if match is None:
        raise QueryError(f"$expand: {part[:50]!r} is not understood")
    name, deeper, inner = match.groups()
    if deeper is not None:
        return name, _options({"$expand": deeper}, depth + 1)
    given = {}
    for option in filter(None, split(inner or "", ";")):
        key, _, value = option.partition("=")
        if key not in _OPTIONS:
            raise QueryError(f"$expand: {key[:50]!r} is no option; known: {', '.join(_OPTIONS)}")
        given[key] = value
    return name, _options(given, depth + 1)


def _whole(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise QueryError(f"{name}: a whole number is wanted")
    return int(text)


class _Reading:
    """One answer, from one state of the database."""

    def __init__(self, connection: Connection, url: str) -> None:
        self._connection = connection
        self._url = url

    def answer(self, segments: list[Segment], options: Options, given: Mapping[str, str | None], path: str) -> Response:
        """What a path and its options ask for."""
        entities, conditions, row = self._start(segments[:1])
        for at, segment in enumerate(segments[1:], start=1):
            if row is None:
                raise QueryError("an entity's key is wanted before a further part of the path")
            if segment.name not in entities.links:
                return self._property(self._write(entities, row, options), segments[at:])
            link = entities.links[segment.name]
            entities, conditions = ENTITY_SETS[link.target], [link.where(row)]
            row = self._row(entities, conditions, segment) if segment.key is not None or not link.many else None
        if row is not None:
            return json(self._write(entities, row, options))
        page, more = self._page(entities, conditions, options)
        body: dict[str, Any] = {}
        if options.count:
            body["@iot.count"] = self._count(entities, conditions, options)
        if more:
            query = {**given, "$skip": options.skip + len(page)}
            body["@iot.nextLink"] = with_query(f"{self._url}/{path}", query)
        return json({**body, "value": page})

    def _start(self, first: list[Segment]) -> tuple[EntitySet, list[ColumnElement[bool]], Row[Any] | None]:
        if not first or first[0].name not in ENTITY_SETS:
            raise HTTPException(404, f"there is no such collection; known: {', '.join(ENTITY_SETS)}")
        entities = ENTITY_SETS[first[0].name]
        return entities, [], None if first[0].key is None else self._row(entities, [], first[0])

    def _row(self, entities: EntitySet, conditions: list[ColumnElement[bool]], segment: Segment) -> Row[Any]:
        wanted = list(conditions)
        if segment.key is not None:
            if "\0" in segment.key or (entities.number_key and not segment.key.isdigit()):
                raise HTTPException(404, f"{entities.name} has no such entity")
            wanted.append(entities.key == (int(segment.key) if entities.number_key else segment.key))
        row = self._connection.execute(entities.rows.where(*wanted).limit(1)).first()
        if row is None:
            raise HTTPException(404, f"{entities.name} has no such entity")
        return row

    def _property(self, entity: dict[str, Any], rest: list[Segment]) -> Response:
        """`Things('x')/name`, `Things('x')/name/$value`."""
        name = rest[0].name
        raw = len(rest) == 2 and rest[1].name == "$value"
        if name not in entity or name.startswith("@") or rest[0].key is not None or (len(rest) > 1 and not raw):
            raise HTTPException(404, f"{name[:50]!r} is neither a property nor a link here")
        if not raw:
            return json({name: entity[name]})
        return Response(str(entity[name]), media_type="text/plain") if entity[name] is not None else Response("", 204)

    def _page(
        self, entities: EntitySet, conditions: list[ColumnElement[bool]], options: Options, *, usual: int = USUAL_TOP
    ) -> tuple[list[dict[str, Any]], bool]:
        """A page, and whether more follow."""
        most = MAX_TOP_EXPANDED if options.expand else MAX_TOP
        top = min(most, usual if options.top is None else options.top)
        order = [] if options.orderby is None else parse_orderby(options.orderby, entities.fields)
        statement = entities.rows.where(*self._conditions(entities, conditions, options))
        statement = statement.order_by(*order, entities.key).limit(top + 1).offset(options.skip)
        rows = self._connection.execute(statement).all()
        return [self._write(entities, row, options) for row in rows[:top]], len(rows) > top > 0

    def _count(self, entities: EntitySet, conditions: list[ColumnElement[bool]], options: Options) -> int:
        inner = entities.rows.where(*self._conditions(entities, conditions, options)).subquery()
        return int(self._connection.execute(select(func.count()).select_from(inner)).scalar_one())

    def _conditions(
        self, entities: EntitySet, conditions: list[ColumnElement[bool]], options: Options
    ) -> list[ColumnElement[bool]]:
        if options.filter is None:
            return conditions
        return [*conditions, parse_filter(options.filter, entities.fields)]

    def _write(self, entities: EntitySet, row: Row[Any], options: Options) -> dict[str, Any]:
        key = row.id if entities.number_key else "'" + row.id.replace("'", "''") + "'"
        address = f"{self._url}/{entities.name}({key})"
        content = entities.write(row)
        if options.select:
            unknown = set(options.select) - {*content, *entities.links, "id", "@iot.id"}
            if unknown:
                raise QueryError(f"$select: {min(unknown)[:50]!r} is no property of {entities.name}")
            content = {name: value for name, value in content.items() if name in options.select}
        entity = {"@iot.id": row.id, "@iot.selfLink": address, **content}
        for name in entities.links:
            if not options.select or name in options.select:
                entity[f"{name}@iot.navigationLink"] = f"{address}/{name}"
        for name, inner in options.expand:
            entity.update(self._expand(entities, row, name, inner, address))
        return entity

    def _expand(self, entities: EntitySet, row: Row[Any], name: str, options: Options, address: str) -> dict[str, Any]:
        if name not in entities.links:
            raise QueryError(
                f"$expand: {name[:50]!r} is no link of {entities.name}; known: {', '.join(entities.links)}"
            )
        link = entities.links[name]
        target = ENTITY_SETS[link.target]
        page, more = self._page(target, [link.where(row)], options, usual=EXPANDED_TOP if link.many else 1)
        if not link.many:
            return {name: page[0] if page else None}
        found: dict[str, Any] = {name: page}
        if options.count:
            found[f"{name}@iot.count"] = self._count(target, [link.where(row)], options)
        if more:
            query = {"$skip": options.skip + len(page), "$filter": options.filter, "$orderby": options.orderby}
            found[f"{name}@iot.nextLink"] = with_query(f"{address}/{name}", query)
        return found
