# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A rendered drive in real time: its camera at its own pace, its fixes as NMEA on a pseudo-terminal."""

from __future__ import annotations

import contextlib
import csv
import os
import threading
import time
import tty
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.cameras.replay import open_replay
from edge.positioning.replay import ReplayPositions
from edge.positioning.track import Track
from edge.types import Fix, Frame, Measurement
from tests.positioning.sentences import sentence


def _angle(value: float, digits: int) -> str:
    degrees = int(value)
    return f"{degrees:0{digits}d}{(value - degrees) * 60:010.7f}"


def nmea(fix: Fix, clock: str, *, hdop: float) -> str:
    """GGA and RMC of one fix; `clock`: hhmmss.sss of its UTC on 15 June 2026."""
    lat, lon = f"{_angle(fix.lat, 2)},N", f"{_angle(fix.lon, 3)},E"
    course = "" if fix.heading_deg is None else f"{fix.heading_deg:.2f}"
    knots = (fix.speed_mps or 0.0) * 3600 / 1852
    gga = sentence(f"GPGGA,{clock},{lat},{lon},1,10,{hdop:.1f},40.0,M,39.0,M,,")
    rmc = sentence(f"GPRMC,{clock},A,{lat},{lon},{knots:.3f},{course},150626,,,A")
    return f"{gga}\r\n{rmc}\r\n"


class Speaker:
    """Says each fix at its time."""

    def __init__(self, fixes: Sequence[tuple[Fix, str]], start_s: float) -> None:
        self._fixes, self._start_s = fixes, start_s
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        os.chmod(self.path, 0o666)  # noqa: PTH101 - gpsd gives its rights away
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._speak)
        self._thread.start()

    def _speak(self) -> None:
        for fix, clock in self._fixes:
            if self._stop.wait(max(0.0, self._start_s + fix.time_s - time.monotonic())):
                return
            with contextlib.suppress(BlockingIOError):
                os.read(self._master, 4096)
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, nmea(fix, clock, hdop=1.0).encode())

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for end in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(end)


class PacedCamera:
    """The recording's frames, each not before its time, dated by the monotonic clock."""

    dropped = bad = 0

    def __init__(self, drive: Path, track: Track, start_s: float, show) -> None:
        self._camera = open_replay(drive, times=track.frame_times)
        self._start_s, self._show = start_s, show

    def read(self) -> Frame:
        frame = self._camera.read()
        threading.Event().wait(max(0.0, self._start_s + frame.time_s - time.monotonic()))
        self._show(frame)
        return replace(frame, time_s=self._start_s + frame.time_s)

    def close(self) -> None:
        self._camera.close()


@dataclass
class LaterPositions:
    """Recorded odometry on the monotonic clock."""

    recorded: ReplayPositions
    start_s: float

    def until(self, time_s: float) -> list[Measurement]:
        return [replace(m, time_s=m.time_s + self.start_s) for m in self.recorded.until(time_s - self.start_s)]

    def close(self) -> None:
        self.recorded.close()


def clocks(drive: Path) -> list[str]:
    """hhmmss.sss of each row of the drive's track."""
    with (drive / "track.csv").open(encoding="utf-8") as file:
        return [row["utc"][11:23].replace(":", "") for row in csv.DictReader(file)]
