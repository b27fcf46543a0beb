# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Cases straight in the tables, and the review API alone with somebody logged in."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
from fastapi import FastAPI, Request, Response
from sqlalchemy import insert, select, update

from depot.config import Config
from depot.errors import StoreError
from depot.people.guard import Person
from depot.people.roles import Role
from depot.reports.tables import photos
from depot.review.routes import router
from depot.routing.tables import offices
from depot.services import Services
from depot.store.database import Database
from depot.store.tables import cases, events, pictures, sightings
from messages import envelope
from messages.types import Anonymised, Observation, PictureRef
from tests.depot.samples import observation

_counter = itertools.count(1)


@dataclass
class PicturesInMemory:
    """A `Pictures`."""

    content: dict[str, bytes] = field(default_factory=dict)

    def read(self, sha256: str) -> bytes | None:
        return self.content.get(sha256)

    def keep(self, sha256: str, content: bytes) -> None:
        self.content[sha256] = content

    def remove(self, sha256: str) -> None:
        self.content.pop(sha256, None)


@dataclass
class Client:
    """Asks an application without a network in between, as somebody who is logged in."""

    app: FastAPI
    name: str | None

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self.request("POST", path, json=body)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            headers = {} if self.name is None else {"X-Test-Person": self.name}
            async with httpx.AsyncClient(transport=transport, base_url="http://depot", headers=headers) as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())


@dataclass
class Depot:
    """The review API on a database. `anna` is a dispatcher, `ben` a reviewer, `vera` a viewer, `adam` an admin."""

    database: Database
    pictures: PicturesInMemory = field(default_factory=PicturesInMemory)
    link: str | None = "connected"
    stop: bool = False
    placing: Any = None

    def __post_init__(self) -> None:
        self.services = Services(
            config=Config(),
            database=self.database,
            pictures=self.pictures,
            link_state=lambda: self.link,
            stopping=lambda: self.stop,
        )
        self.app = FastAPI()
        self.app.include_router(router(self.services, self.placing))
        self.app.middleware("http")(_enter)
        self.app.exception_handler(StoreError)(_store_failed)

    def client(self, name: str | None = "anna") -> Client:
        return Client(self.app, name)


ROLES: dict[str, Role] = {
    "anna": "dispatcher",
    "ben": "reviewer",
    "vera": "viewer",
    "adam": "admin",
    "kiosk": "reporter",
    "qgis": "reader",
}


def person(name: str = "anna") -> Person:
    return Person(name=name, role=ROLES[name])


async def _enter(request: Request, call_next: Any) -> Any:
    name = request.headers.get("X-Test-Person")
    request.state.person = None if name is None else person(name)
    return await call_next(request)


async def _store_failed(_request: Request, error: Exception) -> Response:
    return Response(msgspec.json.encode({"detail": str(error)}), 503, media_type="application/json")


def add_case(database: Database, **columns: Any) -> int:
    """A case as the projector would leave it."""
    values = {
        "state": "new",
        "class": "pothole",
        "surface": "road",
        "sightings": 1,
        "passes": 1,
        "vehicles": 1,
        "looks_without": 0,
        "pinned": False,
        "reports": 0,
        "lon": 6.76,
        "lat": 51.43,
        "error_m": 1.0,
        "opened_utc": "2026-05-04T09:30:13.000Z",
        "first_seen_utc": "2026-05-04T09:30:12.000Z",
        "last_seen_utc": "2026-05-04T09:30:12.000Z",
    } | columns
    with database.changing() as change:
        made = change.connection.execute(insert(cases).values(**values, changed=change.next()))
    return int(made.inserted_primary_key[0])


def change_case(database: Database, number: int, **columns: Any) -> int:
    """Change a case as the projector would, and give its number of change."""
    with database.changing() as change:
        changed = change.next()
        change.connection.execute(update(cases).where(cases.c.number == number).values(**columns, changed=changed))
    return changed


def add_sighting(
    database: Database,
    case: int,
    *,
    best: bool = False,
    stored: bool = True,
    vehicle: str = "sweeper-1",
    **changes: Any,
) -> tuple[int, str]:
    """One more sighting of a case with its event and its picture: its number and the picture's name."""
    n = next(_counter)
    sha256 = f"{n:064x}"
    own: dict[str, Any] = {key: changes.pop(key) for key in list(changes) if key in sightings.c and key != "score"}
    made = observation(
        picture=PictureRef(
            sha256=sha256,
            bytes=1000,
            width=320,
            height=180,
            box=(10.0, 20.0, 60.0, 80.0),
            anonymised=Anonymised(method="blur"),
        ),
        **changes,
    )
    with database.changing() as change:
        connection = change.connection
        received = _event(connection, vehicle, f"b-{n:08d}", made)
        values = {
            "case": case,
            "received": received,
            "vehicle": vehicle,
            "boot": "b",
            "class": "pothole",
            "score": made.score,
            "utc": made.time.utc,
            "lon": 6.76,
            "lat": 51.43,
            "error_m": 1.0,
            "picture": sha256,
        } | own
        number = connection.execute(insert(sightings).values(**values)).inserted_primary_key[0]
        if stored:
            add_picture(connection, sha256, vehicle)
        changed: dict[str, Any] = {"changed": change.next()}
        if best:
            changed |= {"best": received, "vehicle": vehicle, "score": made.score}
        connection.execute(update(cases).where(cases.c.number == case).values(**changed))
    return int(number), sha256


def _event(connection: Any, vehicle: str, name: str, data: Observation) -> int:
    event = envelope.Event(id=name, source=envelope.source_of(vehicle), data=data)
    values = {
        "source": event.source,
        "id": name,
        "type": "wegewart.observation.v1",
        "received_utc": "2026-05-04T09:31:00.000Z",
        "payload": envelope.encode(event),
    }
    return int(connection.execute(insert(events).values(**values)).inserted_primary_key[0])


def add_picture(connection: Any, sha256: str, vehicle: str = "sweeper-1", expired_utc: str | None = None) -> None:
    values = {
        "sha256": sha256,
        "vehicle": vehicle,
        "bytes": 1000,
        "width": 320,
        "height": 180,
        "received_utc": "2026-05-04T09:31:01.000Z",
        "expired_utc": expired_utc,
    }
    connection.execute(insert(pictures).values(**values))


def add_offices(database: Database) -> None:
    """`sewers` and `road-works`; `canals` is no longer in use."""
    with database.writing() as connection:
        for position, name in enumerate(("sewers", "road-works", "canals")):
            values = {"id": name, "position": position, "name": name, "active": name != "canals"}
            connection.execute(insert(offices).values(values))


def add_photo(database: Database, case: int, kind: str, sha256: str) -> None:
    """A picture that a citizen or a crew handed in."""
    with database.writing() as connection:
        add_picture(connection, sha256, f"report:{kind}")
        values = {
            "case": case,
            "kind": kind,
            "digest": sha256,
            "sha256": sha256,
            "box": "[1,2,3,4]",
            "width": 640,
            "height": 480,
            "anonymised": "{}",
            "utc": "2026-05-06T00:00:00.000Z",
            "who": "kiosk",
        }
        connection.execute(insert(photos).values(values))


def changed_of(database: Database, number: int) -> int:
    with database.reading() as connection:
        return int(connection.execute(select(cases.c.changed).where(cases.c.number == number)).scalar_one())
