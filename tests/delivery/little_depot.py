# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A depot that does nothing but listen and, when told to, acknowledge."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.delivery.database import KINDS
from messages.chunks import chunk_count
from messages.envelope import Event, decode, encode
from messages.topics import Topic, parse
from messages.types import Ack, Coverage, Health, Observation, Part, Reply, Revision, Roughness, Status
from tests.delivery.samples import VEHICLE


@dataclass
class LittleDepot:
    """`events`, `pictures` (whole ones) and `chunks` count how often each arrived; `seen` gets everything as (kind,
    data, message). Chunks are acknowledged as the real depot does it. `tls`: folder of its certificate, as
    scripts/provision makes it.
    """

    host: str
    port: int
    answering: bool = True
    name: str = "depot"
    tls: Path | None = None
    events: Counter[str] = field(default_factory=Counter)
    pictures: Counter[str] = field(default_factory=Counter)
    chunks: Counter[tuple[str, int]] = field(default_factory=Counter)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    seen: queue.Queue[tuple[str, Any, Any]] = field(default_factory=queue.Queue)

    def __enter__(self) -> LittleDepot:  # noqa: PYI034 - Self is newer than Python 3.10
        self._ready = threading.Event()
        self._sent = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.name, protocol=paho.MQTTv5)
        self._client.max_inflight_messages_set(1000)
        if self.tls is not None:
            self._client.tls_set(*(str(self.tls / name) for name in ("ca.pem", "depot.pem", "depot.key")))
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = 3600
        self._client.reconnect_delay_set(0.1, 0.5)  # type: ignore[arg-type]
        self._client.connect(self.host, self.port, 60, clean_start=False, properties=session)
        self._client.loop_start()
        assert self._ready.wait(10), "the depot could not subscribe"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def tell(self, data: Any, *, topic: str = "ack") -> None:
        """Publish something to the vehicle."""
        self._sent += 1
        payload = (
            data if isinstance(data, bytes) else encode(Event(id=f"d-{self._sent}", source="wegewart/depot", data=data))
        )
        self._client.publish(f"wegewart/v1/{VEHICLE}/{topic}", payload, qos=1)

    def status(self, state: str, timeout_s: float = 15.0) -> tuple[Status, bool]:
        """Wait for a status of this name; also says whether it came as a retained one."""
        while True:
            kind, data, message = self.seen.get(timeout=timeout_s)
            if kind == "status" and data.state == state:
                return data, message.retain

    def first(self, wanted: str, timeout_s: float = 15.0) -> tuple[Any, Any]:
        """Wait for the first message of a kind: its data and the whole message."""
        while True:
            kind, data, message = self.seen.get(timeout=timeout_s)
            if kind == wanted:
                return data, message

    def _on_connect(self, client: Any, *_: object) -> None:
        for topic in ("status", *KINDS, "health", "picture/+", "chunk/+/+/+", "reply"):
            client.subscribe(f"wegewart/v1/+/{topic}", options=SubscribeOptions(qos=1))

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        topic = parse(message.topic)
        assert topic is not None
        if topic.kind == "chunk":
            self._on_chunk(topic, message)
            return
        if topic.sha256:
            self.pictures[topic.sha256] += 1
            self.seen.put(("picture", topic.sha256, message))
            if self.answering:
                self.tell(Ack(pictures=(topic.sha256,)))
            return
        event = decode(message.payload)
        self.seen.put((topic.kind, event.data, message))
        match event.data:
            case Observation() | Revision() | Coverage() | Roughness():
                self.events[event.id] += 1
                if self.answering:
                    self.tell(Ack(events=(event.id,)))
            case Status() | Health() | Reply():
                pass

    def _on_chunk(self, topic: Topic, message: Any) -> None:
        sha256, size, number = topic.sha256, topic.size, topic.number
        assert sha256 is not None
        assert size is not None
        assert number is not None
        have = self.parts.setdefault(sha256, {})
        if message.payload:
            self.chunks[sha256, number] += 1
            have[number] = message.payload
        self.seen.put(("chunk", (sha256, number), message))
        answer = Ack(parts=(Part(sha256=sha256, bytes=size, have=tuple(sorted(have))),))
        if len(have) == chunk_count(size):
            whole = b"".join(have[n] for n in sorted(have))
            assert hashlib.sha256(whole).hexdigest() == sha256
            self.pictures[sha256] += 1
            answer = Ack(pictures=(sha256,))
        if self.answering:
            self.tell(answer)
