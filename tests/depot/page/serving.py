# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole depot on a free port, with a city in it: the real application, the real pipeline, no broker."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from msgspec.structs import replace as altered
from sqlalchemy import func, select

from depot.app import make_app
from depot.asking.config import AskingConfig
from depot.asking.projection import LaterPictures
from depot.asking.worker import Asking
from depot.cases.projection import CaseProjection
from depot.commanding import Errand
from depot.config import Config
from depot.fleet.projection import FleetProjection
from depot.fleet.watching import FleetWatch
from depot.intake import Intake
from depot.people import users
from depot.people.config import PeopleConfig
from depot.projecting import Projector
from depot.roads.config import zone as roads_zone
from depot.roads.matching import Matcher
from depot.roads.network import Roads
from depot.roads.projections import CoverageProjection, RoughnessProjection
from depot.roads.sealing import Sealer
from depot.routing import defaults as routing_defaults
from depot.routing.router import Router
from depot.services import Services
from depot.store.appending import append
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.news import News
from depot.store.pictures import PictureFolder
from depot.store.tables import cases, events
from messages import envelope
from messages.types import Reply
from tests.depot.page.city import areas_geojson, roads_geojson
from tests.servers import HOST, free_port, wait_until

PASSWORD = "Kehrmaschine-faehrt-7"
PEOPLE = {"anna": ("Anna Becker", "dispatcher"), "ben": ("Ben Aydin", "reviewer"), "vera": ("Vera Lang", "viewer"),
          "adam": ("Adam Novak", "admin")}  # fmt: skip


class PageDepot:
    """A running depot. `url`: where its page is."""

    def __init__(self, folder: Path, *, login: str = "off", config: Config | None = None) -> None:
        self.stop_asked = False
        config = config or Config()
        self.database = Database(f"sqlite:///{folder / 'depot.sqlite'}")
        migrate(self.database)
        self.pictures = PictureFolder(folder / "pictures")
        routing = Router()
        zone = roads_zone(config.roads)
        self.projector = Projector(
            self.database,
            [CaseProjection(routing), LaterPictures(), CoverageProjection(), RoughnessProjection(), FleetProjection()],
            chores=[
                News(self.database).run_once, Matcher(self.database, Roads(), zone).run_once,
                Sealer(self.database, zone).run_once,
            ],
        )  # fmt: skip
        self.watch = FleetWatch(self.database)
        people = PeopleConfig(login=login, idle_minutes=120)
        self.services = Services(
            config=altered(config, people=people), database=self.database, pictures=self.pictures,
            link_state=lambda: "connected", stopping=lambda: self.stop_asked,
        )  # fmt: skip
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(make_app(self.services), host=HOST, port=self.port, log_level="warning", lifespan="on")
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: self._server.started, timeout_s=20, what="the depot")

    def end(self) -> None:
        self.stop_asked = True
        self._server.should_exit = True
        self._thread.join(10)
        self.database.close()

    def take(self, items: Iterable[Intake]) -> None:
        """As if vehicles had sent it."""
        append(self.database, self.pictures, list(items))
        while self.projector.run_once():
            pass
        self.watch.run_once()

    def ask_vehicles(self) -> dict[str, Errand]:
        """One round of the worker that asks for later pictures, all say yes: the commands by vehicle."""
        told: dict[str, Errand] = {}

        def send(errands: Sequence[Errand]) -> dict[str, Reply]:
            told.update({errand.vehicle: errand for errand in errands})
            return {errand.id: Reply(command=errand.id, ok=True) for errand in errands}

        Asking(self.database, AskingConfig(), send).run_once()
        return told

    def add_people(self) -> None:
        with self.database.changing() as change:
            for name, (title, role) in PEOPLE.items():
                users.add(change, who="test", name=name, title=title, role=role, language=None, password=PASSWORD)

    def lay_out(self) -> None:
        """Offices and rules as they come, roads, districts. Only where nobody has to log in."""
        self.seed_offices()
        for path, body in (("/api/areas?kind=district", areas_geojson()), ("/api/roads", roads_geojson())):
            answer = self.ask("PUT", path, content=json.dumps(body), headers={"Content-Type": "application/geo+json"})
            assert answer.status_code == 200, (path, answer.text)

    def seed_offices(self) -> None:
        routing_defaults.seed(self.database, "duisburg")

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}{path}", timeout=30, **options)

    def column_of(self, number: int, column: str) -> Any:
        with self.database.reading() as connection:
            return connection.scalar(select(cases.c[column]).where(cases.c.number == number))

    def count_of(self, state: str) -> int:
        with self.database.reading() as connection:
            return int(connection.scalar(select(func.count()).where(cases.c.state == state)) or 0)

    def last_event(self) -> envelope.Event:
        with self.database.reading() as connection:
            return envelope.decode(connection.scalar(select(events.c.payload).order_by(events.c.received.desc())))

    def state_of(self, number: int) -> str:
        state: str = self.column_of(number, "state")
        return state


@contextmanager
def page_depot(folder: Path, **options: Any) -> Iterator[PageDepot]:
    depot = PageDepot(folder, **options)
    depot.start()
    try:
        yield depot
    finally:
        depot.end()
