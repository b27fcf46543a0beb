# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The depot over HTTP: every part's routes behind one door.

Order of what a request passes: bounds on its size, the security headers, who is asking (`depot.people.entering`), and
then the route's own question whether that person may (`depot.people.guard`).
"""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from depot import fleet, handover, people, reports, review, roads, routing, web
from depot.doors import Bounds, SecurityHeaders, said, security_headers
from depot.errors import StoreError
from depot.people.entering import Entering
from depot.services import Services

#: Each has `routes.router(services)`.
PARTS = (review, roads, fleet, routing, reports, people, handover, web)


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

    for part in PARTS:
        app.include_router(part.routes.router(services))
    return app
