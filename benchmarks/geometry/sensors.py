# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What receiver, wheel and gyro say: the truth with errors like real ones, and the errors themselves.

A fix's error is correlated in time (Gauss-Markov) and as large as the receiver states: `error_m` along each axis.
Speed and course are the antenna's motion over ground, so in reverse the course points backwards and in a bend it
is not the body's heading. Numbers of wheel and gyro as in `edge.simulator.sensors`, the odometer's scale apart.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.geometry.route import Floats, lonlat
from benchmarks.geometry.world import World
from edge.positioning.utc import UtcGuard
from edge.simulator.sensors import (
    GNSS_MEMORY_S,
    GYRO_BIAS_DPS,
    GYRO_NOISE_DPS,
    HEADING_MPS,
    MOUTH_FACTOR,
    MOUTH_M,
    PULSE_M,
    REACQUIRE_S,
)
from edge.types import Fix, FixQuality, Measurement, Odometry

ODOMETER_HZ, GNSS_HZ = 20.0, 5.0
#: Of a receiver's speed, metres per second; its course is as good as that and never better than half a degree.
SPEED_NOISE_MPS, COURSE_NOISE_DEG = 0.06, 0.5
START_UTC_S = 1_781_500_000.0
#: Measurements are handed out so long after they were taken: the receiver's latency and some patience (`edge.sensors`).
LATENCY_S = 0.2
#: The latency is configured right, but no message takes exactly as long as the one before, seconds.
JITTER_S = 0.01


@dataclass(frozen=True)
class Fitted:
    """Which sensors a vehicle has and how good they are. `outages`: from, to in metres along the route (tunnels).

    `errs`: how much of the error that it states the receiver really has; 0 shows what is left without it.
    """

    error_m: float = 1.5
    errs: float = 1.0
    quality: FixQuality = "autonomous"
    outages: tuple[tuple[float, float], ...] = ()
    odometer_scale: float = 1.01
    odometer: bool = True
    gyro: bool = True


RTK = Fitted(error_m=0.02, quality="rtk_fixed")


@dataclass(frozen=True)
class Readings:
    """What the sensors say, each with its time of arrival, and the receiver's true error (east, north; metres)."""

    measurements: tuple[tuple[float, Measurement], ...]
    error_times: Floats = field(repr=False)
    errors: Floats = field(repr=False)

    def receiver_error(self, times: Sequence[float]) -> tuple[float, float]:
        """The receiver's true error, mean over some moments."""
        east, north = (np.interp(times, self.error_times, self.errors[:, axis]).mean() for axis in (0, 1))
        return float(east), float(north)


class Live:
    """A source of positions that knows what a live vehicle knows: what has arrived, in the order in which it did.

    UTC passes the guard that every receiver's driver has; `counts` is what it counted.
    """

    def __init__(self, measurements: Sequence[tuple[float, Measurement]]) -> None:
        self._arriving, self._next = measurements, 0
        self.counts: Counter[str] = Counter()
        self._guard = UtcGuard(self.counts)

    def until(self, time_s: float) -> Sequence[Measurement]:
        """All that has come by then."""
        start = self._next
        while self._next < len(self._arriving) and self._arriving[self._next][0] <= time_s:
            self._next += 1
        return [self._received(when, measurement) for when, measurement in self._arriving[start : self._next]]

    def _received(self, when_s: float, measurement: Measurement) -> Measurement:
        if not isinstance(measurement, Fix) or measurement.utc_s is None:
            return measurement
        return replace(measurement, utc_s=self._guard.believed(measurement.utc_s, when_s))

    def close(self) -> None:
        """Nothing to release."""


def readings(world: World, fitted: Fitted, *, seed: int) -> Readings:
    """Everything that the sensors say during the drive."""
    fixes, times, errors = _fixes(world, fitted, np.random.default_rng([seed, 2]))
    wheels = _odometry(world, fitted, np.random.default_rng([seed, 3])) if fitted.odometer else []
    both: list[Measurement] = [*wheels, *fixes]
    both.sort(key=lambda m: (m.time_s, isinstance(m, Fix)))
    return Readings(tuple((m.time_s + LATENCY_S, m) for m in both), times, errors)


def _fixes(world: World, fitted: Fitted, rng: np.random.Generator) -> tuple[list[Fix], Floats, Floats]:
    times = np.arange(0.05, world.motion.duration_s, 1 / GNSS_HZ)
    keep = math.exp(-1 / GNSS_HZ / GNSS_MEMORY_S)
    state, fixes, errors, hidden_until = rng.standard_normal(2), [], [], -1.0
    for time_s in times:
        state = keep * state + math.sqrt(1 - keep * keep) * rng.standard_normal(2)
        noise, draws = rng.standard_normal(2), rng.standard_normal(3)
        body = world.body(float(time_s))
        mouth, hidden = _sky(body.s_m, fitted.outages)
        if hidden:
            hidden_until = time_s + REACQUIRE_S
        said = fitted.error_m * (MOUTH_FACTOR if mouth else 1.0)
        error = fitted.errs * said * (0.99 * state + 0.14 * noise)
        errors.append(error)
        if time_s < hidden_until:
            continue
        lon, lat = lonlat(body.east_m + float(error[0]), body.north_m + float(error[1]))
        speed, course = _over_ground(world, float(time_s))
        fuzzy = max(COURSE_NOISE_DEG, math.degrees(SPEED_NOISE_MPS / max(speed, 0.1)))
        told = math.degrees(course) + fuzzy * float(draws[1])
        speed = max(0.0, speed + SPEED_NOISE_MPS * float(draws[0]))
        fixes.append(
            Fix(
                float(time_s + JITTER_S * np.clip(draws[2], -3, 3)),
                lon,
                lat,
                said,
                heading_deg=told % 360 if speed > HEADING_MPS else None,
                speed_mps=speed,
                utc_s=START_UTC_S + float(time_s),
                quality=fitted.quality,
            )
        )
    return fixes, times, np.array(errors)


def _sky(s_m: float, outages: Sequence[tuple[float, float]]) -> tuple[bool, bool]:
    """Whether a tunnel's mouth hides half of the sky, and whether all of it is hidden."""
    near = any(min(abs(s_m - start), abs(s_m - end)) < MOUTH_M for start, end in outages)
    return near, any(start <= s_m <= end for start, end in outages)


def _over_ground(world: World, time_s: float) -> tuple[float, float]:
    """Speed and direction of the antenna's motion, metres per second and radians clockwise from north."""
    before, after = world.body(max(0.0, time_s - 0.05)), world.body(time_s + 0.05)
    east, north = after.east_m - before.east_m, after.north_m - before.north_m
    return math.hypot(east, north) / (after.time_s - before.time_s), math.atan2(east, north)


def _odometry(world: World, fitted: Fitted, rng: np.random.Generator) -> list[Odometry]:
    step = 1 / ODOMETER_HZ
    times = np.arange(0.0, world.motion.duration_s, step)
    bias = float(rng.normal(0, GYRO_BIAS_DPS))
    s, _ = world.motion.at(times)
    turned = np.degrees(np.diff(world.route.heading(s), prepend=world.route.heading(s[:1])))
    rate = turned / step + bias + GYRO_NOISE_DPS * rng.standard_normal(len(times))
    metres = np.floor((s - s[0]) * fitted.odometer_scale / PULSE_M) * PULSE_M
    return [
        Odometry(float(t), float(m), float(r) if fitted.gyro else None)
        for t, m, r in zip(times, metres, rate, strict=True)
    ]
