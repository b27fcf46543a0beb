# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The depot over HTTP: every part's routes behind one door.

Order of what a request passes: bounds on its size, the security headers, who is asking (`depot.people.entering`), and
then the route's own question whether that person may (`depot.people.guard`).
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from depot.doors import Bounds, SecurityHeaders, said, security_headers
from depot.errors import StoreError
from depot.fleet import routes as fleet
from depot.handover import routes as handover
from depot.people import routes as people
from depot.people.entering import Entering
from depot.reports import routes as reports
from depot.review import routes as review
from depot.roads import routes as roads_routes
from depot.roads.network import Roads
from depot.roads.sections import SectionIndex
from depot.routing import routes as routing
from depot.routing.router import Router
from depot.services import Services
from depot.updates import routes as updates
from depot.web import routes as web

_NO_TEXT = "There was an error parsing the body"


def make_app(services: Services) -> FastAPI:
    """The application."""
    # The interactive API page would load its scripts from elsewhere; the description itself stays.
    app = FastAPI(
        title="Wegewart depot",
        version="1",
        description="Cases of road and tunnel damage: see docs/depot.md.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(Entering, database=services.database, people=services.config.people)
    app.add_middleware(SecurityHeaders, headers=security_headers(services.config.page))
    app.add_middleware(Bounds)

    @app.exception_handler(StoreError)
    async def store_failed(_request: Request, error: StoreError) -> Response:
        return said(503, f"the store cannot be used now: {error}")

    @app.exception_handler(RequestValidationError)
    async def not_understood(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
        return said(422, f"{where}: {first['msg']}" if where else str(first["msg"]))

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> Response:
        # What is no JSON is 422; where it is not even text, the framework says 400.
        status = 422 if error.detail == _NO_TEXT else error.status_code
        answer = said(status, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    for router in _routers(services):
        app.include_router(router)
    return app


def _routers(services: Services) -> Iterator[APIRouter]:
    config = services.config
    roads = Roads()
    sections = SectionIndex(roads, within_m=config.roads.within_m, valid_days=config.roads.look_valid_days)
    placing = Router(road_within_m=config.routing.road_within_m)
    yield review.router(services, placing)
    yield roads_routes.router(services, config.roads, roads, sections)
    yield fleet.router(services, config.fleet)
    yield updates.router(services)
    yield routing.router(services)
    yield reports.router(services)
    yield people.router(services)
    yield handover.router(services, roads=roads, sections=sections, placing=placing)
    yield web.router(services)
