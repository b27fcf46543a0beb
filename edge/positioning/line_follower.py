# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Follows the vehicle along the known lines: onto one, along it with and without fixes, and off it again.

* Onto a line: by five fixes in a row on it while the vehicle faces along it, by `Start`, or by landmarks.
* Along it: the odometer moves the chainage; fixes on the line, landmarks, station stops and portals correct it.
* Off it: five fixes in a row beside it, another heading, or past its end.
* Which track of several: only where the file has one, the settings leave one, or a landmark stands on one alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from edge.positioning.history import FIX_VALID_S
from edge.positioning.line import Line
from edge.positioning.line_course import Course, LineSettings
from edge.positioning.line_filter import Along
from edge.positioning.line_landmarks import Landmarks
from edge.positioning.line_matcher import Matcher, turn_deg, within_m
from edge.positioning.line_motion import Doubt, Motion
from edge.positioning.line_ride import Node, Ride, Seen
from edge.positioning.stations import Stations
from edge.types import Correction, Fix, Landmark, Measurement, Pose

#: Errors of fixes last: so long, in seconds, they count as one.
_ERRORS_LAST_S = 20.0
#: A standing vehicle's fixes say nothing new, metres.
_APART_M = 1.0
#: A fix, and a portal, is refused beyond so many standard deviations.
_GATE_FIX, _GATE_PORTAL = 4.0, 3.0
#: Fixes in a row over so much way win against the line, metres.
_AGREEING_M = 15.0
#: Without fixes: the vehicle faces elsewhere by this, for so long.
_ELSEWHERE_DEG, _ELSEWHERE_M = 75.0, 40.0
_PAST_END_M = 20.0
_WORST_ERROR_M = 200.0
_SILENCE_S = 30.0
#: Rides that ended are remembered so long, seconds.
_KEEP_S = 60.0


class LineFollower:
    """At most one ride at a time. Never raises for what a measurement says."""

    def __init__(self, lines: Sequence[Line], settings: LineSettings, counts: Counter[str]) -> None:
        restricted = dict(settings.tracks)
        self._lines = [line for line in lines if restricted.get(line.name, line.track) == line.track]
        self._settings = settings
        self._counts = counts
        self._matcher = Matcher(self._lines, settings.line_error_m)
        self._stations = Stations(settings, counts)
        self._landmarks = Landmarks(self._lines, settings, counts)
        self._motion = Motion()
        self._rides: list[Ride] = []
        self._start = settings.start
        self._off, self._refused, self._elsewhere = Doubt(_AGREEING_M), Doubt(_AGREEING_M), Doubt(_ELSEWHERE_M)
        self._lost_s = -math.inf  # time of the last fix before fixes ended, where that was looked at
        self._known: tuple[float, float] = (1.0, Along(0.0, 0.0).kk)  # odometer scale and its variance
        self._used_fix = (-math.inf, -math.inf)  # time, metres rolled
        self.corrections: list[Correction] = []

    @property
    def ride(self) -> Ride | None:
        """The present ride."""
        return self._rides[-1] if self._rides and self._rides[-1].ended_s == math.inf else None

    @property
    def open_since_s(self) -> float | None:
        """Since when the present ride is without fixes; None while they come."""
        ride = self.ride
        if ride is None or ride.time_s - ride.fixed_s <= FIX_VALID_S:
            return None
        return max(ride.fixed_s, ride.nodes[0].time_s)

    def at(self, time_s: float) -> tuple[Course, Along] | None:
        """How and where on a line the vehicle was."""
        for ride in reversed(self._rides):
            if (state := ride.at(time_s)) is not None:
                return ride.course, state
        return None

    def add(self, measurement: Measurement, pose: Pose) -> None:
        """Take a measurement in order of time, and the estimator's pose at that time."""
        ride, silent_s = self.ride, measurement.time_s - self._motion.time_s
        if ride is not None and silent_s > _SILENCE_S:
            self._leave("line_silence")
        self._begin_at_start(pose)
        metres = self._motion.rolled(measurement, pose)
        if (ride := self.ride) is not None and metres is not None:
            ride.roll(measurement.time_s, metres, pose)
            self._without_fix(ride, pose)
        if isinstance(measurement, Fix) and pose.method == "gnss":
            self._fix(pose)
        elif isinstance(measurement, Landmark):
            self._landmark(measurement, pose)

    # ---- onto a line, and off it

    def _begin_at_start(self, pose: Pose) -> None:
        start, self._start = self._start, None
        if start is None:
            return
        lines = [line for line in self._lines if line.name == start.line and start.track in (None, line.track)]
        if not lines:
            self._counts["line_start_unknown"] += 1
            return
        course = self._course(lines[0], start.forward, named=len(lines) == 1)
        self._begin(course, Along(start.chainage_m, start.error_m**2), pose)

    def _board(self, pose: Pose) -> None:
        match = self._matcher.best()
        if match is None or pose.error_m is None:
            return
        self._end(pose.time_s)
        scale, variance = self._known
        state = Along(match.beside.chainage_m, pose.error_m**2, scale, 0.0, variance)
        self._begin(self._course(match.line, match.forward, named=False), state, pose, fixed=True)

    def _course(self, line: Line, forward: bool, *, named: bool) -> Course:
        others = () if named else tuple(o for o in self._lines if o.name == line.name and o is not line)
        return Course(line, forward, self._settings.line_error_m, others)

    def _begin(self, course: Course, state: Along, pose: Pose, *, fixed: bool = False) -> None:
        self._end(pose.time_s)
        self._rides = [ride for ride in self._rides if pose.time_s - ride.ended_s < _KEEP_S]
        self._rides.append(Ride(course, state, pose.time_s, pose, fixed_s=pose.time_s if fixed else -math.inf))
        self._stations = Stations(self._settings, self._counts)
        for doubt in (self._off, self._refused, self._elsewhere):
            doubt.clear()
        self._counts["line_entered"] += 1

    def _end(self, time_s: float) -> None:
        if (ride := self.ride) is not None:
            ride.ended_s = time_s
            state = ride.state
            self._known = (state.scale, state.kk)

    def _leave(self, why: str) -> None:
        self._end(self._motion.time_s)
        self._counts[why] += 1

    # ---- along it without fixes

    def _without_fix(self, ride: Ride, pose: Pose) -> None:
        state, line = ride.state, ride.course.line
        past_m = max(line.start_m - state.chainage_m, state.chainage_m - line.end_m)
        if past_m > _PAST_END_M + 3 * state.error_m:
            self._leave("line_end_passed")
        elif state.error_m > _WORST_ERROR_M:
            self._leave("line_lost")
        elif ride.time_s - ride.fixed_s > FIX_VALID_S:
            self._look_for_portal(ride, pose)
            if self._faces_elsewhere(ride, pose):
                self._leave("line_left")
            elif self._stations.watch(ride, pose):
                self._correct(ride, "known_point")

    def _look_for_portal(self, ride: Ride, pose: Pose) -> None:
        """Where fixes end, once."""
        if ride.fixed_s > self._lost_s and (then := ride.at(ride.fixed_s)) is not None:
            self._lost_s = ride.fixed_s
            self._at_portal(ride, pose, ride.state.chainage_m - then.chainage_m)

    def _at_portal(self, ride: Ride, pose: Pose, since_m: float) -> None:
        """Fixes end and return at portals: worth something where the place is known worse than that."""
        error, state = self._settings.portal_error_m, ride.state
        if state.error_m <= error:
            return
        near = [c + since_m for c in ride.course.line.portals if state.misfit(c + since_m, error) <= _GATE_PORTAL]
        if len(near) == 1:
            ride.see(Seen(near[0], error, "landmark"), pose)
            self._counts["portal_passed"] += 1

    def _faces_elsewhere(self, ride: Ride, pose: Pose) -> bool:
        heading = pose.heading_deg
        point = ride.course.line.place_at(ride.state.chainage_m)
        facing = point.heading_deg if ride.course.forward else point.heading_deg + 180
        if heading is None or abs(math.remainder(heading - facing, 360)) < _ELSEWHERE_DEG:
            self._elsewhere.clear()
            return False
        return self._elsewhere.grows(self._motion.rolled_m)

    # ---- fixes

    def _fix(self, pose: Pose) -> None:
        self._matcher.add(pose)
        ride = self.ride
        if ride is None:
            self._board(pose)
            return
        if (other := self._matcher.better_than(ride.course.line)) is not None and self.open_since_s is None:
            self._counts["line_changed"] += other.line.name != ride.course.line.name
            self._board(pose)
            return
        chainage = self._chainage(ride, pose)
        if chainage is not None:
            self._off.clear()
            self._use_fix(ride, chainage, pose)
        elif self._off.grows(self._motion.rolled_m):
            self._leave("line_left")
            self._board(pose)

    def _chainage(self, ride: Ride, pose: Pose) -> float | None:
        """Of a pose that rests on a fix; None where it is not on the line, or faces elsewhere."""
        line, state = ride.course.line, ride.state
        if pose.lon is None or pose.lat is None or pose.error_m is None:
            return None
        reach = 5 * math.hypot(state.error_m, pose.error_m) + 50
        beside = line.nearest(pose.lon, pose.lat, within=(state.chainage_m - reach, state.chainage_m + reach))
        if beside is None or beside.gap_m > within_m(pose.error_m, self._settings.line_error_m):
            return None
        if pose.heading_deg is not None:
            turn = turn_deg(pose.heading_deg, beside)
            if (turn if ride.course.forward else 180 - turn) > 45:
                return None
        return beside.chainage_m

    def _use_fix(self, ride: Ride, chainage_m: float, pose: Pose) -> None:
        error, chainage = pose.error_m or math.inf, chainage_m - ride.ahead_m(pose.time_s)
        if ride.state.misfit(chainage, error) > _GATE_FIX:
            self._counts["line_fix_refused"] += 1
            if not self._refused.grows(self._motion.rolled_m):
                return
            if not self._fits_without_stops(ride, chainage, error):
                self._counts["line_restarted"] += 1
                self._begin(ride.course, Along(chainage, error**2), pose, fixed=True)
                return
        self._refused.clear()
        returned = self.open_since_s is not None
        if returned:
            self._at_portal(ride, pose, 0.0)
        used_s, used_m = self._used_fix
        if returned or abs(self._motion.rolled_m - used_m) >= _APART_M:
            lasting = max(1.0, _ERRORS_LAST_S / max(0.01, pose.time_s - used_s))
            ride.see(Seen(chainage, error * math.sqrt(lasting), "fix"), pose)
            self._used_fix = pose.time_s, self._motion.rolled_m
        if returned:
            self._correct(ride, "fix_returned")
        ride.fixed(pose.time_s)

    def _fits_without_stops(self, ride: Ride, chainage_m: float, error_m: float) -> bool:
        """Whether a wrong station stop since the last fix explains why a fix does not fit; then it is undone."""

        def doubted(node: Node) -> bool:
            return node.seen is not None and node.seen.kind == "stop" and node.time_s > ride.fixed_s

        before, ride.nodes = ride.nodes, ride.without(doubted)
        if ride.state.misfit(chainage_m, error_m) > _GATE_FIX:
            ride.nodes = before
            return False
        self._counts["stop_withdrawn"] += 1
        return True

    # ---- landmarks

    def _landmark(self, landmark: Landmark, pose: Pose) -> None:
        ride = self.ride
        passed = self._landmarks.find(landmark.name, ride)
        if passed is None:
            return
        if ride is not None and (seen := self._landmarks.seen(passed, ride, pose)) is not None:
            if passed.alone:
                ride.course = replace(ride.course, line=passed.line, others=())
            ride.see(seen, pose)
            if self.open_since_s is not None:
                self._correct(ride, "known_point")
            return
        # Against a ride one landmark says nothing, two that agree with each other do.
        heading = pose.heading_deg if ride is None else None
        forward = self._landmarks.faces_forward(passed, self._motion.rolled_m, heading)
        if forward is not None:
            state = Along(passed.mark.chainage_m, self._landmarks.error_m(passed.mark) ** 2)
            self._begin(self._course(passed.line, forward, named=passed.alone), state, pose)

    # ---- backwards

    def _correct(self, ride: Ride, reason: Literal["fix_returned", "known_point"]) -> None:
        stretch = ride.stretch(since="fix" if reason == "fix_returned" else "known point")
        if any(map(ride.course.tells, stretch.poses)):
            start_s = max(stretch.times[0], ride.fixed_s)
            self.corrections.append(Correction(start_s, ride.time_s, stretch.pose_at, reason))
