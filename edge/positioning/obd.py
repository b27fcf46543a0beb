# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle's speed asked of it by OBD-II (SAE J1979 service 01, PID 0D, over ISO 15765-4 CAN).

The answer is in whole km/h, and a vehicle may round either way. Asking is an act: it sends frames on the vehicle's bus,
so a fleet's workshop must have agreed; where the speed is on the bus anyway, `can_speed` only listens.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from edge.positioning.can_bus import CanBus, CanFilter, CanFrame, CanPlace, load_can
from edge.positioning.live import LivePositions
from edge.positioning.speed_odometer import SpeedOdometer, Total
from edge.types import Odometry

_SPEED = 0x0D
_QUESTION = bytes([2, 0x01, _SPEED, 0, 0, 0, 0, 0])
#: Functional request and the answers of any control unit, with ids of 11 and of 29 bits.
_ASK = {False: 0x7DF, True: 0x18DB33F1}
_ANSWERS = {False: CanFilter(0x7E8, 0x7F8, extended=False), True: CanFilter(0x18DAF100, 0x1FFFFF00, extended=True)}
_NO = b"\x7f"
_EVERY_S = 0.2
_ANSWER_S = 0.1
_SILENT_S = 15.0


def open_obd(
    *, place: CanPlace | None = None, extended_ids: bool = False, scale: float = 1.0
) -> LivePositions[Odometry]:
    """An odometer from OBD-II; `scale` corrects it (true / shown).

    Raises:
        ConfigError: python-can is not installed.
    """
    place, total = place or CanPlace(), Total()
    load_can()
    return LivePositions(
        connect=lambda counts: ObdReader(
            CanBus(place, (_ANSWERS[extended_ids],)), counts, extended_ids=extended_ids, scale=scale, total=total
        ),
        name=f"OBD on {place.channel}",
    )


class ObdReader:
    """One opened bus. Counts `obd_refused` (a control unit says no) and those of `SpeedOdometer`."""

    def __init__(
        self,
        bus: CanBus,
        counts: Counter[str],
        *,
        extended_ids: bool = False,
        scale: float = 1.0,
        total: Total | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus, self._counts, self._scale, self._clock = bus, counts, scale, clock
        self._ask = CanFrame(_ASK[extended_ids], extended_ids, _QUESTION)
        self._odometer = SpeedOdometer(counts, total)
        self._heard_s = self._asked_s = clock()
        self._is_asked = False
        self._is_answered = False  # by the first control unit; what others say is not mixed in

    def read(self) -> Sequence[Odometry]:
        """Ask where it is time and wait for the answer.

        Raises:
            OSError: the bus is gone or silent.
        """
        if not self._is_asked:
            self._bus.send(self._ask)
            self._asked_s, self._is_asked, self._is_answered = self._clock(), True, False
        frame = self._bus.receive(_ANSWER_S)
        now_s = self._clock()
        if now_s - self._asked_s >= _EVERY_S:
            self._is_asked = False
        if now_s - self._heard_s > _SILENT_S:
            raise ConnectionError(f"no answer for {_SILENT_S:.0f} s; is the ignition on?")
        if frame is None or self._is_answered or self._is_foreign(frame):
            return []
        speed_kmh = speed_answer(frame.data)
        if speed_kmh is None:
            if frame.data[1:2] == _NO:
                self._counts["obd_refused"] += 1
            return []
        self._heard_s, self._is_answered = now_s, True
        # The speed is of some moment between question and answer.
        odometry = self._odometer.add((self._asked_s + now_s) / 2, speed_kmh / 3.6 * self._scale)
        return [] if odometry is None else [odometry]

    def close(self) -> None:
        """Release the bus."""
        self._bus.close()

    def _is_foreign(self, frame: CanFrame) -> bool:
        answers = _ANSWERS[self._ask.extended]
        return frame.extended != answers.extended or bool((frame.can_id ^ answers.can_id) & answers.mask)


def speed_answer(data: bytes) -> int | None:
    """km/h of an answer that fits one frame; None where it is none."""
    if len(data) < 4 or data[0] < 3 or data[0] > 7 or data[1] != 0x41 or data[2] != _SPEED:
        return None
    return data[3]
