# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""NMEA 0183: GGA and RMC sentences of one epoch become one fix. The same reading serves log files and serial ports.

A fix stands only where whichever of both is there says so: RMC status A, GGA quality above 0. Speed comes in knots.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timezone
from typing import TYPE_CHECKING, Any

from pynmeagps import NMEAReader  # type: ignore[import-untyped]
from pynmeagps.exceptions import (  # type: ignore[import-untyped]
    NMEAMessageError,
    NMEAParseError,
    NMEAStreamError,
    NMEATypeError,
)

from edge.errors import InputError
from edge.positioning.quality import RANGE_ERRORS_M, RECKONED_ERROR_M, default_error_m, is_null_island
from edge.positioning.track import Problems, Track, checked
from edge.positioning.utc import implausible
from edge.types import Fix, FixQuality

if TYPE_CHECKING:
    from pathlib import Path

KNOT_MPS = 1852 / 3600
_DAY_S = 86_400.0
_USED = (b"GGA", b"RMC")
_NEEDED = {"GGA": ("time", "lat", "lon", "quality"), "RMC": ("time", "lat", "lon", "status")}
_MAX_SENTENCE = 200
#: GGA quality: 7 is typed in by hand, 8 a simulator. 3 (PPS, military) is a plain fix to us.
_MANUAL, _SIMULATED = 7, 8
_GGA_QUALITIES: dict[int, FixQuality] = {
    1: "autonomous",
    2: "differential",
    3: "autonomous",
    4: "rtk_fixed",
    5: "rtk_float",
    6: "dead_reckoning",
}
#: RMC's mode (NMEA 2.3 and newer), for receivers that send no GGA.
_RMC_QUALITIES: dict[str, FixQuality] = {
    "A": "autonomous",
    "D": "differential",
    "R": "rtk_fixed",
    "F": "rtk_float",
    "E": "dead_reckoning",
}


@dataclass(frozen=True)
class Epoch:
    """One fix as the receiver gave it; `day_s` counts from midnight UTC, `utc_s` is known where RMC gave a date."""

    day_s: float
    lat: float
    lon: float
    error_m: float
    heading_deg: float | None = None
    speed_mps: float | None = None
    utc_s: float | None = None
    quality: FixQuality | None = None
    #: When its first sentence came in, on the reader's clock.
    heard_s: float = 0.0

    def at(self, time_s: float) -> Fix:
        """The same as a fix at a time of our own clock."""
        return Fix(time_s, self.lon, self.lat, self.error_m, self.heading_deg, self.speed_mps, self.utc_s, self.quality)


class NmeaEpochs:
    """Joins sentences into epochs. `problems` counts what was wrong; nothing that arrives raises."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._line = 0
        self._day_s: float | None = None
        self._parts: dict[str, Any] = {}
        self._done = False
        self._heard_s = 0.0

    def feed(self, sentence: bytes, now_s: float = 0.0) -> Epoch | None:
        """Take one line that came in at `now_s`; give an epoch when it completes one or ends the one before."""
        self._line += 1
        message = self._parse(sentence)
        if message is None:
            return None
        day_s = _day_seconds(message.time)
        if day_s is None:
            self._problems.add("no_fix", self._line, "the receiver has no time yet")
            return None
        before = None
        if day_s != self._day_s:
            before = self.flush()
            self._day_s, self._parts, self._done, self._heard_s = day_s, {}, False, now_s
        self._parts[message.msgID] = message
        # Receivers send GGA and RMC in either order: the second one completes the epoch without waiting for the next.
        return self.flush() if len(self._parts) == len(_USED) else before

    def flush(self) -> Epoch | None:
        """Give the epoch that is still open, as at the end of a log."""
        if self._done or not self._parts or self._day_s is None:
            return None
        self._done = True
        gga, rmc = self._parts.get("GGA"), self._parts.get("RMC")
        if (reason := _invalid(gga, rmc)) is not None:
            self._problems.add("no_fix", self._line, reason)
            return None
        if gga is not None and gga.quality == _SIMULATED:
            self._problems.add("invented", self._line, "the receiver says that it simulates (GGA quality 8)")
        source: Any = gga or rmc
        if not all(isinstance(value, (int, float)) for value in (source.lat, source.lon)):
            self._problems.add("no_fix", self._line, "the receiver gives no position")
            return None
        if is_null_island(source.lat, source.lon):
            self._problems.add("null_island", self._line, "position 0, 0: the receiver had none")
            return None
        epoch = _epoch(self._day_s, source.lat, source.lon, gga, rmc)
        if epoch.utc_s is not None and (wrong := implausible(epoch.utc_s)) is not None:
            day = datetime.fromtimestamp(epoch.utc_s, timezone.utc).date()
            self._problems.add(wrong, self._line, f"the receiver's date {day} cannot be (week roll-over?); left out")
            epoch = replace(epoch, utc_s=None)
        return replace(epoch, heard_s=self._heard_s)

    def _parse(self, sentence: bytes) -> Any:
        start = sentence.find(b"$")
        sentence = sentence[start:].strip() if start >= 0 else b""
        if sentence[3:6] not in _USED or len(sentence) > _MAX_SENTENCE:
            return None
        try:
            message = NMEAReader.parse(sentence + b"\r\n")
            if message is not None and all(hasattr(message, name) for name in _NEEDED[message.msgID]):
                return message
            reason = "not a whole sentence"
        except (NMEAParseError, NMEAMessageError, NMEATypeError, NMEAStreamError) as error:
            reason = str(error)
        except (ValueError, AttributeError, LookupError, TypeError, OverflowError) as error:  # malformed fields
            reason = f"malformed ({error})"
        name = "checksum" if "checksum" in reason else "bad_sentence"
        self._problems.add(name, self._line, f"{reason[:120]}; left out")
        return None


def read_nmea_track(path: Path) -> Track:
    """Read a receiver's log. `time_s` counts from the first fix.

    Raises:
        InputError: it cannot be read or holds no usable fix.
    """
    problems = Problems(path)
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or 'cannot be read'}; give an NMEA log") from None
    epochs = NmeaEpochs(problems)
    found: list[tuple[int, Epoch]] = []
    for number, line in enumerate(lines, start=1):
        if (epoch := epochs.feed(line)) is not None:
            found.append((number, epoch))
    if (epoch := epochs.flush()) is not None:
        found.append((len(lines), epoch))
    fixes = checked(_on_one_axis(found), problems)
    if not fixes:
        raise problems.unusable("position")
    first = fixes[0]
    zero_utc_s = first.utc_s - first.time_s if first.utc_s is not None else None
    return Track(tuple(fixes), (), None, problems.listed(), zero_utc_s)


def _on_one_axis(epochs: list[tuple[int, Epoch]]) -> list[tuple[int, Fix]]:
    """Seconds since the first epoch; over midnight too where no sentence gave a date."""
    located: list[tuple[int, Fix]] = []
    if not epochs:
        return located
    first = epochs[0][1]
    dated = all(epoch.utc_s is not None for _, epoch in epochs)
    days, before_s = 0, first.day_s
    for line, epoch in epochs:
        if epoch.day_s < before_s - _DAY_S / 2:
            days += 1
        before_s = epoch.day_s
        time_s = epoch.day_s - first.day_s + days * _DAY_S
        if dated:
            time_s = (epoch.utc_s or 0.0) - (first.utc_s or 0.0)
        located.append((line, epoch.at(round(time_s, 6))))
    return located


def _invalid(gga: Any, rmc: Any) -> str | None:
    """Why an epoch has no fix; None where it has one."""
    if gga is not None and (not isinstance(gga.quality, int) or gga.quality in (0, _MANUAL)):
        return "the receiver has no fix (GGA quality)"
    if rmc is not None and rmc.status != "A":
        return "the receiver warns of its fix (RMC status V)"
    return None


def _epoch(day_s: float, lat: float, lon: float, gga: Any, rmc: Any) -> Epoch:
    hdop, quality = _number(gga, "HDOP"), _quality(gga, rmc)
    error_m = default_error_m(quality)
    if hdop is not None and 0 < hdop < 100:
        error_m = hdop * RANGE_ERRORS_M[quality or "autonomous"]
    if quality == "dead_reckoning":
        error_m = max(4 * error_m, RECKONED_ERROR_M)  # HDOP tells of satellites, which there are none of
    heading, knots = _number(rmc, "cog"), _number(rmc, "spd")
    speed = knots * KNOT_MPS if knots is not None else None
    day = getattr(rmc, "date", None)
    utc_s = None
    if isinstance(day, date):
        utc_s = datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp() + day_s
    return Epoch(
        day_s,
        float(lat),
        float(lon),
        error_m,
        heading % 360 if heading is not None else None,
        speed if speed is not None and 0 <= speed < 150 else None,
        utc_s,
        quality,
    )


def _quality(gga: Any, rmc: Any) -> FixQuality | None:
    if gga is not None:
        return _GGA_QUALITIES.get(gga.quality)
    mode = getattr(rmc, "posMode", None)
    return _RMC_QUALITIES.get(mode) if isinstance(mode, str) else None


def _number(message: Any, name: str) -> float | None:
    """A field as a finite number; an empty field is none."""
    value = getattr(message, name, None)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def _day_seconds(value: Any) -> float | None:
    if not isinstance(value, time):
        return None
    return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
