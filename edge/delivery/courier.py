# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Carries the outbox's content to the depot, one step at a time; the uplink's thread calls `step` for ever.

It connects, lets the `Sender` send and the `Receiver` take in, notices silence and begins again with a fresh
connection. Nothing that a broker, a depot or a link does makes it raise.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edge.delivery.link import Connected, Lost, Received, Refused, Taken
from edge.delivery.port import LinkState
from edge.delivery.receiving import Receiver
from edge.delivery.sending import Sender
from edge.delivery.window import backoff_s
from edge.errors import BrokerError, ConfigError, StoreError
from messages.topics import Topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.delivery.link import Link, LinkEvent, Waker
    from edge.delivery.means import Means
    from edge.delivery.window import Silence
    from messages.types import Health

log = logging.getLogger(__name__)

#: How often old acknowledged events are deleted.
TIDY_EVERY_S = 600.0
#: How long the goodbye may take.
GOODBYE_S = 2.0
#: TLS 1.3 tells of a refused client certificate only after the handshake, and then just closes.
_MAY_BE_REVOKED = "; the broker may have refused this vehicle's certificate (revoked or expired: scripts/provision)"
_SPEAKS_5 = '; if it speaks no MQTT 5, set the protocol to "3.1.1"'


class Courier:
    """All decisions and dealings of the uplink, without its thread; to be used by one thread.

    Args:
        means: what to send, where to, and all that outlives this courier.
        make_link: gives a fresh connection for every attempt.
        waker: wakes `step` when there is something new.
        on_state: told every change of the link's state.

    `moved_s`: when the last step began or ended; long ago: it is stuck.
    """

    def __init__(
        self,
        means: Means,
        *,
        make_link: Callable[[], Link],
        waker: Waker,
        on_state: Callable[[LinkState], None],
    ) -> None:
        self.health: Health | None = None
        self.store_fault: str | None = None
        self.sender = Sender(means)
        self._receiver = Receiver(means, self.sender)
        self._means = means
        self._counters = means.counters
        self._settings = means.settings
        self._make_link = make_link
        self._waker = waker
        self._on_state = on_state
        self._state = LinkState("connecting")
        self._link: Link | None = None
        self._online = False
        self._attempt = 0
        self.moved_s = self._next_attempt_s = self._opened_s = self._tidied_s = means.monotonic()

    def step(self, *, hurry: bool = False) -> None:
        """Do what is to be done now; waits up to a second for something to happen.

        `hurry`: do not sit out a long back-off (somebody waits for the drain).
        """
        self.moved_s = self._now_s
        try:
            if self._link is None:
                if hurry:
                    self._next_attempt_s = min(self._next_attempt_s, self._now_s + 1.0)
                self._connect_or_wait()
                return
            for event in self._link.turn(1.0):
                self._handle(event)
            if self._link is not None and self._online:
                self.sender.replies(self._link)
                self._send_health(self._link)
                self.sender.records(self._link)
            self._notice_silence()
            if self._now_s - self._tidied_s > TIDY_EVERY_S:
                self._tidied_s = self._now_s
                self._means.outbox.tidy()
        except StoreError as error:
            # The depot's answer could not be written down: everything is sent again and it answers again.
            self.store_fault = str(error)
            self._counters["delivery_store_errors"] += 1
            self._drop_link(str(error))
        else:
            self.store_fault = None
        finally:
            self.moved_s = self._now_s

    def goodbye(self) -> None:
        """A clean end: the broker keeps the last will to itself, the depot sees `stopped`."""
        link, self._link = self._link, None
        if link is None:
            return
        if self._online:
            self.sender.replies(link)
            self._send_health(link)
            topic, goodbye = self._means.herald.status("stopped")
            taken = Taken(link.publish(topic, goodbye, retain=True))
            until_s = self._now_s + GOODBYE_S
            done = False
            while not done and self._now_s < until_s:
                done = any(event == taken or isinstance(event, Lost) for event in link.turn(0.1))
        link.close(goodbye=self._online)
        self._online = False

    def abandon(self) -> None:
        """Another courier has taken over: let go without a word."""
        if self._link is not None:
            self._link.close(goodbye=False)

    def give_up(self, reason: str) -> None:
        """A mistake of ours: whatever was under way, begin with a fresh connection."""
        self._drop_link(reason)
        self._retry_later(LinkState("unreachable", reason))

    # -- the connection -------------------------------------------------------------------------------------

    @property
    def _now_s(self) -> float:
        return self._means.monotonic()

    def _connect_or_wait(self) -> None:
        self.health = None  # nobody would get it, and it would be old when somebody does
        wait_s = self._next_attempt_s - self._now_s
        if wait_s > 0:
            self._waker.wait(min(wait_s, 1.0))
            return
        topic, will = self._means.herald.will()
        try:
            link = self._make_link()
            link.open(topic, will)
        except (BrokerError, ConfigError) as error:  # also: the password file has gone meanwhile
            self._retry_later(LinkState("unreachable", str(error)))
            return
        self._link = link
        self._opened_s = self._now_s

    def _retry_later(self, state: LinkState) -> None:
        self._attempt += 1
        self._next_attempt_s = self._now_s + backoff_s(self._attempt)
        self._set_state(state)

    def _set_state(self, state: LinkState) -> None:
        if state != self._state:
            level = logging.INFO if state.name == "online" else logging.WARNING
            log.log(level, "uplink %s: %s", state.name, state.reason)
        self._state = state
        self._on_state(state)

    def _drop_link(self, reason: str, silence: Silence | None = None, *, refused: bool = False) -> None:
        """This connection is over; a fresh one will be made."""
        if self._link is None:
            return
        self._link.close(goodbye=False)
        self._link = None
        self._online = False
        self.sender.end(silence)
        self._counters["delivery_links_lost"] += 1
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
                hint = _MAY_BE_REVOKED if self._settings.tls is not None else ""
                hint += _SPEAKS_5 if self._settings.protocol == "5" else ""
                self._drop_link(f"connection ended before the broker's answer: {reason}{hint}")
            case Taken(mid, error):
                if self.sender.taken(mid, error):
                    self._attempt = 0  # the link carries something: the next reconnect may be quick again
            case Received():
                self._receiver.receive(event)

    def _come_online(self, event: Connected) -> None:
        if self._link is None:
            return
        self._online = True
        self._counters["delivery_connections"] += 1
        self.sender.begin(event)
        vehicle = self._settings.vehicle
        # Subscribed before anything is sent, so that no acknowledgement is missed.
        self._link.subscribe([str(Topic(vehicle, "ack")), str(Topic(vehicle, "command"))])
        topic, birth = self._means.herald.status("online")
        self._link.publish(topic, birth, retain=True)
        self._set_state(LinkState("online"))

    def _be_refused(self, reason: str) -> None:
        self._counters["delivery_logins_refused"] += 1
        vehicle = self._settings.vehicle
        text = f"login of vehicle {vehicle!r} refused: {reason}; check user name, password, certificate and rights"
        self._drop_link(text, refused=True)

    def _send_health(self, link: Link) -> None:
        health, self.health = self.health, None
        if health is not None:
            self.sender.health(link, health)

    def _notice_silence(self) -> None:
        if self._link is None:
            return
        if not self._online:
            if self._now_s - self._opened_s > self._settings.limits.link_timeout_s:
                self._drop_link("it accepts connections but does not answer")
            return
        silence = self.sender.window.silent(self._now_s)
        if silence is not None:
            who = "the broker takes nothing" if silence == "broker" else "the depot acknowledges nothing"
            self._drop_link(f"{who}; connecting anew", silence)
            # Last, so that whoever sees the count also finds its reason in the state.
            self._counters[f"delivery_silences_{silence}"] += 1
