# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A bad network on demand: a TCP proxy on a free loopback port that does to its connections what it is told.

    with FaultProxy(broker.host, broker.port) as link:
        link.drop_pubacks = True     # the broker's PUBACKs never arrive (plain MQTT only)
        link.half_open()             # what is connected hears nothing any more, and so do new ones, until `heal`
        link.cut()                   # every connection is reset
        link.flap(0.2, 0.6)          # and again after so many seconds, drawn anew each time, until `heal`
        link.cut_after = 700         # the next connections are reset when so many bytes came from the broker
        link.is_mqtt = False         # TLS: bytes are passed on as they come
        link.delay_s, link.bytes_per_s = 0.05, 20_000

`on_puback` is called with the number of the PUBACK before it is passed on.
"""

from __future__ import annotations

import contextlib
import random
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

HOST = "127.0.0.1"
_PUBACK = 4
_RESET = struct.pack("ii", 1, 0)


class Packets:
    """Cuts a stream of bytes into whole MQTT packets by their fixed headers."""

    def __init__(self) -> None:
        self._buffer = b""

    def take(self, more: bytes) -> Iterator[bytes]:
        """The packets that are complete now."""
        self._buffer += more
        while (size := self._size()) is not None and len(self._buffer) >= size:
            packet, self._buffer = self._buffer[:size], self._buffer[size:]
            yield packet

    def _size(self) -> int | None:
        length, shift = 0, 0
        for position in range(1, min(5, len(self._buffer))):
            byte = self._buffer[position]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return 1 + position + length
        return None


@dataclass(eq=False)
class Connection:
    """One connection through the proxy."""

    near: socket.socket
    far: socket.socket
    dead: bool = False
    from_broker: int = 0
    packets: Packets = field(default_factory=Packets)

    def reset(self) -> None:
        for end in (self.near, self.far):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class FaultProxy:
    """See above. `connections`: how many there were; `pubacks`, `dropped`: PUBACKs that came, that were dropped."""

    def __init__(self, host: str, port: int) -> None:
        self.host = HOST
        self.delay_s = 0.0
        self.bytes_per_s: float | None = None
        self.is_mqtt = True
        self.drop_pubacks = False
        self.cut_after: int | None = None
        self.on_puback: Callable[[int], None] = lambda _number: None
        self.connections = self.pubacks = self.dropped = 0
        self._target = (host, port)
        self._black = False
        self._flapping: threading.Event | None = None
        self._open: set[Connection] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> FaultProxy:  # noqa: PYI034 - Self is newer than Python 3.10
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.heal()
        self.cut()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def half_open(self) -> None:
        """From now on whatever is sent disappears, on connections that exist and on new ones."""
        with self._lock:
            self._black = True
            for connection in self._open:
                connection.dead = True

    def heal(self) -> None:
        """New connections are well again; those that were half-open stay so, as in life."""
        self._black = False
        if self._flapping is not None:
            self._flapping.set()
            self._flapping = None

    def cut(self) -> None:
        """Reset every connection."""
        with self._lock:
            for connection in self._open:
                connection.reset()

    def flap(self, shortest_s: float, longest_s: float) -> None:
        """Cut again and again until `heal`."""
        ended = self._flapping = threading.Event()
        dice = random.Random(3)

        def run() -> None:
            while not ended.wait(dice.uniform(shortest_s, longest_s)):
                self.cut()

        self._start(run)

    def _start(self, run: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, name="proxy", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            if not select.select([self._listener], [], [], 0.1)[0]:
                continue
            near, _ = self._listener.accept()
            try:
                far = socket.create_connection(self._target, 5)
            except OSError:  # the broker is down: so is the link
                near.close()
                continue
            for end in (near, far):
                end.settimeout(None)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                connection = Connection(near, far, dead=self._black)
                self._open.add(connection)
                self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, connection: Connection) -> None:
        other = threading.Thread(target=self._pump, args=(connection, connection.near, connection.far), daemon=True)
        other.start()
        self._pump(connection, connection.far, connection.near)
        other.join(10)
        with self._lock:
            self._open.discard(connection)
        connection.near.close()
        connection.far.close()

    def _pump(self, connection: Connection, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if connection.dead:
                    continue
                if source is connection.far:
                    data = self._filtered(connection, data)
                self._slow_down(len(data))
                if data and not connection.dead:
                    sink.sendall(data)
        if not connection.dead:  # a half-open link passes on no end, either
            connection.reset()

    def _slow_down(self, size: int) -> None:
        wait_s = self.delay_s + (size / self.bytes_per_s if self.bytes_per_s else 0.0)
        if wait_s:
            time.sleep(wait_s)  # the fault itself, not a wait for something

    def _filtered(self, connection: Connection, data: bytes) -> bytes:
        connection.from_broker += len(data)
        if self.cut_after is not None and connection.from_broker > self.cut_after:
            connection.reset()
            return b""
        if not self.is_mqtt:
            return data
        kept = b""
        for packet in connection.packets.take(data):
            if packet[0] >> 4 == _PUBACK:
                self.pubacks += 1
                self.on_puback(self.pubacks)
                if self.drop_pubacks:
                    self.dropped += 1
                    continue
            kept += packet
        return kept
