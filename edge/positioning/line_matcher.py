# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which of the known lines a vehicle runs on, by where its fixes lie and which way it faces.

Tracks lie 4 m apart, a fix 1.5 m or more beside the truth for minutes: the nearest track is a guess, and nobody says
which track it is on such a guess (see `line_follower`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge.positioning.line import Beside, Line
from edge.types import Pose

#: A fix counts for a line within so many standard deviations, and never farther than metres.
_GATE, _GATE_M = 3.0, 20.0
#: The vehicle faces along the line or against it within this, degrees.
_ALONG_DEG = 30.0
#: Fixes nearer to each other than this say nothing new, metres.
_APART_M = 1.0
#: On a line after this many fixes in a row, and this much way.
_FIXES, _WAY_M = 5, 20.0
#: A fix's share in the mean square of the gaps.
_SHARE = 0.1
#: Another line must fit better by this, metres.
_BETTER_M = 2.0


@dataclass(frozen=True)
class Match:
    """A line that the last fixes lie on. `mean_square`: of the gaps between fixes and line, m^2."""

    line: Line
    forward: bool
    beside: Beside
    first_m: float
    fixes: int
    mean_square: float


def within_m(error_m: float, line_error_m: float) -> float:
    """How far from a line a fix may lie that is on it."""
    return min(_GATE_M, _GATE * math.hypot(error_m, line_error_m))


def turn_deg(heading_deg: float, beside: Beside) -> float:
    """Angle between the vehicle and growing chainage: 0 along the line, 180 against it."""
    return abs(math.remainder(heading_deg - beside.heading_deg, 360))


class Matcher:
    """Follows the fixes along all lines at once."""

    def __init__(self, lines: Sequence[Line], line_error_m: float) -> None:
        self._lines = lines
        self._line_error_m = line_error_m
        self._matches: dict[int, Match] = {}
        self._last_m = -math.inf

    def add(self, pose: Pose) -> None:
        """Take a pose that rests on a fix."""
        if pose.lon is None or pose.heading_deg is None or abs(pose.distance_m - self._last_m) < _APART_M:
            return
        self._last_m = pose.distance_m
        for index, line in enumerate(self._lines):
            match = self._match(line, pose, self._matches.get(index))
            if match is None:
                self._matches.pop(index, None)
            else:
                self._matches[index] = match

    def best(self) -> Match | None:
        """The line that fits best, where one fits long enough."""
        ready = [
            match
            for match in self._matches.values()
            if match.fixes >= _FIXES and self._last_m - match.first_m >= _WAY_M
        ]
        return min(ready, key=lambda match: match.mean_square, default=None)

    def better_than(self, line: Line) -> Match | None:
        """A line that fits clearly better than the one given, where that one still fits."""
        best, own = self.best(), next((m for m in self._matches.values() if m.line is line), None)
        if best is None or own is None or math.sqrt(best.mean_square) + _BETTER_M > math.sqrt(own.mean_square):
            return None
        return best

    def _match(self, line: Line, pose: Pose, before: Match | None) -> Match | None:
        lon, lat, heading = pose.lon, pose.lat, pose.heading_deg
        if lon is None or lat is None or heading is None or not line.is_near(lon, lat, _GATE_M):
            return None
        beside = line.nearest(lon, lat, heading)
        if beside is None or beside.gap_m > within_m(pose.error_m or math.inf, self._line_error_m):
            return None
        turn = turn_deg(heading, beside)
        if _ALONG_DEG < turn < 180 - _ALONG_DEG:
            return None
        forward, square = turn < 90, beside.gap_m**2
        if before is None or before.forward != forward:
            return Match(line, forward, beside, pose.distance_m, 1, square)
        share = max(_SHARE, 1 / (before.fixes + 1))
        return replace(
            before,
            beside=beside,
            fixes=before.fixes + 1,
            mean_square=before.mean_square + share * (square - before.mean_square),
        )
