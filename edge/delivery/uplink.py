# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Delivery over MQTT: `confirm` returns as soon as the disk has the record, a thread does the rest behind."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING

from edge.delivery.courier import GOODBYE_S, Courier
from edge.delivery.herald import Birth
from edge.delivery.link import Connected, Link, Lost, PahoLink, Refused, Waker
from edge.delivery.means import means_of
from edge.delivery.port import LinkState, Record, check_picture, encode_record
from edge.errors import BrokerError, ConfigError
from messages.envelope import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.delivery.budget import BudgetLimits
    from edge.delivery.commands import Order
    from edge.delivery.outbox import Outbox
    from edge.delivery.port import Counts
    from edge.delivery.settings import BrokerSettings
    from messages.types import Health

__all__ = ["Birth", "LinkState", "Uplink", "check_broker"]

log = logging.getLogger(__name__)

#: So long after its last step a thread counts as stuck: longer than any name resolution and handshake may take.
STUCK_S = 180.0


class Uplink:
    """`Delivery` over MQTT.

    Args:
        outbox: owned from now on: `close` closes it.
        settings: broker and login.
        birth: what the vehicle says about itself.
        on_fatal: called once, from the uplink's thread, when the broker refuses the login. The uplink tries
            on all the same (somebody may repair the broker); a replay uses this, or `wait_online`, to end
            with exit code 5.
        make_link, monotonic: for tests.

    Raises:
        ConfigError: password file or certificates cannot be read.
    """

    def __init__(
        self,
        outbox: Outbox,
        settings: BrokerSettings,
        birth: Birth,
        *,
        on_fatal: Callable[[BrokerError], None] | None = None,
        make_link: Callable[[], Link] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._means = means_of(outbox, settings, birth, monotonic)
        self._outbox = outbox
        self._settings = settings
        self._on_fatal = on_fatal
        self._monotonic = monotonic
        self._waker = Waker()
        self._drain_until_s: float | None = None
        self._state = LinkState("connecting")
        self._state_changed = threading.Condition()
        client_id = f"wegewart-{settings.vehicle}"
        self._make_link = make_link or (lambda: PahoLink(settings, self._waker, client_id=client_id))
        try:
            self._make_link()  # an unreadable file is an error of the start, not of the tenth reconnect
        except ConfigError:
            self._waker.close()
            raise
        self._begin()

    def _begin(self) -> None:
        """A courier and its thread; one that was there before finds itself replaced and ends."""

        def on_state(state: LinkState) -> None:
            if courier is self._courier:
                self._set_state(state)

        courier = Courier(self._means, make_link=self._make_link, waker=self._waker, on_state=on_state)
        self._courier = courier
        self._thread = threading.Thread(target=self._run, args=(courier,), name="uplink", daemon=True)
        self._thread.start()

    @property
    def boot(self) -> str:
        """See `Delivery.boot`."""
        return self._outbox.boot

    @property
    def state(self) -> LinkState:
        """How the link is now."""
        with self._state_changed:
            return self._state

    def limit(self, budget: BudgetLimits) -> None:
        """Other bounds for mobile data, from now on."""
        self._means.budget.limits = budget
        self._waker.wake()

    def commands(self) -> list[Order]:
        """See `Delivery.commands`."""
        return self._means.desk.take()

    def reply(self, order: str, *, ok: bool, text: str) -> None:
        """See `Delivery.reply`."""
        self._means.desk.reply(order, ok=ok, text=text)
        self._waker.wake()

    def confirm(self, message: Record, picture: bytes | None = None) -> str:
        """See `Delivery.confirm`."""
        check_picture(message, picture)
        vehicle = self._settings.vehicle
        identity = self._outbox.confirm(
            kind_of(message), lambda new_id: encode_record(vehicle, new_id, message), picture
        )
        self._waker.wake()
        return identity

    def publish_health(self, health: Health) -> None:
        """See `Delivery.publish_health`. Also the moment at which an uplink that hangs is replaced."""
        self._means.utc.note(health.time)
        self._replace_if_stuck()
        self._courier.health = health
        self._waker.wake()

    def counts(self) -> Counts:
        """See `Delivery.counts`."""
        return self._outbox.counts()

    def counters(self) -> dict[str, int]:
        """See `Delivery.counters`."""
        return {
            **self._outbox.counters(),
            **self._means.counters,
            "delivery_bytes_today": self._means.budget.spent,
        }

    def gauges(self) -> dict[str, float]:
        """Measured now, for the health message."""
        return self._outbox.gauges()

    def faults(self) -> tuple[str, ...]:
        """See `Delivery.faults`."""
        state, courier = self.state, self._courier
        lost, large = self.counts().pictures_lost, len(courier.sender.too_large)
        found = (
            *self._outbox.faults(),
            f"uplink {state.name}: {state.reason}" if state.reason else None,
            courier.store_fault,
            courier.sender.publish_fault,
            self._means.budget.fault(),
            f"{lost} pictures could not be written or were damaged on the disk" if lost else None,
            f"{large} pictures are larger than the broker allows" if large else None,
        )
        return tuple(fault for fault in found if fault)

    def wait_online(self, timeout_s: float) -> None:
        """Wait for the first connection.

        Raises:
            BrokerError: refused, or nobody there within the time.
        """
        with self._state_changed:
            self._state_changed.wait_for(lambda: self._state.name in ("online", "refused", "dead"), timeout_s)
            if self._state.name != "online":
                raise BrokerError(
                    self._state.reason or f"broker {self._settings.address}: no answer in {timeout_s:g} s"
                )

    def close(self, drain_s: float = 0.0) -> bool:
        """See `Delivery.close`."""
        self._drain_until_s = self._monotonic() + drain_s
        self._waker.wake()
        # A thread that hangs in name resolution is left behind; it finds the outbox closed and ends.
        self._thread.join(drain_s + GOODBYE_S + 2 * self._settings.connect_timeout_s)
        self._means.budget.close()
        self._outbox.close()
        if not self._thread.is_alive():
            self._waker.close()
        return self._is_drained()

    def _is_drained(self) -> bool:
        counts = self.counts()
        return not counts.pending and not counts.pictures_pending

    def _is_over(self) -> bool:
        until_s = self._drain_until_s
        return until_s is not None and (self._monotonic() >= until_s or self._is_drained())

    def _replace_if_stuck(self) -> None:
        """A thread that hangs in name resolution or in a handshake, or has died, is left behind for a new one."""
        stuck_s = self._monotonic() - self._courier.moved_s
        if self._drain_until_s is not None or (self._thread.is_alive() and stuck_s < STUCK_S):
            return
        log.error("the uplink has not moved for %.0f s: begun anew", stuck_s)
        self._means.counters["delivery_uplinks_replaced"] += 1
        self._begin()

    def _run(self, courier: Courier) -> None:
        while courier is self._courier and not self._is_over():
            self._step(courier)
        if courier is not self._courier:
            courier.abandon()
            return
        courier.goodbye()
        self._set_state(LinkState("closed"))

    def _step(self, courier: Courier) -> None:
        try:
            courier.step(hurry=self._drain_until_s is not None)
        except Exception as error:
            # A programming error: never die of it, and never without a word.
            log.exception("the uplink made a mistake; it connects anew")
            self._means.counters["delivery_mistakes"] += 1
            courier.give_up(f"a mistake in the software: {type(error).__name__}: {error}")

    def _set_state(self, state: LinkState) -> None:
        with self._state_changed:
            self._state = state
            self._state_changed.notify_all()
        if state.name == "refused" and self._on_fatal is not None:
            notify, self._on_fatal = self._on_fatal, None
            notify(BrokerError(state.reason))


def check_broker(settings: BrokerSettings) -> None:
    """Connect once as this vehicle (under another client id, so that a running daemon is not disturbed).

    Raises:
        BrokerError: not there, or it refuses us.
        ConfigError: password file or certificates cannot be read.
    """
    with contextlib.closing(Waker()) as waker:
        _try_login(PahoLink(settings, waker, client_id=f"wegewart-{settings.vehicle}-check"), settings)


def _try_login(link: Link, settings: BrokerSettings) -> None:
    until_s = time.monotonic() + settings.connect_timeout_s
    try:
        link.open("", b"")
        while time.monotonic() < until_s:
            for event in link.turn(0.2):
                match event:
                    case Connected():
                        return
                    case Refused(reason) | Lost(reason):
                        raise BrokerError(f"broker {settings.address}: {reason}")
        raise BrokerError(f"broker {settings.address}: no answer in {settings.connect_timeout_s:g} s")
    finally:
        link.close(goodbye=True)
