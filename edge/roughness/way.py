# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the vehicle was during the last seconds, by time."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, replace

from edge.geometry import to_earth
from edge.types import LinePlace, Pose, RoadPoint

#: Poses farther apart than this say nothing of the time between, seconds.
_LONGEST_STEP_S = 2.0
#: Enough for a section at the slowest speed that is judged, the wait between two axles and samples that come late.
_KEPT_S, _MOST = 20.0, 4000


@dataclass(frozen=True)
class Spot:
    """A pose and the way run until then, whatever its direction; `speed_mps` forward."""

    pose: Pose
    way_m: float
    speed_mps: float

    def ahead(self, forward_m: float, left_m: float) -> tuple[float, float]:
        """Odometer coordinates of a point of the vehicle, from the antenna."""
        yaw = math.radians(self.pose.odom_yaw_deg)
        return (
            self.pose.odom_x_m + forward_m * math.cos(yaw) - left_m * math.sin(yaw),
            self.pose.odom_y_m + forward_m * math.sin(yaw) + left_m * math.cos(yaw),
        )

    def ahead_on_earth(self, forward_m: float, left_m: float) -> tuple[float, float] | None:
        """Longitude and latitude of a point of the vehicle; None where its place is not known."""
        pose = self.pose
        if pose.lon is None or pose.lat is None or pose.heading_deg is None:
            return None
        return to_earth(pose.lon, pose.lat, pose.heading_deg, RoadPoint(forward_m, left_m))


class Way:
    """Takes poses, each later than the one before."""

    def __init__(self) -> None:
        self._spots: list[Spot] = []
        self._times: list[float] = []

    @property
    def last(self) -> Spot | None:
        """The newest."""
        return self._spots[-1] if self._spots else None

    def add(self, pose: Pose) -> bool:
        """Take the next pose; False where the time since the one before cannot be told."""
        before = self.last
        way_m, speed = before.way_m if before else 0.0, pose.speed_mps or 0.0
        if before is not None and pose.time_s - before.pose.time_s > _LONGEST_STEP_S:
            self._forget(len(self._spots))
            before = None
        if before is not None:
            step_m = math.hypot(pose.odom_x_m - before.pose.odom_x_m, pose.odom_y_m - before.pose.odom_y_m)
            way_m += step_m
            if pose.speed_mps is None:
                speed = step_m / (pose.time_s - before.pose.time_s)
        self._spots.append(Spot(pose, way_m, speed))
        self._times.append(pose.time_s)
        if len(self._times) > _MOST or self._times[0] < pose.time_s - 2 * _KEPT_S:
            self._forget(max(bisect_left(self._times, pose.time_s - _KEPT_S), len(self._times) - _MOST // 2))
        return before is not None

    def rolled(self, time_s: float) -> tuple[float, float] | None:
        """Way and speed at a time; None before the oldest and after the newest pose that is known."""
        i = bisect_left(self._times, time_s)
        if i == 0 or i == len(self._times):
            return None
        a, b = self._spots[i - 1], self._spots[i]
        share = (time_s - a.pose.time_s) / (b.pose.time_s - a.pose.time_s)
        return a.way_m + share * (b.way_m - a.way_m), a.speed_mps + share * (b.speed_mps - a.speed_mps)

    def at(self, time_s: float) -> Spot | None:
        """Where it was; None before the oldest and after the newest pose that is known."""
        i = bisect_left(self._times, time_s)
        if i == len(self._times):
            return None
        after = self._spots[i]
        if after.pose.time_s == time_s:
            return after
        return _between(self._spots[i - 1], after, time_s) if i else None

    def _forget(self, count: int) -> None:
        del self._spots[:count], self._times[:count]


def _between(a: Spot, b: Spot, time_s: float) -> Spot:
    share = (time_s - a.pose.time_s) / (b.pose.time_s - a.pose.time_s)

    def mixed(start: float, end: float) -> float:
        return start + share * (end - start)

    near, other = (b.pose, a.pose) if share > 0.5 else (a.pose, b.pose)
    pose = replace(
        near,
        time_s=time_s,
        odom_x_m=mixed(a.pose.odom_x_m, b.pose.odom_x_m),
        odom_y_m=mixed(a.pose.odom_y_m, b.pose.odom_y_m),
        odom_yaw_deg=a.pose.odom_yaw_deg + share * math.remainder(b.pose.odom_yaw_deg - a.pose.odom_yaw_deg, 360),
        distance_m=mixed(a.pose.distance_m, b.pose.distance_m),
        line=_line(a.pose.line, b.pose.line, share, near.line),
    )
    if a.pose.lon is not None and a.pose.lat is not None and b.pose.lon is not None and b.pose.lat is not None:
        turn = math.remainder(b.pose.lon - a.pose.lon, 360)
        pose = replace(pose, lon=a.pose.lon + share * turn, lat=mixed(a.pose.lat, b.pose.lat))
    if near.heading_deg is None and other.heading_deg is not None:
        pose = replace(pose, heading_deg=other.heading_deg)
    return Spot(pose, mixed(a.way_m, b.way_m), mixed(a.speed_mps, b.speed_mps))


def _line(a: LinePlace | None, b: LinePlace | None, share: float, near: LinePlace | None) -> LinePlace | None:
    if a is None or b is None or near is None or (a.line, a.track) != (b.line, b.track):
        return near
    return replace(near, chainage_m=a.chainage_m + share * (b.chainage_m - a.chainage_m))
