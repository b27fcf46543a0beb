# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What comes in: the depot's acknowledgements and commands. Whatever else comes is counted and ignored."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edge.delivery.commands import Order
from messages.envelope import MessageError, decode
from messages.topics import Topic, parse
from messages.types import Ack, Command

if TYPE_CHECKING:
    from edge.delivery.link import Received
    from edge.delivery.means import Means
    from edge.delivery.sending import Sender

log = logging.getLogger(__name__)


class Receiver:
    """Hands answers to the outbox and the sender, and commands to the desk. To be used by one thread."""

    def __init__(self, means: Means, sender: Sender) -> None:
        self._means = means
        self._sender = sender

    def receive(self, message: Received) -> None:
        """One message. Raises StoreError: the depot's answer could not be written down."""
        means = self._means
        means.budget.spend(len(message.payload), means.monotonic())
        topic = parse(message.topic)
        try:
            event = decode(message.payload)
        except MessageError as error:
            means.counters["delivery_bad_messages"] += 1
            log.warning("message on %r ignored: %s", message.topic, error)
            return
        match topic, event.data:
            case Topic(means.settings.vehicle, "ack"), Ack() as ack:
                self._be_answered(ack)
            case Topic(means.settings.vehicle, "command"), Command() as command:
                self._be_commanded(Order(event.id, command), message.expiry_s)
            case _:
                means.counters["delivery_bad_messages"] += 1
                log.warning(
                    "message on %r ignored: a %s does not belong there", message.topic, type(event.data).__name__
                )

    def _be_answered(self, ack: Ack) -> None:
        outbox, transfers = self._means.outbox, self._sender.transfers
        unknown = outbox.acknowledge(ack.events, ack.pictures).unknown
        for refusal in ack.refused:
            unknown += outbox.refuse(refusal.id, refusal.reason).unknown
            log.warning("the depot refuses %r: %r", refusal.id, refusal.reason)
        self._means.counters["delivery_unknown_acks"] += unknown
        answered = [*ack.events]
        for name in (*ack.pictures, *(refusal.id for refusal in ack.refused)):
            answered += transfers.done(name)
        for part in ack.parts:
            answered += transfers.told(part)
        self._sender.window.answered(answered, self._means.monotonic())

    def _be_commanded(self, order: Order, expiry_s: int | None) -> None:
        means = self._means
        means.counters["delivery_commands"] += 1
        until_s = means.desk.accept(order, expiry_s=expiry_s, utc=means.utc.now())
        if until_s is None:
            return
        if order.command.action != "send_picture":
            means.desk.hand_on(order, until_s)
        elif order.command.sha256 is not None and means.outbox.resend_picture(order.command.sha256):
            means.desk.reply(order.id, ok=True, text="the picture is sent as soon as the mobile data budget allows")
        else:
            means.counters["delivery_pictures_not_here"] += 1
            means.desk.reply(order.id, ok=False, text="this picture is not on the vehicle, or no longer")
