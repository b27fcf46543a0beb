# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the vehicle was: by the estimator, and along known lines where one is near and fixes are not.

* On a line every pose says where on it (`pose.line`).
* Without fixes the line says where on earth (`method` "line"), unless the estimator knows better than the line's file.
* The odometer frame is always the estimator's: a line never moves it.
* Corrections of a stretch come from the line where it told the poses of that stretch, else from the estimator, never
  from both.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from edge.positioning.line import Line
from edge.positioning.line_course import LineSettings
from edge.positioning.line_follower import LineFollower
from edge.types import Correction, Fix, Landmark, Measurement, Odometry, Pose

#: A line's pose that is known no better says nothing about a street.
_WORST_ERROR_M = 200.0
#: No clock shows more, seconds.
_LARGEST = 1e12
#: What is kept to tell corrections apart.
_MOST_KEPT = 200
#: A shorter rest of a correction is none, seconds.
_SHORTEST_S = 0.05


class Poses(Protocol):
    """What the estimator offers."""

    @property
    def counts(self) -> Counter[str]:
        """What was wrong with measurements, by name."""

    def add(self, measurement: Measurement) -> None:
        """Take a measurement."""

    def pose_at(self, time_s: float) -> Pose:
        """The pose at a time."""

    def corrections(self) -> list[Correction]:
        """Drained."""


class Positioner:
    """The estimator with known lines; without lines it is the estimator. Not for several threads at once."""

    def __init__(self, estimator: Poses, lines: Sequence[Line] = (), *, settings: LineSettings | None = None) -> None:
        self._estimator = estimator
        self._counts: Counter[str] = Counter()
        self._follower = LineFollower(lines, settings or LineSettings(), self._counts) if lines else None
        self._time_s = -math.inf
        self._covered: list[tuple[float, float]] = []
        self._held: list[Correction] = []

    @property
    def counts(self) -> Counter[str]:
        """The estimator's and those of the lines."""
        return self._estimator.counts + self._counts

    def add(self, measurement: Measurement) -> None:
        """Take a measurement; never raises for what it says."""
        self._estimator.add(measurement)
        time_s = measurement.time_s
        if self._follower is None or not isinstance(measurement, (Fix, Odometry, Landmark)):
            return
        if not self._time_s <= time_s < _LARGEST:
            return  # the estimator has counted it
        self._time_s = time_s
        self._follower.add(measurement, self._estimator.pose_at(time_s))

    def pose_at(self, time_s: float) -> Pose:
        """The pose at a time."""
        return self._on_line(self._estimator.pose_at(time_s))

    def _on_line(self, pose: Pose) -> Pose:
        found = self._follower.at(pose.time_s) if self._follower is not None else None
        if found is None:
            return pose
        course, state = found
        on_line = course.pose(pose, state)
        if course.tells(pose) and (on_line.error_m or 0.0) <= _WORST_ERROR_M:
            return on_line
        return replace(pose, line=on_line.line)

    def corrections(self) -> list[Correction]:
        """Stretches of the past that are better known now, once each."""
        theirs = self._estimator.corrections()
        follower = self._follower
        if follower is None:
            return theirs
        ours, follower.corrections = follower.corrections, []
        self._covered = [*self._covered, *((c.start_s, c.end_s) for c in ours)][-_MOST_KEPT:]
        # While it is open whether the line will correct a stretch, the estimator's word waits.
        open_s = math.inf if follower.open_since_s is None else follower.open_since_s
        waiting = [*self._held, *theirs][-_MOST_KEPT:]
        self._held = [correction for correction in waiting if correction.end_s > open_s]
        for correction in waiting:
            if correction.end_s <= open_s:
                ours += self._rest(correction)
        return ours

    def _rest(self, correction: Correction) -> list[Correction]:
        """What no line has corrected."""
        free = [(correction.start_s, correction.end_s)]
        for start, end in self._covered:
            free = [
                piece
                for a, b in free
                for piece in ((a, min(b, start)), (max(a, end), b))
                if piece[1] - piece[0] > _SHORTEST_S
            ]
        return [replace(correction, start_s=a, end_s=b, pose_at=self._placed(correction.pose_at)) for a, b in free]

    def _placed(self, pose_at: Callable[[float], Pose]) -> Callable[[float], Pose]:
        """Poses of a correction with their place on the line, where it is still remembered."""
        follower = self._follower

        def placed(time_s: float) -> Pose:
            pose = pose_at(time_s)
            found = follower.at(time_s) if follower is not None else None
            return pose if found is None else replace(pose, line=found[0].place(found[1]))

        return placed
