# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the daemon sees of delivery, whether there is a broker behind it or a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from edge.delivery.commands import Order
from messages.envelope import Event, encode, source_of
from messages.types import Clock, Coverage, Health, Look, Observation, Revision, Roughness

Record: TypeAlias = Observation | Revision | Clock | Look | Coverage | Roughness
"""What must reach the depot once and only once."""


@dataclass(frozen=True)
class Counts:
    """Events over the whole life of a store: confirmed = acknowledged + refused + dropped + pending.

    `published`: the broker has taken it at least once (counted in this run; all acknowledged ones were).
    `dropped`: so many of its kind were waiting that the oldest had to go.
    `pictures_lost`: could not be written, had to make room, or were damaged on the disk.
    """

    confirmed: int = 0
    published: int = 0
    acknowledged: int = 0
    refused: int = 0
    pictures_confirmed: int = 0
    pictures_acknowledged: int = 0
    pictures_refused: int = 0
    pictures_lost: int = 0
    dropped: int = 0

    @property
    def pending(self) -> int:
        """Events that the depot has not answered yet."""
        return self.confirmed - self.acknowledged - self.refused - self.dropped

    @property
    def pictures_pending(self) -> int:
        """Pictures that the depot has not answered yet."""
        done = self.pictures_acknowledged + self.pictures_refused + self.pictures_lost
        return self.pictures_confirmed - done


@dataclass(frozen=True)
class LinkState:
    """How the link is. `reason` is one line in plain words where it is not online."""

    name: Literal["connecting", "online", "unreachable", "refused", "closed", "dead"]
    reason: str = ""


class Delivery(Protocol):
    """Where confirmed records go."""

    @property
    def boot(self) -> str:
        """This run's name: first part of every event id, and `Time.boot` of every message."""

    def confirm(self, message: Record, picture: bytes | None = None) -> str:
        """Make a record durable and give it its id. When this returns, it will reach the depot.

        Args:
            message: an observation, what corrects one, a look that was asked for, a coverage or a roughness.
            picture: the anonymised JPEG that `message.picture` describes.

        Raises:
            StoreError: the outbox is closed.
            MessageError: the message is too large.
        """

    def publish_health(self, health: Health) -> None:
        """Say how the daemon is. Not kept: the newest wins, and none is sent while the link is down."""

    def commands(self) -> list[Order]:
        """What the depot has told the vehicle to do since the last call (`restart`, `set`); answer each with `reply`.

        Each is given out once, ever. `send_picture` is done without the daemon.
        """

    def reply(self, order: str, *, ok: bool, text: str) -> None:
        """What became of the command of that id; `text` is one line for whoever sent it."""

    def counts(self) -> Counts:
        """How far everything has come. Works after `close`, too."""

    def counters(self) -> dict[str, int]:
        """Named counters of this run for the health message."""

    def faults(self) -> tuple[str, ...]:
        """What is wrong now, one line each; empty when all is well."""

    def close(self, drain_s: float = 0.0) -> bool:
        """Wait up to `drain_s` until the depot has everything, say goodbye, release all. May be called twice.

        Returns:
            True when nothing is pending any more.
        """


def check_picture(message: Record, picture: bytes | None) -> str | None:
    """Hash of the picture, after checking that it is the one that the message describes.

    Raises:
        ValueError: it is not (a programming error of the caller).
    """
    described = message.picture if isinstance(message, Observation | Look) else None
    sha256 = hashlib.sha256(picture).hexdigest() if picture is not None else None
    if (described.sha256 if described else None) != sha256:
        raise ValueError(f"the message describes picture {described and described.sha256}, given was {sha256}")
    return sha256


def encode_record(vehicle: str, event_id: str, message: Record) -> bytes:
    """The CloudEvent of a record; its time is the record's UTC where that is known."""
    return encode(Event(id=event_id, source=source_of(vehicle), data=message, time=message.time.utc))
