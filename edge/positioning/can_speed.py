# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle's speed from one signal of a CAN frame that is on the bus anyway; nothing is sent.

Signals are described as in a DBC file. Trucks and buses (SAE J1939, FMS standard) send CCVS1 ten times a second; its
`Wheel-Based Vehicle Speed` is `FMS_SPEED`.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from edge.positioning.can_bus import CanBus, CanFilter, CanPlace, load_can
from edge.positioning.live import LivePositions
from edge.positioning.speed_odometer import SpeedOdometer, Total
from edge.types import Odometry

_READ_S = 0.5
#: With the ignition off a bus is silent for hours; connecting again does no harm.
_SILENT_S = 15.0


@dataclass(frozen=True)
class CanSignal:
    """Which frame and which bits of it.

    `mask`: the bits of the id that count (all: any sender, any priority of a J1939 group leaves some out).
    `start_bit`: as in a DBC file, the signal's least significant bit where `byte_order` is little (Intel), its most
    significant bit where it is big (Motorola), bits of a byte counted from its least significant one.
    Speed in km/h = raw x `factor` + `offset`; raw values above `highest_raw` mean "not available" or an error.
    """

    can_id: int
    start_bit: int
    length: int
    factor: float
    offset: float = 0.0
    byte_order: Literal["little", "big"] = "little"
    signed: bool = False
    extended: bool = False
    mask: int = 0x1FFFFFFF
    highest_raw: int | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.start_bit <= 511 and 1 <= self.length <= 64):
            raise ValueError("start_bit must be 0 to 511 and length 1 to 64")

    def raw(self, data: bytes) -> int | None:
        """The signal's bits as a number; None where the frame is too short for it."""
        if self.byte_order == "little":
            first = self.start_bit
            whole = int.from_bytes(data, "little")
        else:
            # Motorola: onwards from the most significant bit, through bytes of falling bits.
            most = 8 * (self.start_bit // 8) + 7 - self.start_bit % 8
            first = 8 * len(data) - most - self.length
            whole = int.from_bytes(data, "big")
        if first < 0 or first + self.length > 8 * len(data):
            return None
        raw = whole >> first & (1 << self.length) - 1
        if self.signed and raw >> self.length - 1:
            raw -= 1 << self.length
        return raw

    def speed_mps(self, data: bytes) -> float | None:
        """The speed; None where the frame does not tell one."""
        raw = self.raw(data)
        if raw is None or (self.highest_raw is not None and raw > self.highest_raw):
            return None
        return (raw * self.factor + self.offset) / 3.6


#: J1939-71: PGN 65265 (CCVS1), SPN 84, 1/256 km/h a bit; FB00 hex and above are no speed.
FMS_SPEED = CanSignal(
    can_id=0x18FEF100, mask=0x03FFFF00, extended=True, start_bit=8, length=16, factor=1 / 256, highest_raw=0xFAFF
)


def open_can_speed(
    *, place: CanPlace | None = None, signal: CanSignal = FMS_SPEED, scale: float = 1.0
) -> LivePositions[Odometry]:
    """An odometer from a speed signal on a CAN bus; `scale` corrects it (true / shown).

    Raises:
        ConfigError: python-can is not installed.
    """
    place, total = place or CanPlace(), Total()
    load_can()
    return LivePositions(
        connect=lambda counts: CanSpeedReader(
            CanBus(place, (signal_filter(signal),)), signal, counts, scale=scale, total=total
        ),
        name=f"speed on {place.channel}",
    )


def signal_filter(signal: CanSignal) -> CanFilter:
    """Lets only the signal's frames through."""
    return CanFilter(signal.can_id, signal.mask if signal.extended else signal.mask & 0x7FF, signal.extended)


class CanSpeedReader:
    """One opened bus. Counts `frame_short`, `speed_missing` and those of `SpeedOdometer`."""

    def __init__(
        self,
        bus: CanBus,
        signal: CanSignal,
        counts: Counter[str],
        *,
        scale: float = 1.0,
        total: Total | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus, self._signal, self._counts, self._scale, self._clock = bus, signal, counts, scale, clock
        self._filter = signal_filter(signal)
        self._odometer = SpeedOdometer(counts, total)
        self._heard_s = clock()

    def read(self) -> Sequence[Odometry]:
        """Distance after the next frame.

        Raises:
            OSError: the bus is gone or silent.
        """
        frame = self._bus.receive(_READ_S)
        now_s = self._clock()
        if frame is None:
            if now_s - self._heard_s > _SILENT_S:
                raise ConnectionError(f"no such frame for {_SILENT_S:.0f} s; is the ignition on and the id right?")
            return []
        wanted = self._filter
        if frame.extended != wanted.extended or (frame.can_id ^ wanted.can_id) & wanted.mask:
            return []
        self._heard_s = now_s
        speed = self._signal.speed_mps(frame.data)
        if speed is None or not math.isfinite(speed):
            self._counts["frame_short" if self._signal.raw(frame.data) is None else "speed_missing"] += 1
            return []
        odometry = self._odometer.add(now_s, speed * self._scale)
        return [] if odometry is None else [odometry]

    def close(self) -> None:
        """Release the bus."""
        self._bus.close()
