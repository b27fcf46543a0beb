# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Wires the depot: store, ingest, projector, workers, broker and page; ends all cleanly on SIGTERM or SIGINT."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack, closing
from types import FrameType

import uvicorn
from fastapi import FastAPI

from depot.app import make_app
from depot.arrivals import Arrival
from depot.asking import worker as asking
from depot.asking.projection import LaterPictures
from depot.cases.projection import CaseProjection
from depot.config import Config
from depot.errors import ConfigError
from depot.fleet.projection import FleetProjection
from depot.fleet.watching import FleetWatch
from depot.handover.workers import workers as handing_over
from depot.ingest import Ingest
from depot.intake import Intake
from depot.keeping.retention import Retention
from depot.memory import collect_seldom
from depot.mqtt import Link
from depot.projecting import Projector
from depot.roads.projections import CoverageProjection, RoughnessProjection
from depot.roads.working import RoadWorker
from depot.routing.defaults import seed
from depot.routing.reproposing import Reproposer
from depot.routing.router import Router
from depot.services import Services
from depot.store.appending import IntakeDatabase
from depot.store.database import Database
from depot.store.opening import open_database
from depot.store.picture_store import open_pictures
from depot.updates import rolling
from depot.updates.repository import Repository
from depot.workers import Worker, Workers

#: Seconds that open connections get to end by themselves.
_GRACE_S = 3


class _Server(uvicorn.Server):
    """Says where the page is once it can be opened, and tells live streams that the end has come."""

    def __init__(self, app: FastAPI, address: str) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE_S
            )
        )
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            print(f"Wegewart depot: {self._address}", flush=True)

    def handle_exit(self, _signal: int, _frame: FrameType | None) -> None:
        # Not passed on: uvicorn would raise the signal again after its end, before we have closed the store.
        self.should_exit = True


class _Intake(IntakeDatabase):
    """Wakes the projector after each batch, so that what came is shown at once."""

    projector: Projector

    def save(self, batch: Sequence[Intake]) -> None:
        super().save(batch)
        self.projector.wake()


class _TakingIn:
    """Broker and ingest of this process; none where processes of their own take in."""

    def __init__(self, config: Config, store: _Intake, end: _End) -> None:
        self._link: Link | None = None
        if config.ingest.by == "processes":
            return
        self._ingest = Ingest(store, batch=config.ingest.batch)
        self._link = Link(config.broker, put=self._put, refused=end.now, under_way=config.ingest.batch)

    def _put(self, arrival: Arrival) -> bool:
        return self._ingest.put(arrival)

    def state(self) -> str | None:
        """How the broker is: "connected", "waiting", "elsewhere" (other processes take in); None: ingest has died."""
        if self._link is None:
            return "elsewhere"
        if not (self._ingest.alive and self._link.alive):
            return None
        return "connected" if self._link.connected else "waiting"

    def start(self) -> None:
        if self._link is not None:
            self._ingest.start(reply=self._link.reply)
            self._link.start()

    def close(self) -> None:
        """End both. Raises BrokerError where that refused us."""
        if self._link is not None:
            self._ingest.stop()
            self._link.stop()
            if self._link.error is not None:
                raise self._link.error


class _End:
    """Lets others end the server that is made after them."""

    server: _Server | None = None

    def now(self) -> None:
        """End."""
        if self.server is not None:
            self.server.should_exit = True

    @property
    def has_come(self) -> bool:
        """Whether it was told to."""
        return self.server is not None and self.server.should_exit


def serve(config: Config) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        ConfigError: the page's address cannot be used, or a password or TLS file is wrong.
        StoreError: the store cannot be opened.
        BrokerError: the broker refuses our login.
    """
    collect_seldom()
    pictures = open_pictures(config.pictures, folder=config.data.folder)
    with ExitStack() as stack:
        listener = stack.enter_context(closing(_listen(config.http.host, config.http.port)))
        database = stack.enter_context(closing(open_database(config.database, config.data.folder, pictures)))
        seed(database, config.routing.start_with)
        router = Router(road_within_m=config.routing.road_within_m)
        store = _Intake(database, pictures)
        store.projector = _projector(database, router)
        end = _End()
        taking_in = _TakingIn(config, store, end)
        services = Services(
            config=config,
            database=database,
            pictures=pictures,
            link_state=taking_in.state,
            stopping=lambda: end.has_come,
        )
        end.server = _Server(make_app(services), _address(config.http.host, listener))
        store.projector.start()
        stack.callback(store.projector.stop)
        stack.callback(Workers(_workers(services, router)).close)
        taking_in.start()
        stack.callback(taking_in.close)
        end.server.run(sockets=[listener])


def _projector(database: Database, router: Router) -> Projector:
    cases, roads = (CaseProjection(router), LaterPictures()), (CoverageProjection(), RoughnessProjection())
    return Projector(database, (*cases, *roads, FleetProjection()))


def _workers(services: Services, router: Router) -> list[Worker]:
    config, database = services.config, services.database
    retention = Retention(database, services.pictures, config.retention)
    repository = Repository(config.updates.repository)
    roll_outs = rolling.worker(database, repository, config.fleet, config.broker)
    return [
        Worker("roads", 5.0, RoadWorker(database, config.roads).run_once),
        Worker("fleet", 10.0, FleetWatch(database, config.fleet, rolling.aims(repository)).run_once),
        Worker("roll-outs", 5.0, roll_outs.run_once),
        Worker("asking", asking.EVERY_S, asking.worker(database, config.asking, config.broker).run_once),
        Worker("routing", 30.0, Reproposer(database, router).run_once),
        Worker("retention", 3600.0, lambda: retention.run_once().pictures),
        *(Worker(name, 2.0, worker.run_once) for name, worker in handing_over(database, config.handover).items()),
    ]


def _address(host: str, listener: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}/"


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigError(f"http.host, http.port: cannot listen on {host}:{port}: {error.strerror}") from None
