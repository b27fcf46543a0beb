# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Defects on a tunnel's lining (a cylinder): each one observation, at the right hour of the clock, well measured.

The vehicle believes the tunnel's axis to be where its configuration says; in truth it drives up to `WANDER_M` beside
it, and half of the tunnel is a bend of 400 m radius. No fix comes in; the tunnel's axis is known as a line.
"""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.geometry.chain import Run, config_of, drive
from benchmarks.geometry.figure import Figure, Job, Plan
from benchmarks.geometry.judge import quantile
from benchmarks.geometry.motion import Go, Motion
from benchmarks.geometry.route import Route, bend, straight
from benchmarks.geometry.rows.street import MOUNTING_DEG
from benchmarks.geometry.rows.tunnel import surveyed
from benchmarks.geometry.sensors import Fitted, readings
from benchmarks.geometry.things import Thing, shape
from benchmarks.geometry.world import CAMERA, Vehicle, World
from edge.config import LineConfig, TunnelConfig

RADIUS_M, AXIS_M = 4.6, 1.8
#: A camera for walls: wider than that for roads, and level.
WALL_CAMERA = replace(CAMERA, id="benchmark-wall", fx=560.0, fy=560.0, height_m=2.4, pitch_deg=2.0)
#: The switch to the tunnel's model waits on purpose; what lies in the first metres is told apart.
PORTAL_M = 60.0
OPEN_M, TUNNEL_M, WANDER_M, SPEED_KMH, EVERY_M = 200.0, 400.0, 0.15, 40.0, 9.0
#: Smallest and largest extent along the tunnel and around its lining, metres; how it is drawn.
EXTENTS = {
    "spalling": ((0.3, 1.0), (0.3, 1.0), "pothole"),
    "water_leakage": ((0.3, 0.8), (0.6, 2.0), "alligator_crack"),
    "crack": ((1.0, 3.0), (0.1, 0.3), "longitudinal_crack"),
}
#: Hours of the clock where defects are put: both walls up to the haunches.
HOURS = (2.0, 3.6)


@dataclass(frozen=True)
class Passage:
    """One drive: errors of those with exactly one observation."""

    clear: int
    once: int
    portal: int
    portal_once: int
    extra: int
    hours: tuple[float, ...]
    size: tuple[float, ...]
    unplaced: int


def on_wall(route: Route, name: str, label: str, *, s_m: float, hour: float, extent: tuple[float, float]) -> Thing:
    """A defect on the true lining: `extent` along the tunnel and around the profile."""
    along, around = shape(EXTENTS[label][2], *extent)
    angle = math.radians(30 * hour) + around / RADIUS_M
    east, north = route.plane(s_m + along, -RADIUS_M * np.sin(angle))
    outline = np.column_stack([east, north, AXIS_M + RADIUS_M * np.cos(angle)])
    middle = route.plane(s_m, -RADIUS_M * math.sin(math.radians(30 * hour)))
    return Thing(
        name, label, s_m, 0.0, *extent, float(middle[0]), float(middle[1]), outline,
        z_m=AXIS_M + RADIUS_M * math.cos(math.radians(30 * hour)), clock=hour,
    )  # fmt: skip


def passage(seed: int) -> Passage:
    """Drive through with defects on both walls."""
    rng = np.random.default_rng([seed, 11])
    route = Route([straight(OPEN_M + 150), bend(400, 20 if seed % 2 else -20), straight(TUNNEL_M)])
    motion = Motion([Go(OPEN_M + TUNNEL_M + 60, SPEED_KMH)], start_m=-60)
    vehicle = Vehicle(camera=WALL_CAMERA, mounting_deg=MOUNTING_DEG if seed % 2 else -MOUNTING_DEG)
    world = World(route, motion, vehicle, seed=seed)
    tunnel = (OPEN_M, OPEN_M + TUNNEL_M + 100)
    things = _scattered(route, rng)
    believed = TunnelConfig(
        model="truth",
        lining="cylinder",
        radius_m=RADIUS_M,
        axis_height_m=AXIS_M,
        axis_left_m=float(rng.uniform(-WANDER_M, WANDER_M)),
    )
    said = readings(world, Fitted(outages=(tunnel,)), seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        line = LineConfig(file=surveyed(route, tunnel, Path(folder)))
        run = drive(world, said, things, seed=seed, config=config_of(vehicle, line=line, tunnel=believed))
    return _passage(run, things, world.clear_things(things))


def _scattered(route: Route, rng: np.random.Generator) -> list[Thing]:
    things = []
    for number, s in enumerate(np.arange(OPEN_M + 10, OPEN_M + TUNNEL_M, EVERY_M)):
        label = str(rng.choice(list(EXTENTS)))
        extent = (float(rng.uniform(*EXTENTS[label][0])), float(rng.uniform(*EXTENTS[label][1])))
        hour = float(rng.uniform(*HOURS))
        hour = hour if rng.random() < 0.5 else 12 - hour
        things.append(on_wall(route, f"w{number}", label, s_m=float(s + rng.uniform(-1, 1)), hour=hour, extent=extent))
    return things


def _passage(run: Run, things: Sequence[Thing], clear: Sequence[Thing]) -> Passage:
    inner = [thing for thing in clear if thing.s_m >= OPEN_M + PORTAL_M]
    portal = [thing for thing in clear if thing.s_m < OPEN_M + PORTAL_M]
    owners, by_name = Counter(seen.owner for seen in run.seen), {thing.id: thing for thing in things}
    hours, size, unplaced = [], [], 0
    for seen in run.seen:
        thing, told = by_name[seen.owner], seen.observation
        if told.surface != "lining" or told.lining is None or thing.clock is None:
            unplaced += 1
            continue
        hours.append(abs((told.lining.clock - thing.clock + 6) % 12 - 6))
        if told.size is not None:
            off = max(abs(told.size.length_m - thing.length_m), abs(told.size.width_m - thing.width_m))
            size.append(off / thing.longer_m)
    return Passage(
        len(inner),
        sum(owners[thing.id] == 1 for thing in inner),
        len(portal),
        sum(owners[thing.id] == 1 for thing in portal),
        sum(count - 1 for count in owners.values()),
        tuple(hours),
        tuple(size),
        unplaced,
    )


def jobs(plan: Plan) -> list[Job]:
    """Some tunnels."""
    return [Job(passage, (seed,)) for seed in plan.some(10, short=2)]


def figures(results: Sequence[Passage]) -> list[Figure]:
    """Counted once, clock, size."""
    clear, once, extra = (sum(getattr(p, name) for p in results) for name in ("clear", "once", "extra"))
    portal, portal_once = (sum(getattr(p, name) for p in results) for name in ("portal", "portal_once"))
    hours, sizes = [h for p in results for h in p.hours], [s for p in results for s in p.size]
    unplaced = sum(p.unplaced for p in results)
    return [
        Figure(
            "lining",
            f"tunnel lining: defects in clear view that became exactly one observation, from {PORTAL_M:.0f} m on",
            ">= 98 %",
            f"{once / max(clear, 1):.1%} ({once} of {clear}; {extra} told again)",
            clear > 0 and once >= 0.98 * clear,
            {"once": once, "clear": clear, "extra": extra},
        ),
        Figure(
            "lining",
            f"tunnel lining: the same in the first {PORTAL_M:.0f} m behind the portal",
            "told",
            f"{portal_once} of {portal}",
            None,
            {"once": portal_once, "clear": portal},
        ),
        Figure(
            "lining",
            "tunnel lining: error of the clock position",
            "median < 0.25 h, 95 % < 0.5 h",
            f"{quantile(hours, 0.5):.2f} h, {quantile(hours, 0.95):.2f} h ({len(hours)}; {unplaced} on the road)",
            quantile(hours, 0.5) < 0.25 and quantile(hours, 0.95) < 0.5,
            {"median_h": quantile(hours, 0.5), "most_h": quantile(hours, 0.95), "unplaced": unplaced},
        ),
        Figure(
            "lining",
            "tunnel lining: error of the worse side as share of length",
            "median < 10 %",
            f"{quantile(sizes, 0.5):.1%} (95 %: {quantile(sizes, 0.95):.0%}; {len(sizes)})",
            quantile(sizes, 0.5) < 0.10,
            {"median": quantile(sizes, 0.5)},
        ),
    ]
