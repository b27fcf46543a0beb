# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A receiver on a serial port that speaks plain NMEA, for vehicles without gpsd."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import serial

from edge.positioning.live import LivePositions
from edge.positioning.nmea import Epoch, NmeaEpochs
from edge.positioning.track import Problems
from edge.positioning.utc import UtcGuard

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from edge.types import Fix

_READ_S = 1.0
#: A receiver speaks at least every second, with or without a fix.
_SILENT_S = 10.0
_MAX_LINE = 1024


def open_serial_nmea(*, device: str, baud: int = 9600) -> LivePositions[Fix]:
    """Fixes from a receiver on a serial port; opens it in the background and again after it was unplugged."""
    return LivePositions(connect=lambda counts: SerialReader(device, baud, counts), name=f"receiver {device}")


class SerialReader:
    """One opened serial port."""

    def __init__(
        self, device: str, baud: int, counts: Counter[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._counts = counts
        self._clock = clock
        self._problems = Problems(Path(device))
        self._epochs = NmeaEpochs(self._problems)
        self._utc = UtcGuard(counts)
        # pyserial's error is an OSError.
        self._port = serial.Serial(device, baud, timeout=_READ_S)
        self._rest = b""
        self._heard_s = clock()

    def read(self) -> Sequence[Fix]:
        """Fixes that came within about a second.

        Raises:
            OSError: the port is gone or silent.
        """
        data = self._port.read(max(1, min(self._port.in_waiting, _MAX_LINE)))
        now_s = self._clock()
        if not data:
            if now_s - self._heard_s > _SILENT_S:
                raise ConnectionError(f"silent for {_SILENT_S:.0f} s; check the cable and the baud rate")
            return []
        self._heard_s = now_s
        *lines, self._rest = (self._rest + data)[-2 * _MAX_LINE :].split(b"\n")
        epochs = [self._epochs.feed(line, now_s) for line in lines]
        if lines:
            self._counts.update(self._problems.taken())
        return [self._fix(epoch) for epoch in epochs if epoch is not None]

    def _fix(self, epoch: Epoch) -> Fix:
        fix = epoch.at(epoch.heard_s)
        return fix if fix.utc_s is None else replace(fix, utc_s=self._utc.believed(fix.utc_s, fix.time_s))

    def close(self) -> None:
        """Release the port."""
        self._port.close()
