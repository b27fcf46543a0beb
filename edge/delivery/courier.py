# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Carries the outbox's content to the depot, one step at a time; the uplink's thread calls `step` for ever.

It connects, sends what the `Window` chooses, hands the depot's answers to the outbox, notices silence
and begins again with a fresh connection. Nothing that a broker, a depot or a link does makes it raise.
"""

from __future__ import annotations

import logging
from collections import Counter
from queue import SimpleQueue
from typing import TYPE_CHECKING

from edge.delivery.link import Connected, Lost, Received, Refused, Taken
from edge.delivery.port import LinkState
from edge.delivery.window import Window, backoff_s
from edge.errors import BrokerError, ConfigError, StoreError
from messages.envelope import MessageError, decode
from messages.topics import Topic, parse
from messages.types import Ack, Command

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.delivery.herald import Herald
    from edge.delivery.link import Link, LinkEvent, Waker
    from edge.delivery.outbox import Outbox, OutboxItem
    from edge.delivery.settings import BrokerSettings
    from edge.delivery.window import Silence
    from messages.types import Health

log = logging.getLogger(__name__)

#: How often old acknowledged events are deleted.
TIDY_EVERY_S = 600.0
#: How long the goodbye may take.
GOODBYE_S = 2.0
#: What MQTT adds to a picture at most: header, topic, properties.
OVERHEAD_BYTES = 300
_SPEAKS_5 = '; if it speaks no MQTT 5, set the protocol to "3.1.1"'


class Courier:
    """All decisions and dealings of the uplink, without its thread; to be used by one thread.

    Args:
        outbox: what to send.
        settings: where to.
        herald: makes what the vehicle says about itself.
        make_link: gives a fresh connection for every attempt.
        waker: wakes `step` when there is something new.
        monotonic: seconds.
        on_state: told every change of the link's state.
    """

    def __init__(
        self,
        outbox: Outbox,
        settings: BrokerSettings,
        herald: Herald,
        *,
        make_link: Callable[[], Link],
        waker: Waker,
        monotonic: Callable[[], float],
        on_state: Callable[[LinkState], None],
    ) -> None:
        self.commands: SimpleQueue[Command] = SimpleQueue()
        self.counters: Counter[str] = Counter()
        self.health: Health | None = None
        self.store_fault: str | None = None
        self.publish_fault: str | None = None
        self.too_large: set[str] = set()
        self._outbox = outbox
        self._settings = settings
        self._herald = herald
        self._make_link = make_link
        self._waker = waker
        self._monotonic = monotonic
        self._on_state = on_state
        self._state = LinkState("connecting")
        self._window = Window(settings.limits)
        self._link: Link | None = None
        self._online = False
        self._maximum_packet: int | None = None
        self._mids: dict[int, str] = {}
        self._connections = 0
        self._attempt = 0
        self._next_attempt_s = self._opened_s = self._tidied_s = monotonic()

    def step(self, *, hurry: bool = False) -> None:
        """Do what is to be done now; waits up to a second for something to happen.

        `hurry`: do not sit out a long back-off (somebody waits for the drain).
        """
        try:
            if self._link is None:
                if hurry:
                    self._next_attempt_s = min(self._next_attempt_s, self._monotonic() + 1.0)
                self._connect_or_wait()
                return
            for event in self._link.turn(1.0):
                self._handle(event)
            if self._link is not None and self._online:
                self._send_health(self._link)
                self._send_items(self._link)
            self._notice_silence()
            if self._monotonic() - self._tidied_s > TIDY_EVERY_S:
                self._tidied_s = self._monotonic()
                self._outbox.tidy()
        except StoreError as error:
            # The depot's answer could not be written down: everything is sent again and it answers again.
            self.store_fault = str(error)
            self.counters["delivery_store_errors"] += 1
            self._drop_link(str(error))
        else:
            self.store_fault = None

    def goodbye(self) -> None:
        """A clean end: the broker keeps the last will to itself, the depot sees `stopped`."""
        link, self._link = self._link, None
        if link is None:
            return
        if self._online:
            self._send_health(link)
            topic, goodbye = self._herald.status("stopped", self._connections)
            taken = Taken(link.publish(topic, goodbye, retain=True))
            until_s = self._monotonic() + GOODBYE_S
            done = False
            while not done and self._monotonic() < until_s:
                done = any(event == taken or isinstance(event, Lost) for event in link.turn(0.1))
        link.close(goodbye=self._online)
        self._online = False

    # -- the connection -------------------------------------------------------------------------------------

    def _connect_or_wait(self) -> None:
        self.health = None  # nobody would get it, and it would be old when somebody does
        wait_s = self._next_attempt_s - self._monotonic()
        if wait_s > 0:
            self._waker.wait(min(wait_s, 1.0))
            return
        self._connections += 1
        topic, will = self._herald.status("offline", self._connections)
        try:
            link = self._make_link()
            link.open(topic, will)
        except (BrokerError, ConfigError) as error:  # also: the password file has gone meanwhile
            self._retry_later(LinkState("unreachable", str(error)))
            return
        self._link = link
        self._opened_s = self._monotonic()

    def _retry_later(self, state: LinkState) -> None:
        self._attempt += 1
        self._next_attempt_s = self._monotonic() + backoff_s(self._attempt)
        self._set_state(state)

    def _set_state(self, state: LinkState) -> None:
        if state != self._state:
            log.log(
                logging.INFO if state.name == "online" else logging.WARNING, "uplink %s: %s", state.name, state.reason
            )
        self._state = state
        self._on_state(state)

    def _drop_link(self, reason: str, silence: Silence | None = None, *, refused: bool = False) -> None:
        """This connection is over; a fresh one will be made."""
        if self._link is None:
            return
        self._link.close(goodbye=False)
        self._link = None
        self._online = False
        self._mids.clear()
        self._window.lost(self._monotonic(), silence)
        self.counters["delivery_links_lost"] += 1
        self._retry_later(
            LinkState("refused" if refused else "unreachable", f"broker {self._settings.address}: {reason}")
        )

    def _handle(self, event: LinkEvent) -> None:
        match event:
            case Connected():
                self._come_online(event)
            case Refused(reason):
                self._be_refused(reason)
            case Lost(reason) if self._online:
                self._drop_link(f"connection lost: {reason}")
            case Lost(reason):
                hint = _SPEAKS_5 if self._settings.protocol == "5" else ""
                self._drop_link(f"connection ended before the broker's answer: {reason}{hint}")
            case Taken(mid, error):
                self._be_taken(mid, error)
            case Received(topic, payload):
                self._receive(topic, payload)

    def _come_online(self, event: Connected) -> None:
        if self._link is None:
            return
        self._online = True
        self.counters["delivery_connections"] += 1
        self._window.connected(
            self._monotonic(), session_present=event.session_present, receive_maximum=event.receive_maximum
        )
        self._maximum_packet = event.maximum_packet
        self.too_large.clear()
        vehicle = self._settings.vehicle
        # Subscribed before anything is sent, so that no acknowledgement is missed.
        self._link.subscribe([str(Topic(vehicle, "ack")), str(Topic(vehicle, "command"))])
        topic, birth = self._herald.status("online", self._connections)
        self._link.publish(topic, birth, retain=True)
        self._set_state(LinkState("online"))

    def _be_refused(self, reason: str) -> None:
        self.counters["delivery_logins_refused"] += 1
        vehicle = self._settings.vehicle
        text = f"login of vehicle {vehicle!r} refused: {reason}; check user name, password, certificate and rights"
        self._drop_link(text, refused=True)

    # -- what comes in --------------------------------------------------------------------------------------

    def _be_taken(self, mid: int, error: str | None) -> None:
        key = self._mids.pop(mid, None)
        if key is None:  # birth
            return
        self._attempt = 0  # the link carries something: the next reconnect may be quick again
        self._window.taken(key, self._monotonic())
        if error is None:
            self.publish_fault = None
            self._outbox.mark_sent(key)
        else:
            self.publish_fault = f"broker {self._settings.address} does not pass on {key}: {error}"
            self.counters["delivery_publishes_refused"] += 1

    def _receive(self, name: str, payload: bytes) -> None:
        topic = parse(name)
        try:
            data = decode(payload).data
        except MessageError as error:
            self.counters["delivery_bad_messages"] += 1
            log.warning("message on %r ignored: %s", name, error)
            return
        match topic, data:
            case Topic(self._settings.vehicle, "ack"), Ack():
                self._be_answered(data)
            case Topic(self._settings.vehicle, "command"), Command():
                self._be_commanded(data)
            case _:
                self.counters["delivery_bad_messages"] += 1
                log.warning("message on %r ignored: a %s does not belong there", name, type(data).__name__)

    def _be_answered(self, ack: Ack) -> None:
        answered = self._outbox.acknowledge(ack.events, ack.pictures)
        unknown = answered.unknown
        for refusal in ack.refused:
            unknown += self._outbox.refuse(refusal.id, refusal.reason).unknown
            log.warning("the depot refuses %r: %r", refusal.id, refusal.reason)
        self.counters["delivery_unknown_acks"] += unknown
        self._window.answered((*ack.events, *ack.pictures, *(each.id for each in ack.refused)), self._monotonic())

    def _be_commanded(self, command: Command) -> None:
        self.counters["delivery_commands"] += 1
        if command.action != "send_picture":
            self.commands.put(command)
        elif command.sha256 is None or not self._outbox.resend_picture(command.sha256):
            self.counters["delivery_pictures_not_here"] += 1

    # -- what goes out --------------------------------------------------------------------------------------

    def _send_items(self, link: Link) -> None:
        room = self._window.room
        if not room:
            return
        waiting = self._outbox.pending(room, self._window.open | self.too_large)
        for item in self._window.choose(waiting, self._monotonic()):
            payload = item.payload if item.payload is not None else self._picture(item)
            if payload is not None:
                topic = Topic(self._settings.vehicle, item.kind, item.key if item.kind == "picture" else None)
                self._mids[link.publish(str(topic), payload)] = item.key
                self._window.sent(item, self._monotonic())

    def _picture(self, item: OutboxItem) -> bytes | None:
        if self._maximum_packet is not None and item.size_bytes + OVERHEAD_BYTES > self._maximum_packet:
            self.too_large.add(item.key)
            return None
        return self._outbox.picture(item.key)

    def _send_health(self, link: Link) -> None:
        health, self.health = self.health, None
        if health is None:
            return
        try:
            topic, payload = self._herald.health(health)
        except MessageError as error:
            self.counters["delivery_health_refused"] += 1
            log.warning("health not sent: %s", error)
        else:
            link.publish(topic, payload, qos=0, expiry_s=self._settings.health_expiry_s)

    def _notice_silence(self) -> None:
        now_s = self._monotonic()
        if self._link is None:
            return
        if not self._online:
            if now_s - self._opened_s > self._settings.limits.link_timeout_s:
                self._drop_link("it accepts connections but does not answer")
            return
        silence = self._window.silent(now_s)
        if silence is not None:
            who = "the broker takes nothing" if silence == "broker" else "the depot acknowledges nothing"
            self._drop_link(f"{who}; connecting anew", silence)
            # Last, so that whoever sees the count also finds its reason in the state.
            self.counters[f"delivery_silences_{silence}"] += 1
