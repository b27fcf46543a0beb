# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Sends one command to one vehicle and waits for its reply, over a connection of its own.

The command's id is the event's: a vehicle carries one id out once, however often it comes. The broker drops the
command when its time is over, and the vehicle looks at `until`, too. Who may publish on a vehicle's `command` topic
may command it: the broker's access list gives that right to the depot alone.
"""

from __future__ import annotations

import queue
import time
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from paho.mqtt.client import Client, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from depot.config import BrokerConfig
from depot.errors import BrokerError, CommandError
from depot.mqtt import log_in
from messages import envelope
from messages.topics import Topic, is_vehicle_name
from messages.types import Command, Reply


def send_command(broker: BrokerConfig, vehicle: str, command: Command, *, wait_s: float = 60.0) -> Reply:
    """Send a command that is valid for `wait_s`, and wait so long for the vehicle's reply.

    Raises:
        CommandError: no such name, not a command, or no reply in time.
        BrokerError: the broker is not there, or does not let us.
        ConfigError: the password or a TLS file cannot be read.
    """
    if not is_vehicle_name(vehicle):
        raise CommandError(f"vehicle {vehicle!r} is no name: lower-case letters, digits, hyphens, at most 63")
    until = datetime.now(timezone.utc) + timedelta(seconds=wait_s)
    event = envelope.Event(
        id=f"command-{uuid.uuid4().hex}",
        source=envelope.source_of("depot"),
        data=msgspec.structs.replace(command, until=until.isoformat(timespec="milliseconds").replace("+00:00", "Z")),
    )
    try:
        payload = envelope.encode(event)
    except envelope.MessageError as error:
        raise CommandError(f"not a command: {error}") from None
    try:
        return _Exchange(broker, vehicle, event.id, payload, wait_s).run()
    except (OSError, ValueError) as error:  # ValueError: paho's word for a host name that cannot be one
        raise BrokerError(f"broker {broker.host}:{broker.port}: {error}") from None


class _Exchange:
    """One connection: subscribe to the replies, publish the command, wait."""

    def __init__(self, broker: BrokerConfig, vehicle: str, identity: str, payload: bytes, wait_s: float) -> None:
        self._broker = broker
        self._vehicle = vehicle
        self._identity = identity
        self._payload = payload
        self._wait_s = wait_s
        self._taken = False
        self._outcome: queue.SimpleQueue[Reply | BrokerError] = queue.SimpleQueue()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{broker.client_id}-{identity}",
            clean_session=None if broker.protocol == "5" else True,
            protocol=MQTTv5 if broker.protocol == "5" else MQTTv311,
            reconnect_on_failure=False,
        )
        log_in(self._client, broker)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect

    def run(self) -> Reply:
        until_s = time.monotonic() + self._wait_s
        self._client.connect(self._broker.host, self._broker.port, 30)
        try:
            while self._outcome.empty() and time.monotonic() < until_s:
                self._client.loop(0.2)
        finally:
            self._client.on_disconnect = None
            self._client.disconnect()
            self._client.loop(0.0)
        if not self._outcome.empty():
            outcome = self._outcome.get()
            if isinstance(outcome, BrokerError):
                raise outcome
            return outcome
        why = "the vehicle is away, or busy" if self._taken else "the broker did not take the command"
        raise CommandError(
            f"vehicle {self._vehicle}: no reply within {self._wait_s:g} s: {why}; the command has expired"
        )

    def _fail(self, what: str) -> None:
        self._outcome.put(BrokerError(f"broker {self._broker.host}:{self._broker.port} {what}"))

    def _on_connect(self, client: Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self._fail(f"refuses our login: {code}; check broker.username and broker.password_file")
        else:
            client.subscribe(str(Topic(self._vehicle, "reply")), 1)

    def _on_subscribe(self, client: Client, _data: Any, _mid: int, codes: list[Any], _properties: Any) -> None:
        if any(code.is_failure for code in codes):
            self._fail(f"does not let us read the replies of {self._vehicle}: {codes[0]}")
            return
        properties = None
        if self._broker.protocol == "5":
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = max(1, round(self._wait_s))
            properties.ContentType = envelope.CONTENT_TYPE
        topic = str(Topic(self._vehicle, "command"))
        client.publish(topic, self._payload, qos=1, properties=properties)

    def _on_publish(self, _client: Client, _data: Any, _mid: int, code: Any, _properties: Any) -> None:
        self._taken = True
        if code.is_failure:
            self._fail(f"does not let us command {self._vehicle}: {code}")

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        try:
            data = envelope.decode(bytes(message.payload)).data
        except envelope.MessageError:
            return  # not the answer we wait for
        if isinstance(data, Reply) and data.command == self._identity:
            self._outcome.put(data)

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self._fail(f"ended the connection: {code}")
