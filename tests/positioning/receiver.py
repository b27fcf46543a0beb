# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A GNSS receiver on a pseudo-terminal, which speaks NMEA ten times a second, and a real gpsd that listens to it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import tty
from typing import TYPE_CHECKING

from tests.positioning.sentences import epoch
from tests.servers import HOST, free_port, listens, need, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY_S = 0.1


class Receiver:
    """Speaks from the start until it is closed. `path`: the serial port to open; `silent`: stop and go on speaking.

    `quality` and `date` go into its GGA and RMC and may be changed while it speaks.
    """

    def __init__(self) -> None:
        self.quality = 1
        self.date = "010526"
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        # Started as root gpsd gives its rights away and must still be able to open the port.
        os.chmod(self.path, 0o666)  # noqa: PTH101
        self.silent = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._speak)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for end in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(end)

    def _speak(self) -> None:
        spoken = 0
        while not self._stop.wait(EVERY_S):
            with contextlib.suppress(BlockingIOError):
                os.read(self._master, 4096)  # what gpsd asks is not answered
            if self.silent.is_set():
                continue
            # A full buffer means that nobody listens just now.
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, epoch(spoken * EVERY_S, quality=self.quality, date=self.date).encode())
            spoken += 1


class Gpsd:
    """A private gpsd on a free port."""

    def __init__(self, device: str) -> None:
        self._program = need("gpsd")
        self._device = device
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start (again) on the same port."""
        # -N in the foreground, -n read the receiver at once, -b never write to it.
        self._process = subprocess.Popen(
            [self._program, "-N", "-n", "-b", "-S", str(self.port), self._device],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: listens(HOST, self.port), timeout_s=20, what="gpsd's port")

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """A speaking receiver."""
    device = Receiver()
    try:
        yield device
    finally:
        device.close()


@contextlib.contextmanager
def gpsd(device: str) -> Iterator[Gpsd]:
    """A running gpsd on that port."""
    server = Gpsd(device)
    server.start()
    try:
        yield server
    finally:
        server.kill()
