# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Cases as the depot has them, and an app of the hand-over alone with whoever is asked for logged in."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI, Request, Response
from sqlalchemy import insert, text

from depot.config import Config
from depot.errors import StoreError
from depot.handover.config import HandoverConfig
from depot.handover.routes import router
from depot.people.guard import Person
from depot.people.roles import Role
from depot.services import Services
from depot.store.database import Database
from depot.store.tables import cases, events, pictures, sightings, vehicles
from tests.depot import samples as messages

PICTURE = "ab" * 32
NOW = "2026-10-12T08:00:00.000Z"


class Folder:
    """Pictures in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def read(self, sha256: str) -> bytes | None:
        return self.kept.get(sha256)

    def keep(self, sha256: str, content: bytes) -> None:
        self.kept[sha256] = content

    def remove(self, sha256: str) -> None:
        self.kept.pop(sha256, None)


def services(database: Database) -> Services:
    return Services(
        config=Config(),
        database=database,
        pictures=Folder(),
        link_state=lambda: "connected",
        stopping=lambda: False,
    )


class Browser:
    """Asks an application without a network in between."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app=app)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://depot.example") as asking:
                return await asking.request(method, path, **options)

        return asyncio.run(ask())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


def app_of(made: Services, role: Role | None = "admin", settings: HandoverConfig | None = None) -> FastAPI:
    """The hand-over alone; `role` None: nobody is logged in."""
    app = FastAPI(openapi_url="/api/openapi.json")
    app.include_router(router(made, settings))

    @app.middleware("http")
    async def enter(request: Request, call_next: Any) -> Response:
        request.state.person = None if role is None else Person(name="erika", role=role)
        answer: Response = await call_next(request)
        return answer

    @app.exception_handler(StoreError)
    async def failed(_request: Request, error: StoreError) -> Response:
        return Response(str(error), 503)

    return app


def client(made: Services, role: Role | None = "admin", settings: HandoverConfig | None = None) -> Browser:
    return Browser(app_of(made, role, settings))


def add_case(database: Database, number: int = 1, **values: Any) -> int:
    """A case; what is not said is a plain pothole on a road in Duisburg, seen by one vehicle."""
    usual = {
        "number": number,
        "state": "new",
        "class": "pothole",
        "surface": "road",
        "lon": 6.7623 + number * 1e-4,
        "lat": 51.4344,
        "error_m": 0.8,
        "heading_deg": 90.0,
        "sightings": 1,
        "passes": 1,
        "vehicles": 1,
        "vehicle": "bus-12",
        "score": 0.87,
        "grade": 3,
        "length_m": 0.6,
        "width_m": 0.4,
        "size_error_m": 0.07,
        "first_seen_utc": "2026-10-10T07:00:00Z",
        "last_seen_utc": "2026-10-11T07:30:00.250Z",
        "opened_utc": "2026-10-10T07:00:05.000Z",
        "district": "Mitte",
        "road": "Königstraße",
        "office": "Straßenunterhaltung",
        "office_proposed": "Straßenunterhaltung",
        "reports": 0,
        "looks_without": 0,
        "pinned": False,
    }
    with database.changing() as change:
        change.connection.execute(insert(cases).values({**usual, **values, "changed": change.next()}))
        if database.dialect == "postgresql":  # the next number follows ours
            change.connection.execute(text("SELECT setval('cases_number_seq', (SELECT max(number) FROM cases))"))
    return number


def add_sighting(
    database: Database, case: int, *, picture: str | None = None, stored: bool = True, **values: Any
) -> int:
    """A sighting of a case by an event of its own, the case's best one."""
    with database.changing() as change:
        connection = change.connection
        event = connection.execute(
            insert(events).values(
                source="wegewart:bus-12",
                id=f"e{case}-{change.sequence}",
                type="observation",
                received_utc=NOW,
                payload=messages.payload(messages.observation(), change.sequence + 1),
            )
        ).inserted_primary_key[0]
        usual = {
            "case": case,
            "received": event,
            "vehicle": "bus-12",
            "boot": "b1",
            "class": "pothole",
            "score": 0.8,
            "utc": "2026-10-11T07:30:00.250Z",
            "lon": 6.7623,
            "lat": 51.4344,
            "error_m": 0.8,
            "grade": 3,
            "picture": picture,
        }
        number = connection.execute(insert(sightings).values({**usual, **values})).inserted_primary_key[0]
        if picture is not None and stored:
            connection.execute(
                insert(pictures).values(
                    sha256=picture, vehicle="bus-12", bytes=3, width=640, height=480, received_utc=NOW
                )
            )
        connection.execute(cases.update().where(cases.c.number == case).values(best=event, changed=change.next()))
    return int(number)


def add_vehicle(database: Database, name: str = "bus-12", **values: Any) -> None:
    usual = {"name": name, "seen_utc": NOW, "lon": 6.76, "lat": 51.43, "position_utc": NOW}
    with database.changing() as change:
        change.connection.execute(insert(vehicles).values({**usual, **values}))
