# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Tracks and odometry as CSV, with column names as people write them.

A column `NAME_MADE_UP...` counts as `NAME`; the track then says that its positions are invented.
Times: seconds in `t_s`, or in `utc`, `time` or `timestamp` ISO 8601, POSIX seconds or milliseconds.
A file with `;` between its columns may write decimal commas.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.positioning.track import DEFAULT_ERROR_M, Problems, Track, checked
from edge.types import Fix, Odometry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge.positioning.track import Located

#: What we look for and how it may be called.
NAMES = {
    "t_s": ("t_s", "time_s", "seconds"),
    "utc": ("utc", "time", "timestamp", "datetime"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "longitude"),
    "heading": ("heading_deg", "heading", "course", "course_deg"),
    "speed_mps": ("speed_mps", "speed"),
    "speed_kmh": ("speed_kmh", "speed_kph"),
    "error_m": ("error_m", "accuracy_m", "accuracy"),
    "frame": ("frame", "image", "picture", "filename"),
    "distance_m": ("distance_m", "odometer_m", "dist_from_start_m"),
    "yaw_rate_dps": ("yaw_rate_dps",),
}
_KNOWN = {alias: name for name, aliases in NAMES.items() for alias in aliases}
#: A smaller number in a time column counts seconds from the start of the recording; POSIX time in 1973.
_EARLIEST_UTC_S = 1e8
_DECIMAL_COMMA = re.compile(r"^(\s*-?\d+),(\d+\s*)$")
_MADE_UP = re.compile(r"_made_up.*$", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One line: its number in the file and its cells by our names."""

    line: int
    cells: dict[str, str]

    def number(self, name: str) -> float | None:
        """A cell as a number; None where it is empty or absent.

        Raises:
            ValueError: it is no number.
        """
        text = self.cells.get(name, "")
        return float(text) if text else None


def read_csv_track(path: Path) -> Track:
    """Read a track.

    Raises:
        InputError: it cannot be read, lacks a column or holds no usable position.
    """
    problems = Problems(path)
    columns, rows = _rows(path, problems)
    _require(path, columns, (("lat",), ("lon",), ("t_s", "utc")))
    clock = _Clock(problems, "t_s" in columns)
    points: list[Located] = []
    odometry: list[tuple[int, Odometry]] = []
    frame_times: dict[str, float] = {}
    for row in rows:
        try:
            time_s, utc_s = clock.read(row)
        except ValueError as error:
            problems.add("bad_time", row.line, f"{error}; left out")
            continue
        if name := row.cells.get("frame"):
            frame_times.setdefault(name, time_s)
        try:
            points.append((row.line, _fix(row, time_s, utc_s)))
            if (distance := row.number("distance_m")) is not None:
                odometry.append((row.line, Odometry(time_s, distance, row.number("yaw_rate_dps"))))
        except ValueError as error:
            problems.add("bad_number", row.line, f"{error}; left out")
    fixes = checked(points, problems)
    if not fixes:
        raise problems.unusable("position")
    return Track(tuple(fixes), _ordered(odometry, problems), frame_times or None, problems.listed(), clock.zero_utc_s)


def read_csv_odometry(path: Path) -> Track:
    """Read wheel distance and turn rate: columns `t_s`, `distance_m` and, where there is a gyro, `yaw_rate_dps`.

    Raises:
        InputError: it cannot be read, lacks a column or holds no usable line.
    """
    problems = Problems(path)
    columns, rows = _rows(path, problems)
    _require(path, columns, (("t_s",), ("distance_m",)))
    found: list[tuple[int, Odometry]] = []
    for row in rows:
        try:
            time_s, distance, rate = (row.number(name) for name in ("t_s", "distance_m", "yaw_rate_dps"))
        except ValueError as error:
            problems.add("bad_number", row.line, f"{error}; left out")
            continue
        if time_s is None or distance is None:
            problems.add("bad_number", row.line, "time or distance is empty; left out")
        else:
            found.append((row.line, Odometry(time_s, distance, rate)))
    odometry = _ordered(found, problems)
    if not odometry:
        raise problems.unusable("odometry")
    return Track((), odometry, None, problems.listed())


def parse_utc(text: str) -> tuple[float, bool]:
    """POSIX seconds of an ISO 8601 time, and whether it named its time zone (without one it counts as UTC).

    Raises:
        ValueError: it is no such time.
    """
    text = text.strip()
    try:
        # Python 3.10 reads neither "Z" nor fractions of one or two digits.
        body = re.sub(r"[zZ]$", "+00:00", text)
        body = re.sub(r"\.(\d+)", lambda match: "." + match[1][:6].ljust(6, "0"), body, count=1)
        moment = datetime.fromisoformat(body)
        zoned = moment.tzinfo is not None
        return (moment if zoned else moment.replace(tzinfo=timezone.utc)).timestamp(), zoned
    except (ValueError, OverflowError):
        raise ValueError(f"time {text[:40]!r} is not ISO 8601 such as 2026-05-01T08:30:00Z") from None


class _Clock:
    """Gives each row its time: from `t_s` where the file has it, else counted from the first UTC."""

    def __init__(self, problems: Problems, has_seconds: bool) -> None:
        self._problems = problems
        self._has_seconds = has_seconds
        self.zero_utc_s: float | None = None

    def read(self, row: Row) -> tuple[float, float | None]:
        """Recording time and, where known, POSIX time."""
        utc_s = self._utc(row)
        time_s = row.number("t_s") if self._has_seconds else utc_s
        if time_s is None:
            raise ValueError("no time")
        if not math.isfinite(time_s):
            raise ValueError("the time is not a finite number")
        if utc_s is not None and utc_s < _EARLIEST_UTC_S:
            utc_s = None
        if utc_s is not None and not self._has_seconds:
            time_s = utc_s - (utc_s if self.zero_utc_s is None else self.zero_utc_s)
        if utc_s is not None and self.zero_utc_s is None:
            self.zero_utc_s = utc_s - time_s
        return time_s, utc_s

    def _utc(self, row: Row) -> float | None:
        text = row.cells.get("utc", "")
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            seconds, zoned = parse_utc(text)
            if not zoned:
                self._problems.add("no_time_zone", row.line, f"time {text[:40]!r} names no time zone; taken as UTC")
            return seconds
        return number / 1000 if number > _EARLIEST_UTC_S * 1000 else number


def _fix(row: Row, time_s: float, utc_s: float | None) -> Fix:
    lat, lon = row.number("lat"), row.number("lon")
    if lat is None or lon is None:
        raise ValueError("no position")
    speed, kmh = row.number("speed_mps"), row.number("speed_kmh")
    if speed is None and kmh is not None:
        speed = kmh / 3.6
    heading, error = row.number("heading"), row.number("error_m")
    return Fix(
        time_s,
        lon,
        lat,
        error if error is not None and math.isfinite(error) and error > 0 else DEFAULT_ERROR_M,
        heading % 360 if heading is not None and math.isfinite(heading) else None,
        speed if speed is not None and 0 <= speed < 150 else None,
        utc_s,
    )


def _rows(path: Path, problems: Problems) -> tuple[set[str], Iterator[Row]]:
    """Our names of the columns, and the rows, read as they are asked for."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or 'cannot be read'}; give a CSV file") from None
    lines = text.replace("\0", "").splitlines()
    head = lines[0] if lines else ""
    delimiter = max(",;\t", key=head.count)
    names = [cell.strip().strip('"').lower() for cell in head.split(delimiter)]
    columns: dict[str, int] = {}
    for index, name in enumerate(names):
        plain = _MADE_UP.sub("", name)
        if plain in _KNOWN and _KNOWN[plain] not in columns:
            columns[_KNOWN[plain]] = index
            if plain != name and _KNOWN[plain] == "lat":
                problems.add("invented", 0, "its positions are marked as invented (MADE_UP)")
    return set(columns), _read_rows(lines, delimiter, columns, problems)


def _read_rows(lines: list[str], delimiter: str, columns: dict[str, int], problems: Problems) -> Iterator[Row]:
    for line, text in enumerate(lines[1:], start=2):
        if not text.strip():
            continue
        try:
            cells = next(csv.reader([text], delimiter=delimiter))
        except (csv.Error, StopIteration) as error:
            problems.add("bad_line", line, f"{error}; left out")
            continue
        if len(cells) <= max(columns.values()):
            problems.add("short_line", line, f"has {len(cells)} cells where {max(columns.values()) + 1} are needed")
            continue
        if delimiter == ";":
            cells = [_DECIMAL_COMMA.sub(r"\1.\2", cell) for cell in cells]
        yield Row(line, {name: cells[index].strip() for name, index in columns.items()})


def _require(path: Path, columns: set[str], groups: tuple[tuple[str, ...], ...]) -> None:
    for group in groups:
        if not columns & set(group):
            wanted = " or ".join(repr(NAMES[name][0]) for name in group)
            raise InputError(f"{path}: line 1: no column {wanted}; name the columns in the first line")


def _ordered(rows: list[tuple[int, Odometry]], problems: Problems) -> tuple[Odometry, ...]:
    """Odometry in order of time. Its values are judged where they are used: the estimator counts jumps and resets."""
    kept: list[Odometry] = []
    for line, row in sorted(rows, key=lambda pair: pair[1].time_s):
        if not (math.isfinite(row.time_s) and math.isfinite(row.distance_m)):
            problems.add("not_finite", line, "time or distance is not a finite number")
        elif kept and row.time_s == kept[-1].time_s:
            problems.add("duplicate_odometry", line, "a distance at this time was there before; left out")
        else:
            kept.append(row)
    return tuple(kept)
