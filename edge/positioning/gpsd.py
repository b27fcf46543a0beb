# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""gpsd over TCP, by its JSON protocol (gpsd_json(5)).

Hostile until checked: numbers may be missing, NaN or of another type, several TPV reports may tell the same epoch, a
mode may stay after its fix is gone, and a connection may go silent without an end. A fix carries the monotonic time of
its arrival. Its UTC is believed after three 3D fixes in a row that agree, as gpsd's own manual advises (`UtcGuard`).
"""

from __future__ import annotations

import json
import math
import socket
import time
from typing import TYPE_CHECKING, Any

from edge.positioning.live import LivePositions
from edge.positioning.quality import BEST_ERROR_M, default_error_m, is_null_island
from edge.positioning.track_csv import parse_utc
from edge.positioning.utc import UtcGuard
from edge.types import Fix, FixQuality

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

PORT = 2947
_WATCH = b'?WATCH={"enable":true,"json":true}\n'
_CONNECT_S = 5.0
_READ_S = 1.0
#: gpsd with a receiver reports every second; without any it is silent, and connecting again does no harm.
_SILENT_S = 15.0
_MAX_LINE = 65_536
_MODE_2D, _MODE_3D = 2, 3
#: TPV.status as gpsd.h counts it (gpsd 3.22 and newer); gpsd leaves it out for a plain fix.
_QUALITIES: dict[int, FixQuality] = {
    2: "differential",
    3: "rtk_fixed",
    4: "rtk_float",
    5: "dead_reckoning",
    6: "dead_reckoning",
}
_STATUS_SIMULATED = 8
#: A report this much older than the one before belongs to an epoch already told; more is a clock that was set.
_OLD_EPOCH_S = 10.0
#: gpsd calls eph an estimate of unstated confidence, near 95 %: half of it is one standard deviation.
_SIGMA_PER_EPH = 0.5


def open_gpsd(*, host: str = "127.0.0.1", port: int = PORT) -> LivePositions[Fix]:
    """Fixes from gpsd; connects in the background and comes back after gpsd was away."""
    return LivePositions(connect=lambda counts: GpsdReader(host, port, counts), name=f"gpsd {host}:{port}")


class TpvReader:
    """Turns report lines into fixes. Pure but for the times it is given; counts what it leaves out."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._utc = UtcGuard(counts)
        self._epoch: str | None = None
        self._epoch_s: float | None = None

    def read(self, line: bytes, now_s: float) -> Fix | None:
        """A fix from one line of JSON; None for everything else."""
        try:
            report = json.loads(line)
        except (ValueError, RecursionError):
            self._counts["bad_json"] += 1
            return None
        if not isinstance(report, dict) or report.get("class") != "TPV":
            return None
        epoch = report.get("time") if isinstance(report.get("time"), str) else None
        utc_s = self._parsed(epoch)
        if (reason := _without_fix(report)) is not None:
            self._utc.doubt()
        else:
            reason = self._told_before(epoch, utc_s)
        if reason is not None:
            self._counts[reason] += 1
            return None
        self._epoch, self._epoch_s = epoch, utc_s
        if report["mode"] < _MODE_3D:
            self._utc.doubt()
            utc_s = None
        speed, track, quality = _number(report, "speed"), _number(report, "track"), self._quality(report)
        return Fix(
            now_s,
            float(report["lon"]),
            float(report["lat"]),
            _error_m(report, quality),
            track % 360 if track is not None else None,
            speed if speed is not None and 0 <= speed < 150 else None,
            None if utc_s is None else self._utc.believed(utc_s, now_s),
            quality,
        )

    def _told_before(self, epoch: str | None, utc_s: float | None) -> str | None:
        if epoch is not None and epoch == self._epoch:
            return "same_epoch"
        if utc_s is not None and self._epoch_s is not None and 0 < self._epoch_s - utc_s < _OLD_EPOCH_S:
            return "old_epoch"
        return None

    def _quality(self, report: dict[str, Any]) -> FixQuality:
        status = report.get("status")
        if not isinstance(status, int):
            return "autonomous"
        if status == _STATUS_SIMULATED:
            self._counts["invented"] += 1
        return _QUALITIES.get(status, "autonomous")

    def _parsed(self, epoch: str | None) -> float | None:
        if epoch is None:
            return None
        try:
            return parse_utc(epoch)[0]
        except ValueError:
            self._counts["bad_time"] += 1
            return None


class GpsdReader:
    """One connection to gpsd."""

    def __init__(
        self, host: str, port: int, counts: Counter[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reports = TpvReader(counts)
        self._clock = clock
        self._socket = socket.create_connection((host, port), timeout=_CONNECT_S)
        self._socket.settimeout(_READ_S)
        self._socket.sendall(_WATCH)
        self._rest = b""
        self._heard_s = clock()

    def read(self) -> Sequence[Fix]:
        """Fixes that came within about a second.

        Raises:
            OSError: gpsd is gone or silent.
        """
        try:
            data = self._socket.recv(_MAX_LINE)
        except TimeoutError:
            if self._clock() - self._heard_s > _SILENT_S:
                raise ConnectionError(f"silent for {_SILENT_S:.0f} s; is a receiver connected to gpsd?") from None
            return []
        if not data:
            raise ConnectionError("gpsd closed the connection")
        now_s = self._heard_s = self._clock()
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _MAX_LINE:
            raise ConnectionError(f"a line of more than {_MAX_LINE} bytes; is this gpsd?")
        fixes = (self._reports.read(line, now_s) for line in lines if line.strip())
        return [fix for fix in fixes if fix is not None]

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


def _without_fix(report: dict[str, Any]) -> str | None:
    """Why a report tells no place; None where it does. A mode alone is no fix, and a place alone is none either."""
    mode = report.get("mode")
    if not isinstance(mode, int) or mode < _MODE_2D:
        return "no_fix"
    lat, lon = _number(report, "lat"), _number(report, "lon")
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:
        return "bad_tpv"
    return "null_island" if is_null_island(lat, lon) else None


def _number(report: dict[str, Any], name: str) -> float | None:
    value = report.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def _error_m(report: dict[str, Any], quality: FixQuality) -> float:
    eph = _number(report, "eph")
    if eph is None:
        epx, epy = _number(report, "epx"), _number(report, "epy")
        eph = math.hypot(epx, epy) if epx is not None and epy is not None else None
    if eph is None or eph <= 0:
        return default_error_m(quality)
    return max(BEST_ERROR_M[quality], eph * _SIGMA_PER_EPH)
