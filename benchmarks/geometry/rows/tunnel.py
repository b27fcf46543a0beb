# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A kilometre of tunnel without a fix: how far off it gets, and how well the exit's fixes put it right.

The odometer is 1 % wrong (half of the drives too long, half too short), the gyro has a bias, the receiver 1.5 m. The
tunnel bends left and right. Potholes lie along it; their observations leave the vehicle inside the tunnel, and what
corrects them later must come under the same id. Errors are whole: the receiver's own is not taken off.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.geometry.chain import Run, config_of, drive, off
from benchmarks.geometry.figure import Figure, Job, Plan, below
from benchmarks.geometry.judge import RADIUS_95, quantile
from benchmarks.geometry.motion import Go, Motion
from benchmarks.geometry.route import Route, bend, lonlat, straight
from benchmarks.geometry.rows.street import vehicle
from benchmarks.geometry.sensors import Fitted, readings
from benchmarks.geometry.things import Thing, on_road
from benchmarks.geometry.world import World
from edge.config import LineConfig
from messages.types import Position, Revision

BEFORE_M, TUNNEL_M, AFTER_M = 600.0, 1000.0, 250.0
MIDDLE = (400.0, 600.0)
SCALE_ERROR, EVERY_M, SPEED_KMH = 0.01, 25.0, 50.0
LINE = "benchmark"


@dataclass(frozen=True)
class Passage:
    """One drive through. Errors in metres; `chainage_m` and `revised_m` of the observations in the middle."""

    with_line: bool
    worst_before_m: float
    end_before_m: float
    within_before: float
    middle_before_m: tuple[float, ...]
    revised_m: tuple[float, ...]
    within_revised: tuple[bool, ...]
    chainage_m: tuple[float, ...]
    told_in_tunnel: int
    revised: int
    strange: int
    defects: int
    once: int


def passage(seed: int, *, with_line: bool) -> Passage:
    """Drive through, with the tunnel's axis known or not."""
    pieces = [straight(200), bend(250, 40), straight(225), straight(280), bend(400, -30), straight(150)]
    pieces += [bend(300, 40), straight(BEFORE_M + TUNNEL_M + AFTER_M - sum(p.length_m for p in pieces) - 210)]
    route = Route(pieces, heading_deg=37.0 * seed)
    motion = Motion([Go(route.length_m, SPEED_KMH)], start_m=-60)
    world = World(route, motion, vehicle(seed), seed=seed)
    tunnel = (BEFORE_M, BEFORE_M + TUNNEL_M)
    scale = 1 + (SCALE_ERROR if seed % 2 else -SCALE_ERROR)
    said = readings(world, Fitted(outages=(tunnel,), odometer_scale=scale), seed=seed)
    things = _potholes(route, np.random.default_rng([seed, 7]))
    with tempfile.TemporaryDirectory() as folder:
        line = LineConfig(file=surveyed(route, tunnel, Path(folder))) if with_line else LineConfig()
        run = drive(world, said, things, seed=seed, config=config_of(world.vehicle, line=line))
    return _passage(world, run, things, with_line=with_line)


def _potholes(route: Route, rng: np.random.Generator) -> list[Thing]:
    return [
        on_road(route, f"p{n}", "pothole", s_m=float(s), t_m=float(rng.uniform(-1, 1)), length_m=0.6, width_m=0.6)
        for n, s in enumerate(np.arange(BEFORE_M + 20, BEFORE_M + TUNNEL_M, EVERY_M))
    ]


def surveyed(route: Route, tunnel: tuple[float, float], folder: Path) -> Path:
    """The route as a file that someone surveyed gives it: a point every ten metres, chainage as metres of the route."""
    rows = ["line,track,chainage_m,lon,lat,tunnel,landmark"]
    for s in np.arange(0.0, route.length_m, 10.0):
        lon, lat = lonlat(*(float(x) for x in route.plane(s)))
        rows.append(f"{LINE},,{s:.1f},{lon:.8f},{lat:.8f},{1 if tunnel[0] <= s < tunnel[1] else 0},")
    path = folder / "line.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def _passage(world: World, run: Run, things: Sequence[Thing], *, with_line: bool) -> Passage:
    by_name = {thing.id: thing for thing in things}
    inside = [p for p in run.poses if BEFORE_M + 15 < world.body(p.time_s).s_m < BEFORE_M + TUNNEL_M]
    bodies = [world.body(pose.time_s) for pose in inside]
    errors = [
        math.inf if pose.lon is None else math.hypot(*off(pose, body.east_m, body.north_m))
        for pose, body in zip(inside, bodies, strict=True)
    ]
    stated = [pose.error_m or 0.0 for pose in inside]
    newest: dict[str, Revision] = {}
    for revision in run.revisions:
        if revision.observation not in newest or newest[revision.observation].number < revision.number:
            newest[revision.observation] = revision
    told = {seen.id: by_name[seen.owner] for seen in run.seen}
    middle = [s for s in run.seen if MIDDLE[0] <= by_name[s.owner].s_m - BEFORE_M <= MIDDLE[1]]
    better = [(newest[seen.id].position, told[seen.id]) for seen in middle if seen.id in newest]
    places = [(position, thing, _error(position, thing)) for position, thing in better if position is not None]
    owners = [seen.owner for seen in run.seen]
    return Passage(
        with_line,
        max(errors),
        errors[-1],
        float(np.mean([e <= RADIUS_95 * s for e, s in zip(errors, stated, strict=True)])),
        tuple(_error(s.observation.position, told[s.id]) for s in middle),
        tuple(error for _, _, error in places),
        tuple(error <= RADIUS_95 * position.error_m for position, _, error in places),
        tuple(abs(s.observation.line.chainage_m - told[s.id].s_m) for s in middle if s.observation.line is not None),
        len(run.seen),
        len(newest),
        len(set(newest) - set(told)),
        len(things),
        sum(owners.count(thing.id) == 1 for thing in things),
    )


def _error(position: Position | None, thing: Thing) -> float:
    return math.inf if position is None else math.hypot(*off(position, thing.east_m, thing.north_m))


def without_line(seed: int) -> Passage:
    """The tunnel's axis is not known."""
    return passage(seed, with_line=False)


def along_line(seed: int) -> Passage:
    """The tunnel's axis is known."""
    return passage(seed, with_line=True)


def jobs(plan: Plan) -> list[Job]:
    """Both ways."""
    return [Job(without_line, (s,)) for s in plan.some(20, short=2)] + [
        Job(along_line, (s,)) for s in plan.some(10, short=1)
    ]


def figures(results: Sequence[Passage]) -> list[Figure]:
    """The tunnel's lines of the table."""
    bare, lined = ([p for p in results if p.with_line is known] for known in (False, True))
    return [
        _before(bare, "dead-reckoned"),
        _honest(bare, "dead-reckoned"),
        _after(bare, "dead-reckoned"),
        _ids(bare),
        _before(lined, "known line"),
        _honest(lined, "known line"),
        _chainage(lined),
        _after(lined, "known line"),
        _counted(results),
    ]


def _before(drives: Sequence[Passage], how: str) -> Figure:
    worst = [100 * drive.worst_before_m / TUNNEL_M for drive in drives]
    end = [100 * drive.end_before_m / TUNNEL_M for drive in drives]
    return Figure(
        "tunnel",
        f"tunnel of 1,000 m, {how}: largest error before correction, share of the distance",
        "< 1.2 %",
        f"median {quantile(worst, 0.5):.2f} %, worst {max(worst):.2f} % of {len(worst)} drives"
        f" (at the exit {quantile(end, 0.5):.2f} %, {max(end):.2f} %)",
        below(worst, 1.2),
        {"median_percent": quantile(worst, 0.5), "worst_percent": max(worst)},
    )


def _honest(drives: Sequence[Passage], how: str) -> Figure:
    share = float(np.mean([drive.within_before for drive in drives]))
    return Figure(
        "tunnel",
        f"tunnel, {how}: live positions within the stated 95 % radius",
        ">= 95 %",
        f"{share:.1%}, worst drive {min(drive.within_before for drive in drives):.0%}",
        share >= 0.95,
        {"share": share},
    )


def _after(drives: Sequence[Passage], how: str) -> Figure:
    errors = [error for drive in drives for error in drive.revised_m]
    before = [error for drive in drives for error in drive.middle_before_m]
    within = [good for drive in drives for good in drive.within_revised]
    measured = (
        f"median {quantile(errors, 0.5):.2f} m, 95 % {quantile(errors, 0.95):.2f} m, worst {max(errors):.2f} m"
        f" of {len(errors)} (before: {quantile(before, 0.5):.2f} m; {np.mean(within):.0%} within the stated radius)"
        if errors
        else f"no revision of {len(before)} observations"
    )
    return Figure(
        "tunnel",
        f"tunnel, {how}: error in the middle after the exit's fixes (revised observations)",
        "< 3 m",
        measured,
        below(errors, 3.0) and len(errors) == len(before),
        {"median_m": quantile(errors, 0.5), "worst_m": max(errors, default=math.inf)},
    )


def _ids(drives: Sequence[Passage]) -> Figure:
    told, revised, strange = (sum(getattr(d, n) for d in drives) for n in ("told_in_tunnel", "revised", "strange"))
    return Figure(
        "tunnel",
        "tunnel: observations revised under the id under which they were told",
        "all",
        f"{revised - strange} of {told}, {strange} under another id",
        revised == told and strange == 0,
        {"told": told, "revised": revised, "strange": strange},
    )


def _chainage(drives: Sequence[Passage]) -> Figure:
    errors = [error for drive in drives for error in drive.chainage_m]
    told = sum(len(drive.middle_before_m) for drive in drives)
    return Figure(
        "tunnel",
        "tunnel, known line: error of the chainage in the middle, as told in the tunnel",
        "told",
        f"median {quantile(errors, 0.5):.2f} m, worst {max(errors):.2f} m of {len(errors)}"
        if errors
        else f"none of {told} has a chainage",
        None,
        {"median_m": quantile(errors, 0.5), "worst_m": max(errors, default=math.inf)},
    )


def _counted(drives: Sequence[Passage]) -> Figure:
    once, of = sum(drive.once for drive in drives), sum(drive.defects for drive in drives)
    return Figure(
        "tunnel",
        "tunnel: defects that became exactly one observation",
        ">= 98 %",
        f"{once / of:.1%} ({once} of {of})",
        once >= 0.98 * of,
        {"once": once, "of": of},
    )
