# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Hard places, each as true: close neighbours, a tight bend, a stop on top of a pothole, reversing, coming back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.geometry.chain import drive
from benchmarks.geometry.figure import Figure, Job, Plan
from benchmarks.geometry.judge import beside_truth
from benchmarks.geometry.motion import Go, Motion, Stand
from benchmarks.geometry.route import Route, bend, straight
from benchmarks.geometry.rows.street import vehicle
from benchmarks.geometry.sensors import RTK, readings
from benchmarks.geometry.things import Thing, on_road
from benchmarks.geometry.world import World

#: "As true" asks for the right number of observations of every defect, most looks of each at that defect, and none
#: farther off than this, metres (the receiver is an RTK receiver: what counts here is the tracking).
WITHIN_M = 1.0


@dataclass(frozen=True)
class Scene:
    """A route, a drive along it and what lies there; `passes`: observations that each defect should get."""

    route: Route
    motion: Motion
    things: tuple[Thing, ...]
    passes: int = 1


@dataclass(frozen=True)
class Outcome:
    """One drive through a scene. `wrong` is empty where all was as true."""

    name: str
    defects: int
    observations: int
    wrong: str


def _pothole(route: Route, number: int, s_m: float, t_m: float, size_m: float = 0.5) -> Thing:
    return on_road(route, f"p{number}", "pothole", s_m=s_m, t_m=t_m, length_m=size_m, width_m=size_m)


def _apart(seed: int, *, along: bool) -> Scene:
    rng, route = np.random.default_rng([seed, 6]), Route([straight(160)])
    s, t = 100 + float(rng.uniform(0, 2)), float(rng.uniform(-0.5, 0.5))
    second = (s + 1.5, t) if along else (s, t + 1.5)
    things = (_pothole(route, 0, s, t), _pothole(route, 1, *second))
    return Scene(route, Motion([Go(160, float(rng.uniform(25, 55)))], start_m=-60), things)


def two_behind(seed: int) -> Scene:
    """Two potholes 1.5 m apart, one behind the other."""
    return _apart(seed, along=True)


def two_beside(seed: int) -> Scene:
    """Two potholes 1.5 m apart, side by side."""
    return _apart(seed, along=False)


def ten_in_five(seed: int) -> Scene:
    """Ten potholes in five metres of lane: five rows of two, a little out of line."""
    rng, route = np.random.default_rng([seed, 6]), Route([straight(160)])
    things = tuple(
        _pothole(
            route,
            2 * row + side,
            100 + row * 1.1 + float(rng.uniform(-0.15, 0.15)),
            (0.8 if side else -0.5) + float(rng.uniform(-0.15, 0.15)),
            float(rng.uniform(0.25, 0.4)),
        )
        for row in range(5)
        for side in (0, 1)
    )
    return Scene(route, Motion([Go(160, float(rng.uniform(25, 55)))], start_m=-60), things)


def tight_bend(seed: int) -> Scene:
    """A right angle at 30 m radius with eight potholes along it."""
    rng = np.random.default_rng([seed, 6])
    route = Route([straight(80), bend(30, 90 if seed % 2 else -90), straight(80)])
    things = tuple(
        _pothole(route, n, 82 + n * 6.0 + float(rng.uniform(-1, 1)), float(rng.uniform(-1, 2)), 0.6) for n in range(8)
    )
    return Scene(route, Motion([Go(205, float(rng.uniform(18, 25)))], start_m=-60), things)


def stop_on_top(seed: int) -> Scene:
    """A stop of half a minute at a light, on top of a pothole or up to ten metres before it."""
    rng, route = np.random.default_rng([seed, 6]), Route([straight(200)])
    things = (_pothole(route, 0, 120.0, 0.3), _pothole(route, 1, 124.0, -0.4))
    stop = 120.0 - 2.0 * (seed % 6)
    return Scene(route, Motion([Go(stop, 40), Stand(30 + float(rng.uniform(0, 5))), Go(200, 40)], start_m=-60), things)


def reverse_before(seed: int) -> Scene:
    """Stops before a pothole, reverses with it in view, drives on over it."""
    rng, route = np.random.default_rng([seed, 6]), Route([straight(200)])
    stop = 120.0 - float(rng.uniform(7, 12))
    steps: list[Go | Stand] = [Go(stop, 25), Stand(3), Go(stop - float(rng.uniform(5, 15)), 5), Stand(2), Go(200, 25)]
    return Scene(route, Motion(steps, start_m=-60), (_pothole(route, 0, 120.0, 0.3), _pothole(route, 1, 123.0, -0.5)))


def reverse_over(seed: int) -> Scene:
    """Drives past a pothole, reverses back over it at once and drives over it again: one manoeuvre, one pass."""
    rng, route = np.random.default_rng([seed, 6]), Route([straight(200)])
    past, back = 120.0 + float(rng.uniform(4, 8)), 120.0 - float(rng.uniform(10, 15))
    steps: list[Go | Stand] = [Go(past, 25), Stand(2), Go(back, 6), Stand(2), Go(200, 25)]
    return Scene(route, Motion(steps, start_m=-60), (_pothole(route, 0, 120.0, 0.3),))


def come_back(seed: int) -> Scene:
    """Once around the block and over the same potholes again: a new pass, so each is told twice."""
    rng = np.random.default_rng([seed, 6])
    around = [straight(150), bend(40, 180), straight(150), bend(40, 180)]
    route = Route([straight(60), *around, *around])
    things = (_pothole(route, 0, 120.0, 0.3), _pothole(route, 1, 128.0 + float(rng.uniform(-1, 1)), -0.5))
    return Scene(route, Motion([Go(60 + 150 + 552, 36)], start_m=-60), things, passes=2)


SCENES: dict[str, tuple[str, Callable[[int], Scene]]] = {
    "two_behind": ("two potholes 1.5 m apart, one behind the other", two_behind),
    "two_beside": ("two potholes 1.5 m apart, side by side", two_beside),
    "ten_in_five": ("ten potholes in 5 m", ten_in_five),
    "tight_bend": ("bend of 30 m radius, eight potholes", tight_bend),
    "stop_on_top": ("stop at a light on top of a pothole and before it", stop_on_top),
    "reverse_before": ("reversing with a pothole in view", reverse_before),
    "reverse_over": ("reversing back over a pothole and on: one pass", reverse_over),
    "come_back": ("around the block, same spot again: a new pass", come_back),
}


def play(name: str, seed: int) -> Outcome:
    """Drive through one scene."""
    scene = SCENES[name][1](seed)
    world = World(scene.route, scene.motion, vehicle(seed), seed=seed)
    said = readings(world, RTK, seed=seed)
    run = drive(world, said, scene.things, seed=seed)
    by_name = {thing.id: thing for thing in scene.things}
    owners = Counter(seen.owner for seen in run.seen)
    wrong = [
        f"{thing.id}: {owners[thing.id]} observations, true {scene.passes}"
        for thing in scene.things
        if owners[thing.id] != scene.passes
    ]
    for seen in run.seen:
        beside = beside_truth(seen, by_name[seen.owner], said)
        if seen.mixed >= 0.5:
            wrong.append(f"{seen.owner}: {seen.mixed:.0%} of its looks show another")
        if beside is None:
            wrong.append(f"{seen.owner}: no position")
        elif beside.beyond_m > WITHIN_M:
            wrong.append(f"{seen.owner}: {beside.beyond_m:.1f} m off")
    return Outcome(name, len(scene.things), len(run.seen), "; ".join(wrong))


def jobs(plan: Plan) -> list[Job]:
    """Every scene with many seeds."""
    return [Job(play, (name, seed)) for name in SCENES for seed in plan.some(10, short=2)]


def figures(results: Sequence[Outcome]) -> list[Figure]:
    """One line a scene."""
    told = []
    for name, (what, _) in SCENES.items():
        mine = [outcome for outcome in results if outcome.name == name]
        good = sum(not outcome.wrong for outcome in mine)
        first = next((f"; first: {o.wrong}" for o in mine if o.wrong), "")
        measured = f"{good} of {len(mine)} drives{first}"
        told.append(
            Figure("scenarios", what, "each as true", measured, good == len(mine), {"good": good, "of": len(mine)})
        )
    return told
