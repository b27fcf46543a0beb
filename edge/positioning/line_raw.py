# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a line file says, before anything in it is believed: the same for every format."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from edge.positioning.line import LonLat

MAX_BYTES = 20_000_000
MAX_LINES = 200
MAX_POINTS = 20_000
MAX_LANDMARKS = 2_000
_MAX_NAME = 100


@dataclass(frozen=True)
class RawPoint:
    """A point of an axis; `chainage_m` where the file gives it; `tunnel`: the way to the next point is in one."""

    where: str
    place: LonLat
    chainage_m: float | None = None
    tunnel: bool = False


@dataclass
class RawLine:
    """An axis. `start_m`: chainage of the first point where the file gives it; `tunnels`: from, to in metres."""

    where: str
    name: str
    track: str | None
    points: list[RawPoint]
    start_m: float | None = None
    tunnels: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class RawLandmark:
    """A landmark; on all lines and tracks of the file where `line` or `track` are None."""

    where: str
    name: str
    kind: str
    line: str | None
    track: str | None
    chainage_m: float | None
    place: LonLat | None
    error_m: float | None = None


@dataclass(frozen=True)
class RawTunnel:
    """A tunnel given by where it begins and ends."""

    where: str
    line: str
    track: str | None
    ends: tuple[LonLat, LonLat]


@dataclass
class RawFile:
    """Everything in one file, in its order."""

    path: Path
    lines: list[RawLine] = field(default_factory=list)
    landmarks: list[RawLandmark] = field(default_factory=list)
    tunnels: list[RawTunnel] = field(default_factory=list)

    def refused(self, where: str, why: str, remedy: str) -> InputError:
        """The one line that says what is wrong."""
        return InputError(f"{self.path}: {where}: {why}; {remedy}")

    def name(self, where: str, what: str, value: Any) -> str | None:
        """A name; None where there is none. Numbers count: people write line 901 without quotes.

        Raises:
            InputError: it is no name.
        """
        if value is None or value == "":
            return None
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9:
            value = str(value)
        if not isinstance(value, str) or not value.strip() or len(value) > _MAX_NAME or not value.isprintable():
            raise self.refused(where, f"{what} {shown(value)} is no name", f"give 1 to {_MAX_NAME} characters")
        return value.strip()

    def number(self, where: str, what: str, value: Any) -> float | None:
        """A finite number; None where there is none.

        Raises:
            InputError: it is no number.
        """
        if value is None or value == "":
            return None
        number = _float(value)
        if not abs(number) < 1e9:
            raise self.refused(where, f"{what} {shown(value)} is no number", "give metres, such as 1250.5")
        return number

    def place(self, where: str, lon: Any, lat: Any) -> LonLat:
        """A place on earth.

        Raises:
            InputError: it is none.
        """
        place = _float(lon), _float(lat)
        if not all(map(math.isfinite, place)):
            raise self.refused(where, f"lon {shown(lon)}, lat {shown(lat)} are no numbers", "give degrees (WGS 84)")
        if max(map(abs, place)) > 180:
            raise self.refused(
                where,
                f"lon {place[0]:g}, lat {place[1]:g} are no degrees but look like metres (UTM, Gauss-Krueger)",
                "export it in WGS 84 (EPSG:4326)",
            )
        if abs(place[1]) > 89.9:
            raise self.refused(
                where, f"latitude {place[1]:g} lies beyond the pole", "longitude comes first, then latitude"
            )
        return place


def _float(value: Any) -> float:
    """NaN where it is no number."""
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def shown(value: Any) -> str:
    """A value from a file as it may stand in a message: short and on one line."""
    text = repr(value) if not isinstance(value, int) else f"{value:.3g}" if abs(value) < 1e300 else "(huge)"
    return text if len(text) <= 40 else text[:37] + "..."
