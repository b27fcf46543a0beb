# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Sensors and files that lie: named and counted, no jump, and the position honest during and after."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.geometry.chain import Run, drive, off
from benchmarks.geometry.figure import Figure, Job, Plan
from benchmarks.geometry.judge import RADIUS_95
from benchmarks.geometry.lies import LIES, TO_S
from benchmarks.geometry.motion import Go, Motion
from benchmarks.geometry.route import Route, winding
from benchmarks.geometry.rows.street import vehicle
from benchmarks.geometry.sensors import START_UTC_S, Fitted, readings
from benchmarks.geometry.things import scattered
from benchmarks.geometry.world import CAMERA, World
from edge.errors import InputError
from edge.positioning.line_file import read_lines
from edge.types import Pose

LENGTH_M, SPEED_KMH = 640.0, 50.0
#: From here on everything must be as good as if nothing had been.
RECOVERED_S, GOOD_M = TO_S + 15.0, 6.0
#: The odometry frame may differ from the true way between two frames by so much, metres.
JUMP_M = 1.0
#: Parts whose counts name what was wrong with what was heard.
SAYING = ("position_", "receiver_")


@dataclass(frozen=True)
class Told:
    """One drive with one lie. `names`: what was counted that a good drive does not count."""

    lie: str
    names: tuple[str, ...]
    within: float
    after_m: float
    largest_step_m: float
    wrong_utc: int


def lied_to(seed: int) -> list[Told]:
    """The same drive without any lie and with each."""
    rng = np.random.default_rng([seed, 8])
    route = Route(winding(rng, LENGTH_M), heading_deg=float(rng.uniform(0, 360)))
    world = World(route, Motion([Go(LENGTH_M, SPEED_KMH)], start_m=-60), vehicle(seed), seed=seed)
    things = scattered(route, rng, per_km=30, from_m=0.0, to_m=LENGTH_M)
    said = readings(world, Fitted(), seed=seed)
    usual = drive(world, said, things, seed=seed).counts
    told = []
    for name, (_, lie) in LIES.items():
        run = drive(world, replace(said, measurements=tuple(lie(said.measurements))), things, seed=seed)
        told.append(_told(name, world, run, usual))
    return told


def _told(lie: str, world: World, bad: Run, usual: Counter[str]) -> Told:
    names = tuple(sorted(name for name, count in bad.counts.items() if count > usual[name] and name.startswith(SAYING)))
    errors = {pose.time_s: _error(world, pose) for pose in bad.settled if pose.time_s > 10}
    after = [error if stated else math.inf for time_s, (error, stated) in errors.items() if time_s > RECOVERED_S]
    return Told(
        lie,
        names,
        float(np.mean([error <= RADIUS_95 * stated for error, stated in errors.values()])),
        max(after),
        _largest_step(world, bad),
        sum(_wrong_utc(seen.observation.time.utc, seen.observation.time.monotonic_s) for seen in bad.seen),
    )


def _error(world: World, pose: Pose) -> tuple[float, float]:
    if pose.lon is None or pose.error_m is None:
        return 0.0, 0.0  # it says that it has none: honest
    body = world.body(pose.time_s)
    return math.hypot(*off(pose, body.east_m, body.north_m)), pose.error_m


def _largest_step(world: World, run: Run) -> float:
    """The largest difference between the odometry frame's way from frame to frame and the true one, metres."""
    times = np.array([pose.time_s for pose in run.settled])
    x, y = (np.array([getattr(pose, name) for pose in run.settled]) for name in ("odom_x_m", "odom_y_m"))
    steps = np.hypot(np.diff(x), np.diff(y))
    true = np.abs(np.diff(world.motion.at(times)[0]))
    return float(np.max(np.where(times[1:] > 5, steps - true, 0.0)))


def _wrong_utc(utc: str | None, monotonic_s: float) -> bool:
    true = np.datetime64(int(1000 * (START_UTC_S + monotonic_s)), "ms")
    return utc is not None and bool(abs(np.datetime64(utc.rstrip("Z")) - true) > np.timedelta64(1, "s"))


def calibration() -> tuple[str, str]:
    """A calibration of another shape of picture: what is said of it."""
    try:
        CAMERA.scaled(1280, 960)
    except ValueError as error:
        return "calibration of another resolution", str(error)
    return "calibration of another resolution", ""


def line_files() -> list[tuple[str, str]]:
    """Files of lines that cannot be true: what is said of each."""
    lons, lats = [6.76 + 0.0005 * n for n in range(20)], [51.43 + 0.0001 * n for n in range(20)]
    good = list(zip(lons, lats, strict=True))
    around = np.linspace(0, 2.3 * math.pi, 40)
    loop = [(6.76 + 0.003 * math.sin(turn) + 0.0005 * turn, 51.43 + 0.002 * math.cos(turn)) for turn in around]
    cases = {
        "line file, coordinates swapped": [(lat, lon) for lon, lat in good],
        "line file with a loop": loop,
        "line file with a jump of 40 km": [*good[:10], (7.3, 51.6), *good[10:]],
        "line file in other units (UTM)": [(344_000.0 + n, 5_700_000.0 + n) for n in range(20)],
    }
    return [(what, _read(points)) for what, points in cases.items()]


def _read(points: Sequence[tuple[float, float]]) -> str:
    geometry = {"type": "LineString", "coordinates": [list(point) for point in points]}
    feature = {"type": "Feature", "properties": {"name": "U79"}, "geometry": geometry}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "line.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
        try:
            read_lines(path)
        except InputError as error:
            return str(error).replace(folder + "/", "")
    return ""


def files() -> list[tuple[str, str]]:
    """All that is read from files."""
    return [calibration(), *line_files()]


def jobs(plan: Plan) -> list[Job]:
    """Every lie with a few seeds, and the files."""
    return [*(Job(lied_to, (seed,)) for seed in plan.some(4, short=1)), Job(files)]


def figures(results: Sequence[Any]) -> list[Figure]:
    """One line for every lie and every file."""
    *drives, read = results
    told = [one for drive in drives for one in drive]
    figures = [_lie(name, [one for one in told if one.lie == name]) for name in LIES]
    for what, said in read:
        one_line = bool(said) and "\n" not in said
        figures.append(Figure("bad_input", f"bad input: {what}", "refused in one line", said or "taken", one_line))
    return figures


def _lie(name: str, drives: Sequence[Told]) -> Figure:
    names = sorted({name for drive in drives for name in drive.names})
    within, after = min(drive.within for drive in drives), max(drive.after_m for drive in drives)
    step, utc = max(drive.largest_step_m for drive in drives), sum(drive.wrong_utc for drive in drives)
    # What is wrong with the odometer must not be told of the receiver alone.
    word = "odometer" if LIES[name][0].startswith("odometer") else ""
    named = all(any(word in name for name in drive.names) for drive in drives)
    ok = named and within >= 0.9 and after < GOOD_M and step < JUMP_M and not utc
    return Figure(
        "bad_input",
        f"bad input: {LIES[name][0]}",
        f"counted by name, honest, no jump, < {GOOD_M:.0f} m afterwards",
        f"{', '.join(names) or 'nothing'}{'' if named else ' (NOT NAMED)'}; within stated radius {within:.0%},"
        f" after {after:.1f} m, odometry step {step:.2f} m{f', {utc} observations with a wrong date' if utc else ''}",
        ok,
        {"within": within, "after_m": after, "step_m": step, "wrong_utc": utc},
    )
