# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A small city: two districts, a street and a motorway; and a page for each role."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy import insert

from depot.config import Config
from depot.doors import said
from depot.people.guard import Person
from depot.people.roles import Role
from depot.roads.tables import NETWORK
from depot.roads.tables import roads as roads_table
from depot.routing import defaults, keeping
from depot.routing.routes import router
from depot.services import Services
from depot.store.database import Database
from depot.store.pictures import PictureFolder
from depot.store.tables import cases

WEST = [[6.70, 51.40], [6.75, 51.40], [6.75, 51.45], [6.70, 51.45], [6.70, 51.40]]
EAST = [[6.75, 51.40], [6.80, 51.40], [6.80, 51.45], [6.75, 51.45], [6.75, 51.40]]


def collection(*features: tuple[str, list[list[float]]], **more: Any) -> bytes:
    made = [
        {
            "type": "Feature",
            "properties": {"name": name, **more},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for name, ring in features
    ]
    return json.dumps({"type": "FeatureCollection", "features": made}).encode()


DISTRICTS = collection(("Homberg", WEST), ("Mitte", EAST))


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

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **options)


def add_road(database: Database, name: str, road_class: str, line: list[list[float]]) -> None:
    """One more road, and the network is a newer one."""
    with database.changing() as change:
        values = {"id": name, "name": name, "class": road_class, "length_m": 500.0, "lines": json.dumps([line])}
        change.connection.execute(insert(roads_table).values(values))
        keeping.set_number(change.connection, NETWORK, keeping.number(change.connection, NETWORK) + 1)


def add_case(database: Database, **values: Any) -> int:
    """One more case; its number."""
    with database.changing() as change:
        row = {
            "changed": change.next(), "state": "new", "class": "pothole", "surface": "road", "sightings": 1,
            "passes": 1, "vehicles": 1, "looks_without": 0, "opened_utc": "2026-05-04T09:30:12Z", "pinned": False,
            "reports": 0, "lon": 6.76, "lat": 51.42, "heading_deg": 90.0, **values,
        }  # fmt: skip
        return int(change.connection.execute(insert(cases).values(row)).inserted_primary_key[0])


@pytest.fixture
def city(database: Database) -> Database:
    """With a street along 51.42 degrees north and a motorway along 51.43."""
    add_road(database, "Königstraße", "residential", [[6.70, 51.42], [6.80, 51.42]])
    add_road(database, "A 40", "motorway", [[6.70, 51.43], [6.80, 51.43]])
    defaults.seed(database, "duisburg")
    return database


@pytest.fixture
def page(city: Database, tmp_path: Path) -> Callable[..., Browser]:
    """Makes a client that is logged in in a role."""
    services = Services(Config(), city, PictureFolder(tmp_path / "pictures"), lambda: None, lambda: False)

    def client(role: Role | None = "dispatcher") -> Browser:
        app = FastAPI()

        @app.middleware("http")
        async def enter(request: Request, handle: Callable[[Request], Any]) -> Response:
            request.state.person = None if role is None else Person("erika", role)
            answer: Response = await handle(request)
            return answer

        @app.exception_handler(RequestValidationError)
        async def not_understood(_request: Request, error: RequestValidationError) -> Response:
            return said(422, error.errors()[0]["msg"])  # as depot.app does it

        app.include_router(router(services))
        return Browser(app)

    return client
