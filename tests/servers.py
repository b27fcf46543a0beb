# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Real servers for the tests: private instances on free loopback ports, killed and restarted at will.

    with mosquitto(tmp_path) as broker:
        client.connect(broker.host, broker.port)
        broker.kill(); broker.wipe(); broker.start()

A test that lacks its server skips with a clear word; with CI=true it fails.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOST = "127.0.0.1"
START_TIMEOUT_S = 20.0


def need(program: str) -> str:
    """Path of a server program; skips the test without it, fails it in CI."""
    # Debian keeps servers in sbin, which a normal user does not have in PATH.
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        missing(f"{program} is not installed (apt-get install {program})")
    assert path is not None
    return path


def missing(what: str) -> None:
    """Skip this test because a server is not there; with CI=true fail it."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{what}; with CI=true every server must be there")
    pytest.skip(what)


def free_port() -> int:
    """A loopback TCP port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until(condition: Callable[[], object], *, timeout_s: float = 10.0, what: str = "condition") -> None:
    """Poll `condition` until it is true; fail the test at the deadline."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not become true within {timeout_s:g} s")
        time.sleep(0.005)


def listens(host: str, port: int) -> bool:
    """Whether somebody accepts TCP connections there."""
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False


class Mosquitto:
    """One private broker. `extra` are further lines of its configuration; `host`, `port` where it listens."""

    def __init__(self, folder: Path, *, extra: str = "", persistence: bool = True, listener: str = "") -> None:
        self.host = HOST
        self.port = free_port()
        self.folder = folder / f"mosquitto-{self.port}"
        self.data = self.folder / "data"
        self.log = self.folder / "mosquitto.log"
        self._program = need("mosquitto")
        self._extra = extra
        self._listener = listener
        self._persistence = persistence
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As a user writes it."""
        return f"mqtt://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the running broker."""
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> None:
        """Start (again) on the same port and wait until it accepts connections."""
        assert self._process is None, "already running"
        self.data.mkdir(parents=True, exist_ok=True)
        config = self.folder / "mosquitto.conf"
        # Started as root Mosquitto would become user "mosquitto", who cannot read pytest's folders.
        user = pwd.getpwuid(os.getuid()).pw_name
        config.write_text(
            f"listener {self.port} {self.host}\n{self._listener}\n"
            f"user {user}\nallow_anonymous true\nset_tcp_nodelay true\n"
            f"persistence {str(self._persistence).lower()}\npersistence_location {self.data}/\n"
            f"{self._extra}\n",
            encoding="utf-8",
        )
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(config), "-v"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not listens(self.host, self.port):
            code = self._process.poll()
            if code is not None or time.monotonic() > deadline:
                self.kill()
                pytest.fail(f"mosquitto did not start (exit {code}): {self.log.read_text()[-2000:]}")
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing written any more."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM and wait."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """SIGSTOP: the port still accepts connections but nothing is answered, like a half-open link."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Undo `freeze`."""
        os.kill(self.pid, signal.SIGCONT)

    def wipe(self) -> None:
        """Lose the broker's disk: sessions, retained messages and queues are gone."""
        assert self._process is None, "stop it first"
        shutil.rmtree(self.data, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)  # a frozen one could not take a SIGTERM
        self._process.send_signal(how)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None


@contextlib.contextmanager
def mosquitto(folder: Path, *, extra: str = "", persistence: bool = True, listener: str = "") -> Iterator[Mosquitto]:
    """A running private Mosquitto below `folder`; skips without the program, fails in CI.

    `extra`: further configuration lines; they come after `allow_anonymous true`, so repeat
    `allow_anonymous false` there with a `password_file PATH`. `listener`: lines that belong to the
    listener (`cafile PATH` ...).
    """
    broker = Mosquitto(folder, extra=extra, persistence=persistence, listener=listener)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
