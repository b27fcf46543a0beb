# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A recorded track and what is wrong with it: pure checks that every file format goes through.

Errors are values: a bad point is left out, named and counted; the rest of the drive goes on. Only a track with
no usable point at all raises `InputError`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from edge.errors import InputError
from edge.geometry import east_north
from edge.types import Fix, Odometry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

#: One standard deviation of a street receiver's position where the recording does not say, metres.
DEFAULT_ERROR_M = 5.0
#: Horizontal error = HDOP x this (range error of a single-frequency receiver under open sky), metres.
RANGE_ERROR_M = 3.0
#: Nothing on a road is faster: 400 km/h.
MAX_SPEED_MPS = 400 / 3.6
#: Points that must agree with each other before a jump is believed.
_JUMP_CONFIRMED = 3
_GAP_S = 10.0

Located: TypeAlias = tuple[int, Fix]
"""Line (or point) number in the file and the fix that stands there."""


@dataclass(frozen=True)
class Problem:
    """One kind of thing that is wrong with a recording: a short name, how often, and one line for people."""

    name: str
    count: int
    text: str


@dataclass(frozen=True)
class Track:
    """A recording's positions. `zero_utc_s` is the POSIX time of `time_s` 0 where the file gives UTC."""

    fixes: tuple[Fix, ...]
    odometry: tuple[Odometry, ...] = ()
    frame_times: Mapping[str, float] | None = None
    problems: tuple[Problem, ...] = ()
    zero_utc_s: float | None = None

    @property
    def invented(self) -> bool:
        """Whether the file says that its positions are made up."""
        return any(problem.name == "invented" for problem in self.problems)


class Problems:
    """Counts what is wrong, by name, with the first place where it was seen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: dict[str, tuple[int, int, str]] = {}

    def add(self, name: str, line: int, why: str) -> None:
        """Count one case; the first line and reason are kept."""
        count, first, text = self._seen.get(name, (0, line, why))
        self._seen[name] = (count + 1, first, text)

    def taken(self) -> dict[str, int]:
        """How often each was seen since the last call."""
        counts = {name: count for name, (count, _, _) in self._seen.items()}
        self._seen.clear()
        return counts

    def listed(self) -> tuple[Problem, ...]:
        """All kinds seen so far, in the order of their first appearance."""
        found = []
        for name, (count, line, why) in self._seen.items():
            where = f"{self.path}: line {line}" if line else str(self.path)
            found.append(Problem(name, count, f"{where}: {why}" + (f" ({count} such)" if count > 1 else "")))
        return tuple(found)

    def unusable(self, what: str) -> InputError:
        """The error for a file of which nothing remains, with its first problem."""
        listed = self.listed()
        first = listed[0].text if listed else str(self.path)
        return InputError(f"{first}; no usable {what} remains; give a GPX, NMEA or CSV track")


def checked(points: Iterable[Located], problems: Problems) -> list[Fix]:
    """The points that can be true, in order of time."""
    possible = [point for point in points if _is_possible(point, problems)]
    ordered = _without_jumps(_in_order(possible, problems), problems)
    _name_gaps(ordered, problems)
    return [fix for _, fix in ordered]


def _is_possible(point: Located, problems: Problems) -> bool:
    line, fix = point
    if not all(map(math.isfinite, (fix.time_s, fix.lat, fix.lon))):
        problems.add("not_finite", line, "time or position is not a finite number")
    elif not (-90 <= fix.lat <= 90 and -180 <= fix.lon <= 180):
        problems.add("out_of_range", line, f"latitude {fix.lat:g}, longitude {fix.lon:g} lie outside the earth")
    elif abs(fix.lat) < 1e-4 and abs(fix.lon) < 1e-4:
        problems.add("null_island", line, "position 0, 0: the receiver had none")
    else:
        return True
    return False


def _in_order(points: Sequence[Located], problems: Problems) -> list[Located]:
    """Sorted by time, one point for each time."""
    for (_, before), (line, after) in pairwise(points):
        if after.time_s < before.time_s:
            problems.add("out_of_order", line, f"time goes back by {before.time_s - after.time_s:.3g} s; sorted")
    kept: list[Located] = []
    for line, fix in sorted(points, key=lambda point: point[1].time_s):
        if kept and fix.time_s == kept[-1][1].time_s:
            problems.add("duplicate", line, f"time {fix.time_s:g} s was there before; left out")
        else:
            kept.append((line, fix))
    return kept


def _without_jumps(points: Sequence[Located], problems: Problems) -> list[Located]:
    """Leave out points that nobody can have driven to. A jump that the next points confirm is believed."""
    kept: list[Located] = []
    held: list[Located] = []
    for point in points:
        if not kept or _is_reachable(kept[-1][1], point[1]):
            _name_teleports(held, problems)
            held = []
            kept.append(point)
            continue
        held = [*held, point] if held and _is_reachable(held[-1][1], point[1]) else _restarted(held, point, problems)
        if len(held) == _JUMP_CONFIRMED:
            if len(kept) == 1:  # the lone first point was the wrong one
                _name_teleports(kept, problems)
                kept = []
            else:
                problems.add("jump", held[0][0], "the drive goes on elsewhere; taken as a new start")
            kept, held = kept + held, []
    _name_teleports(held, problems)
    return kept


def _restarted(held: list[Located], point: Located, problems: Problems) -> list[Located]:
    _name_teleports(held, problems)
    return [point]


def _name_teleports(points: Iterable[Located], problems: Problems) -> None:
    for line, _ in points:
        problems.add("teleport", line, f"would need more than {MAX_SPEED_MPS * 3.6:.0f} km/h; left out")


def _is_reachable(before: Fix, after: Fix) -> bool:
    allowed = MAX_SPEED_MPS * (after.time_s - before.time_s) + 3 * math.hypot(before.error_m, after.error_m)
    return math.hypot(*way(before, after)) <= allowed


def _name_gaps(points: Sequence[Located], problems: Problems) -> None:
    for (_, before), (line, after) in pairwise(points):
        if after.time_s - before.time_s > _GAP_S:
            problems.add("gap", line, f"no position for {after.time_s - before.time_s:.0f} s before this")


def way(before: Fix, after: Fix) -> tuple[float, float]:
    """Metres east and north from one fix to another, the short way across 180 degrees."""
    turn = math.remainder(after.lon - before.lon, 360)
    return east_north(before.lon + turn, after.lat, before.lon, before.lat)


def overlap_problem(track: Track, first_s: float, last_s: float, source: str) -> Problem | None:
    """Whether the track says where the frames from `first_s` to `last_s` were taken; a line where it does not."""
    if not track.fixes:
        return None
    start, end = track.fixes[0].time_s, track.fixes[-1].time_s
    if start <= last_s and end >= first_s:
        return None
    shift_s = start - first_s
    hours = shift_s / 3600
    zone = abs(hours - round(hours)) < 0.02 and 1 <= abs(round(hours)) <= 14
    why = f"shifted by {hours:.0f} h, so the time zone is wrong" if zone else "the clocks do not agree"
    return Problem(
        "no_overlap",
        1,
        f"{source}: the track covers {start:.0f} to {end:.0f} s, the pictures {first_s:.0f} to {last_s:.0f} s: {why}",
    )
