# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The depot over HTTP: cases, coverage, roughness, vehicles, pictures and live updates; and the page itself.

It only reads the store. There is no login in this cut, so it listens on this machine alone unless told otherwise
(see `depot.config`).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from fastapi import FastAPI, HTTPException, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from depot import geojson
from depot.config import PageConfig
from depot.errors import StoreError
from depot.store.port import Bbox, CaseQuery, Store
from messages.topics import SHA256_PATTERN

WEB = FilePath(__file__).parent / "web"
#: How often a live stream looks whether anything changed, and how often it says that it is still there.
POLL_S = 0.25
HEARTBEAT_S = 15.0

Language = Literal["de", "en"]


def make_app(
    store: Store, page: PageConfig, *, link_state: Callable[[], str | None], stopping: Callable[[], bool]
) -> FastAPI:
    """The application.

    Args:
        store: what it reads.
        page: language and base map.
        link_state: "connected" or "waiting" as to the broker; None where ingest has died.
        stopping: true once the server is to end; live streams then end, too.
    """
    # The interactive API page would load its scripts from elsewhere; the description itself stays.
    app = FastAPI(title="Wegewart depot", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app.add_middleware(_Headers, headers=security_headers(page))

    @app.exception_handler(StoreError)
    async def store_failed(_request: Request, error: StoreError) -> Response:
        return _json({"detail": f"the store cannot be read now: {error}"}, status=503)

    _add_cases(app, store)
    _add_roads(app, store)
    _add_live(app, store, stopping)
    _add_state(app, store, link_state)
    _add_page(app, page)
    return app


class _Headers:
    """Adds headers to every response. Plain ASGI: streams pass through it as they are."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _add_cases(app: FastAPI, store: Store) -> None:
    @app.get("/api/cases")
    def cases(
        bbox: Annotated[str | None, Query(max_length=200, description="west,south,east,north in degrees")] = None,
        classes: Annotated[list[str], Query(alias="class", max_length=50)] = [],  # noqa: B006 - FastAPI copies it
        after: Annotated[int | None, Query(ge=0, le=2**53, description="only what changed after this")] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> Response:
        """Cases as GeoJSON, newest first; with `after`, oldest change first, to be asked again from the last."""
        box = None if bbox is None else _bbox(bbox)
        found = store.cases(CaseQuery(bbox=box, classes=tuple(classes), after=after, limit=limit))
        return _geojson(geojson.collection(map(geojson.case_feature, found)))

    @app.get("/api/cases.geojson")
    def export() -> Response:
        """Every case, as a file."""
        found = store.cases(CaseQuery(limit=-1))
        response = _geojson(geojson.collection(map(geojson.case_feature, found)))
        response.headers["Content-Disposition"] = 'attachment; filename="wegewart-cases.geojson"'
        return response

    @app.get("/api/cases/{number}")
    def case(number: Annotated[int, Path(ge=1, le=2**53)]) -> Response:
        """One case."""
        found = store.case(number)
        if found is None:
            raise HTTPException(404, f"there is no case {number}")
        return _geojson(geojson.case_feature(found))

    @app.get("/pictures/{sha256}.jpg")
    def picture(sha256: Annotated[str, Path(pattern=f"^{SHA256_PATTERN}$")]) -> Response:
        """A picture."""
        content = store.picture(sha256)
        if content is None:
            raise HTTPException(404, "this picture has not arrived")
        forever = {"Cache-Control": "private, max-age=31536000, immutable"}  # the name is the content's hash
        return Response(content, media_type="image/jpeg", headers=forever)


def _add_roads(app: FastAPI, store: Store) -> None:
    @app.get("/api/coverage")
    def coverage(
        after: Annotated[int, Query(ge=0, le=2**53)] = 0, limit: Annotated[int, Query(ge=1, le=10_000)] = 1000
    ) -> Response:
        """Stretches that vehicles looked at, as GeoJSON lines, oldest change first."""
        return _geojson(geojson.collection(map(geojson.stretch_feature, store.coverage(after=after, limit=limit))))

    @app.get("/api/roughness")
    def roughness(
        after: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=10_000, description="messages; each gives one feature or more")] = 1000,
    ) -> Response:
        """How roads felt, as GeoJSON: sections as lines with `rms_mps2`, shocks as points; oldest change first.

        `observation` of a shock is the `event` of the case that the camera had seen there, null where it had seen none.
        """
        rides = store.roughness(after=after, limit=limit)
        return _geojson(geojson.collection(feature for ride in rides for feature in geojson.ride_features(ride)))

    @app.get("/api/vehicles")
    def vehicles() -> Response:
        """Vehicles as GeoJSON points where they were last."""
        return _geojson(geojson.collection(map(geojson.vehicle_feature, store.vehicles())))


def _add_state(app: FastAPI, store: Store, link_state: Callable[[], str | None]) -> None:
    @app.get("/api/summary")
    def summary() -> Response:
        """Counts of everything."""
        return _json(store.summary())

    @app.get("/healthz")
    def health() -> Response:
        """200 while the depot takes in and shows; a broker that is not there yet is no fault of ours."""
        store.sequence()
        broker = link_state()
        if broker is None:
            return _json({"status": "failed", "broker": "ingest has stopped"}, status=503)
        return _json({"status": "ok", "broker": broker})


def _add_live(app: FastAPI, store: Store, stopping: Callable[[], bool]) -> None:
    async def changes() -> AsyncIterator[str]:
        told, quiet_s = -1, 0.0
        while not stopping():
            try:
                sequence = await run_in_threadpool(store.sequence)
            except StoreError:
                return  # the page comes back by itself, and /healthz says what is wrong
            if sequence != told:
                told, quiet_s = sequence, 0.0
                yield f"event: change\nid: {sequence}\ndata: {sequence}\n\n"
            elif quiet_s >= HEARTBEAT_S:
                quiet_s = 0.0
                yield ": still here\n\n"
            await asyncio.sleep(POLL_S)
            quiet_s += POLL_S

    @app.get("/api/events")
    async def events() -> Response:
        """Server-Sent Events: `change` with the store's sequence, at once and whenever it has grown.

        Only the number travels; who wants the news asks `/api/cases?after=`. So nobody can miss one.
        """
        return StreamingResponse(changes(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _add_page(app: FastAPI, page: PageConfig) -> None:
    @app.get("/api/settings")
    def settings() -> Response:
        """What the page must know: language and base map."""
        return _json(page)

    @app.get("/")
    def index(lang: Annotated[Language | None, Query()] = None) -> Response:
        """The page."""
        html = (WEB / "static" / "index.html").read_text(encoding="utf-8")
        return HTMLResponse(html.replace('<html lang="de">', f'<html lang="{lang or page.language}">', 1))

    app.mount("/static", StaticFiles(directory=WEB / "static"), name="static")
    # Only the one package that the page loads; without it the page says how to install it and shows its list.
    vendor = WEB / "node_modules" / "maplibre-gl" / "dist"
    app.mount("/vendor/maplibre-gl", StaticFiles(directory=vendor, check_dir=False), name="vendor")


def security_headers(page: PageConfig) -> dict[str, str]:
    """Nothing but our own files, and the base map where one is configured."""
    origins = {_origin(url) for url in (page.style_url, page.tiles_url) if url is not None}
    map_hosts = "".join(f" {origin}" for origin in sorted(origins))
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; font-src 'self';"
        f" connect-src 'self'{map_hosts}; img-src 'self' data: blob:{map_hosts};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _bbox(text: str) -> Bbox:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise HTTPException(422, "bbox: four numbers are wanted: west,south,east,north in degrees") from None
    if not all(map(math.isfinite, (west, south, east, north))) or not -90 <= south <= north <= 90:
        raise HTTPException(422, "bbox: degrees, and south must not lie north of north")
    return Bbox(max(west, -180.0), south, min(east, 180.0), north)


def _json(value: Any, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _geojson(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/geo+json")
