# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Wheels and camera on the same holes: blows confirm what the camera saw, and mark what it did not see.

Three kinds lie on a rough road (ISO 8608 class B): seen by the camera and hit by a wheel; hit, but never given by the
detector; seen, but between the wheels or in the other lane. The receiver is an RTK receiver.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.geometry.chain import Run, config_of, drive, off
from benchmarks.geometry.figure import Figure, Job, Plan
from benchmarks.geometry.motion import Go, Motion
from benchmarks.geometry.route import Route, straight
from benchmarks.geometry.rows.street import vehicle
from benchmarks.geometry.rumble import TRACK_M, WHEELBASE_M, Hole, accelerations
from benchmarks.geometry.sensors import RTK, readings
from benchmarks.geometry.things import on_road
from benchmarks.geometry.world import World
from edge.config import ImuConfig

LENGTH_M, EVERY_M, SPEEDS_KMH = 600.0, 25.0, (30.0, 50.0)
#: A shock this near to a hole is that hole's, metres.
NEAR_M = 2.5


@dataclass(frozen=True)
class Felt:
    """One drive. `rms`: median of the sections, on the same road at another speed."""

    speed_kmh: float
    seen: int
    confirmed: int
    wrongly_named: int
    unseen: int
    marked: int
    beside: int
    beside_confirmed: int
    nowhere: int
    km: float
    rms: float


def felt(seed: int, speed_kmh: float) -> Felt:
    """Drive over the holes."""
    rng, route = np.random.default_rng([seed, 10]), Route([straight(LENGTH_M + 100)])
    motion = Motion([Go(LENGTH_M + 80, speed_kmh)], start_m=-60)
    world = World(route, motion, vehicle(seed), seed=seed)
    holes, hidden = _holes(route, rng)
    said = readings(world, RTK, seed=seed)
    both = sorted([*said.measurements, *accelerations(world, holes, seed=seed)], key=lambda pair: pair[0])
    arm = world.vehicle.antenna_forward_m
    imu = ImuConfig(kind="iio", front_axle_forward_m=WHEELBASE_M - arm, rear_axle_forward_m=-arm, track_width_m=TRACK_M)
    things = [hole.thing for hole in holes if hole.thing.id not in hidden]
    said, config = replace(said, measurements=tuple(both)), config_of(world.vehicle, imu=imu)
    run = drive(world, said, things, seed=seed, config=config)
    return _felt(run, holes, hidden, speed_kmh)


def _holes(route: Route, rng: np.random.Generator) -> tuple[list[Hole], set[str]]:
    holes, hidden = [], set()
    for number, s in enumerate(np.arange(40.0, LENGTH_M, EVERY_M)):
        kind = number % 3
        side = float(rng.choice([-1, 1])) * TRACK_M / 2
        t = side + float(rng.uniform(-0.1, 0.1)) if kind < 2 else float(rng.choice([0.0, 2.2]))
        size = float(rng.uniform(0.5, 0.8))
        thing = on_road(route, f"h{number}", "pothole", s_m=float(s), t_m=t, length_m=size, width_m=0.5)
        holes.append(Hole(thing, float(rng.uniform(0.05, 0.08))))
        if kind == 1:
            hidden.add(thing.id)
    return holes, hidden


def _felt(run: Run, holes: Sequence[Hole], hidden: set[str], speed_kmh: float) -> Felt:
    owner = {seen.id: seen.owner for seen in run.seen}
    shocks = [shock for message in run.roughness for shock in message.shocks]
    of: dict[str, list[str | None]] = {hole.thing.id: [] for hole in holes}
    nowhere = 0
    for shock in shocks:
        ways = [
            (math.hypot(*off(shock.position, hole.thing.east_m, hole.thing.north_m)), hole)
            for hole in holes
            if shock.position is not None and hole.is_hit
        ]
        # A shock lies somewhere between the wheels: half of the track is no error.
        near = min(ways, key=lambda pair: pair[0], default=None)
        if near is None or near[0] > math.hypot(NEAR_M, TRACK_M / 2):
            nowhere += 1
        else:
            of[near[1].thing.id].append(None if shock.observation is None else owner.get(shock.observation, "?"))
    hit = [hole.thing.id for hole in holes if hole.is_hit]
    seen, unseen = [name for name in hit if name not in hidden], [name for name in hit if name in hidden]
    beside = [hole.thing.id for hole in holes if not hole.is_hit]
    sections = [section.rms_mps2 for message in run.roughness for section in message.sections]
    return Felt(
        speed_kmh,
        len(seen),
        sum(name in of[name] for name in seen),
        sum(told is not None and told != name for name in hit for told in of[name]),
        len(unseen),
        sum(None in of[name] for name in unseen),
        len(beside),
        sum(any(name in told for told in of.values()) for name in beside),
        nowhere,
        LENGTH_M / 1000,
        float(np.median(sections)) if sections else math.nan,
    )


def jobs(plan: Plan) -> list[Job]:
    """A few roads at two speeds."""
    return [Job(felt, (seed, speed)) for seed in plan.some(5, short=1) for speed in SPEEDS_KMH]


def figures(results: Sequence[Felt]) -> list[Figure]:
    """Confirmed, marked, not confirmed, nothing felt where nothing is; and the same road at two speeds."""
    names = ("seen", "confirmed", "wrongly_named", "unseen", "marked", "beside", "beside_confirmed", "nowhere", "km")
    sums = {name: sum(getattr(drive, name) for drive in results) for name in names}
    return [
        Figure(
            "roughness",
            "shocks: potholes that the camera saw and a wheel hit, confirmed under their own observation",
            ">= 90 %",
            f"{sums['confirmed']} of {sums['seen']}, {sums['wrongly_named']} named another",
            sums["confirmed"] >= 0.9 * sums["seen"] and sums["wrongly_named"] == 0,
            sums,
        ),
        Figure(
            "roughness",
            "shocks: potholes hit that the camera did not see, marked so",
            ">= 90 %",
            f"{sums['marked']} of {sums['unseen']}",
            sums["marked"] >= 0.9 * sums["unseen"],
        ),
        Figure(
            "roughness",
            "shocks: potholes beside the wheels that were confirmed nevertheless",
            "0",
            f"{sums['beside_confirmed']} of {sums['beside']}",
            sums["beside_confirmed"] == 0,
        ),
        Figure(
            "roughness",
            "shocks where nothing lies, per km",
            "< 1",
            f"{sums['nowhere'] / sums['km']:.2f} ({sums['nowhere']} in {sums['km']:.1f} km)",
            sums["nowhere"] < sums["km"],
        ),
        _same_road(results),
    ]


def _same_road(results: Sequence[Felt]) -> Figure:
    rms = {v: float(np.mean([d.rms for d in results if d.speed_kmh == v])) for v in SPEEDS_KMH}
    ratio = rms[SPEEDS_KMH[1]] / rms[SPEEDS_KMH[0]]
    return Figure(
        "roughness",
        f"the same road at {SPEEDS_KMH[1]:.0f} and {SPEEDS_KMH[0]:.0f} km/h: ratio of the speed-normalised means",
        "0.8 to 1.25",
        f"{ratio:.2f} ({rms[SPEEDS_KMH[1]]:.2f} and {rms[SPEEDS_KMH[0]]:.2f} m/s^2)",
        0.8 <= ratio <= 1.25,
        {"ratio": ratio},
    )
