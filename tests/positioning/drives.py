# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A drive through a town with its truth, and what noisy sensors say of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edge.geometry import east_north, offset_lonlat
from edge.positioning.estimator import Estimator
from edge.positioning.replay import ReplayPositions
from edge.types import Fix, Odometry

if TYPE_CHECKING:
    from edge.types import Pose

LON0, LAT0 = 13.4, 52.5
STEP_S = 0.01
#: Start, degrees per second, duration of each bend.
BENDS = ((20, 18, 5), (40, -15, 6), (80, 20, 4.5), (130, -12, 7), (150, 10, 9))
TUNNEL_BEND = (62, 3, 12)


class Drive:
    """180 s: starts from rest, up to 60 km/h, bends of up to 90 degrees, 15 s of standing at 100 s."""

    def __init__(self, *, end_s: float = 180.0) -> None:
        t = np.arange(0, end_s + 3, STEP_S)
        ramp = np.interp(t, [0, 95, 100, 115, 121, 1e9], [1, 1, 0, 0, 1, 1])
        self.speed = np.clip(1.2 * t, 0, 14) * (1 + 0.2 * np.sin(t / 15)) * ramp
        self.rate = np.zeros_like(t)
        for start, dps, lasts in (*BENDS, TUNNEL_BEND):
            self.rate[(t >= start) & (t < start + lasts)] += math.radians(dps)
        heading = np.cumsum(self.rate) * STEP_S + math.radians(70)
        self.t, self.heading = t, heading
        self.east = np.cumsum(self.speed * np.sin(heading)) * STEP_S
        self.north = np.cumsum(self.speed * np.cos(heading)) * STEP_S
        self.distance = np.cumsum(self.speed) * STEP_S
        self.end_s = end_s

    def at(self, name: str, time_s: float) -> float:
        return float(np.interp(time_s, self.t, getattr(self, name)))

    def error_m(self, pose: Pose) -> float:
        """How far a pose is from the truth."""
        assert pose.lon is not None
        assert pose.lat is not None
        east, north = east_north(pose.lon, pose.lat, LON0, LAT0)
        return math.hypot(east - self.at("east", pose.time_s), north - self.at("north", pose.time_s))


@dataclass
class Sensors:
    """What is fitted and how good it is. `lasting`: correlation of a fix's error with that of the fix before."""

    seed: int = 0
    error_m: float = 3.0
    lasting: float = 0.0
    every_s: float = 1.0
    tunnel: tuple[float, float] = (math.inf, math.inf)
    motion: bool = True
    odometer: bool = True
    gyro: bool = True
    scale: float = 1.02
    outliers: dict[int, tuple[float, float]] = field(default_factory=dict)

    def fixes(self, drive: Drive) -> list[Fix]:
        rng, fixes, error = np.random.default_rng(self.seed), [], np.zeros(2)
        for index, time_s in enumerate(np.arange(0.3, drive.end_s, self.every_s)):
            keep = self.lasting if index else 0.0
            error = keep * error + math.sqrt(1 - keep**2) * rng.normal(0, self.error_m, 2)
            heading, speed = rng.normal(0, 2), rng.normal(0, 0.2)
            if self.tunnel[0] < time_s < self.tunnel[1]:
                continue
            away = self.outliers.get(index, (0.0, 0.0))
            east, north = (drive.at(n, time_s) + e + a for n, e, a in zip(("east", "north"), error, away, strict=True))
            true_speed = drive.at("speed", time_s)
            course = (math.degrees(drive.at("heading", time_s)) + heading) % 360
            lon, lat = offset_lonlat(LON0, LAT0, east, north)
            moving = self.motion and true_speed > 1
            fixes.append(
                Fix(
                    float(time_s),
                    lon,
                    lat,
                    self.error_m,
                    course if moving else None,
                    max(0.0, true_speed + speed) if self.motion else None,
                )
            )
        return fixes

    def odometry(self, drive: Drive) -> list[Odometry]:
        if not self.odometer:
            return []
        rng = np.random.default_rng(self.seed + 1)
        rows = []
        for time_s in np.arange(0, drive.end_s, 0.1):
            metres = math.floor(drive.at("distance", time_s) / self.scale / 0.05) * 0.05
            rate = math.degrees(drive.at("rate", time_s)) + 0.4 + rng.normal(0, 0.3)
            rows.append(Odometry(float(time_s), metres, rate if self.gyro else None))
        return rows


def driven(
    drive: Drive, sensors: Sensors, *, ahead_s: float = 1.5, until_s: float | None = None
) -> tuple[list[Pose], Estimator]:
    """Poses ten times a second. `ahead_s`: how far beyond a frame the measurements are known (live: below 0)."""
    source = ReplayPositions(sensors.fixes(drive), sensors.odometry(drive))
    estimator, poses = Estimator(), []
    for time_s in np.arange(0.3, until_s or drive.end_s - 2, 0.1):
        for measurement in source.until(time_s + ahead_s):
            estimator.add(measurement)
        poses.append(estimator.pose_at(float(time_s)))
    return poses, estimator
