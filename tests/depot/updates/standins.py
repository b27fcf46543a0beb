# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles that only speak: they answer the wish for a release and say how the update goes, over a real broker."""

from __future__ import annotations

import itertools
import threading
from datetime import datetime, timezone
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from messages import envelope
from messages.topics import Topic
from messages.types import Command, Health, Message, Reply, Status, Time, Update


class StandIn:
    """One vehicle. `fails`: it goes back, with this reason. `wishes`: the releases that it was told, in order."""

    def __init__(self, host: str, port: int, name: str, *, runs: str, fails: str = "") -> None:
        self.name, self.runs, self.fails = name, runs, fails
        self.wishes: list[str] = []
        self._count = itertools.count(1)
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(str(Topic(name, "command")), 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._hear
        self._client.connect(host, port)
        self._client.loop_start()
        assert self._ready.wait(10), "no broker"
        self._born()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def speak(self, update: Update | None = None) -> None:
        """Its health."""
        self._send(Health(time=self._time(), counters={"frames_seen": next(self._count)}, update=update))

    def _born(self) -> None:
        self._send(
            Status(state="online", boot="b1", session=next(self._count), software="0.9.0", release=self.runs),
            retain=True,
        )

    def _hear(self, _client: Client, _data: Any, message: Any) -> None:
        event = envelope.decode(message.payload)
        if not isinstance(event.data, Command) or event.data.action != "update" or event.data.value is None:
            return
        release = event.data.value
        self.wishes.append(release)
        self._send(Reply(command=event.id, ok=True, text=f"{release} is fetched"))
        for state in ("staged", "pending", "failed" if self.fails else "active"):
            if state == "pending":
                before, self.runs = self.runs, release
                self._born()
            if state == "failed":
                self.runs = before
                self._born()
            self.speak(
                Update(
                    release=release,
                    state=state,
                    reason=self.fails,
                    running=self.runs,
                    utc=_now(),  # type: ignore[arg-type]
                )
            )

    def _time(self) -> Time:
        return Time(boot="b1", monotonic_s=float(next(self._count)), quality="ntp", utc=_now())

    def _send(self, data: Message, *, retain: bool = False) -> None:
        event = envelope.Event(
            id=envelope.event_id("b1", next(self._count)),
            source=envelope.source_of(self.name),
            data=data,  # type: ignore[arg-type]
        )
        self._client.publish(
            str(Topic(self.name, envelope.kind_of(data))), envelope.encode(event), qos=1, retain=retain
        )


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
