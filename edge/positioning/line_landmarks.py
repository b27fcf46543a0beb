# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Landmarks that the vehicle passes: which one a name means, and which way the vehicle faces there."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from edge.positioning.line import Line, LineLandmark
from edge.positioning.line_course import LineSettings
from edge.positioning.line_ride import Ride, Seen
from edge.types import Pose

#: A landmark is refused where it is both so many standard deviations and so many metres from where the ride is.
_GATE, _GATE_M = 5.0, 30.0
#: Two landmarks agree with the odometer within this share of the way and this much, metres.
_AGREE_SHARE, _AGREE_M = 0.1, 20.0
#: Cosine of the largest angle between the vehicle and the line.
_ALONG = 0.7


@dataclass(frozen=True)
class Passed:
    """A landmark by its name. `alone`: no other track of the line has it."""

    line: Line
    mark: LineLandmark
    alone: bool


class Landmarks:
    """The landmarks of all lines."""

    def __init__(self, lines: Sequence[Line], settings: LineSettings, counts: Counter[str]) -> None:
        self._lines = lines
        self._settings = settings
        self._counts = counts
        self._before: tuple[Passed, float] | None = None  # the last one not believed, and metres rolled then

    def error_m(self, mark: LineLandmark) -> float:
        """One standard deviation along the line."""
        return mark.error_m or self._settings.landmark_error_m(mark.kind)

    def find(self, name: str, ride: Ride | None) -> Passed | None:
        """The landmark of that name: on the ride's track, else on its line, else anywhere if on one line only."""
        found = [(line, mark) for line in self._lines if (mark := line.landmark(name)) is not None]
        here = ride.course.line if ride is not None else None
        found = [pair for pair in found if here is not None and pair[0].name == here.name] or found
        if len({line.name for line, _ in found}) != 1:
            self._counts["landmark_ambiguous" if found else "landmark_unknown"] += 1
            return None
        line, mark = next((pair for pair in found if pair[0] is here), found[0])
        return Passed(line, mark, len(found) == 1)

    def seen(self, passed: Passed, ride: Ride, pose: Pose) -> Seen | None:
        """What it says to a ride; None where it cannot be there. Tracks of one line share their chainage."""
        if passed.line.name != ride.course.line.name:
            self._counts["landmark_elsewhere"] += 1
            return None
        chainage, error = passed.mark.chainage_m - ride.ahead_m(pose.time_s), self.error_m(passed.mark)
        far = abs(chainage - ride.state.chainage_m) > _GATE_M
        if far and ride.state.misfit(chainage, error) > _GATE:
            self._counts["landmark_refused"] += 1
            return None
        self._counts["landmark_passed"] += 1
        self._before = None
        return Seen(chainage, error, "landmark")

    def faces_forward(self, passed: Passed, rolled_m: float, heading_deg: float | None) -> bool | None:
        """Which way the vehicle faces, by the landmark not believed before or by its heading; None: not known yet."""
        before, self._before = self._before, (passed, rolled_m)
        if before is not None and before[0].line.name == passed.line.name:
            way, gap = rolled_m - before[1], passed.mark.chainage_m - before[0].mark.chainage_m
            if abs(way) > _AGREE_M and abs(abs(way) - abs(gap)) <= _AGREE_SHARE * abs(way) + _AGREE_M and gap != 0:
                return way * gap > 0
        if heading_deg is not None:
            along = math.cos(math.radians(heading_deg - passed.line.place_at(passed.mark.chainage_m).heading_deg))
            if abs(along) > _ALONG:
                return along > 0
        self._counts["landmark_waits"] += 1
        return None
