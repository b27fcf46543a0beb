# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The city's side: Mosquitto as scripts/provision sets it up, a little depot that listens, the repository's server."""

from __future__ import annotations

import os
import pwd
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from depot.commanding import send_command
from depot.config import BrokerConfig
from messages.types import Command, Health, Reply, Status, Update
from tests.delivery.little_depot import LittleDepot
from tests.delivery.samples import VEHICLE
from tests.servers import HOST, free_port, listens, need, wait_until


class Broker:
    """Mosquitto with the files of FLEET/broker; only paths and port are the test's."""

    def __init__(self, fleet: Path, folder: Path) -> None:
        self.port = free_port()
        folder.mkdir()
        self._fleet, self._folder = fleet, folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again with what FLEET/broker holds now."""
        files = self._fleet / "broker"
        text = (files / "wegewart.conf").read_text().replace("/etc/wegewart/broker", str(files))
        text = text.replace("listener 8883", f"listener {self.port} {HOST}").replace(
            "/var/lib/mosquitto/", f"{self._folder}/"
        )
        config = self._folder / "mosquitto.conf"
        config.write_text(f"{text}\nuser {pwd.getpwuid(os.getuid()).pw_name}\n")
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen([need("mosquitto"), "-c", str(config), "-v"], stdout=log, stderr=log)
        wait_until(lambda: listens(HOST, self.port), what="the broker")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def log(self) -> str:
        """What it has said since its last start."""
        return (self._folder / "log").read_text(errors="replace")


@contextmanager
def broker(fleet: Path, folder: Path) -> Iterator[Broker]:
    """A broker that runs."""
    made = Broker(fleet, folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()


class Depot(LittleDepot):
    """Remembers what the vehicle said of itself: `states`, (release, online or not), and `updates`, without repeats."""

    def __init__(self, broker: Broker, fleet: Path) -> None:
        super().__init__(HOST, broker.port, tls=fleet / "depot")
        self.states: list[tuple[str | None, str]] = []
        self.updates: list[Update] = []

    def order(self, release: str) -> Reply:
        """The depot's command `update`, by the depot's own program."""
        assert self.tls is not None
        config = BrokerConfig(
            host=self.host,
            port=self.port,
            tls_ca=self.tls / "ca.pem",
            tls_cert=self.tls / "depot.pem",
            tls_key=self.tls / "depot.key",
        )
        return send_command(config, VEHICLE, Command(action="update", value=release))

    def wait_online(self, release: str, timeout_s: float) -> None:
        """Wait until the newest status is: online, with this release."""
        wait_until(
            lambda: self._heard() and self.states[-1:] == [(release, "online")],
            timeout_s=timeout_s,
            what=f"{release} online at the depot (heard: {self.states})",
        )

    def wait_update(self, release: str, state: str, timeout_s: float) -> Update:
        """Wait until a health message has said this of a release."""
        found: list[Update] = []

        def said() -> bool:
            self._heard()
            found[:] = [one for one in self.updates if (one.release, one.state) == (release, state)]
            return bool(found)

        wait_until(said, timeout_s=timeout_s, what=f"{release} {state} at the depot (heard: {self.updates})")
        return found[-1]

    def updates_of(self, release: str) -> list[str]:
        """The states of a release in the order in which the depot heard of them."""
        self._heard()
        return [one.state for one in self.updates if one.release == release]

    def _heard(self) -> bool:
        with suppress(queue.Empty):
            while True:
                data = self.seen.get_nowait()[1]
                if isinstance(data, Status):
                    self.states.append((data.release, data.state))
                if isinstance(data, Health) and data.update and data.update not in self.updates[-1:]:
                    self.updates.append(data.update)
        return True


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder as static files; its address."""
    server = ThreadingHTTPServer((HOST, 0), partial(_Files, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
