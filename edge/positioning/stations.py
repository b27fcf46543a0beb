# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Station stops as known points: who stands for long at the only station near enough stands at its platform.

A train also stands before a signal. Such a stop, taken for the station ahead, shows at the next one: no station is
near there, but one would be had the stop before not counted. Then it does not count any more.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from edge.positioning.line import LineLandmark
from edge.positioning.line_course import LineSettings
from edge.positioning.line_ride import Node, Ride, Seen
from edge.types import Pose

#: Rolling less than this is standing, metres.
_STANDS_M = 0.3
#: A station must lie within so many standard deviations and metres.
_GATE, _GATE_M = 3.0, 60.0
#: A stop is doubted by the next one, where that follows within this way, metres.
_DOUBT_M = 250.0
#: Stops nearer to each other than this are at the same platform: the train has moved up.
_SAME_M = 25.0


@dataclass(frozen=True)
class _Stop:
    time_s: float
    rolled_m: float
    mark: LineLandmark


class Stations:
    """Watches one ride for stops."""

    def __init__(self, settings: LineSettings, counts: Counter[str]) -> None:
        self._settings = settings
        self._counts = counts
        self._stands_since: tuple[float, float] | None = None  # time, metres rolled
        self._judged = False
        self._last: _Stop | None = None

    def watch(self, ride: Ride, pose: Pose) -> bool:
        """Look at a ride without fixes after each roll; whether it was placed at a station."""
        since = self._stands_since
        if since is None or abs(ride.rolled_m - since[1]) > _STANDS_M:
            self._stands_since, self._judged = (ride.time_s, ride.rolled_m), False
            return False
        if self._judged or ride.time_s - since[0] < self._settings.stop_s:
            return False
        self._judged = True
        last = self._last
        if last is not None and abs(ride.rolled_m - last.rolled_m) < _SAME_M:
            self._stops_again(ride, last, pose)
            return True
        near = self._near(ride)
        if not near and self._withdraw(ride):
            near = self._near(ride)
        if len(near) != 1:
            self._counts["stop_ambiguous" if near else "stop_elsewhere"] += 1
            return False
        self._stops(ride, pose, _Stop(ride.time_s, ride.rolled_m, near[0]), self._error_m(near[0]))
        return True

    def _stops_again(self, ride: Ride, last: _Stop, pose: Pose) -> None:
        """Moved up at the platform, or had stood before it: one of both stops was the right one."""
        half = (ride.rolled_m - last.rolled_m) / 2
        ride.nodes = self._without(ride, last)
        stop = _Stop(ride.time_s, last.rolled_m + half, last.mark)
        self._stops(ride, pose, stop, math.hypot(self._error_m(last.mark), half), ride.course.sign * half)

    def _stops(self, ride: Ride, pose: Pose, stop: _Stop, error_m: float, beyond_m: float = 0.0) -> None:
        ride.see(Seen(stop.mark.chainage_m + beyond_m, error_m, "stop"), pose)
        self._last = stop
        self._counts["station_stop"] += 1

    def _near(self, ride: Ride) -> list[LineLandmark]:
        state = ride.state
        return [
            mark
            for mark in ride.course.line.landmarks
            if mark.kind == "station"
            and abs(mark.chainage_m - state.chainage_m) <= _GATE_M
            and state.misfit(mark.chainage_m, self._error_m(mark)) <= _GATE
        ]

    def _error_m(self, mark: LineLandmark) -> float:
        return mark.error_m or self._settings.station_error_m

    def _withdraw(self, ride: Ride) -> bool:
        """Undo the last stop where without it exactly one station is here."""
        last = self._last
        if last is None or abs(ride.rolled_m - last.rolled_m) > _DOUBT_M:
            return False
        before, ride.nodes = ride.nodes, self._without(ride, last)
        if len(self._near(ride)) != 1:
            ride.nodes = before
            return False
        self._last = None
        self._counts["stop_withdrawn"] += 1
        return True

    @staticmethod
    def _without(ride: Ride, stop: _Stop) -> list[Node]:
        def doubted(node: Node) -> bool:
            return node.seen is not None and node.seen.kind == "stop" and node.time_s == stop.time_s

        return ride.without(doubted)
