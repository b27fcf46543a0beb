# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Sends commands to vehicles and waits for the replies, over a connection of its own.

The command's id is the event's: a vehicle carries one id out once, however often it comes. The broker drops the
command when its time is over, and the vehicle looks at `until`, too. Who may publish on a vehicle's `command` topic
may command it: the broker's access list gives that right to the depot alone.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    errand = _errand(vehicle, command, wait_s)
    exchange = _Exchange(broker, [errand], wait_s)
    replies = exchange.run()
    if errand.id in replies:
        return replies[errand.id]
    why = "the vehicle is away, or busy" if exchange.is_taken else "the broker did not take the command"
    raise CommandError(f"vehicle {vehicle}: no reply within {wait_s:g} s: {why}; the command has expired")


def send_commands(broker: BrokerConfig, commands: Mapping[str, Command], *, wait_s: float = 60.0) -> dict[str, Reply]:
    """Send a command to each of several vehicles at once; the replies that came in time, by vehicle.

    Raises:
        CommandError, BrokerError, ConfigError: see `send_command`; some may have been sent.
    """
    errands = [_errand(vehicle, command, wait_s) for vehicle, command in commands.items()]
    replies = run_errands(broker, errands, wait_s=wait_s)
    return {errand.vehicle: replies[errand.id] for errand in errands if errand.id in replies}


@dataclass(frozen=True)
class Errand:
    """A command under its id, for one vehicle. What the command asks for may last longer than it takes to tell."""

    vehicle: str
    id: str
    command: Command


def run_errands(broker: BrokerConfig, errands: Sequence[Errand], *, wait_s: float) -> dict[str, Reply]:
    """Send all at once; the replies that came in time, by the commands' ids.

    Raises:
        CommandError, BrokerError, ConfigError: see `send_command`; some may have been sent.
    """
    return _Exchange(broker, errands, wait_s).run()


def new_id() -> str:
    """An id that no command had."""
    return f"command-{uuid.uuid4().hex}"


def _errand(vehicle: str, command: Command, wait_s: float) -> Errand:
    until = datetime.now(timezone.utc) + timedelta(seconds=wait_s)
    until_utc = until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Errand(vehicle, new_id(), msgspec.structs.replace(command, until=until_utc))


def _payload(errand: Errand) -> bytes:
    """Raises CommandError."""
    if not is_vehicle_name(errand.vehicle):
        raise CommandError(f"vehicle {errand.vehicle!r} is no name: lower-case letters, digits, hyphens, at most 63")
    event = envelope.Event(id=errand.id, source=envelope.source_of("depot"), data=errand.command)
    try:
        return envelope.encode(event)
    except envelope.MessageError as error:
        raise CommandError(f"not a command: {error}") from None


class _Exchange:
    """One connection: subscribe to the replies, publish the commands, wait. `is_taken`: the broker has one."""

    def __init__(self, broker: BrokerConfig, errands: Sequence[Errand], wait_s: float) -> None:
        self._broker = broker
        self._payloads = [(errand.vehicle, _payload(errand)) for errand in errands]
        self._vehicles = {errand.id: errand.vehicle for errand in errands}
        self._names = sorted(set(self._vehicles.values()))
        self._wait_s = wait_s
        self.is_taken = False
        self._replies: dict[str, Reply] = {}
        self._error: BrokerError | None = None
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{broker.client_id}-command-{uuid.uuid4().hex}",
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

    def run(self) -> dict[str, Reply]:
        """The replies by id, once all are there or the time is over. Raises BrokerError."""
        try:
            self._run()
        except (OSError, ValueError) as error:  # ValueError: paho's word for a host name that cannot be one
            raise BrokerError(f"broker {self._broker.host}:{self._broker.port}: {error}") from None
        if self._error is not None and len(self._replies) < len(self._payloads):
            raise self._error
        return self._replies

    def _run(self) -> None:
        until_s = time.monotonic() + self._wait_s
        self._client.connect(self._broker.host, self._broker.port, 30)
        try:
            while (
                self._error is None and len(self._replies) < len(self._payloads) and time.monotonic() < until_s
            ):  # fmt: skip
                self._client.loop(0.2)
        finally:
            self._client.on_disconnect = None
            self._client.disconnect()
            self._client.loop(0.0)

    def _fail(self, what: str) -> None:
        self._error = self._error or BrokerError(f"broker {self._broker.host}:{self._broker.port} {what}")

    def _on_connect(self, client: Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self._fail(f"refuses our login: {code}; check broker.username and broker.password_file")
        else:
            client.subscribe([(str(Topic(vehicle, "reply")), 1) for vehicle in self._names])

    def _on_subscribe(self, client: Client, _data: Any, _mid: int, codes: list[Any], _properties: Any) -> None:
        for vehicle, code in zip(self._names, codes, strict=False):
            if code.is_failure:
                self._fail(f"does not let us read the replies of {vehicle}: {code}")
                return
        properties = None
        if self._broker.protocol == "5":
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = max(1, round(self._wait_s))
            properties.ContentType = envelope.CONTENT_TYPE
        for vehicle, payload in self._payloads:
            client.publish(str(Topic(vehicle, "command")), payload, qos=1, properties=properties)

    def _on_publish(self, _client: Client, _data: Any, _mid: int, code: Any, _properties: Any) -> None:
        self.is_taken = True
        if code.is_failure:
            self._fail(f"does not let us command {', '.join(self._names)}: {code}")

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        try:
            event = envelope.decode(bytes(message.payload))
        except envelope.MessageError:
            return  # not the answer we wait for
        data = event.data
        if not isinstance(data, Reply):
            return
        vehicle = self._vehicles.get(data.command)
        # The broker lets a vehicle write below its own name only: the topic says who it was.
        if vehicle is not None and message.topic == str(Topic(vehicle, "reply")):
            self._replies[data.command] = data

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self._fail(f"ended the connection: {code}")
