# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What goes out on one connection after another: records first, then pictures within the budget, replies, health."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edge.delivery.budget import CONNECTION_BYTES
from edge.delivery.transfers import Piece, Transfers
from edge.delivery.window import Window
from messages.envelope import MessageError
from messages.topics import Topic

if TYPE_CHECKING:
    from edge.delivery.link import Connected, Link
    from edge.delivery.means import Means
    from edge.delivery.outbox import OutboxItem
    from edge.delivery.window import Silence
    from messages.types import Health, Reply

log = logging.getLogger(__name__)

#: What MQTT adds to a picture at most: header, topic, properties.
OVERHEAD_BYTES = 300


class Sender:
    """Sends what is to be sent next, and knows what is under way. To be used by one thread.

    `too_large`: pictures of which the broker does not even take a chunk. `publish_fault`: one line while the
    broker takes our messages without passing them on.
    """

    def __init__(self, means: Means) -> None:
        self.window = Window(means.settings.limits)
        self.transfers = Transfers(means.outbox.picture)
        self.too_large: set[str] = set()
        self.publish_fault: str | None = None
        self._means = means
        self._maximum_packet: int | None = None
        self._mids: dict[int, str] = {}
        self._reply_mids: dict[int, Reply] = {}

    def begin(self, event: Connected) -> None:
        """A new connection."""
        self._means.budget.spend(CONNECTION_BYTES, self._means.monotonic())
        self.window.connected(
            self._means.monotonic(), session_present=event.session_present, receive_maximum=event.receive_maximum
        )
        self.transfers.begin()
        self._maximum_packet = event.maximum_packet
        self.too_large.clear()

    def end(self, silence: Silence | None) -> None:
        """The connection is over."""
        self._mids.clear()
        self._means.desk.put_back(self._reply_mids.values())
        self._reply_mids.clear()
        self.window.lost(self._means.monotonic(), silence)

    def publish(self, link: Link, topic: str, payload: bytes, **options: int | None) -> int:
        """Hand something to the link and book it; returns its number."""
        self._means.budget.spend(len(payload), self._means.monotonic())
        return link.publish(topic, payload, **options)  # type: ignore[arg-type]

    def records(self, link: Link) -> None:
        """Send as many records and parts of pictures as may be under way."""
        now_s, utc, budget = self._means.monotonic(), self._means.utc.now(), self._means.budget
        budget.now(now_s, None if utc is None else utc.date().isoformat())
        for item in self.window.choose(self._candidates(), now_s):
            if isinstance(item, Piece):
                payload = self.transfers.payload(item) if budget.allows(item.size_bytes) else None
                topic = item.topic(self._means.settings.vehicle)
            else:
                payload, topic = item.payload, Topic(self._means.settings.vehicle, item.kind)
            if payload is not None:
                self._mids[self.publish(link, str(topic), payload)] = item.key
                self.window.sent(item, now_s)

    def _candidates(self) -> list[OutboxItem | Piece]:
        room = self.window.room
        if not room:
            return []
        under_way = self.window.open
        candidates: list[OutboxItem | Piece] = []
        for item in self._means.outbox.pending(room, under_way | self.too_large):
            if item.kind != "picture":
                candidates.append(item)
            else:
                candidates += self._pieces(item, under_way)
        return candidates

    def _pieces(self, picture: OutboxItem, under_way: frozenset[str]) -> list[Piece]:
        pieces = self.transfers.pieces(picture, under_way, self._means.settings.limits.pictures)
        largest = max((piece.size_bytes for piece in pieces), default=0)
        if self._maximum_packet is not None and largest + OVERHEAD_BYTES > self._maximum_packet:
            self.too_large.add(picture.key)
            return []
        return pieces

    def replies(self, link: Link) -> None:
        """Send what became of commands."""
        for reply in self._means.desk.replies():
            topic, payload = self._means.herald.reply(reply)
            self._reply_mids[self.publish(link, topic, payload)] = reply

    def health(self, link: Link, health: Health) -> None:
        """Send a health message, once; it is not kept."""
        try:
            topic, payload = self._means.herald.health(health)
        except MessageError as error:
            self._means.counters["delivery_health_refused"] += 1
            log.warning("health not sent: %s", error)
        else:
            self.publish(link, topic, payload, qos=0, expiry_s=self._means.settings.health_expiry_s)

    def taken(self, mid: int, error: str | None) -> bool:
        """PUBACK; False where it was no record."""
        self._reply_mids.pop(mid, None)
        key = self._mids.pop(mid, None)
        if key is None:  # birth, reply
            return False
        self.window.taken(key, self._means.monotonic())
        if error is None:
            self.publish_fault = None
            self._means.outbox.mark_sent(key)
        else:
            self.publish_fault = f"broker {self._means.settings.address} does not pass on {key}: {error}"
            self._means.counters["delivery_publishes_refused"] += 1
        return True
