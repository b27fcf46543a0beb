# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""As much of MQTT 5 as a vehicle needs to send fast: a library would cost more than the depot that is measured."""

from __future__ import annotations

import socket
from collections.abc import Iterator

_PUBACK, _PUBLISH, _SUBACK, _CONNACK = 4, 3, 9, 2


class Wire:
    """One connection. Not thread-safe; `socket` is there to be selected on."""

    def __init__(self, host: str, port: int, name: str, topic: str) -> None:
        """Log in and subscribe to one topic, QoS 1."""
        self.socket = socket.create_connection((host, port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._mid = 0
        self._in = bytearray()
        self._out = bytearray()
        self.unconfirmed = 0
        self._packet(0x10, _text("MQTT") + b"\x05\x02\x00\x00\x00" + _text(name))
        self._packet(0x82, b"\x00\x01\x00" + _text(topic) + b"\x01")
        self.socket.sendall(self._out)
        self._out.clear()
        answers = set[int]()
        while not answers >= {_CONNACK, _SUBACK}:
            self._in += self.socket.recv(65536)
            answers |= {kind for kind, _, _ in self._packets()}
        self.socket.setblocking(False)  # noqa: FBT003

    @property
    def wants_to_write(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._out)

    def publish(self, topic: bytes, payload: bytes) -> None:
        """Queue a message, QoS 1. `topic` with its length before it, see `topic_bytes`."""
        self._mid = self._mid % 65535 + 1
        self.unconfirmed += 1
        self._packet(0x32, topic + self._mid.to_bytes(2, "big") + b"\x00" + payload)

    def write(self) -> None:
        """Send what the network takes now."""
        try:
            sent = self.socket.send(self._out)
        except BlockingIOError:
            return
        del self._out[:sent]

    def read(self) -> list[bytes]:
        """Payloads that have come."""
        try:
            some = self.socket.recv(262_144)
        except BlockingIOError:
            return []
        if not some:
            raise ConnectionError("the broker closed the connection")
        self._in += some
        payloads = []
        for kind, flags, body in self._packets():
            if kind == _PUBACK:
                self.unconfirmed -= 1
            elif kind == _PUBLISH:
                at = 2 + int.from_bytes(body[:2], "big")
                if flags & 0x06:
                    self._packet(0x40, body[at : at + 2])
                    at += 2
                payloads.append(body[at + 1 + body[at] :])
        return payloads

    def _packets(self) -> Iterator[tuple[int, int, bytes]]:
        at = 0
        while True:
            length, shift, start = 0, 0, at + 1
            while start < len(self._in):
                byte = self._in[start]
                length |= (byte & 0x7F) << shift
                shift += 7
                start += 1
                if byte < 0x80:
                    break
            else:
                break
            if start + length > len(self._in):
                break
            yield self._in[at] >> 4, self._in[at] & 0x0F, bytes(self._in[start : start + length])
            at = start + length
        del self._in[:at]

    def _packet(self, head: int, body: bytes) -> None:
        self._out.append(head)
        length = len(body)
        while length > 0x7F:
            self._out.append(length & 0x7F | 0x80)
            length >>= 7
        self._out.append(length)
        self._out += body


def _text(text: str) -> bytes:
    return topic_bytes(text)


def topic_bytes(text: str) -> bytes:
    """A text as MQTT writes it."""
    return len(text.encode()).to_bytes(2, "big") + text.encode()
