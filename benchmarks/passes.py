# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One street, ten passes, three vehicles: how many cases the depot makes of how many true defects.

    python -m benchmarks.passes [--seed N] [--km X] [--passes N] [--model] [--drives FOLDER] [--list]

Three vehicles (other cameras, heights, speeds) drive the same rendered street. A pass takes every second picture of
its vehicle's drive, odd ones and even ones in turn, with receiver, wheels and gyro drawn anew; what the vehicle says of
it goes through the depot's projector, each pass two days after the one before. Without `--model` the truth's boxes
with noise stand in place of the detector, and one look in ten is missed; with it the shipped model judges.
`--drives` keeps the rendered drives there and takes those that are there.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as with_other
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import insert, select

from benchmarks.matching import compare
from benchmarks.simulated_drive import run_model, run_perfect
from depot.cases.ports import Placed
from depot.cases.projection import CaseProjection
from depot.cases.records import Case, case_of
from depot.projecting import Projector
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.tables import cases, events, pending
from edge.geometry import Calibration
from edge.simulator import default_camera, sensors, simulate
from edge.simulator.motion import Motion
from edge.simulator.route import Route
from edge.simulator.truth import TrueDefect, Truth, load
from messages import envelope
from messages.types import Coverage, ModelRef, Observation, Position, Time

_DAYS_BETWEEN = 2
#: A case counts as that of a defect within this distance.
_NEAR_M = 3.0


@dataclass(frozen=True)
class Vehicle:
    """A camera and how fast it is driven."""

    name: str
    camera: Calibration
    speed_kmh: float


def vehicles() -> list[Vehicle]:
    """A sweeper, a bus and a van."""
    usual = default_camera()
    return [
        Vehicle("sweeper-1", usual, 50.0),
        Vehicle("bus-2", with_other(usual, id="bus", height_m=2.6, pitch_deg=15.0, forward_m=0.5), 40.0),
        Vehicle("van-3", with_other(usual, id="van", height_m=1.6, pitch_deg=9.0, forward_m=1.0), 50.0),
    ]


def one_pass(drive: Path, folder: Path, truth: Truth, number: int) -> None:
    """Another pass of a rendered drive: every second picture, sensors drawn anew, some days later."""
    (folder / "frames").mkdir(parents=True)
    with (drive / "frames.csv").open(encoding="utf-8") as file:
        kept = [row for index, row in enumerate(csv.DictReader(file)) if index % 2 == number % 2]
    for row in kept:
        (folder / "frames" / row["frame"]).symlink_to((drive / "frames" / row["frame"]).resolve())
    lines = [f"{row['frame']},{row['t_s']}" for row in kept]
    (folder / "frames.csv").write_text("\n".join(["frame,t_s", *lines]) + "\n", encoding="utf-8")
    length_m = truth.km * 1000
    route, motion = Route(truth.seed, length_m), Motion(length_m, truth.speed_kmh / 3.6)
    said = sensors.readings(1000 * truth.seed + number, route, motion, None)
    later = timedelta(days=_DAYS_BETWEEN * number)
    track = [_on_day(row, later) for row in said.track]
    (folder / "track.csv").write_text("\n".join([_head(drive, "track.csv"), *track]) + "\n", encoding="utf-8")
    odometry = [_head(drive, "odometry.csv"), *said.odometry]
    (folder / "odometry.csv").write_text("\n".join(odometry) + "\n", encoding="utf-8")
    (folder / "calibration.toml").write_bytes((drive / "calibration.toml").read_bytes())


def _head(drive: Path, name: str) -> str:
    return (drive / name).read_text(encoding="utf-8").partition("\n")[0]


def _on_day(row: str, later: timedelta) -> str:
    """The row with its date, which is the simulator's own day, moved."""
    before, _, utc = row.rpartition(",")
    day = (sensors.START_UTC + later).date().isoformat()
    return f"{before},{day}{utc[10:]}"


def missing_some(truth: Truth, number: int, share: float = 0.1) -> Truth:
    """The truth as a detector sees it that misses a share of all looks."""
    dice = random.Random(number)  # noqa: S311 - noise, no secret
    defects = [
        replace(defect, frames=tuple(look for look in defect.frames if dice.random() >= share))
        for defect in truth.defects
    ]
    return replace(truth, defects=tuple(defects))


def said_on(path: Path, vehicle: str, number: int) -> list[envelope.Event]:
    """Observations and coverage of a pass, under the vehicle's name and a boot of its own."""
    found = []
    for line in path.read_bytes().splitlines():
        event = envelope.decode(line)
        if isinstance(event.data, Observation | Coverage):
            time = event.data.time
            own = Time(boot=f"pass-{number}", monotonic_s=time.monotonic_s, quality=time.quality, utc=time.utc)
            data = replace(event.data, time=own)
            source, name = envelope.source_of(vehicle), f"pass-{number}-{event.id}"
            found.append(envelope.Event(id=name, source=source, data=data))
    return found


class _NoCity:
    """Places nothing."""

    def place(self, _connection: object, _case: Case) -> Placed:
        return Placed()


def take(database: Database, said: Sequence[envelope.Event]) -> None:
    """Store as ingest does, and project."""
    with database.writing() as connection:
        for event in said:
            values = {
                "source": event.source,
                "id": event.id,
                "type": f"wegewart.{envelope.kind_of(event.data)}.v1",
                "received_utc": database.now_utc(),
                "payload": envelope.encode(event),
            }
            (received,) = connection.execute(insert(events).values(values)).inserted_primary_key or ()
            connection.execute(insert(pending).values(received=received))
    projector = Projector(database, [CaseProjection(_NoCity())])
    while projector.run_once():
        pass
    if projector.counts["failed"]:
        raise AssertionError("an event tripped the projector")


def open_cases(database: Database) -> list[Case]:
    """All but the merged ones."""
    with database.reading() as connection:
        found = [case_of(row) for row in connection.execute(select(cases).order_by(cases.c.number))]
    return [case for case in found if case.state != "merged"]


def as_observation(case: Case) -> Observation:
    """A case in the form that `compare` takes."""
    position = None
    if case.lon is not None and case.lat is not None:
        position = Position(lon=case.lon, lat=case.lat, error_m=case.error_m or 0.0, method="gnss")
    return Observation(
        defect_class=case.defect_class,
        score=case.score or 0.0,
        frames_seen=1,
        time=Time(boot="case", monotonic_s=float(case.number), quality="unset"),
        model=ModelRef(name="case", version="1", sha256="0" * 64),
        software="",
        calibration="",
        position=position,
        heading_deg=case.heading_deg,
    )


def table(found: Sequence[Case], truth: Truth, clear: set[str], observations: Sequence[Observation]) -> list[str]:
    """The figures, one line each."""
    result = compare(truth, [as_observation(case) for case in found])
    by_number = {case.number: case for case in found}
    near = [m for m in result.matches if m.error_m <= _NEAR_M]
    hit = {m.defect.id for m in near}
    one = [by_number[round(m.observation.time.monotonic_s)] for m in near]
    errors = sorted(m.error_m for m in near)
    single = [case for case in found if case.sightings == 1]
    return [
        f"observations on all passes             {len(observations)}",
        f"true defects in clear view             {len(clear)}",
        f"of these with exactly one case         {len(clear & hit - {m.defect.id for m in result.repeated})}",
        f"cases                                  {len(found)}",
        f"cases of a true defect                 {len(near)}",
        f"second cases of a defect               {len(result.repeated)}",
        f"cases of no defect                     {len(found) - len(near) - len(result.repeated)}",
        f"cases with a single sighting           {len(single)}",
        f"sightings a case of a true defect      {_spread([case.sightings for case in one])}",
        f"its vehicles                           {_spread([case.vehicles for case in one])}",
        f"position error, median / 95 %          {_quantiles(errors)} m",
    ]


def _spread(values: Sequence[int]) -> str:
    return ", ".join(f"{value}: {count}" for value, count in sorted(Counter(values).items(), reverse=True))


def _quantiles(values: Sequence[float]) -> str:
    if not values:
        return "none"
    return f"{statistics.median(values):.2f} / {values[min(len(values) - 1, math.ceil(0.95 * len(values)) - 1)]:.2f}"


def _render(folder: Path, options: argparse.Namespace) -> list[tuple[Vehicle, Truth]]:
    made = []
    for vehicle in vehicles():
        drive = folder / vehicle.name
        if not (drive / "truth.json").exists():
            print(f"rendering the drive of {vehicle.name}", file=sys.stderr)
            simulate(
                drive,
                seed=options.seed,
                km=options.km,
                speed_kmh=vehicle.speed_kmh,
                frame_every_m=1.0,
                scene="street",
                calibration=vehicle.camera,
            )
        made.append((vehicle, load(drive / "truth.json")))
    return made


def _drive_all(options: argparse.Namespace, folder: Path, drives: Path, database: Database) -> list[Observation]:
    observations: list[Observation] = []
    made = _render(drives, options)
    for number in range(options.passes):
        vehicle, truth = made[number % len(made)]
        here = folder / f"pass-{number}"
        one_pass(drives / vehicle.name, here, truth, number)
        out = folder / f"pass-{number}.jsonl"
        if options.model:
            run_model(here, out)
        else:
            run_perfect(here, missing_some(truth, number), out)
        said = said_on(out, vehicle.name, number)
        observations += [event.data for event in said if isinstance(event.data, Observation)]
        for event in said:  # one by one, as they come
            take(database, [event])
        print(f"pass {number} of {vehicle.name}: {len(said)} events", file=sys.stderr)
    return observations


def _list(found: Sequence[Case], truth: Truth) -> None:
    result = compare(truth, [as_observation(case) for case in found])
    by_number = {case.number: case for case in found}
    for kind, matches in (("case", result.matches), ("second", result.repeated)):
        for match in matches:
            case = by_number[round(match.observation.time.monotonic_s)]
            of: TrueDefect = match.defect
            print(
                f"{kind:7}{case.number:4} {case.defect_class:20} {case.sightings} sightings, {match.error_m:.2f} m from"
                f" {of.label} {of.id} at s {of.s_m:.1f}, t {of.t_m:.1f}, looks without {case.looks_without}"
            )
    for wrong in result.false:
        case = by_number[round(wrong.time.monotonic_s)]
        print(f"no defect  {case.number} {case.defect_class}, {case.sightings} sightings")


def main() -> int:
    """Render, drive, join, compare, print. Exit code 1: without a model, a clear defect has not exactly one case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=61)
    parser.add_argument("--km", type=float, default=0.5)
    parser.add_argument("--passes", type=int, default=10)
    parser.add_argument("--model", action="store_true", help="the shipped model in place of the truth's boxes")
    parser.add_argument("--drives", type=Path, help="keep the rendered drives in this folder")
    parser.add_argument("--list", action="store_true", help="name every case")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drives = options.drives or folder / "drives"
        database = Database(f"sqlite:///{folder / 'depot.sqlite'}")
        migrate(database)
        observations = _drive_all(options, folder, drives, database)
        found = open_cases(database)
        database.close()
        made = _render(drives, options)
    truth = made[0][1]
    clear = {d.id for _, one in made for d in one.defects if d.clear_view and d.surface == "road"}
    print("\n".join(table(found, truth, clear, observations)))
    if options.list:
        _list(found, truth)
    return 0


if __name__ == "__main__":
    sys.exit(main())
