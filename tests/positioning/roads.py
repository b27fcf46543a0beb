# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Drives given by speed and turn rate, with their truth, and sensors whose errors last as a real receiver's do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge.geometry import east_north, offset_lonlat
from edge.types import Fix, Measurement, Odometry

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.positioning.estimator import Estimator
    from edge.types import Pose

LON0, LAT0 = 13.4, 52.5
STEP_S = 0.01
Floats = NDArray[np.float64]


class Road:
    """Truth: the rear axle rolls at `speed` (negative backwards), the antenna swings round it."""

    def __init__(self, speed: Floats, rate: Floats, *, arm: tuple[float, float] = (0.0, 0.0)) -> None:
        forward, left = arm
        self.t = np.arange(len(speed)) * STEP_S
        self.speed, self.heading = speed, np.cumsum(rate) * STEP_S + 0.7
        sin, cos = np.sin(self.heading), np.cos(self.heading)
        self.east = np.cumsum(speed * sin) * STEP_S + forward * sin - left * cos
        self.north = np.cumsum(speed * cos) * STEP_S + forward * cos + left * sin
        self.distance, self.rolled = np.cumsum(speed) * STEP_S, np.cumsum(np.abs(speed)) * STEP_S
        velocity = np.gradient(self.east, STEP_S), np.gradient(self.north, STEP_S)
        self.over_ground, self.course = np.hypot(*velocity), np.arctan2(*velocity)

    def at(self, name: str, time_s: float) -> float:
        """The course is that of the nearest step: it jumps."""
        values = getattr(self, name)
        if name == "course":
            return float(values[min(round(time_s / STEP_S), len(values) - 1)])
        return float(np.interp(time_s, self.t, values))

    def when(self, metres: float) -> float:
        return float(np.interp(metres, self.rolled, self.t))

    def error_m(self, pose: Pose) -> float:
        assert pose.lon is not None
        assert pose.lat is not None
        east, north = east_north(pose.lon, pose.lat, LON0, LAT0)
        return math.hypot(east - self.at("east", pose.time_s), north - self.at("north", pose.time_s))

    def heading_error_deg(self, pose: Pose) -> float:
        assert pose.heading_deg is not None
        return abs(math.remainder(pose.heading_deg - math.degrees(self.at("heading", pose.time_s)), 360))


def winding(seed: int, metres: float, *, arm: tuple[float, float] = (0.0, 0.0)) -> Road:
    """30 to 60 km/h on a road that winds with radii down to 60 m."""
    rng = np.random.default_rng(seed)
    t = np.arange(0, metres / 11 + 30, STEP_S)
    phase = rng.uniform(0, math.tau, 4)
    speed = (45 + 15 * np.sin(t / rng.uniform(8, 20) + phase[0])) / 3.6 * np.clip(t / 6, 0, 1)
    way = np.cumsum(speed) * STEP_S
    bends = ((300, 70), (150, 45), (400, 160))
    curvature = sum(np.sin(way / length + p) / radius for (radius, length), p in zip(bends, phase[1:], strict=True))
    return Road(speed, curvature * speed, arm=arm)


def town(seconds: float, *, arm: tuple[float, float] = (0.0, 0.0)) -> Road:
    """45 km/h, and every 150 m a right angle of 30 m radius at 20 km/h."""
    slow, fast = 20 / 3.6, 45 / 3.6
    speed, curvature, way, v = [], [], 0.0, 0.0
    for _ in range(round(seconds / STEP_S)):
        block, place = divmod(way, 150.0)
        may = math.sqrt(slow**2 + 2 * 1.5 * max(0.0, 84 - place)) if place < 137 else fast
        v += float(np.clip(min(fast, may) - v, -1.6 * STEP_S, 1.2 * STEP_S))
        way += v * STEP_S
        speed.append(v)
        side = 1 if block % 4 in (0, 3) else -1
        curvature.append(side / 30 * float(np.clip(min((place - 90) / 6, (137 - place) / 6), 0, 1)))
    return Road(np.array(speed), np.array(speed) * np.array(curvature), arm=arm)


def backing_out(*, arm: tuple[float, float] = (0.0, 0.0)) -> Road:
    """10 m/s round a corner, stops at 58 s, reverses in a bend from 63 to 81 s, stands, goes on at 85 s."""
    t = np.arange(0, 130, STEP_S)
    speed = np.interp(t, [0, 8, 50, 58, 63, 66, 78, 81, 85, 93, 130], [0, 10, 10, 0, 0, -2.5, -2.5, 0, 0, 10, 10])
    turns = np.where((t > 20) & (t < 25), 15, 0) + np.where((t > 66) & (t < 72), 6, 0)
    return Road(speed, np.radians(turns + np.where((t > 110) & (t < 118), -10, 0)), arm=arm)


@dataclass(frozen=True)
class Fitted:
    """Sensors. `tunnel`: from, to in metres rolled; `odometer`: signed, unsigned or none.

    `jitter_s`: by how much a fix's time is off.
    """

    seed: int = 0
    error_m: float = 1.5
    hz: float = 5.0
    tunnel: tuple[float, float] = (math.inf, math.inf)
    odometer: str = "signed"
    odometer_hz: float = 20.0
    gyro: bool = True
    scale_sigma: float = 0.01
    bias_dps: float = 0.15
    jitter_s: float = 0.0

    def readings(self, road: Road) -> list[Measurement]:
        readings = [*self._fixes(road), *self._odometry(road)]
        return sorted(readings, key=lambda m: m.time_s)

    def _fixes(self, road: Road) -> list[Fix]:
        """Errors last 25 s; speed and course are by Doppler."""
        rng = np.random.default_rng((self.seed, 1))
        keep = math.exp(-1 / self.hz / 25)
        lasting, hidden_until, fixes = rng.normal(size=2), -1.0, []
        for time_s in np.arange(0, road.t[-1], 1 / self.hz):
            lasting = keep * lasting + math.sqrt(1 - keep**2) * rng.normal(size=2)
            noise = rng.normal(size=4)
            if self.tunnel[0] <= road.at("rolled", time_s) <= self.tunnel[1]:
                hidden_until = time_s + 1.6  # a receiver needs a moment
            if time_s < hidden_until:
                continue
            east, north = self.error_m * (0.99 * lasting + 0.1 * noise[:2])
            place = offset_lonlat(LON0, LAT0, road.at("east", time_s) + east, road.at("north", time_s) + north)
            speed = max(0.0, road.at("over_ground", time_s) + 0.06 * noise[2])
            course = (math.degrees(road.at("course", time_s)) + 0.5 * noise[3]) % 360 if speed > 1 else None
            fixes.append(
                Fix(float(time_s + self.jitter_s * rng.normal()), *map(float, place), self.error_m, course, speed)
            )
        return fixes

    def _odometry(self, road: Road) -> list[Odometry]:
        if self.odometer == "none":
            return []
        rng = np.random.default_rng((self.seed, 2))
        scale, bias = 1 + rng.normal(0, self.scale_sigma), rng.normal(0, self.bias_dps)
        times = np.arange(0, road.t[-1], 1 / self.odometer_hz)
        headings = np.degrees(np.interp(times, road.t, road.heading))
        rates = np.diff(headings, prepend=headings[0]) * self.odometer_hz + bias + rng.normal(0, 0.12, len(times))
        ways = np.interp(times, road.t, road.distance if self.odometer == "signed" else road.rolled)
        rows = zip(times.tolist(), (np.floor(ways * scale / 0.02) * 0.02).tolist(), rates.tolist(), strict=True)
        return [Odometry(t, metres, rate if self.gyro else None) for t, metres, rate in rows]


def poses_along(
    estimator: Estimator, readings: list[Measurement], *, every_s: float = 0.1, then: Callable[[], None] = lambda: None
) -> list[Pose]:
    """Feed an estimator; the poses that it gives at the newest measurement's time, every so often."""
    poses: list[Pose] = []
    for reading in readings:
        estimator.add(reading)
        then()
        if not poses or reading.time_s - poses[-1].time_s >= every_s:
            poses.append(estimator.pose_at(reading.time_s))
    return poses
