# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One MQTT connection, from opening to its end; a new one is made for every attempt.

paho-mqtt speaks the protocol, but its network thread is not used: that thread has died silently on
users (TLS end of file, an exception in a callback, a long outage). Here the caller's own thread turns
the connection with `turn`, which returns what happened as values and never raises; a connection that
cannot go on says so with `Lost`.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.errors import BrokerError
from messages.envelope import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.delivery.settings import BrokerSettings

_BINARY = {"/picture/": "image/jpeg", "/chunk/": "application/octet-stream"}


@dataclass(frozen=True)
class Connected:
    """The broker has let us in. Limits are None where it named none."""

    session_present: bool
    receive_maximum: int | None = None
    maximum_packet: int | None = None


@dataclass(frozen=True)
class Refused:
    """The broker has turned us away: login, rights to read, client id, protocol version."""

    reason: str


@dataclass(frozen=True)
class Lost:
    """The connection is over."""

    reason: str


@dataclass(frozen=True)
class Taken:
    """PUBACK of a QoS 1 message; `error` where the broker took it but refused to pass it on."""

    mid: int
    error: str | None = None


@dataclass(frozen=True)
class Received:
    """A message for us. `expiry_s`: how long the broker says that it is still valid (MQTT 5), None: it says nothing."""

    topic: str
    payload: bytes
    expiry_s: int | None = None


LinkEvent: TypeAlias = Connected | Refused | Lost | Taken | Received


class Waker:
    """Lets any thread wake the one that waits on the network."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)  # noqa: FBT003 - the standard library's way
        self._writer.setblocking(False)  # noqa: FBT003 - the standard library's way

    def fileno(self) -> int:
        """For poll."""
        return self._reader.fileno()

    def wake(self) -> None:
        """From any thread; never blocks."""
        try:
            self._writer.send(b"\0")
        except BlockingIOError:
            pass  # it is awake many times already
        except OSError:
            pass  # closed: nobody waits any more

    def clear(self) -> None:
        """Forget all wake-ups so far."""
        try:
            while self._reader.recv(4096):
                pass
        except BlockingIOError:
            pass

    def wait(self, timeout_s: float) -> None:
        """Sleep until woken or the time is over."""
        poller = select.poll()
        poller.register(self._reader, select.POLLIN)
        poller.poll(max(0.0, timeout_s) * 1000)
        self.clear()

    def close(self) -> None:
        """Release the sockets."""
        self._reader.close()
        self._writer.close()


class Link(Protocol):
    """What the uplink needs of a connection."""

    def open(self, will_topic: str, will: bytes) -> None:
        """Begin to connect; `Connected`, `Refused` or `Lost` follows. Raises BrokerError: nobody there."""

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> int:
        """Hand over a message; returns the number that `Taken` will name."""

    def subscribe(self, topics: Sequence[str]) -> None:
        """Ask for messages with QoS 1."""

    def turn(self, timeout_s: float) -> list[LinkEvent]:
        """Send and receive; waits for at most `timeout_s` for something to happen. Never raises."""

    def close(self, *, goodbye: bool) -> None:
        """End the connection. With `goodbye` the broker keeps the last will to itself."""


class PahoLink:
    """A connection by paho-mqtt 2 with MQTT 5 or 3.1.1, to be used by one thread only."""

    def __init__(self, settings: BrokerSettings, waker: Waker, *, client_id: str) -> None:
        self._settings = settings
        self._waker = waker
        self._events: deque[LinkEvent] = deque()
        self._is_v5 = settings.protocol == "5"
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if self._is_v5 else False,
            protocol=paho.MQTTv5 if self._is_v5 else paho.MQTTv311,
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = settings.connect_timeout_s
        self._client.max_inflight_messages_set(settings.limits.in_flight + 5)  # the window is ours to keep
        login = settings.login()
        if login is not None:
            self._client.username_pw_set(*login)
        if settings.tls is not None:
            self._client.tls_set_context(settings.tls.context())
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe

    def open(self, will_topic: str, will: bytes) -> None:
        """See `Link.open`. Blocks for at most name resolution plus the connect timeout, twice with TLS."""
        if will_topic:
            properties = self._properties(PacketTypes.WILLMESSAGE, WillDelayInterval=self._settings.will_delay_s)
            self._client.will_set(will_topic, will, qos=1, retain=True, properties=properties)
        options: dict[str, Any] = {}
        if self._is_v5:
            options["clean_start"] = False
            options["properties"] = self._properties(
                PacketTypes.CONNECT, SessionExpiryInterval=self._settings.session_expiry_s, ReceiveMaximum=100
            )
        try:
            self._client.connect(self._settings.host, self._settings.port, self._settings.keepalive_s, **options)
        except (OSError, ValueError) as error:  # also: TLS, name resolution, certificate
            self.close(goodbye=False)
            raise BrokerError(f"broker {self._settings.address}: {_words(error)}") from None

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> int:
        """See `Link.publish`."""
        properties = None
        if self._is_v5:
            properties = self._properties(
                PacketTypes.PUBLISH,
                ContentType=next((kind for level, kind in _BINARY.items() if level in topic), CONTENT_TYPE),
                MessageExpiryInterval=expiry_s,
            )
        return self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties).mid

    def subscribe(self, topics: Sequence[str]) -> None:
        """See `Link.subscribe`."""
        for topic in topics:
            if self._is_v5:
                self._client.subscribe(topic, options=SubscribeOptions(qos=1))
            else:
                self._client.subscribe(topic, qos=1)

    def turn(self, timeout_s: float) -> list[LinkEvent]:
        """See `Link.turn`."""
        try:
            self._turn(timeout_s)
        except Exception as error:  # noqa: BLE001 - a broker's bytes can make paho raise anything; the link is over then
            self._events.append(Lost(_words(error)))
        events = list(self._events)
        self._events.clear()
        return events

    def _turn(self, timeout_s: float) -> None:
        connection = self._client.socket()
        if connection is None:
            if not self._events:
                self._events.append(Lost("the connection is closed"))
            return
        # A packet that TLS has already decrypted does not show in poll.
        waiting = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        poller = select.poll()
        poller.register(connection, select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
        poller.register(self._waker, select.POLLIN)
        # At least once a second for the keep-alive.
        ready = dict(poller.poll(0 if waiting or self._events else min(max(timeout_s, 0.0), 1.0) * 1000))
        if self._waker.fileno() in ready:
            self._waker.clear()
        state = ready.get(connection.fileno(), 0)
        if waiting or state & ~select.POLLOUT:
            self._client.loop_read()
        if self._client.want_write():
            self._client.loop_write()
        self._client.loop_misc()

    def close(self, *, goodbye: bool) -> None:
        """See `Link.close`."""
        try:
            if goodbye:
                self._client.disconnect()
                for _ in range(100):  # what is still in paho's queue, the DISCONNECT last; at most 2 s
                    connection = self._client.socket()
                    if connection is None or not self._client.want_write():
                        break
                    select.select([], [connection], [], 0.02)
                    self._client.loop_write()
            connection = self._client.socket()
            if connection is not None:
                connection.close()
        except Exception as error:  # noqa: BLE001 - it is over either way
            self._events.append(Lost(_words(error)))

    def _properties(self, packet: int, **values: int | str | None) -> Properties | None:
        if not self._is_v5:
            return None
        properties = Properties(packet)  # type: ignore[no-untyped-call]
        for name, value in values.items():
            if value is not None:
                setattr(properties, name, value)
        return properties

    # Callbacks of paho: they only put on the queue.

    def _on_connect(self, _client: Any, _data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._events.append(Refused(str(reason)))
            return
        self._events.append(
            Connected(
                session_present=flags.session_present,
                receive_maximum=getattr(properties, "ReceiveMaximum", None),
                maximum_packet=getattr(properties, "MaximumPacketSize", None),
            )
        )

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._events.append(Lost(str(reason)))

    def _on_publish(self, _client: Any, _data: Any, mid: int, reason: Any, _properties: Any) -> None:
        self._events.append(Taken(mid, str(reason) if reason.is_failure else None))

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        for reason in reasons:
            if reason.is_failure:  # without the depot's answers nothing would ever be let go
                self._events.append(Refused(f"may not read its topics ack and command: {reason}"))

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        expiry_s = getattr(getattr(message, "properties", None), "MessageExpiryInterval", None)
        self._events.append(Received(message.topic, bytes(message.payload), expiry_s))


def _words(error: BaseException) -> str:
    """An error as one readable line."""
    return " ".join(str(error).split()) or type(error).__name__
