# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A real Mosquitto and a real depot for the benchmarks, each a process of its own that can be killed and started again.

Both keep their port and their folder over a restart, as the ones in a depot do.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
BIN = Path(sys.executable).parent
START_TIMEOUT_S = 60.0


class ServerError(RuntimeError):
    """A server is not installed or did not start; one line."""


def wait_for(condition: Callable[[], object], timeout_s: float, what: str) -> None:
    """Poll until it is true.

    Raises:
        ServerError: it did not become true in time.
    """
    until_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > until_s:
            raise ServerError(f"{what}: not within {timeout_s:g} s")
        time.sleep(0.01)


def end_with_children() -> None:
    """A SIGTERM ends this program as an error does, so that its servers end too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def free_port() -> int:
    """A loopback TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection((HOST, port), timeout=1.0).close()
    except OSError:
        return False
    return True


class Server:
    """One process with its log; `start`, `kill` and `stop` as often as wanted."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.log = self.folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str | Path]:
        """What to run."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self.process is not None
        return self.process.pid

    def start(self, *, wait: bool = True) -> None:
        """Start (again); with `wait` until it takes connections."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            self.wait()

    def wait(self) -> None:
        """Until it takes connections.

        Raises:
            ServerError: it ended, or took too long.
        """

        def is_up() -> bool:
            if self.process is None or self.process.poll() is not None:
                said = self.log.read_text(errors="replace").strip().splitlines()
                raise ServerError(f"{self.log.stem} did not start: {said[-1] if said else 'it said nothing'}")
            return listens(self.port)

        wait_for(is_up, START_TIMEOUT_S, f"{self.log.stem} takes connections")

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)
            self.process = None


class Broker(Server):
    """Mosquitto with persistence."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        super().__init__(folder, "mosquitto")
        # Debian installs it in sbin, which a normal user does not have in PATH.
        found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if found is None:
            raise ServerError("mosquitto is not installed; apt-get install mosquitto")
        self._program = found
        self.data = self.folder / "data"
        self.extra = extra

    def command(self) -> Sequence[str | Path]:
        """See `Server.command`."""
        self.data.mkdir(exist_ok=True)
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} {HOST}\nallow_anonymous true\nset_tcp_nodelay true\n"
            # Started as root it would become a user who may not write here.
            f"user {pwd.getpwuid(os.getuid()).pw_name}\n"
            f"persistence true\npersistence_location {self.data}/\n{self.extra}\n",
            encoding="utf-8",
        )
        return [self._program, "-c", config]

    def freeze(self) -> None:
        """SIGSTOP: connections are accepted and nothing is answered, as on a link that passes nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Undo `freeze`."""
        os.kill(self.pid, signal.SIGCONT)

    def wipe(self) -> None:
        """Lose the broker's disk."""
        shutil.rmtree(self.data, ignore_errors=True)


class Depot(Server):
    """`wegewart-depot serve` with its own store."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        super().__init__(folder, "depot")
        self._broker = broker
        self.database = self.folder / "data" / "depot.sqlite"

    def command(self) -> Sequence[str | Path]:
        """See `Server.command`."""
        config = self.folder / "depot.toml"
        config.write_text(
            f'[broker]\nhost = "{HOST}"\nport = {self._broker.port}\n'
            f'[data]\nfolder = "data"\n[people]\nlogin = "off"\n[http]\nport = {self.port}\n',
            encoding="utf-8",
        )
        return [BIN / "wegewart-depot", "serve", "--config", config]

    def get(self, path: str) -> Any:
        """One answer of its page's API."""
        return json.loads(self.read(path))

    def read(self, path: str) -> bytes:
        """The same, as it comes."""
        with urllib.request.urlopen(f"http://{HOST}:{self.port}/{path}", timeout=60) as answer:
            return bytes(answer.read())

    def wait_connected(self) -> None:
        """Until it listens to the broker."""
        self.wait()
        wait_for(lambda: self.get("healthz")["broker"] == "connected", START_TIMEOUT_S, "the depot is at the broker")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """From its database, read while it runs."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)) as db:
            return db.execute(query).fetchall()
