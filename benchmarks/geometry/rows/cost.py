# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What looking costs: judged frames per kilometre at any speed, none while standing; and what the road gets for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.geometry.chain import FRAMES_PER_S, Run, drive
from benchmarks.geometry.figure import Figure, Job, Plan
from benchmarks.geometry.motion import Go, Motion, Stand
from benchmarks.geometry.route import Route, straight
from benchmarks.geometry.sensors import Fitted, readings
from benchmarks.geometry.things import on_road
from benchmarks.geometry.world import Vehicle, World, see

SPEEDS_KMH = (10.0, 30.0, 50.0, 80.0)
#: The stretch that is counted, metres along the route, and how far ahead a look still shows fine detail.
FROM_M, TO_M, NEAR_M = 100.0, 500.0, 12.0
STOP_M, STOP_S = 150.0, 120.0
#: Looks that every metre must get within `NEAR_M` ahead.
LOOKS = 3


@dataclass(frozen=True)
class Cost:
    """One drive. `standing`: frames judged at a stop, after its first second."""

    speed_kmh: float
    per_km: float
    fewest_looks: int
    standing: int | None = None


def steady(seed: int, speed_kmh: float) -> Cost:
    """Past the stretch at one speed."""
    route = Route([straight(TO_M + 60)])
    world, run = _driven(route, Motion([Go(TO_M + 40, speed_kmh)], start_m=-40), seed)
    s, _ = world.motion.at(np.array(run.judged_at))
    counted = int(((s >= FROM_M) & (s < TO_M)).sum())
    return Cost(speed_kmh, 1000 * counted / (TO_M - FROM_M), _fewest(world, run))


def _fewest(world: World, run: Run) -> int:
    """The least number of judged frames that showed a metre of road well, over all metres of the stretch."""
    camera, bodies = world.vehicle.camera, [world.body(time_s) for time_s in run.judged_at]
    fewest = len(bodies)
    for s in np.arange(FROM_M + 20, TO_M - 20, 1.0):
        patch = on_road(world.route, "m", "alligator_crack", s_m=float(s), t_m=0.0, length_m=0.1, width_m=0.1)
        near = [body for body in bodies if 0 < s - body.s_m < NEAR_M + 10]
        sights = [sight for body in near if (sight := see(patch, body, camera)) is not None]
        fewest = min(fewest, sum(sight.share == 1.0 and sight.ahead_m <= NEAR_M for sight in sights))
    return fewest


def standing(seed: int) -> Cost:
    """A long stop in the middle."""
    route = Route([straight(300)])
    motion = Motion([Go(STOP_M, 30.0), Stand(STOP_S), Go(300.0, 30.0)], start_m=-40)
    _, run = _driven(route, motion, seed)
    stands = motion.t[np.abs(motion.v) < 1e-6]
    from_s, to_s = float(stands[0]) + 1.0, float(stands[-1])
    return Cost(0.0, 0.0, 0, sum(from_s < time_s < to_s for time_s in run.judged_at))


def _driven(route: Route, motion: Motion, seed: int) -> tuple[World, Run]:
    world = World(route, motion, Vehicle(), seed=seed)
    return world, drive(world, readings(world, Fitted(), seed=seed), (), seed=seed)


def jobs(plan: Plan) -> list[Job]:
    """All speeds and the stop."""
    seeds = plan.some(5, short=1)
    return [Job(steady, (seed, speed)) for seed in seeds for speed in SPEEDS_KMH] + [
        Job(standing, (seed,)) for seed in seeds
    ]


def figures(results: Sequence[Cost]) -> list[Figure]:
    """Cost per speed, the stop, and the looks for it."""
    moving = [cost for cost in results if cost.standing is None]
    by_speed = {v: [c for c in moving if c.speed_kmh == v] for v in SPEEDS_KMH}
    means = {v: float(np.mean([c.per_km for c in costs])) for v, costs in by_speed.items()}
    fewest = {v: min(c.fewest_looks for c in costs) for v, costs in by_speed.items()}
    stood = [cost.standing for cost in results if cost.standing is not None]
    speeds = ", ".join(f"{v:.0f}" for v in SPEEDS_KMH)
    return [
        Figure(
            "cost",
            f"judged frames per km at {speeds} km/h ({FRAMES_PER_S:.0f} frames/s)",
            "per way, not per second: within 10 %",
            ", ".join(f"{mean:.0f}" for mean in means.values()),
            max(means.values()) <= 1.1 * min(means.values()),
            {f"per_km_at_{v:.0f}": mean for v, mean in means.items()},
        ),
        Figure(
            "cost",
            f"judged frames while standing ({STOP_S:.0f} s)",
            "0",
            f"{max(stood)} (worst of {len(stood)} stops)",
            max(stood) == 0,
            {"standing": max(stood)},
        ),
        Figure(
            "cost",
            f"looks that every metre got within {NEAR_M:.0f} m ahead, at {speeds} km/h",
            f">= {LOOKS}",
            ", ".join(str(n) for n in fewest.values()),
            min(fewest.values()) >= LOOKS,
            {f"looks_at_{v:.0f}": n for v, n in fewest.items()},
        ),
    ]
