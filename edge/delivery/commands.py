# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Commands of the depot: which of them are carried out, once each, and what is replied.

- Only the depot may write on the topic; the broker's access list says so.
- An id is carried out once, also over a restart: it is on the disk before the command is handed on. When it comes
  again, the same reply goes out again.
- A command that has expired, or whose time nobody can tell, is not carried out; that is replied.
- A storm of commands costs neither disk nor memory: beyond `BURST`, and one every `EVERY_S` after that, they are
  counted and dropped without a word.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from edge.delivery.utc import parse_utc
from edge.durable import write_durably
from messages.types import Command, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime
    from pathlib import Path

#: Settings that the depot may change: what costs mobile data or work, nothing that decides what is seen or kept.
REMOTE_SETTINGS = (
    "sampling.every_m",
    "delivery.health_s",
    "delivery.picture_bytes_per_s",
    "delivery.bytes_per_day",
)
BURST = 10
EVERY_S = 6.0
#: Ids that are remembered; commands expire long before so many have come.
REMEMBERED = 64
_WAITING = 8


@dataclass(frozen=True)
class Order:
    """A command that is to be carried out by the daemon and answered under its id."""

    id: str
    command: Command


@dataclass(frozen=True)
class _Waiting:
    order: Order
    until_s: float


class _Done(msgspec.Struct):
    """One id; `ok` None: handed on, not answered yet."""

    id: str
    ok: bool | None = None
    text: str = ""


class CommandDesk:
    """Takes commands in and replies out. Its methods may be called from any thread.

    `path`: where the ids are kept. `monotonic`: seconds. Counters: `delivery_commands_dropped`,
    `delivery_commands_expired`, `delivery_commands_again`.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float], count: Callable[[str], None]) -> None:
        self._path = path
        self._monotonic = monotonic
        self._count = count
        self._lock = threading.Lock()
        self._done = self._read()
        self._waiting: deque[_Waiting] = deque()
        self._replies: deque[Reply] = deque(maxlen=REMEMBERED)
        self._allowance = float(BURST)
        self._then_s = monotonic()

    def accept(self, order: Order, *, expiry_s: int | None, utc: datetime | None) -> float | None:
        """Whether a command that has just come is to be carried out: until when (monotonic seconds), or None.

        Args:
            order: the command.
            expiry_s: how long the broker says that it is still valid (MQTT 5).
            utc: now, where that is trusted.
        """
        with self._lock:
            if not self._is_affordable():
                self._count("delivery_commands_dropped")
                return None
            known = self._done.get(order.id)
            if known is not None:
                self._count("delivery_commands_again")
                self._put(known.id, ok=bool(known.ok), text=known.text or "it was begun before; nobody knows its end")
                return None
            left_s = _left_s(order.command, expiry_s, utc)
            if isinstance(left_s, str):
                self._count("delivery_commands_expired")
                self._put(order.id, ok=False, text=left_s)
                return None
            problem = self._remember(_Done(order.id))
            if problem is not None:
                self._put(order.id, ok=False, text=problem)
                return None
            return self._monotonic() + left_s

    def hand_on(self, order: Order, until_s: float) -> None:
        """Leave a command for the daemon; one too many is refused."""
        with self._lock:
            if len(self._waiting) < _WAITING:
                self._waiting.append(_Waiting(order, until_s))
                return
        self.reply(order.id, ok=False, text="the vehicle is busy with other commands")

    def take(self) -> list[Order]:
        """For the daemon: what is to be done now. What has expired meanwhile is answered and left out."""
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
        orders = []
        for each in waiting:
            if self._monotonic() < each.until_s:
                orders.append(each.order)
            else:
                self._count("delivery_commands_expired")
                self.reply(each.order.id, ok=False, text="the command had expired before its turn")
        return orders

    def reply(self, identity: str, *, ok: bool, text: str) -> None:
        """What became of a command; `text` is one line for whoever sent it."""
        with self._lock:
            text = " ".join(text.split())[:300]
            self._remember(_Done(identity, ok, text))
            self._put(identity, ok=ok, text=text)

    def replies(self) -> list[Reply]:
        """Replies to be sent, taken out; give back with `put_back` what did not arrive."""
        with self._lock:
            replies = list(self._replies)
            self._replies.clear()
            return replies

    def put_back(self, replies: Collection[Reply]) -> None:
        """These were sent on a connection that broke."""
        with self._lock:
            self._replies.extendleft(reversed(list(replies)))

    def _put(self, identity: str, *, ok: bool, text: str) -> None:
        self._replies.append(Reply(command=identity, ok=ok, text=text))

    def _is_affordable(self) -> bool:
        now_s = self._monotonic()
        self._allowance = min(float(BURST), self._allowance + (now_s - self._then_s) / EVERY_S)
        self._then_s = now_s
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def _remember(self, done: _Done) -> str | None:
        """Put an id on the disk; one line where that fails."""
        self._done.pop(done.id, None)
        self._done[done.id] = done
        while len(self._done) > REMEMBERED:
            del self._done[next(iter(self._done))]
        try:
            write_durably(self._path, msgspec.json.encode(list(self._done.values())))
        except OSError as error:
            return f"the command cannot be written down, so it is not carried out: {error.strerror}"
        return None

    def _read(self) -> dict[str, _Done]:
        try:
            return {done.id: done for done in msgspec.json.decode(self._path.read_bytes(), type=list[_Done])}
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return {}


def _left_s(command: Command, expiry_s: int | None, utc: datetime | None) -> float | str:
    """Seconds that a command is still valid, or why it is not carried out."""
    left: list[float] = [] if expiry_s is None else [float(expiry_s)]
    if command.until is not None and utc is not None:
        try:
            left.append((parse_utc(command.until) - utc).total_seconds())
        except ValueError:
            return "its `until` is no date"
    if not left:
        if command.until is None:
            return "it says not until when it is valid"
        return "the vehicle does not know the time yet, so it cannot tell if this is still valid; try again later"
    return min(left) if min(left) > 0 else "it has expired"


def read_setting(
    settings: type[msgspec.Struct], key: str, text: str, allowed: Collection[str] = REMOTE_SETTINGS
) -> Any:
    """The value of a setting that the depot may change, checked against the bounds of the configuration itself.

    Args:
        settings: the configuration's class.
        key: `section.name`.
        text: the value as the command carries it.
        allowed: keys that may be changed.

    Raises:
        ValueError: one line: not allowed, not known, out of bounds.
    """
    if key not in allowed:
        raise ValueError(f"{key} cannot be set from the depot; {', '.join(allowed)} can")
    kind: Any = settings
    for name in key.split("."):
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        if name not in fields:
            raise ValueError(f"{key} is no setting of this vehicle's software")
        kind = fields[name]
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{key} = {text!r}: {error}") from None
