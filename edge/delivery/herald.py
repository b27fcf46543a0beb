# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the vehicle says about itself: birth, last will, goodbye, health, replies. None of it is a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from messages.envelope import Event, encode, event_id, source_of
from messages.topics import Topic
from messages.types import Health, ModelRef, Reply, Status


@dataclass(frozen=True)
class Birth:
    """What the status message tells of the vehicle."""

    software: str
    models: tuple[ModelRef, ...] = ()
    calibration: str | None = None
    release: str | None = None


class Herald:
    """Makes the messages of one start of one vehicle; each with its topic and its own id."""

    def __init__(self, vehicle: str, boot: str, start: int, birth: Birth) -> None:
        self._vehicle = vehicle
        self._boot = boot
        self._start = start
        self._birth = birth
        self._messages = 0
        self._connections = 0

    def will(self) -> tuple[str, bytes]:
        """The last will of a new connection; what `status` says belongs to it from now on."""
        self._connections += 1
        return self.status("offline")

    def status(self, state: Literal["online", "stopped", "offline"]) -> tuple[str, bytes]:
        """A status for the present connection."""
        status = Status(
            state=state,
            boot=self._boot,
            # Rises with every connection of every start, so that a late last will is known as old.
            session=(self._start << 20) + self._connections,
            software=self._birth.software,
            models=self._birth.models,
            calibration=self._birth.calibration,
            release=self._birth.release,
        )
        return self._made("status", status)

    def health(self, health: Health) -> tuple[str, bytes]:
        """A health message. Raises MessageError: too large."""
        return self._made("health", health)

    def reply(self, reply: Reply) -> tuple[str, bytes]:
        """The answer to a command."""
        return self._made("reply", reply)

    def _made(self, kind: str, message: Status | Health | Reply) -> tuple[str, bytes]:
        self._messages += 1
        # "-s": never the id of a record.
        event = Event(id=event_id(f"{self._boot}-s", self._messages), source=source_of(self._vehicle), data=message)
        return str(Topic(self._vehicle, kind)), encode(event)
