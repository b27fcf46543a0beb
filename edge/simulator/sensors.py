# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the vehicle's receiver, wheel and gyro say: the truth with errors like real ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import numpy as np

from edge.geometry import offset_lonlat
from edge.simulator.noise import Floats, generator
from edge.simulator.truth import Sensors

if TYPE_CHECKING:
    from edge.simulator.motion import Motion
    from edge.simulator.route import Route

GNSS_HZ, ODOMETER_HZ = 5.0, 20.0
#: One standard deviation in the plane (both axes together), and how long an error lasts.
GNSS_ERROR_M, GNSS_MEMORY_S = 1.5, 25.0
#: Near a tunnel's mouth the sky is half hidden; after it the receiver needs a moment.
MOUTH_M, MOUTH_FACTOR, REACQUIRE_S = 15.0, 2.0, 1.6
ODOMETER_SCALE_ERROR = 0.005
PULSE_M = 0.02
GYRO_BIAS_DPS, GYRO_NOISE_DPS = 0.15, 0.12
#: Below this speed a receiver's heading is left out.
HEADING_MPS = 1.0
#: When a drive starts that is told nothing else: made up, never the wall clock.
START_UTC = datetime(2026, 6, 15, 6, 30, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Readings:
    """Rows of `track.csv` and `odometry.csv`, and what was drawn for the whole drive."""

    track: list[str]
    odometry: list[str]
    drawn: Sensors


@dataclass(frozen=True)
class Day:
    """Which of the drives along a road it is: each has errors of its own. `start_utc`: when it begins."""

    number: int = 0
    start_utc: datetime = START_UTC

    def generator(self, seed: int, purpose: str) -> np.random.Generator:
        """Of this day; day 0 has those of a drive that knows of no days."""
        return generator(seed, purpose, self.number) if self.number else generator(seed, purpose)


def readings(
    seed: int, route: Route, motion: Motion, tunnel: tuple[float, float] | None, day: Day | None = None
) -> Readings:
    """Everything that the sensors say during the drive."""
    day = day or Day()
    rng = day.generator(seed, "sensors")
    scale = 1 + float(np.clip(rng.normal(0, ODOMETER_SCALE_ERROR), -2 * ODOMETER_SCALE_ERROR, 2 * ODOMETER_SCALE_ERROR))
    bias = float(rng.normal(0, GYRO_BIAS_DPS))
    drawn = Sensors(GNSS_ERROR_M, ODOMETER_SCALE_ERROR, round(scale, 6), round(bias, 4))
    track = _track(day.generator(seed, "gnss"), route, motion, tunnel, day.start_utc)
    return Readings(track, _odometry(day.generator(seed, "odometer"), route, motion, scale, bias), drawn)


def _wander(rng: np.random.Generator, count: int, step_s: float) -> Floats:
    """A Gauss-Markov error of deviation 1 per axis (count x 2)."""
    keep = math.exp(-step_s / GNSS_MEMORY_S)
    error = np.empty((count, 2))
    error[0] = rng.standard_normal(2)
    kicks = rng.standard_normal((count, 2)) * math.sqrt(1 - keep * keep)
    for i in range(1, count):
        error[i] = keep * error[i - 1] + kicks[i]
    return error


def _track(
    rng: np.random.Generator, route: Route, motion: Motion, tunnel: tuple[float, float] | None, start_utc: datetime
) -> list[str]:
    times = np.arange(0.0, motion.duration_s + 1e-9, 1 / GNSS_HZ)
    away, speeds = motion.distance(times), motion.speed(times)
    wander = _wander(rng, len(times), 1 / GNSS_HZ)
    rows, hidden_until = [], -1.0
    for i, t in enumerate(times):
        draws = rng.standard_normal(5)
        s, factor = float(away[i]), 1.0
        if tunnel is not None:
            if tunnel[0] <= s <= tunnel[1]:
                hidden_until = t + REACQUIRE_S
            factor = MOUTH_FACTOR if min(abs(s - tunnel[0]), abs(s - tunnel[1])) < MOUTH_M else 1.0
        if t < hidden_until:
            continue
        error_m = GNSS_ERROR_M * factor
        off = error_m / math.sqrt(2) * (0.99 * wander[i] + 0.1 * draws[:2])
        place = route.place(s)
        lon, lat = offset_lonlat(*place.lonlat, float(off[0]), float(off[1]))
        speed = max(0.0, float(speeds[i]) + 0.06 * float(draws[2]))
        heading = f"{(place.heading_deg + 0.5 * float(draws[3])) % 360:.2f}" if speed > HEADING_MPS else ""
        said = error_m * (1 + 0.08 * float(draws[4]))
        utc = (start_utc + timedelta(seconds=float(t))).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        rows.append(f"{t:.3f},{lat:.8f},{lon:.8f},{heading},{speed:.3f},{max(0.5, said):.2f},{utc}")
    return rows


def _odometry(rng: np.random.Generator, route: Route, motion: Motion, scale: float, bias: float) -> list[str]:
    step = 1 / ODOMETER_HZ
    times = np.arange(0.0, motion.duration_s + 1e-9, step)
    run = motion.distance(times)
    before = motion.distance(np.clip(times - step, 0, None))
    rows = []
    for i, t in enumerate(times):
        turned = route.place(float(run[i])).heading_deg - route.place(float(before[i])).heading_deg
        turned = (turned + 180) % 360 - 180
        rate = turned / step + bias + GYRO_NOISE_DPS * float(rng.standard_normal())
        distance = math.floor(float(run[i]) * scale / PULSE_M) * PULSE_M
        rows.append(f"{t:.3f},{distance:.2f},{rate:.3f}")
    return rows
