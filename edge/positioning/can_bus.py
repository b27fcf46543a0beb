# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A CAN bus through python-can, which is loaded only where a vehicle has one.

python-can stands under LGPL-3.0; it is neither part of this software nor needed by the rest of it.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge.errors import ConfigError


@dataclass(frozen=True)
class CanPlace:
    """Which bus: `interface` as python-can calls it (socketcan, virtual, slcan ...), `channel` such as can0."""

    interface: str = "socketcan"
    channel: str = "can0"


@dataclass(frozen=True)
class CanFilter:
    """Lets a frame pass whose id equals `can_id` in the bits of `mask`; `extended`: 29 bits."""

    can_id: int
    mask: int
    extended: bool


@dataclass(frozen=True)
class CanFrame:
    """One frame."""

    can_id: int
    extended: bool
    data: bytes


class CanBus:
    """One opened bus. Errors of the library come out as OSError."""

    def __init__(self, place: CanPlace, filters: Sequence[CanFilter]) -> None:
        """Open it.

        Raises:
            OSError: it is not there.
        """
        self._can = load_can()
        self._filters = tuple(filters)
        wanted = [{"can_id": f.can_id, "can_mask": f.mask, "extended": f.extended} for f in filters]
        try:
            self._bus = self._can.Bus(interface=place.interface, channel=place.channel, can_filters=wanted)
        except self._can.CanError as error:
            raise ConnectionError(f"CAN {place.channel}: {error}") from None

    def receive(self, timeout_s: float) -> CanFrame | None:
        """The next frame; None where none came in time.

        Raises:
            OSError: the bus is gone.
        """
        try:
            message = self._bus.recv(timeout_s)
        except self._can.CanError as error:
            raise ConnectionError(str(error)) from None
        if message is None or message.is_error_frame or message.is_remote_frame:
            return None
        return CanFrame(message.arbitration_id, message.is_extended_id, bytes(message.data))

    def send(self, frame: CanFrame) -> None:
        """Send a frame.

        Raises:
            OSError: the bus is gone, or nobody takes frames.
        """
        message = self._can.Message(
            arbitration_id=frame.can_id, is_extended_id=frame.extended, data=frame.data, check=True
        )
        try:
            self._bus.send(message, timeout=0.1)
        except self._can.CanError as error:
            raise ConnectionError(str(error)) from None

    def close(self) -> None:
        """Release the bus."""
        self._bus.shutdown()


def load_can() -> Any:
    """The library.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return importlib.import_module("can")
    except ImportError:
        raise ConfigError("a CAN bus needs python-can, which is not installed; pip install 'wegewart[can]'") from None
