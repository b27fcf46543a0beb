# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages as a vehicle sends them, and a depot to send them to."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx
import msgspec
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from PIL import Image, ImageDraw

from messages import envelope
from messages.topics import Topic
from messages.types import (
    Ack,
    Anonymised,
    Clock,
    Coverage,
    Health,
    Look,
    Message,
    ModelRef,
    Observation,
    PictureRef,
    Position,
    Revision,
    Roughness,
    RoughSection,
    Severity,
    Shock,
    Size,
    Status,
    Time,
)
from tests.servers import wait_until

VEHICLE = "sweeper-1"
BOOT = "5f3c9a"


def time_at(monotonic_s: float = 12.5, boot: str = BOOT) -> Time:
    return Time(boot=boot, monotonic_s=monotonic_s, quality="gnss", utc="2026-05-04T09:30:12.250Z")


def observation(**changes: Any) -> Observation:
    made = Observation(
        defect_class="pothole",
        score=0.87,
        frames_seen=6,
        time=time_at(),
        model=ModelRef(name="street", version="0.1.0", sha256="ab" * 32),
        software="0.1.0",
        calibration="sweeper-front",
        position=Position(lon=6.7623, lat=51.4344, error_m=1.8, method="gnss"),
        heading_deg=87.0,
        speed_mps=8.3,
        size=Size(length_m=0.62, width_m=0.41, error_m=0.07),
        severity=Severity(grade=3, rule="pothole-by-area"),
    )
    return msgspec.structs.replace(made, **changes)


@functools.lru_cache(maxsize=32)
def jpeg(seed: int = 0, width: int = 320, height: int = 180) -> bytes:
    image = Image.new("RGB", (width, height), (60 + 20 * (seed % 9), 95, 98))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, height // 3), fill=(170, 185, 200))
    draw.ellipse((width * 0.4, height * 0.6, width * 0.6, height * 0.8), fill=(35, 34, 33))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def picture_ref(content: bytes, width: int = 320, height: int = 180) -> PictureRef:
    box = (width * 0.4, height * 0.6, width * 0.6, height * 0.8)
    anonymised = Anonymised(method="mosaic", people=1)
    return PictureRef(
        sha256=sha256(content), bytes=len(content), width=width, height=height, box=box, anonymised=anonymised
    )


def look(**changes: Any) -> Look:
    made = Look(
        asked="command-1",
        frames_judged=4,
        time=time_at(),
        model=ModelRef(name="street", version="0.1.0", sha256="ab" * 32),
        software="0.1.0",
        calibration="sweeper-front",
        picture=picture_ref(jpeg()),
        position=Position(lon=6.7623, lat=51.4344, error_m=1.8, method="gnss"),
    )
    return msgspec.structs.replace(made, **changes)


def coverage(**changes: Any) -> Coverage:
    path = ((6.7600, 51.4340), (6.7612, 51.4342), (6.7623, 51.4344))
    made = Coverage(path=path, length_m=170.0, frames_judged=80, valid=True, time=time_at())
    return msgspec.structs.replace(made, **changes)


def revision(of: int = 1, number: int = 1, **changes: Any) -> Revision:
    """A better place for the observation with the id number `of`: `number` times 11 m further north."""
    position = Position(
        lon=6.7623, lat=(514_344 + number) / 10_000, error_m=0.9, method="dead_reckoned", since_fix_m=340.0
    )
    made = Revision(
        observation=event_id(of), number=number, reason="fix_returned", time=time_at(99.0), position=position
    )
    return msgspec.structs.replace(made, **changes)


def roughness(of: int | None = 1, **changes: Any) -> Roughness:
    """20 m of road, a blow where the observation `of` was seen, and one where nothing was."""
    path = ((6.7623, 51.4344), (6.76244, 51.4344))
    later = ((6.76244, 51.4344), (6.76258, 51.4344))
    seen = None if of is None else event_id(of)
    place = Position(lon=6.7625, lat=51.4344, error_m=0.8, method="gnss", quality="rtk_fixed")
    made = Roughness(
        rule="rms-10m",
        reference_speed_mps=13.9,
        time=time_at(),
        sections=(
            RoughSection(path=path, length_m=10.0, speed_mps=8.3, rms_mps2=0.6),
            RoughSection(path=later, length_m=10.0, speed_mps=8.3, rms_mps2=3.4),
        ),
        shocks=(
            Shock(peak_mps2=12.5, speed_mps=8.3, monotonic_s=12.9, position=place, observation=seen),
            Shock(peak_mps2=8.0, speed_mps=8.3, monotonic_s=13.0, position=None),
        ),
    )
    return msgspec.structs.replace(made, **changes)


def status(state: str = "online", session: int = 1, boot: str = BOOT) -> Status:
    return Status(state=state, boot=boot, session=session, software="0.1.0")  # type: ignore[arg-type]


def health(monotonic_s: float = 20.0, **counters: int) -> Health:
    return Health(time=time_at(monotonic_s), counters=counters or {"frames_judged": 80})


def event_id(number: int) -> str:
    return envelope.event_id(BOOT, number)


def payload(data: Message, number: int = 1, vehicle: str = VEHICLE) -> bytes:
    return envelope.encode(envelope.Event(id=event_id(number), source=envelope.source_of(vehicle), data=data))  # type: ignore[arg-type]


def topic(kind: str, vehicle: str = VEHICLE) -> str:
    return str(Topic(vehicle, kind))


def picture_topic(content: bytes, vehicle: str = VEHICLE) -> str:
    return str(Topic(vehicle, "picture", sha256(content)))


class FakeVehicle:
    """A vehicle as the broker sees it: publishes and collects the depot's acknowledgements."""

    def __init__(self, host: str, port: int, name: str = VEHICLE) -> None:
        self.name = name
        self.acks: queue.Queue[Ack] = queue.Queue()
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = lambda _c, _u, message: self.acks.put(envelope.decode(message.payload).data)
        self._client.on_connect = lambda client, *_: client.subscribe(topic("ack", name), 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.will_set(topic("status", name), payload(status("offline"), 2, name), qos=1, retain=True)
        self._client.connect(host, port)
        self._client.loop_start()
        assert self._ready.wait(10), "no broker"

    def send(self, data: Message, number: int = 1) -> str:
        kind = type(data).__name__.lower()
        self.publish(topic(kind, self.name), payload(data, number, self.name), retain=kind == "status")
        return event_id(number)

    def send_picture(self, content: bytes) -> None:
        self.publish(picture_topic(content, self.name), content)

    def publish(self, where: str, content: bytes, *, retain: bool = False) -> None:
        self._client.publish(where, content, qos=1, retain=retain).wait_for_publish(10)

    def next_ack(self, timeout_s: float = 10) -> Ack:
        return self.acks.get(timeout=timeout_s)

    def acknowledged(self, wanted: set[str], timeout_s: float = 20) -> set[str]:
        """Collect acknowledged event ids and picture hashes until all of `wanted` are there."""
        got: set[str] = set()
        while not wanted <= got:
            ack = self.next_ack(timeout_s)
            got.update(ack.events, ack.pictures)
        return got

    def vanish(self) -> None:
        """Cut the connection without a goodbye: the broker then speaks our last will."""
        self._client.loop_stop()
        sock = self._client.socket()
        assert sock is not None
        sock.close()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class DepotProcess:
    """`wegewart-depot serve` as a process of its own. `program`: how Python finds the command."""

    def __init__(
        self, folder: Path, broker_port: int, more: str = "", *, program: tuple[str, ...] = ("-m", "depot.cli")
    ) -> None:
        self.program = program
        self.folder = folder
        self.config = folder / "depot.toml"
        self.config.write_text(
            f'[broker]\nport = {broker_port}\n{more}\n[data]\nfolder = "data"\n'
            '[people]\nlogin = "off"\n[http]\nport = 0\n',
            encoding="utf-8",
        )
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self, *, is_to_live: bool = True) -> DepotProcess:
        """Start and, unless it may die at any moment, wait for its page."""
        with (self.folder / "depot.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self.program, "serve", "--config", str(self.config)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        assert self._process.stdout is not None
        if not is_to_live:
            return self
        line = self._process.stdout.readline()
        assert line.startswith("Wegewart depot: http://"), (line, self.log)
        self.url = line.split()[-1].rstrip("/")
        return self

    @property
    def runs(self) -> bool:
        return self._process is not None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        return (self.folder / "depot.log").read_text()

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.url}{path}", timeout=10).raise_for_status().json()

    def settled(self) -> dict[str, Any]:
        """The figures of now, once cases were made of all that has come."""
        asked_utc = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        summary: dict[str, Any] = {}

        def is_settled() -> bool:
            summary.update(self.get("/api/summary"))
            return summary["as_of_utc"] >= asked_utc and not summary["pending"]

        wait_until(is_settled, timeout_s=60, what="all that came is shown")
        return summary

    def cases(self) -> list[dict[str, Any]]:
        """All cases, each with all that the page shows of it."""
        self.settled()
        found = self.get("/api/cases?limit=500&sort=oldest")
        assert found["next"] is None
        return [self.get(f"/api/cases/{case['number']}") for case in found["cases"]]

    def shown(self) -> list[str]:
        """The ids of all observations, as often as they are shown."""
        return [seen["event"] for case in self.cases() for seen in case["seen"]]

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self._process is not None
        self._process.send_signal(how)
        return self.wait(15)

    def wait(self, timeout_s: float) -> int:
        """Until it ends by itself; its exit code."""
        assert self._process is not None
        code = self._process.wait(timeout_s)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return code


@contextlib.contextmanager
def depot_process(folder: Path, broker_port: int, more: str = "") -> Iterator[DepotProcess]:
    depot = DepotProcess(folder, broker_port, more).start()
    try:
        yield depot
    finally:
        if depot.runs:
            depot.end()


@contextlib.contextmanager
def fake_vehicle(host: str, port: int, name: str = VEHICLE) -> Iterator[FakeVehicle]:
    vehicle = FakeVehicle(host, port, name)
    try:
        yield vehicle
    finally:
        vehicle.close()


def undated(monotonic_s: float = 12.5, boot: str = BOOT) -> Time:
    return Time(boot=boot, monotonic_s=monotonic_s, quality="unset")


def clock(
    utc: str = "2026-05-04T10:00:00.000Z", number: int = 1, monotonic_s: float = 100.0, boot: str = BOOT
) -> Clock:
    """At 100 s of the boot it was 10:00."""
    return Clock(number=number, time=Time(boot=boot, monotonic_s=monotonic_s, quality="gnss", utc=utc))
