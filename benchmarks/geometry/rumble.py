# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What an accelerometer in the middle of the vehicle feels: four quarter cars over a rough road with holes in it.

The road is a random one with the spectrum of ISO 8608 (class B, G ~ n^-2), one for each wheel track; a hole is
a raised cosine that the tyre's footprint has rounded off. Parameters are those of a light van.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.geometry.route import Floats
from benchmarks.geometry.sensors import LATENCY_S
from benchmarks.geometry.things import Thing
from benchmarks.geometry.world import World
from edge.types import Acceleration, Measurement

SAMPLES_HZ, STEP_S = 200.0, 0.001
WHEELBASE_M, TRACK_M, TYRE_M = 3.5, 1.7, 0.2
#: Per wheel: body and wheel (kg), spring (N/m) and damper (N s/m), tyre (N/m).
BODY_KG, WHEEL_KG, SPRING, DAMPER, TYRE = 420.0, 45.0, 24_000.0, 1_900.0, 200_000.0
#: ISO 8608 class B: spectral density at 0.1 cycles per metre, cubic metres.
ROUGHNESS_M3 = 64e-6
NOISE_MPS2, GRAVITY_MPS2 = 0.06, 9.81
_GRID_M = 0.02


@dataclass(frozen=True)
class Hole:
    """A pothole as the wheels meet it."""

    thing: Thing
    depth_m: float

    @property
    def is_hit(self) -> bool:
        """Whether a wheel of a vehicle on the line goes through it: at least half of the tyre."""
        return any(abs(self.thing.t_m - side * TRACK_M / 2) < self.thing.width_m / 2 for side in (-1, 1))


def accelerations(world: World, holes: Sequence[Hole], *, seed: int) -> list[tuple[float, Measurement]]:
    """Samples with their times of arrival."""
    rng = np.random.default_rng([seed, 9])
    times = np.arange(0.0, world.motion.duration_s - 0.05, STEP_S)
    s, _ = world.motion.at(times)
    grid = np.arange(s.min() - 10, s.max() + WHEELBASE_M + 10, _GRID_M)
    tracks = [_profile(grid, side * TRACK_M / 2, holes, rng) for side in (1, -1)]
    wheels = np.stack([np.interp(s + ahead, grid, track) for ahead in (WHEELBASE_M, 0.0) for track in tracks])
    felt = _quarter_cars(wheels).mean(axis=0)
    every = round(1 / SAMPLES_HZ / STEP_S)
    felt = felt[::every] + GRAVITY_MPS2 + NOISE_MPS2 * rng.standard_normal(len(felt[::every]))
    return [(float(t) + LATENCY_S, Acceleration(float(t), float(a))) for t, a in zip(times[::every], felt, strict=True)]


def _profile(grid: Floats, t_m: float, holes: Sequence[Hole], rng: np.random.Generator) -> Floats:
    """Height of the road along a wheel track."""
    count = len(grid)
    n = np.fft.rfftfreq(count, _GRID_M)
    density = np.where((n > 0.02) & (n < 5.0), ROUGHNESS_M3 * (np.maximum(n, 1e-6) / 0.1) ** -2, 0.0)
    phase = np.exp(2j * math.pi * rng.random(len(n)))
    height = np.fft.irfft(np.sqrt(density * count / _GRID_M / 2) * phase, count)
    for hole in holes:
        thing = hole.thing
        if abs(thing.t_m - t_m) < thing.width_m / 2:
            off = np.clip((grid - thing.s_m) / (thing.length_m / 2), -1, 1)
            height = height - hole.depth_m * (1 + np.cos(math.pi * off)) / 2
    tyre = np.ones(round(TYRE_M / _GRID_M))
    return np.convolve(height, tyre / len(tyre), mode="same")


def _quarter_cars(ground: Floats) -> Floats:
    """Acceleration of the body over each wheel (wheels x steps), semi-implicit Euler."""
    wheels, steps = ground.shape
    body, body_v, hub, hub_v = ground[:, 0].copy(), np.zeros(wheels), ground[:, 0].copy(), np.zeros(wheels)
    felt = np.empty((wheels, steps))
    for i in range(steps):
        strut = SPRING * (hub - body) + DAMPER * (hub_v - body_v)
        felt[:, i] = strut / BODY_KG
        body_v = body_v + felt[:, i] * STEP_S
        hub_v = hub_v + (TYRE * (ground[:, i] - hub) - strut) / WHEEL_KG * STEP_S
        body, hub = body + body_v * STEP_S, hub + hub_v * STEP_S
    return felt
