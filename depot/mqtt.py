# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The depot's end of the broker, on paho-mqtt 2.

All calls to paho happen in this one thread, by paho's own interface for external loops: publishing and confirming
from another thread could interleave with its writing. Confirmations (PUBACK) are manual: the broker keeps a message
until the store has committed it. A broker that is not there is tried again with full jitter and one log line;
one that refuses our login ends the depot.

Several processes may share the stream (MQTT 5 shared subscription): each message then goes to one of them, save the
retained status, which a shared subscription would not deliver: all of them get it, and storing it is idempotent.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import selectors
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from depot.arrivals import Arrival
from depot.config import BrokerConfig, password
from depot.errors import BrokerError, ConfigError
from depot.ingest import BATCH, Reply, jitter
from messages.topics import PREFIX

log = logging.getLogger(__name__)

_STATUS = f"{PREFIX}/+/status"
_KINDS = ("observation", "look", "revision", "clock", "coverage", "roughness", "health", "picture/+", "chunk/+/+/+")
_REST = tuple(f"{PREFIX}/+/{kind}" for kind in _KINDS)
SUBSCRIPTIONS = (_STATUS, *_REST)
SHARED = (_STATUS, *(f"$share/wegewart/{topic}" for topic in _REST))
KEEPALIVE_S = 30
SESSION_EXPIRY_S = 7 * 24 * 3600
#: Of those who share, the first keeps its session as one alone does. The others' ends soon after them, so that the
#: broker does not go on keeping a share for one that has been taken out of service; what it kept, vehicles send again.
SHARER_EXPIRY_S = 60
#: Messages that are read before the loop looks at its other duties.
_READS = 64
#: Longest wait for the network before the loop looks at its other duties.
_TURN_S = 0.5
#: Reason codes (MQTT 5 numbers; paho translates those of 3.1.1) that trying again will not change.
_REFUSALS = {133: "client identifier not valid", 134: "bad user name or password", 135: "not authorized", 138: "banned"}


@dataclass(frozen=True)
class _Token:
    """Which message of which connection: packet ids start over on the next one."""

    connection: int
    mid: int
    qos: int


class Link:
    """The connection to the broker, in a thread of its own."""

    def __init__(
        self,
        broker: BrokerConfig,
        *,
        put: Callable[[Arrival], bool],
        refused: Callable[[], None],
        share: int | None = None,
        under_way: int = BATCH,
    ) -> None:
        """`put` takes what arrives; `refused` is called once where the broker refuses our login.

        Args:
            broker: where it is.
            put: see above.
            refused: see above.
            share: our number, from 1, among the processes that share the stream; None: all of it is ours.
            under_way: how many messages the broker may send us before we confirm one (MQTT 5).

        Raises:
            ConfigError: the password or a TLS file cannot be read, or the stream cannot be shared.
        """
        if share is not None and broker.protocol != "5":
            raise ConfigError(f'broker.protocol: {broker.protocol} knows no shared subscriptions; set it to "5"')
        self._broker = broker
        self._share = share
        self._under_way = under_way
        self._subscriptions = SUBSCRIPTIONS if share is None else SHARED
        self._put = put
        self._on_refused = refused
        self._client = self._make_client(broker)
        self._replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)  # noqa: FBT003
        self._wake_write.setblocking(False)  # noqa: FBT003
        self._stopping = threading.Event()
        self._connection = 0
        self._received = 0
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        #: Logged in and subscribed: from now on nothing is missed, whether or not we are there.
        self.connected = False
        self.error: BrokerError | None = None

    def start(self) -> None:
        """Start the thread; returns at once, whether or not the broker is there."""
        self._thread.start()

    def stop(self) -> None:
        """Send what is committed, say goodbye and end. The broker keeps our session."""
        self._stopping.set()
        self._wake()
        self._thread.join()
        self._wake_read.close()
        self._wake_write.close()

    @property
    def alive(self) -> bool:
        """Whether the network thread runs."""
        return self._thread.is_alive()

    def reply(self, reply: Reply) -> None:
        """Queue an answer for sending; from any thread, never blocks."""
        self._replies.put(reply)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it wakes anyway; closed: it has ended
            self._wake_write.send(b"x")

    def _make_client(self, broker: BrokerConfig) -> Client:
        v5 = broker.protocol == "5"
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id if self._share in {None, 1} else f"{broker.client_id}-{self._share}",
            clean_session=None if v5 else False,
            protocol=MQTTv5 if v5 else MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        # Acknowledgements for a vehicle may wait here while the broker is away; it asks again if one is dropped.
        client.max_queued_messages_set(10_000)
        log_in(client, broker)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        return client

    def _run(self) -> None:
        attempt, said = 0, ""
        while not self._stopping.is_set():
            try:
                self._connect()
            except (OSError, ValueError) as error:  # ValueError: paho's word for a host name that cannot be one
                reason = str(error)
            else:
                was_connected, reason = self._serve()
                if was_connected:
                    attempt, said = 0, ""
            if self._stopping.is_set():
                return
            if self.error is not None:
                self._on_refused()
                return
            if reason != said:  # one line for each reason, not for each attempt
                said = reason
                where = f"{self._broker.host}:{self._broker.port}"
                log.warning("no connection to the broker %s, trying again until it is there: %s", where, reason)
            self._stopping.wait(jitter(attempt))
            attempt += 1

    def _connect(self) -> None:
        self._connection += 1
        broker = self._broker
        if broker.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY_S if self._share in {None, 1} else SHARER_EXPIRY_S
            properties.ReceiveMaximum = self._under_way
            self._client.connect(broker.host, broker.port, KEEPALIVE_S, clean_start=False, properties=properties)
        else:
            self._client.connect(broker.host, broker.port, KEEPALIVE_S)

    def _serve(self) -> tuple[bool, str]:
        """Move messages until the connection ends or we are stopped. Whether there was a session, and why it ended."""
        client, reason, was_connected = self._client, "connection lost", False
        connection: Any = client.socket()
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            selector.register(connection, selectors.EVENT_READ)
            while client.socket() is not None:  # paho drops it when the connection ends
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.want_write() else 0)
                selector.modify(connection, events)
                code = self._turn(selector, connection)
                was_connected = was_connected or self.connected
                if self.connected:
                    self._send_replies()
                if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    reason = code.name
                    break
                if self._stopping.is_set():
                    client.disconnect()
                    break
        self.connected = False
        return was_connected, reason

    def _turn(self, selector: selectors.BaseSelector, connection: Any) -> MQTTErrorCode:
        pending = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        ready = {key.fileobj: mask for key, mask in selector.select(0 if pending else _TURN_S)}
        if self._wake_read in ready:
            self._wake_read.recv(4096)
        mask = ready.get(connection, 0)
        code = MQTTErrorCode.MQTT_ERR_SUCCESS
        if pending or mask & selectors.EVENT_READ:
            code = self._read()
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS and mask & selectors.EVENT_WRITE:
            code = self._client.loop_write()
        return code if code != MQTTErrorCode.MQTT_ERR_SUCCESS else self._client.loop_misc()

    def _read(self) -> MQTTErrorCode:
        """Read as long as messages come: asking the system first, for each of them, costs more than they do."""
        for _ in range(_READS):
            before = self._received
            code = self._client.loop_read()
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS or self._received == before or self._stopping.is_set():
                break
        return code

    def _send_replies(self) -> None:
        """Acknowledge to the vehicles, then confirm to the broker: killed in between, both come again."""
        while not self._replies.empty():
            reply = self._replies.get()
            for topic, payload in reply.messages:
                self._client.publish(topic, payload, qos=1)
            for token in reply.tokens:
                if isinstance(token, _Token) and token.connection == self._connection:
                    self._client.ack(token.mid, token.qos)

    def _on_connect(
        self, client: Client, _userdata: Any, flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if code.is_failure:
            why = _REFUSALS.get(code.value)
            if why is not None:
                where = f"{self._broker.host}:{self._broker.port}"
                self.error = BrokerError(
                    f"broker {where} refuses our login: {why}; check broker.username and broker.password_file"
                )
            return
        kept = "its session was kept" if flags.session_present else "a new session"
        log.info("connected to the broker %s:%s, %s", self._broker.host, self._broker.port, kept)
        # A session that was kept may hold the subscriptions of the other way, and we would get everything twice.
        others = SHARED if self._share is None else SUBSCRIPTIONS
        if self._broker.protocol == "5":
            client.unsubscribe([topic for topic in others if topic not in self._subscriptions])
        client.subscribe([(topic, 1) for topic in self._subscriptions])

    def _on_subscribe(
        self, _client: Client, _userdata: Any, _mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        denied = [topic for topic, code in zip(self._subscriptions, codes, strict=False) if code.is_failure]
        if denied:
            log.error("the broker denies us %s; let %s read them", ", ".join(denied), self._broker.client_id)
        self.connected = True

    def _on_disconnect(
        self, _client: Client, _userdata: Any, _flags: DisconnectFlags, code: ReasonCode, _p: Properties | None
    ) -> None:
        self.connected = False
        if not self._stopping.is_set():
            log.info("the connection to the broker ended: %s", code)

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        token = _Token(self._connection, message.mid, message.qos) if message.qos else None
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self._received += 1
        self._put(Arrival(topic, bytes(message.payload), token))


def log_in(client: Client, broker: BrokerConfig) -> None:
    """Give a client its login and TLS. Raises ConfigError: the password or a TLS file cannot be read."""
    if broker.username is not None:
        client.username_pw_set(broker.username, password(broker))
    if broker.tls_ca is not None:
        client.tls_set_context(_tls(broker))


def _tls(broker: BrokerConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=broker.tls_ca)
        if broker.tls_cert is not None:
            context.load_cert_chain(broker.tls_cert, broker.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"broker.tls_ca, tls_cert, tls_key: cannot be used: {error}") from None
    return context
