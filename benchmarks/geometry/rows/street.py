# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Random streets: is every defect in clear view one observation, how far off is it placed, how well is it measured?

The position error **beyond that of the receiver** is taken twice: with an RTK receiver, whose own error is nothing
beside it, and with a receiver that states 1.5 m and errs by nothing. The second is what the chain adds for a receiver
that it must not trust: the filter weighs fixes by what they state, so its gains are those of the real one, whose error
passes through it and adds to this. With the real 1.5 m the whole error is told beside the receiver's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.geometry.chain import drive
from benchmarks.geometry.figure import Figure, Job, Plan
from benchmarks.geometry.judge import RADIUS_95, Placed, judge, quantile
from benchmarks.geometry.motion import Go, Motion
from benchmarks.geometry.route import Route, winding
from benchmarks.geometry.sensors import RTK, Fitted, readings
from benchmarks.geometry.things import scattered
from benchmarks.geometry.world import CAMERA, Vehicle, World

SPEEDS_KMH = (30.0, 45.0, 60.0)
LENGTH_M, PER_KM, RUN_IN_M = 400.0, 80.0, 60.0
RECEIVERS = {"RTK": RTK, "1.5 m without its error": Fitted(errs=0.0), "1.5 m": Fitted()}
#: Those whose own error is out of the way, and the real one of which only one speed is driven.
BEYOND, WHOLE = ("RTK", "1.5 m without its error"), "1.5 m"
MISSES = 0.1
#: How much farther down or up than its calibration says the camera looks, degrees.
MOUNTING_DEG = 0.15
HEIGHTS_M = (2.0, 2.2, 2.4, 2.6)


@dataclass(frozen=True)
class Drive:
    """What one drive showed."""

    receiver: str
    speed_kmh: float
    misses: bool
    defects: int
    clear: int
    once: int
    repeated: int
    phantoms: int
    whole_m: tuple[float, ...]
    beyond_m: tuple[float, ...]
    receiver_m: tuple[float, ...]
    within: tuple[bool, ...]
    size: tuple[tuple[str, float, float], ...]
    lost: tuple[str, ...]


def vehicle(seed: int) -> Vehicle:
    """Another mounting for every seed."""
    camera = replace(CAMERA, height_m=HEIGHTS_M[seed % len(HEIGHTS_M)])
    return Vehicle(camera=camera, mounting_deg=MOUNTING_DEG if seed % 2 else -MOUNTING_DEG)


def street(seed: int, speed_kmh: float, receiver: str, misses: float) -> Drive:
    """Drive one random street."""
    rng = np.random.default_rng([seed, 0])
    route = Route(winding(rng, LENGTH_M), heading_deg=float(rng.uniform(0, 360)))
    motion = Motion([Go(route.length_m + 40, speed_kmh)], start_m=-RUN_IN_M)
    world = World(route, motion, vehicle(seed), seed=seed)
    things = scattered(route, rng, per_km=PER_KM, from_m=0.0, to_m=route.length_m)
    said = readings(world, RECEIVERS[receiver], seed=seed)
    run = drive(world, said, things, seed=seed, misses=misses)
    verdict = judge(run, things, world.clear_things(things), said)
    return Drive(
        receiver,
        speed_kmh,
        misses > 0,
        len(things),
        len(verdict.clear),
        len(verdict.once),
        verdict.repeated,
        verdict.phantoms,
        tuple(placed.error_m for placed in verdict.placed),
        tuple(placed.beyond_m for placed in verdict.placed),
        tuple(math.hypot(*said.receiver_error(placed.seen.times)) for placed in verdict.placed),
        tuple(placed.error_m <= RADIUS_95 * placed.stated_m for placed in verdict.placed),
        tuple(_sizes(verdict.placed)),
        tuple(f"{thing.id} {thing.label}" for thing in verdict.lost),
    )


def _sizes(placed: Sequence[Placed]) -> list[tuple[str, float, float]]:
    return [(one.thing.label, *error) for one in placed if (error := one.size_error) is not None]


def jobs(plan: Plan) -> list[Job]:
    """Every seed at every speed; the real 1.5 m at one; some again with looks missed at random."""
    speeds, seeds = (SPEEDS_KMH[1:2] if plan.short else SPEEDS_KMH), plan.some(20, short=3)
    told = [Job(street, (seed, speed, name, 0.0)) for seed in seeds for speed in speeds for name in BEYOND]
    told += [Job(street, (seed, SPEEDS_KMH[1], WHOLE, 0.0)) for seed in seeds]
    return told + [Job(street, (seed, SPEEDS_KMH[1], WHOLE, MISSES)) for seed in plan.some(10, short=2)]


def figures(results: Sequence[Drive]) -> list[Figure]:
    """The first four rows of the issue's table."""
    perfect = [one for one in results if not one.misses]
    told = [_once(perfect, "perfect detections", asked=True), _wrong(perfect)]
    missing = [one for one in results if one.misses]
    told += [_once(missing, f"{MISSES:.0%} of looks missed", asked=False)] if missing else []
    for receiver in BEYOND:
        for speed in sorted({one.speed_kmh for one in perfect}):
            told.append(_position([d for d in perfect if (d.receiver, d.speed_kmh) == (receiver, speed)]))
    told.append(_whole([d for d in perfect if d.receiver == WHOLE]))
    told += [_honest([d for d in perfect if d.receiver == receiver]) for receiver in (BEYOND[0], WHOLE)]
    sizes = [size for one in perfect for size in one.size]
    told.append(_size(sizes, "all classes"))
    told.append(_size([size for size in sizes if size[0] == "pothole"], "potholes"))
    return told


def _once(drives: Sequence[Drive], how: str, *, asked: bool) -> Figure:
    clear, once, all_of_them = (sum(getattr(d, name) for d in drives) for name in ("clear", "once", "defects"))
    share = once / max(clear, 1)
    return Figure(
        "street",
        f"defects in clear view that became exactly one observation, {how}",
        ">= 98 %" if asked else "told",
        f"{share:.2%} ({once} of {clear} in clear view, of {all_of_them} defects)",
        share >= 0.98 if asked else None,
        {"once": once, "clear": clear, "defects": all_of_them},
    )


def _wrong(drives: Sequence[Drive]) -> Figure:
    repeated, phantoms, clear = (sum(getattr(d, name) for d in drives) for name in ("repeated", "phantoms", "clear"))
    rate = 100 * (repeated + phantoms) / max(clear, 1)
    return Figure(
        "street",
        "duplicates and phantoms per 100 defects, perfect detections",
        "< 1",
        f"{rate:.2f} ({repeated} duplicates, {phantoms} phantoms)",
        rate < 1,
        {"repeated": repeated, "phantoms": phantoms, "rate": rate},
    )


def _position(drives: Sequence[Drive]) -> Figure:
    errors = [error for one in drives for error in one.beyond_m]
    middle, most = quantile(errors, 0.5), quantile(errors, 0.95)
    return Figure(
        "street",
        f"position error beyond that of the receiver ({drives[0].receiver}), {drives[0].speed_kmh:.0f} km/h",
        "median < 0.3 m, 95 % < 1.0 m",
        f"{middle:.2f} m, {most:.2f} m ({len(errors)})",
        middle < 0.3 and most < 1.0,
        {"median_m": middle, "most_m": most},
    )


def _whole(drives: Sequence[Drive]) -> Figure:
    whole, beyond, receiver = (
        [e for d in drives for e in getattr(d, n)] for n in ("whole_m", "beyond_m", "receiver_m")
    )
    told = [f"{quantile(errors, 0.5):.2f} m, {quantile(errors, 0.95):.2f} m" for errors in (whole, receiver, beyond)]
    return Figure(
        "street",
        f"whole position error beside the receiver's own (1.5 m each axis), {drives[0].speed_kmh:.0f} km/h",
        "told",
        f"median, 95 %: {told[0]}; receiver {told[1]}; difference of both {told[2]}",
        None,
        {"whole_m": quantile(whole, 0.5), "receiver_m": quantile(receiver, 0.5), "difference_m": quantile(beyond, 0.5)},
    )


def _honest(drives: Sequence[Drive]) -> Figure:
    within = [good for one in drives for good in one.within]
    share = sum(within) / max(len(within), 1)
    return Figure(
        "street",
        f"whole position error within the stated 95 % radius ({drives[0].receiver})",
        ">= 95 %",
        f"{share:.1%} of {len(within)}",
        share >= 0.95,
        {"share": share},
    )


def _size(sizes: Sequence[tuple[str, float, float]], which: str) -> Figure:
    longer, shorter = [size[1] for size in sizes], [size[2] for size in sizes]
    middle = quantile(longer, 0.5), quantile(shorter, 0.5)
    return Figure(
        "street",
        f"size error as share of length, seen at 5-12 m ahead, {which}",
        "median < 10 %",
        f"longer side {middle[0]:.1%}, shorter side {middle[1]:.1%} (95 %: {quantile(longer, 0.95):.0%},"
        f" {quantile(shorter, 0.95):.0%}; {len(sizes)})",
        max(middle) < 0.10,
        {"longer": middle[0], "shorter": middle[1]},
    )
