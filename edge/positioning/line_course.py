# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How a vehicle runs on a line, and the pose that follows from a chainage."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge.positioning.line import Line
from edge.positioning.line_filter import Along
from edge.types import LinePlace, Pose

#: Tracks of one line lie nearer to each other than this.
_TRACKS_M = 30.0


@dataclass(frozen=True)
class Start:
    """Where the vehicle stands when the daemon starts without a fix (a depot in a tunnel)."""

    line: str
    chainage_m: float
    forward: bool = True
    track: str | None = None
    error_m: float = 5.0


@dataclass(frozen=True)
class LineSettings:
    """What is known of the lines and of how the vehicle runs on them.

    Attributes:
        line_error_m: how well a line's file is surveyed, one standard deviation.
        tag_error_m: where the reader hears a tag, along the line.
        portal_error_m: where fixes end and return, and where light changes, beside the portal.
        station_error_m: how exactly the vehicle stops at the same place of a platform.
        stop_s: a stop this long is a station's, where exactly one station is near enough.
        tracks: (line, track): this vehicle runs on that track of the line only.
        start: known place at the start.
    """

    line_error_m: float = 1.0
    tag_error_m: float = 1.5
    portal_error_m: float = 10.0
    station_error_m: float = 4.0
    stop_s: float = 8.0
    tracks: tuple[tuple[str, str], ...] = ()
    start: Start | None = None

    def landmark_error_m(self, kind: str) -> float:
        """One standard deviation along the line for a landmark whose file says none."""
        return {"tag": self.tag_error_m, "portal": self.portal_error_m}.get(kind, self.station_error_m)


@dataclass(frozen=True)
class Course:
    """A line and which way the vehicle faces on it; `others`: tracks beside it that it could be on as well."""

    line: Line
    forward: bool
    line_error_m: float
    others: tuple[Line, ...] = ()

    @property
    def sign(self) -> int:
        """1 where chainage grows ahead of the vehicle, else -1."""
        return 1 if self.forward else -1

    def place(self, state: Along) -> LinePlace:
        """The state in words of the line. The track is named only where it can be no other."""
        chainage = min(max(state.chainage_m, self.line.start_m), self.line.end_m)
        track = None if self.others else self.line.track
        tunnel = self.line.in_tunnel(chainage)
        return LinePlace(self.line.name, chainage, state.error_m, track, self.forward, tunnel)

    def tells(self, pose: Pose) -> bool:
        """Whether the line says where on earth, not the estimator: without fixes, once that is worse than the file."""
        return pose.method != "gnss" and (pose.error_m is None or pose.error_m > self.line_error_m)

    def pose(self, pose: Pose, state: Along) -> Pose:
        """A pose moved onto the line; motion and `odom_*` stay."""
        point = self.line.place_at(state.chainage_m)
        # Of two tracks that it could be on, the other is meant half of the time.
        gaps = [beside.gap_m for line in self.others if (beside := line.nearest(point.lon, point.lat))]
        aside = max((gap for gap in gaps if gap < _TRACKS_M), default=0.0) / 2
        return replace(
            pose,
            lon=point.lon,
            lat=point.lat,
            error_m=math.hypot(state.error_m, self.line_error_m, aside),
            heading_deg=point.heading_deg if self.forward else (point.heading_deg + 180) % 360,
            method="line",
            line=self.place(state),
        )


@dataclass(frozen=True)
class Stretch:
    """A stretch of the past on a course: states and the poses that were given, at the same times."""

    course: Course
    times: Sequence[float]
    states: Sequence[Along]
    poses: Sequence[Pose]

    def pose_at(self, time_s: float) -> Pose:
        """The pose at a time, on the line; outside the stretch that of its end."""
        after = min(max(bisect.bisect_right(self.times, time_s), 1), len(self.times) - 1)
        a, b = after - 1, after
        span = self.times[b] - self.times[a]
        share = min(max((time_s - self.times[a]) / span, 0.0), 1.0) if span > 0 else 1.0
        state = between(self.states[a], self.states[b], share)
        return self.course.pose(_mixed(self.poses[a], self.poses[b], share, time_s), state)


def between(a: Along, b: Along, share: float) -> Along:
    """The state a share (0..1) of the way from one to another."""
    return replace(a, chainage_m=a.chainage_m + (b.chainage_m - a.chainage_m) * share, cc=a.cc + (b.cc - a.cc) * share)


def _mixed(a: Pose, b: Pose, share: float, time_s: float) -> Pose:
    """The odometer frame between two poses; the rest is that of the nearer one."""

    def mix(x: float, y: float) -> float:
        return x + (y - x) * share

    return replace(
        a if share < 0.5 else b,
        time_s=time_s,
        odom_x_m=mix(a.odom_x_m, b.odom_x_m),
        odom_y_m=mix(a.odom_y_m, b.odom_y_m),
        odom_yaw_deg=mix(a.odom_yaw_deg, b.odom_yaw_deg),
        distance_m=mix(a.distance_m, b.distance_m),
    )
