# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""OGC API - Features, part 1 (core and GeoJSON) below /ogc: what QGIS, ArcGIS and GDAL read as a layer.

Coordinates are WGS 84 longitude and latitude (CRS84). A parameter that is unknown or wrong is answered by 400, as the
standard wants.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from depot.handover import times
from depot.handover.answers import base_url, faults, json, route_that_answers, with_query
from depot.handover.collections import Collection, Extent, Wanted
from depot.handover.config import HandoverConfig
from depot.handover.exported import Language, Wording
from depot.people.guard import allow
from depot.review.filters import WORD, Bbox
from depot.services import Services

MAX_ITEMS = 10_000
CONFORMS_TO = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
]
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
_JSON, _GEOJSON, _OPENAPI = "application/json", "application/geo+json", "application/vnd.oai.openapi+json;version=3.1"
_WRONG = faults(_400="a parameter is unknown or wrong")
_NONE = faults(_400="a parameter is unknown or wrong", _404="there is none")
_FEATURES: dict[int | str, dict[str, Any]] = {
    200: {"description": "GeoJSON", "content": {_GEOJSON: {"schema": {"type": "object"}}}}
}

Format = Annotated[Literal["json", "html"] | None, Query(alias="f", description="html: the landing page")]
Name = Annotated[str, Path(max_length=50, pattern=WORD)]


def router(services: Services, settings: HandoverConfig, offered: Sequence[Collection]) -> APIRouter:
    """The routes below /ogc."""
    routes = APIRouter(
        prefix="/ogc",
        tags=["OGC API Features"],
        dependencies=[allow("read"), Depends(_format)],
        route_class=route_that_answers(lambda _request, status, line: json({"detail": line}, status=status)),
    )
    api = _Api(services, settings, offered)
    routes.add_api_route("", api.landing, responses=_WRONG, response_class=Response)
    routes.add_api_route("/conformance", api.conformance, responses=_WRONG, response_class=Response)
    routes.add_api_route("/collections", api.collections, responses=_WRONG, response_class=Response)
    routes.add_api_route("/collections/{name}", api.collection, responses=_NONE, response_class=Response)
    of_items: dict[int | str, dict[str, Any]] = {**_NONE, **_FEATURES}
    routes.add_api_route("/collections/{name}/items", api.items, responses=of_items, response_class=Response)
    routes.add_api_route("/collections/{name}/items/{item}", api.item, responses=of_items, response_class=Response)
    return routes


def _format(form: Format = None) -> None:
    """Declares `f` for every route; only the landing page has another form than JSON."""


class _Api:
    """The answers."""

    def __init__(self, services: Services, settings: HandoverConfig, offered: Sequence[Collection]) -> None:
        self._database = services.database
        self._settings = settings
        self._offered = {collection.name: collection for collection in offered}

    def landing(self, request: Request, form: Format = None) -> Response:
        """The landing page."""
        _only(request, "f")
        url = self._url(request)
        links = [
            _link(url, "self", "this page"),
            _link(f"{url}?f=html", "alternate", "this page as HTML", "text/html"),
            _link(f"{url.removesuffix('/ogc')}/api/openapi.json", "service-desc", "the API's definition", _OPENAPI),
            _link(f"{url}/conformance", "conformance", "the standard's parts that hold here"),
            _link(f"{url}/collections", "data", "the collections"),
        ]
        title, text = "Wegewart", "Defects of roads and tunnels as the depot knows them."
        if form == "html" or (form is None and "text/html" in request.headers.get("accept", "")):
            return HTMLResponse(_page(title, text, links))
        return json({"title": title, "description": text, "links": links})

    def conformance(self, request: Request) -> Response:
        """The parts of the standard that hold here."""
        _only(request, "f")
        return json({"conformsTo": CONFORMS_TO})

    def collections(self, request: Request) -> Response:
        """All collections."""
        _only(request, "f")
        url = self._url(request)
        with self._database.reading() as connection:
            found = [_about(each, each.extent(connection), url) for each in self._offered.values()]
        return json({"links": [_link(f"{url}/collections", "self", "this page")], "collections": found})

    def collection(self, request: Request, name: Name) -> Response:
        """One collection."""
        _only(request, "f")
        found = self._named(name)
        with self._database.reading() as connection:
            return json(_about(found, found.extent(connection), self._url(request)))

    def items(  # noqa: PLR0917 - FastAPI passes them by name
        self,
        request: Request,
        name: Name,
        limit: Annotated[int, Query(ge=1, description=f"features on a page, at most {MAX_ITEMS}")] = 1000,
        offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
        bbox: Annotated[str | None, Query(max_length=200, description="west,south,east,north in degrees")] = None,
        interval: Annotated[
            str | None, Query(alias="datetime", max_length=100, description="a time, or two with / between, .. is open")
        ] = None,
        language: Annotated[Language, Query(description="of `title` and `text`")] = "de",
    ) -> Response:
        """Features, page by page (follow the link `next`). A property's name as a parameter asks for that value."""
        found = self._named(name)
        _only(request, "limit", "offset", "bbox", "datetime", "language", "f", *found.filters)
        since, until = _interval(interval)
        given = {key: request.query_params[key] for key in found.filters if key in request.query_params}
        if any("\0" in value for value in given.values()):
            raise HTTPException(400, "a property's value must not hold a NUL character")
        wanted = Wanted(
            limit=min(limit, MAX_ITEMS),
            offset=offset,
            bbox=None if bbox is None else _bbox(bbox),
            since=since,
            until=until,
            properties=given,
        )
        with self._database.reading() as connection:
            page = found.items(connection, wanted, self._wording(request, language))
        url = f"{self._url(request)}/collections/{name}"
        body = {
            "type": "FeatureCollection",
            "timeStamp": self._database.now_utc(),
            "numberMatched": page.matched,
            "numberReturned": len(page.features),
            "links": [_link(url, "collection", found.title), *_around(request, url, wanted, page.matched)],
            "features": page.features,
        }
        return json(body, kind=_GEOJSON)

    def item(
        self,
        request: Request,
        name: Name,
        item: Annotated[str, Path(max_length=200, pattern=WORD)],
        language: Annotated[Language, Query(description="of `title` and `text`")] = "de",
    ) -> Response:
        """One feature."""
        _only(request, "language", "f")
        found = self._named(name)
        with self._database.reading() as connection:
            feature = found.item(connection, item, self._wording(request, language))
        if feature is None:
            raise HTTPException(404, f"the collection {name} has no such feature")
        url = f"{self._url(request)}/collections/{name}"
        links = [
            _link(f"{url}/items/{feature['id']}", "self", "this feature", _GEOJSON),
            _link(url, "collection", found.title),
        ]
        return json({**feature, "links": links}, kind=_GEOJSON)

    def _url(self, request: Request) -> str:
        return f"{base_url(self._settings, request)}/ogc"

    def _wording(self, request: Request, language: Language) -> Wording:
        return Wording(language=language, base_url=base_url(self._settings, request))

    def _named(self, name: str) -> Collection:
        if name not in self._offered:
            raise HTTPException(404, "there is no such collection")
        return self._offered[name]


def _link(href: str, rel: str, title: str, kind: str = _JSON) -> dict[str, str]:
    return {"href": href, "rel": rel, "type": kind, "title": title}


def _around(request: Request, url: str, wanted: Wanted, matched: int) -> list[dict[str, str]]:
    """Links to this page, the next and the one before."""
    given = {name: value for name, value in request.query_params.items() if name not in {"limit", "offset"}}

    def page(rel: str, offset: int) -> dict[str, str]:
        query = {**given, "limit": wanted.limit, "offset": offset or None}
        return _link(with_query(f"{url}/items", query), rel, f"{rel} page", _GEOJSON)

    links = [page("self", wanted.offset)]
    if wanted.offset + wanted.limit < matched:
        links.append(page("next", wanted.offset + wanted.limit))
    if wanted.offset:
        links.append(page("prev", max(0, wanted.offset - wanted.limit)))
    return links


def _about(collection: Collection, extent: Extent, url: str) -> dict[str, Any]:
    about = f"{url}/collections/{collection.name}"
    spans: dict[str, Any] = {}
    if extent.bbox is not None:
        spans["spatial"] = {"bbox": [list(extent.bbox)], "crs": CRS84}
    if extent.first_utc is not None:
        spans["temporal"] = {"interval": [[extent.first_utc, extent.last_utc]], "trs": _GREGORIAN}
    return {
        "id": collection.name,
        "title": collection.title,
        "description": collection.description,
        "itemType": "feature",
        "crs": [CRS84],
        "extent": spans,
        "links": [_link(about, "self", "this page"), _link(f"{about}/items", "items", collection.title, _GEOJSON)],
    }


def _only(request: Request, *known: str) -> None:
    """The standard wants 400 for a parameter that the API does not define."""
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        raise HTTPException(400, f"the parameter {unknown[0][:50]!r} is not known; known here: {', '.join(known)}")


def _bbox(text: str) -> Bbox:
    """Four numbers, or six with heights, which are left out."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise HTTPException(400, "bbox: four numbers are wanted: west,south,east,north in degrees")
    if not -90 <= numbers[1] <= numbers[3] <= 90:
        raise HTTPException(400, "bbox: south must not lie north of north, both within 90 degrees")
    return Bbox(*numbers)


def _interval(text: str | None) -> tuple[datetime | None, datetime | None]:
    if text is None:
        return None, None
    parts = text.split("/")
    if len(parts) > 2:
        raise HTTPException(400, "datetime: a time, or two with / between")
    since = _time(parts[0], last=False)
    until = _time(parts[-1], last=True)
    if since is not None and until is not None and since > until:
        raise HTTPException(400, "datetime: the interval ends before it begins")
    return since, until


def _time(text: str, *, last: bool) -> datetime | None:
    """A time, a day (its first or last moment), or None for an open end."""
    if text in {"", ".."}:
        return None
    # A + that nobody encoded arrives as a space.
    time = times.parse(text[:10] + text[10:].replace(" ", "+")) or times.parse(f"{text}T00:00:00Z")
    if time is None:
        raise HTTPException(400, "datetime: RFC 3339 is wanted, e.g. 2026-05-04T09:30:00Z/..")
    return time + timedelta(days=1, seconds=-1) if last and len(text) == 10 and time < _LAST_DAY else time


_LAST_DAY = datetime.fromisoformat("9999-12-31T00:00:00+00:00")


def _page(title: str, text: str, links: list[dict[str, str]]) -> str:
    """Readable without a style or script."""
    shown = "".join(f'<li><a href="{escape(link["href"])}">{escape(link["title"])}</a></li>' for link in links)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f"<body><h1>{escape(title)}</h1><p>{escape(text)}</p><ul>{shown}</ul></body></html>"
    )
