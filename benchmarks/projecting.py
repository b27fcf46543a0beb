# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How many observations a second become sightings of cases, in a city that has many cases already.

    python -m benchmarks.projecting [--database URL] [--cases 100000] [--observations 6000]

Twenty vehicles drive twenty streets of a made-up city of 20 x 20 km; nine of ten observations are of a known case, a
tenth is new; they wait in `pending` as ingest leaves them. Told are observations a second of real time and of this
process's processor time (other work on the machine makes the two differ). `--database`: an empty one; default: a
SQLite file that is thrown away.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, text

from depot.cases.cells import cells_of
from depot.cases.plane import METRES_PER_DEGREE
from depot.cases.ports import Placed
from depot.cases.projection import CaseProjection
from depot.cases.records import Case
from depot.cases.tables import case_cells
from depot.projecting import Projector
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.tables import cases, events, pending
from messages import envelope
from messages.types import ModelRef, Observation, Position, Severity, Size, Time

_LON, _LAT = 6.76, 51.43
_EAST = METRES_PER_DEGREE * math.cos(math.radians(_LAT))
_CITY_M, _STREETS, _VEHICLES, _SPEED_MPS = 20_000.0, 200, 20, 10.0
_LABELS = ("pothole", "longitudinal_crack", "alligator_crack")
_AT_ONCE = 5000
Row = dict[str, Any]


class _NoCity:
    """Places nothing."""

    def place(self, _connection: object, _case: Case) -> Placed:
        return Placed()


def city(database: Database, count: int) -> dict[int, list[Row]]:
    """Fill a database with cases along its streets; they by street, each from west to east."""
    dice = random.Random(1)  # noqa: S311 - noise, no secret
    streets: dict[int, list[Row]] = defaultdict(list)
    rows = []
    for number in range(1, count + 1):
        street = dice.randrange(_STREETS)
        lon = _LON + dice.uniform(0, _CITY_M) / _EAST
        lat = _LAT + (street * 100.0 + dice.uniform(-2, 2)) / METRES_PER_DEGREE
        row = _case(number, lon, lat, dice.choice(_LABELS))
        streets[street].append(row)
        rows.append(row)
    with database.writing() as connection:
        for start in range(0, count, _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            connection.execute(insert(cases), part)
            cells = [{"cell": c, "case": row["number"]} for row in part for c in _cells(row)]
            connection.execute(insert(case_cells), cells)
        if database.dialect == "postgresql":
            connection.execute(text(f"SELECT setval('cases_number_seq', {count})"))
            connection.execute(text("ANALYZE"))
    return {street: sorted(found, key=lambda row: row["lon"]) for street, found in streets.items()}


def _cells(row: Row) -> list[str]:
    return cells_of(row["lon"], row["lat"], None, None)


def _case(number: int, lon: float, lat: float, label: str) -> Row:
    return {
        "number": number, "changed": 0, "state": "new", "class": label, "surface": "road", "lon": lon, "lat": lat,
        "error_m": 0.6, "heading_deg": 90.0, "sightings": 5, "passes": 5, "vehicles": 2, "looks_without": 0,
        "opened_utc": "2026-01-01T00:00:00.000Z", "last_seen_utc": "2026-01-01T00:00:00.000Z", "pinned": False,
        "reports": 0,
    }  # fmt: skip


def observe(streets: dict[int, list[Row]], count: int) -> list[envelope.Event]:
    """What the vehicles say, in turn."""
    dice = random.Random(2)  # noqa: S311 - noise, no secret
    found = []
    for index in range(count // _VEHICLES):
        for vehicle in range(_VEHICLES):
            street = streets[vehicle * (_STREETS // _VEHICLES)]
            lap, place = divmod(index, len(street))
            east_m = dice.gauss(0, 0.9) + (dice.uniform(8, 20) if dice.random() < 0.1 else 0.0)
            seen = _seen(street[place], east_m, dice.gauss(0, 0.9), f"{vehicle}-{lap}")
            source = envelope.source_of(f"vehicle-{vehicle}")
            found.append(envelope.Event(id=f"{vehicle}-{index}", source=source, data=seen))
    return found


def _seen(row: Row, east_m: float, north_m: float, boot: str) -> Observation:
    lon, lat = row["lon"] + east_m / _EAST, row["lat"] + north_m / METRES_PER_DEGREE
    return Observation(
        defect_class=row["class"],
        score=0.8,
        frames_seen=6,
        time=Time(
            boot=boot, monotonic_s=(lon - _LON) * _EAST / _SPEED_MPS, quality="gnss", utc="2026-05-04T09:30:12.250Z"
        ),
        model=ModelRef(name="street", version="1", sha256="ab" * 32),
        software="1",
        calibration="front",
        position=Position(lon=lon, lat=lat, error_m=1.0, method="gnss"),
        heading_deg=90.0,
        speed_mps=_SPEED_MPS,
        size=Size(length_m=0.6, width_m=0.4, error_m=0.1),
        severity=Severity(grade=3, rule="wegewart-1"),
    )


def store(database: Database, said: list[envelope.Event]) -> None:
    """As ingest leaves them."""
    rows = [
        {
            "source": event.source,
            "id": event.id,
            "type": "wegewart.observation.v1",
            "received_utc": database.now_utc(),
            "payload": envelope.encode(event),
        }
        for event in said
    ]
    with database.writing() as connection:
        connection.execute(insert(events), rows)
        connection.execute(insert(pending).from_select(["received"], select(events.c.received)))


def measure(database: Database, count: int, observations: int) -> None:
    """Fill, store, project, print."""
    migrate(database)
    streets = city(database, count)
    store(database, observe(streets, observations))
    projector = Projector(database, [CaseProjection(_NoCity())])
    began, used = time.perf_counter(), time.process_time()
    while projector.run_once():
        pass
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    done = projector.counts["projected"]
    with database.reading() as connection:
        after = connection.execute(select(func.count()).select_from(cases)).scalar_one()
    print(f"database                  {database.dialect}")
    print(f"cases before, after       {count}, {after}")
    print(f"observations, failed      {done}, {projector.counts['failed']}")
    print(f"a second of real time     {done / seconds:.0f}")
    print(f"a second of our processor {done / processor:.0f}")


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="address of an empty database")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--observations", type=int, default=6000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(options.database or f"sqlite:///{Path(folder) / 'depot.sqlite'}")
        measure(database, options.cases, options.observations)
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
