# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What to send next, when a link counts as silent, when to try again: decisions only, no network, no clock.

Rules:
- At most `in_flight` items wait for the broker's PUBACK, and at most `open` for the depot's
  acknowledgement: a broker's queue is short (Mosquitto: 1000) and lies in its memory.
- On a new connection, what the broker had not taken is sent again; everything is, where the broker has
  lost our session (it was wiped, or its memory was).
- Silent is a broker that sends no PUBACK for `link_timeout_s` (plus the time that the bytes under way may
  take), or a depot that acknowledges nothing for the patience. The one answer to either is a new
  connection; after a silent depot everything unacknowledged is sent again on it.
- Patience starts at `ack_timeout_s` of connected time and doubles with each silence up to
  `patience_max_s`: a depot that is down for a day costs little traffic. Any acknowledgement resets it.
- A picture during which the connection broke three times rests, longer each time: one that a broker does
  not want (too large, and it does not say so) must not keep the link from carrying facts.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Silence = Literal["broker", "depot"]


class Sendable(Protocol):
    """What the window needs to know about an item."""

    @property
    def key(self) -> str:
        """Its name in acknowledgements."""

    @property
    def kind(self) -> str:
        """`picture` or a kind of event."""

    @property
    def size_bytes(self) -> int:
        """Size of the payload."""


_Item = TypeVar("_Item", bound=Sendable)


@dataclass(frozen=True)
class Limits:
    """Bounds of the window.

    `pictures`: parts of pictures under way until the depot has them.
    `slowest_bytes_per_s`: the slowest link that is still waited for.
    """

    in_flight: int = 20
    open: int = 100
    pictures: int = 4
    link_timeout_s: float = 30.0
    ack_timeout_s: float = 60.0
    patience_max_s: float = 3600.0
    slowest_bytes_per_s: float = 8_000.0


def backoff_s(attempt: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
    """How long to wait before connection attempt `attempt` (1, 2, ...): full jitter, at most 60 s."""
    return uniform(0.0, min(60.0, 1.5 ** min(attempt, 20)))


class Window:
    """What is under way on the present connection. Times are monotonic seconds that the caller gives."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._in_flight_limit = limits.in_flight
        self._open: dict[str, Sendable] = {}  # sent, not acknowledged by the depot
        self._in_flight: set[str] = set()  # of these: not yet taken by the broker
        self._puback_s = 0.0
        self._ack_s = 0.0
        self._waited_s = 0.0  # for the depot, on earlier connections
        self._silences = 0
        self._broken: Counter[str] = Counter()  # pictures: connections that broke while they were under way
        self._rests_until_s: dict[str, float] = {}

    @property
    def open(self) -> frozenset[str]:
        """Keys under way: not to be sent again on this connection."""
        return frozenset(self._open)

    def connected(self, now_s: float, *, session_present: bool, receive_maximum: int | None = None) -> None:
        """A new connection; `receive_maximum` is the broker's limit, `session_present` whether it remembers us."""
        if not session_present:
            self._open.clear()
        self._in_flight.clear()
        self._puback_s = now_s
        self._ack_s = now_s - (self._waited_s if self._open else 0.0)
        # One place stays free for the birth and goodbye messages.
        allowed = self._limits.in_flight if receive_maximum is None else max(1, receive_maximum - 1)
        self._in_flight_limit = min(self._limits.in_flight, allowed)

    def lost(self, now_s: float, silence: Silence | None = None) -> None:
        """The connection is over: it broke, or we gave it up because of a silence."""
        for key in self._in_flight:
            if self._open.pop(key).kind == "picture":
                self._broken[key] += 1
                if self._broken[key] >= 3:
                    self._rests_until_s[key] = now_s + min(3600.0, 60.0 * 2.0 ** min(self._broken[key] - 3, 20))
        self._in_flight.clear()
        # Only connected time counts; else a long tunnel would look like a silent depot.
        self._waited_s = now_s - self._ack_s
        if silence == "depot":
            self._open.clear()
            self._silences += 1

    @property
    def room(self) -> int:
        """How many more items may be sent now."""
        room = min(self._in_flight_limit - len(self._in_flight), self._limits.open - len(self._open))
        return max(0, room)

    def choose(self, candidates: Sequence[_Item], now_s: float) -> list[_Item]:
        """Which of the candidates (in order of preference) to send now."""
        pictures = self._limits.pictures - sum(self._open[key].kind == "picture" for key in self._open)
        chosen: list[_Item] = []
        for item in candidates:
            if len(chosen) == self.room:
                break
            if item.key in self._open:
                continue
            if item.kind == "picture":
                if pictures <= 0 or self._rests_until_s.get(item.key, now_s) > now_s:
                    continue
                pictures -= 1
            chosen.append(item)
        return chosen

    def sent(self, item: Sendable, now_s: float) -> None:
        """An item was handed to the link."""
        if not self._in_flight:
            self._puback_s = now_s  # the broker owes an answer from now on
        if not self._open:
            self._ack_s = now_s
        self._open[item.key] = item
        self._in_flight.add(item.key)

    def taken(self, key: str, now_s: float) -> None:
        """PUBACK: the broker has it in its memory. Makes room, proves nothing about the depot."""
        self._in_flight.discard(key)
        self._puback_s = now_s
        self._broken.pop(key, None)
        self._rests_until_s.pop(key, None)

    def answered(self, keys: Iterable[str], now_s: float) -> None:
        """The depot has acknowledged or refused these."""
        for key in keys:
            if self._open.pop(key, None) is not None:
                self._in_flight.discard(key)
                self._ack_s = self._puback_s = now_s
                self._silences = 0

    def silent(self, now_s: float) -> Silence | None:
        """Who has been silent for too long; then call `lost` with it, and connect anew."""
        under_way = sum(self._open[key].size_bytes for key in self._in_flight)
        transfer_s = under_way / self._limits.slowest_bytes_per_s
        if self._in_flight and now_s - self._puback_s > self._limits.link_timeout_s + transfer_s:
            return "broker"
        if self._open and now_s - self._ack_s > self.patience_s + transfer_s:
            return "depot"
        return None

    @property
    def patience_s(self) -> float:
        """How long the depot may acknowledge nothing on one connection."""
        return min(self._limits.patience_max_s, self._limits.ack_timeout_s * 2.0 ** min(self._silences, 20))
