# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The pose at any time, from the states at the times of the measurements: between two of them, or beyond the last."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.geometry import east_north, offset_lonlat
from edge.positioning.ekf import wrap
from edge.positioning.mounting import Mounting
from edge.positioning.process_noise import ACCELERATION_Q
from edge.types import Pose

if TYPE_CHECKING:
    from edge.positioning.odom import Odom
    from edge.types import FixQuality

#: A fix older than this no longer makes a position "gnss", seconds.
FIX_VALID_S = 2.0
#: A heading is given only when it is known this well, radians (one standard deviation).
_HEADING_KNOWN = math.radians(30)


@dataclass(frozen=True)
class Place:
    """Where the vehicle was, in radians and metres; variances along any one direction.

    `lon`, `lat`: the middle of the rear axle, or the antenna while the heading is unknown; `variance`: the antenna's.
    """

    lon: float
    lat: float
    variance: float
    heading: float | None = None
    heading_variance: float = math.inf


@dataclass(frozen=True)
class Node:
    """The state just after a measurement.

    `yaw_pull`: turn rate of the odometer frame beyond `turn_rate`, for at most a second.
    `restarted`: the place has nothing to do with the one before. `fix_s`, `fix_way_m`, `quality`: of the last fix
    believed, its time, the way rolled until then, and what it rested on.
    """

    time_s: float
    odom: Odom
    speed_mps: float | None
    speed_variance: float
    turn_rate: float
    yaw_pull: float
    place: Place | None
    fix_s: float
    odometer_s: float
    restarted: bool = False
    fix_way_m: float | None = None
    quality: FixQuality | None = None


@dataclass(frozen=True)
class Limits:
    """How long and how badly a position may be dead-reckoned before it is none.

    coast_s: seconds on speed alone, without fix or odometer. max_error_m: the largest error that is still a position.
    """

    coast_s: float = 5.0
    max_error_m: float = 200.0


class History:
    """The last states, in order of time."""

    def __init__(self, *, keep_s: float, limits: Limits, mounting: Mounting | None = None) -> None:
        self._keep_s = keep_s
        self._mounting = mounting or Mounting()
        self._limits = limits
        self._nodes: list[Node] = []
        #: The latest time that a pose was given for by looking beyond the last node.
        self.looked_ahead_to_s = -math.inf

    @property
    def last(self) -> Node | None:
        """The newest state."""
        return self._nodes[-1] if self._nodes else None

    def append(self, node: Node) -> None:
        """Note a state; one of the same time replaces the one before."""
        if self._nodes and self._nodes[-1].time_s == node.time_s:
            replaced = self._nodes.pop()
            node = replace(node, restarted=node.restarted or replaced.restarted)
        self._nodes.append(node)
        if node.time_s - self._nodes[0].time_s > 2 * self._keep_s:
            del self._nodes[: bisect.bisect_left(self._nodes, node.time_s - self._keep_s, key=lambda n: n.time_s)]

    def pose_at(self, time_s: float) -> Pose:
        """The pose at a time."""
        if not self._nodes:
            return Pose(time_s, 0.0, 0.0, 0.0, 0.0, None)
        index = bisect.bisect_right(self._nodes, time_s, key=lambda node: node.time_s)
        if index == len(self._nodes):
            self.looked_ahead_to_s = max(self.looked_ahead_to_s, time_s)
            return self._beyond(self._nodes[-1], time_s)
        if index == 0:
            return self._beyond(self._nodes[0], time_s)
        return self._between(self._nodes[index - 1], self._nodes[index], time_s)

    def _beyond(self, node: Node, time_s: float) -> Pose:
        """On from the last node, or back from the first, at constant speed and turn rate."""
        dt = time_s - node.time_s
        supported = time_s - max(node.fix_s, node.odometer_s) if dt > 0 else -dt
        # Without anything new a vehicle does not roll on for ever.
        rolling = math.copysign(min(abs(dt), self._limits.coast_s), dt)
        way = (node.speed_mps or 0.0) * rolling
        odom = node.odom.moved(way, node.turn_rate * rolling + node.yaw_pull * max(0.0, min(rolling, 1.0)))
        if dt < 0:
            odom = replace(odom, distance_m=node.odom.distance_m - abs(way))
        speed = node.speed_mps if supported <= self._limits.coast_s else None
        fix_age = abs(time_s - node.fix_s)
        return self._pose(node, time_s, odom, speed, _moved(node, rolling), fix_age=fix_age, supported=supported)

    def _between(self, a: Node, b: Node, time_s: float) -> Pose:
        share = (time_s - a.time_s) / (b.time_s - a.time_s)
        odom = a.odom.between(b.odom, share)
        speed = a.speed_mps if b.speed_mps is None else b.speed_mps
        if a.speed_mps is not None and speed is not None:
            speed = a.speed_mps + (speed - a.speed_mps) * share
        fix_age = time_s - a.fix_s
        supported = time_s - max(a.fix_s, a.odometer_s)
        if b.restarted and a.place is not None:
            place = _moved(a, time_s - a.time_s)
            return self._pose(a, time_s, odom, speed, place, fix_age=fix_age, supported=supported)
        to_fix = b.fix_s - time_s if b.fix_s >= time_s else math.inf
        if a.place is None:
            place = _moved(b, time_s - b.time_s)
        elif b.place is None:
            place = _moved(a, time_s - a.time_s)
        else:
            place = _mixed(a, b, share, self._mounting)
        rests_on = a if fix_age <= to_fix else b
        fix_age, supported = min(fix_age, to_fix), min(supported, b.time_s - time_s)
        return self._pose(rests_on, time_s, odom, speed, place, fix_age=fix_age, supported=supported)

    def _pose(
        self,
        node: Node,
        time_s: float,
        odom: Odom,
        speed: float | None,
        place: Place | None,
        *,
        fix_age: float,
        supported: float,
    ) -> Pose:
        """The antenna's pose. `node`: whose fix it rests on."""
        x, y = odom.at(self._mounting.antenna_forward_m, self._mounting.antenna_left_m)
        fresh, since = fix_age <= FIX_VALID_S, None
        if node.fix_way_m is not None:
            since = 0.0 if fresh else max(0.0, odom.distance_m - node.fix_way_m)
        pose = Pose(
            time_s,
            x,
            y,
            math.degrees(odom.yaw),
            odom.distance_m,
            None if speed is None else abs(speed),
            quality=node.quality,
            since_fix_m=since,
        )
        if place is None or supported > self._limits.coast_s or place.variance > self._limits.max_error_m**2:
            return pose
        place = _of_antenna(place, self._mounting)
        return replace(
            pose,
            lon=math.remainder(place.lon, 360),
            lat=place.lat,
            error_m=math.sqrt(place.variance),
            heading_deg=_heading_deg(place),
            method="gnss" if fresh else "dead_reckoned",
        )


def _of_antenna(place: Place, mounting: Mounting) -> Place:
    if place.heading is None:
        return place
    lon, lat = offset_lonlat(place.lon, place.lat, *mounting.arm(place.heading))
    return replace(place, lon=lon, lat=lat)


def _heading_deg(place: Place) -> float | None:
    if place.heading is None or place.heading_variance > _HEADING_KNOWN**2:
        return None
    heading = math.degrees(place.heading) % 360
    return heading if heading < 360 else 0.0  # -1e-15 % 360 is 360.0


def _moved(node: Node, dt: float) -> Place | None:
    """A node's place after (or before) dt seconds at its speed and turn rate."""
    if node.place is None:
        return None
    way = (node.speed_mps or 0.0) * dt
    variance = node.place.variance + node.speed_variance * dt**2 + ACCELERATION_Q * abs(dt) ** 3 / 3
    if node.place.heading is None:
        return replace(node.place, variance=variance + way**2)
    turn = node.turn_rate * dt
    middle = node.place.heading + turn / 2
    lon, lat = offset_lonlat(node.place.lon, node.place.lat, way * math.sin(middle), way * math.cos(middle))
    variance += way**2 * min(node.place.heading_variance, 1.0)
    return replace(node.place, lon=lon, lat=lat, variance=variance, heading=node.place.heading + turn)


def _mixed(a: Node, b: Node, share: float, mounting: Mounting) -> Place:
    """Between two places along a cubic (Hermite) curve that leaves and arrives at their speeds and headings."""
    assert a.place is not None
    assert b.place is not None
    start, end = a.place, b.place
    if start.heading is None or end.heading is None:
        start, end = (replace(_of_antenna(place, mounting), heading=None) for place in (start, end))
    dt = b.time_s - a.time_s
    turn = math.remainder(end.lon - start.lon, 360)
    east, north = east_north(start.lon + turn, end.lat, start.lon, start.lat)
    (east_a, north_a), (east_b, north_b) = _velocity(a, start, east, north, dt), _velocity(b, end, east, north, dt)
    u = share
    to_b, leave, arrive = u * u * (3 - 2 * u), u * (1 - u) ** 2 * dt, -u * u * (1 - u) * dt
    lon, lat = offset_lonlat(
        start.lon,
        start.lat,
        to_b * east + leave * east_a + arrive * east_b,
        to_b * north + leave * north_a + arrive * north_b,
    )
    # Between two known places the error swells as it may have sped up and slowed down again, unnoticed.
    unnoticed = a.odometer_s < b.time_s
    swell = ACCELERATION_Q * (u * (1 - u) * dt) ** 3 / 3 if unnoticed else 0.0
    variance = start.variance + (end.variance - start.variance) * u + swell
    heading, heading_variance = None, math.inf
    if start.heading is not None and end.heading is not None:
        heading = start.heading + u * wrap(end.heading - start.heading)
        heading_variance = start.heading_variance + (end.heading_variance - start.heading_variance) * u
    return Place(lon, lat, variance, heading, heading_variance)


def _velocity(node: Node, place: Place, east: float, north: float, dt: float) -> tuple[float, float]:
    """Metres per second east and north; the mean on the way where the heading is unknown or the speed changed much."""
    speed = node.speed_mps
    if place.heading is None or speed is None or abs(speed) * dt > 3 * math.hypot(east, north) + 1.0:
        return east / dt, north / dt
    return speed * math.sin(place.heading), speed * math.cos(place.heading)
