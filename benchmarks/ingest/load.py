# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles that send as fast as the depot acknowledges: each keeps a window of observations under way.

As a vehicle does, each sends again what was not acknowledged in time, and stops only when all is.
"""

from __future__ import annotations

import selectors
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from benchmarks.ingest.wire import Wire, topic_bytes
from messages import envelope
from messages.topics import Topic
from messages.types import Ack, ModelRef, Observation, Position, Severity, Size, Time

#: A vehicle sends again what has not been acknowledged for so long.
_AGAIN_S = 5.0
_END = 90.0


@dataclass
class Told:
    """What the vehicles know at the end."""

    sent: int = 0
    again: int = 0
    acknowledged: int = 0
    refused: int = 0
    #: Acknowledged in each second.
    per_second: Counter[int] = field(default_factory=Counter)


class _Vehicle:
    def __init__(self, host: str, port: int, name: str, window: int) -> None:
        self.wire = Wire(host, port, name, str(Topic(name, "ack")))
        self._topic = topic_bytes(str(Topic(name, "observation")))
        self._window = window
        self._count = 0
        self.open: OrderedDict[str, float] = OrderedDict()
        self._head, self._tail = template(name).split(b"boot-00000000")

    def fill(self, told: Told, now_s: float, *, more: bool) -> None:
        """Send as many as the window allows, and those again that are due."""
        while more and len(self.open) < self._window:
            name = envelope.event_id("boot", self._count)
            self._count += 1
            self._send(name, now_s)
            told.sent += 1
        while self.open and next(iter(self.open.values())) < now_s - _AGAIN_S:
            self._send(next(iter(self.open)), now_s)
            told.again += 1

    def _send(self, name: str, now_s: float) -> None:
        self.open[name] = now_s
        self.open.move_to_end(name)
        self.wire.publish(self._topic, self._head + name.encode() + self._tail)

    def take(self, told: Told, second: int) -> None:
        for payload in self.wire.read():
            ack = envelope.decode(payload).data
            assert isinstance(ack, Ack)
            told.refused += len(ack.refused)
            for name in ack.events:
                if self.open.pop(name, None) is not None:
                    told.acknowledged += 1
                    told.per_second[second] += 1


def drive(host: str, port: int, vehicles: int, window: int, seconds: float) -> Told:
    """Send for so long, then wait until all is acknowledged (or 90 s have passed)."""
    told = Told()
    fleet = [_Vehicle(host, port, f"load-{number}", window) for number in range(vehicles)]
    with selectors.DefaultSelector() as selector:
        for vehicle in fleet:
            selector.register(vehicle.wire.socket, selectors.EVENT_READ, vehicle)
        start_s = time.monotonic()
        while True:
            now_s = time.monotonic()
            more = now_s < start_s + seconds
            if not more and (not any(vehicle.open for vehicle in fleet) or now_s > start_s + seconds + _END):
                return told
            for vehicle in fleet:
                vehicle.fill(told, now_s, more=more)
                if vehicle.wire.wants_to_write:
                    vehicle.wire.write()
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if vehicle.wire.wants_to_write else 0)
                selector.modify(vehicle.wire.socket, events, vehicle)
            for key, _ in selector.select(0.05):
                key.data.take(told, int(now_s - start_s))


def template(vehicle: str) -> bytes:
    """An observation of a vehicle with the id boot-00000000."""
    seen = Observation(
        defect_class="pothole",
        score=0.87,
        frames_seen=6,
        time=Time(boot="boot", monotonic_s=12.5, quality="gnss", utc="2026-05-04T09:30:12.250Z"),
        model=ModelRef(name="street", version="0.1.0", sha256="ab" * 32),
        software="0.1.0",
        calibration="sweeper-front",
        position=Position(lon=6.7623, lat=51.4344, error_m=1.8, method="gnss"),
        heading_deg=87.0,
        speed_mps=8.3,
        size=Size(length_m=0.62, width_m=0.41, error_m=0.07),
        severity=Severity(grade=3, rule="pothole-by-area"),
    )
    event = envelope.Event(id="boot-00000000", source=envelope.source_of(vehicle), data=seen)
    return envelope.encode(event)
