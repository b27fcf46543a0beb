# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A vehicle on a road as truth: ISO 8608 roads, holes, and four quarter cars with the Golden Car's parameters.

The vehicle is linear, so its acceleration is computed exactly in the frequency domain. Sources: ISO 8608:2016 (road
classes by the spectrum's value at 0.1 cycles/m, waviness 2); M. W. Sayers, "On the calculation of international
roughness index from longitudinal road profile", TRR 1501, 1995, and ASTM E1926 (Golden Car; a tyre takes the mean over
250 mm).
The body is taken to have a moment of inertia that makes the corners independent, and the sensor sits in its middle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.types import Acceleration, Pose

Floats = NDArray[np.float64]

TYRE, SPRING, DAMPER, AXLE = 653.0, 63.3, 6.0, 0.15  # per sprung mass: 1/s2, 1/s2, 1/s, 1
TYRE_M = 0.25
#: Geometric means of the classes at 0.1 cycles/m, m3.
CLASSES = {"A": 16e-6, "B": 64e-6, "C": 256e-6, "D": 1024e-6}
STEP_M, STEP_S = 0.02, 0.001
FRONT_M, REAR_M, TRACK_M = 2.0, -1.5, 1.7


@dataclass(frozen=True)
class Hole:
    """A rectangular pothole (or, with a negative depth, a hump) under the right wheels; middle, metres."""

    at_m: float
    depth_m: float = 0.05
    length_m: float = 0.4
    both_wheels: bool = False


def road(length_m: float, grade: str, seed: int) -> Floats:
    """Heights every `STEP_M`, periodic: a sum of waves of random phase, 0.011 to 10 cycles/m."""
    count = round(length_m / STEP_M)
    waves = np.fft.rfftfreq(count, STEP_M)
    density = np.zeros_like(waves)
    band = (waves >= 0.011) & (waves <= 10.0)
    density[band] = CLASSES[grade] * (waves[band] / 0.1) ** -2
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(waves))
    amplitudes = np.sqrt(2 * density / length_m)
    return np.fft.irfft(amplitudes * np.exp(1j * phases) * count / 2, count)


def under_tyre(heights: Floats) -> Floats:
    """What a tyre makes of it."""
    count = round(TYRE_M / STEP_M) | 1
    padded = np.concatenate([heights[-(count // 2) :], heights, heights[: count // 2]])
    return np.convolve(padded, np.ones(count) / count, mode="valid")


def body_acceleration(height: Floats) -> Floats:
    """Vertical acceleration of the body above one wheel whose road moves so, sampled every `STEP_S`."""
    omega = 2 * np.pi * np.fft.rfftfreq(len(height), STEP_S)
    strut = SPRING + 1j * omega * DAMPER
    wheel = TYRE / (TYRE + strut - AXLE * omega**2 - strut**2 / (strut - omega**2))
    body = -(omega**2) * strut / (strut - omega**2) * wheel
    return np.fft.irfft(np.fft.rfft(height) * body, len(height))


@dataclass(frozen=True)
class Drive:
    """Samples and poses of a straight drive to the north-east of the odometer frame's zero: along x."""

    times: Floats
    run_m: Floats
    samples: tuple[Acceleration, ...]

    def poses(self, every_s: float = 0.1) -> Iterator[Pose]:
        """Poses of the antenna, which starts at x 0; on earth due east along the equator's 13th degree."""
        for time_s in np.arange(0.0, self.times[-1], every_s):
            yield self.pose(float(time_s))

    def pose(self, time_s: float) -> Pose:
        x = float(np.interp(time_s, self.times, self.run_m))
        speed = (float(np.interp(time_s + 0.05, self.times, self.run_m)) - x) / 0.05
        lon = 13.0 + x / 111_319.49
        return Pose(time_s, x, 0.0, 0.0, x, speed, lon, 0.0, 0.5, 90.0, "gnss", "autonomous", 0.0)

    def fed_to(self, meter: object, before_pose: Callable[[Pose], None] | None = None) -> None:
        """Give everything to a meter in the order of time."""
        samples = iter(self.samples)
        waiting = next(samples, None)
        for pose in self.poses():
            while waiting is not None and waiting.time_s <= pose.time_s:
                meter.add(waiting)
                waiting = next(samples, None)
            if before_pose is not None:
                before_pose(pose)
            meter.move(pose)


def drive(
    *,
    seconds: float,
    speed_mps: Floats | float,
    grade: str | None = "A",
    holes: tuple[Hole, ...] = (),
    seed: int = 1,
    rate_hz: float = 200.0,
    noise_mps2: float = 0.05,
) -> Drive:
    """The vehicle's drive over one road with holes; `speed_mps` may be one value for each `STEP_S`."""
    times = np.arange(0.0, seconds, STEP_S)
    speeds = np.broadcast_to(np.asarray(speed_mps, dtype=float), times.shape)
    run_m = np.concatenate([[0.0], np.cumsum(speeds[:-1] * STEP_S)])
    length_m = run_m[-1] + 20.0
    marks = np.arange(0.0, length_m, STEP_M)
    common = road(length_m, grade, seed)[: len(marks)] if grade else np.zeros_like(marks)
    marks = marks[: len(common)]
    right = np.zeros_like(common)
    for hole in holes:
        inside = np.abs(marks - hole.at_m) <= hole.length_m / 2
        (common if hole.both_wheels else right)[inside] -= hole.depth_m
    left_wheel, right_wheel = under_tyre(common), under_tyre(common + right)
    total = np.zeros_like(times)
    for axle_m in (FRONT_M, REAR_M):
        for wheel in (left_wheel, right_wheel):
            total += body_acceleration(np.interp(run_m + axle_m, marks, wheel)) / 4
    return Drive(times, run_m, _sampled(times, total, rate_hz, noise_mps2, seed))


def _sampled(times: Floats, truth: Floats, rate_hz: float, noise_mps2: float, seed: int) -> tuple[Acceleration, ...]:
    """What a sensor says: the mean over its sampling time, noise, 4 mm/s2 a step, gravity, an uneven pace."""
    rng = np.random.default_rng(seed + 1)
    window = max(1, round(1 / rate_hz / STEP_S))
    smooth = np.convolve(truth, np.ones(window) / window, mode="same")
    at = np.arange(0.0, times[-1], 1 / rate_hz)
    at = at + rng.uniform(-0.1, 0.1, len(at)) / rate_hz
    values = np.interp(at, times, smooth) + 9.81 + rng.normal(0, noise_mps2, len(at))
    return tuple(Acceleration(float(t), float(round(v / 0.004) * 0.004)) for t, v in zip(at, values, strict=True))
