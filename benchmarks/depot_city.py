# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A made city in the depot's tables, as the projector leaves them: for measuring how the depot answers."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from sqlalchemy import text, update

from depot.cases.cells import cells_of
from depot.cases.tables import case_cells, looks
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.tables import audit, cases, events, meta, pictures, sightings, vehicles
from messages import envelope
from messages.types import Anonymised, ModelRef, Observation, PictureRef, Position, Severity, Size, Time

STATES = (
    ("new",) * 40
    + ("confirmed",) * 15
    + ("rejected",) * 20
    + ("ordered",) * 10
    + ("repaired",) * 12
    + ("reopened",) * 3
)
CLASSES = ("pothole", "crack", "alligator", "patch", "manhole", "edge")
DISTRICTS = ("Mitte", "Nord", "Süd", "West", "Homberg", "Meiderich", "Hamborn", "Walsum")
OFFICES = ("road-works", "sewers", "bridges", "green")
ROAD_CLASSES = ("primary", "secondary", "tertiary", "residential", "service")
FLEET = tuple(f"vehicle-{n}" for n in range(1, 13))
#: A city of 20 by 24 kilometres.
WEST, SOUTH, EAST, NORTH = 6.62, 51.33, 6.84, 51.56
NEWEST = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
_BATCH = 20_000


def utc(seconds_ago: float) -> str:
    """A time as the tables write it."""
    return (NEWEST - timedelta(seconds=seconds_ago)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class City:
    """Draws cases on 2,000 streets, and what vehicles said of them."""

    def __init__(self, number_of_cases: int, number_of_sightings: int) -> None:
        self.cases = number_of_cases
        self.each = number_of_sightings // number_of_cases
        draw = np.random.default_rng(1)
        streets = 2000
        street = draw.integers(0, streets, self.cases)
        heading = draw.uniform(0, 6.3, streets)
        along = draw.uniform(-0.006, 0.006, self.cases)
        self.lon = draw.uniform(WEST, EAST, streets)[street] + along * np.cos(heading)[street]
        self.lat = draw.uniform(SOUTH, NORTH, streets)[street] + along * np.sin(heading)[street]
        self.street = street
        self.ago_s = draw.uniform(0, 400 * 86_400, self.cases)

    def case_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of `cases`."""
        draw = random.Random(2)  # noqa: S311 - a made city
        for n in range(self.cases):
            state = draw.choice(STATES)
            office = draw.choice(OFFICES)
            yield {
                "number": n + 1,
                "changed": n + 1,
                "state": state,
                "class": draw.choice(CLASSES),
                "surface": "road",
                "lon": float(self.lon[n]),
                "lat": float(self.lat[n]),
                "error_m": 0.8,
                "heading_deg": 90.0,
                "best": n * self.each + 1,
                "sightings": self.each,
                "passes": self.each,
                "vehicles": min(self.each, 3),
                "vehicle": FLEET[n % len(FLEET)],
                "score": round(draw.uniform(0.3, 1), 3),
                "grade": draw.randint(1, 5),
                "length_m": 0.6,
                "width_m": 0.4,
                "size_error_m": 0.07,
                "trend": draw.choice((None, "growing", "steady", "steady", "shrinking")),
                "first_seen_utc": utc(self.ago_s[n]),
                "last_seen_utc": utc(self.ago_s[n] * 0.2),
                "looks_without": draw.choice((0, 0, 0, 1, 2, 5)),
                "opened_utc": utc(self.ago_s[n] - 60),
                "district": DISTRICTS[self.street[n] % len(DISTRICTS)],
                "road": f"Straße {self.street[n]}",
                "road_class": ROAD_CLASSES[self.street[n] % len(ROAD_CLASSES)],
                "office_proposed": office,
                "office": office,
                "decided_utc": None if state == "new" else utc(self.ago_s[n] * 0.5),
                "decided_by": None if state == "new" else "anna",
                "pinned": False,
                "reports": 0,
            }

    def seen(self) -> Iterator[tuple[int, int, str, str, str]]:
        """Number of event, case, vehicle, time and picture of each sighting."""
        for n in range(self.cases):
            for k in range(self.each):
                number = n * self.each + k + 1
                when = utc(float(self.ago_s[n]) * (1 - 0.8 * k / max(self.each - 1, 1)))
                yield number, n + 1, FLEET[(n + k) % len(FLEET)], when, f"{number:064x}"

    def event_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of `events`: real messages, of which only what differs is written anew."""
        template = _template()
        for number, case, vehicle, when, picture in self.seen():
            replaced = template
            for old, new in (
                (b"vehicle-0", vehicle.encode()),
                (b"b-00000000", b"b-%08d" % number),
                (b"2000-01-01T00:00:00.000Z", when.encode()),
                (b"f" * 64, picture.encode()),
                (b"6.123456", b"%.6f" % self.lon[case - 1]),
                (b"51.123456", b"%.6f" % self.lat[case - 1]),
            ):
                replaced = replaced.replace(old, new)
            yield {
                "received": number,
                "source": f"wegewart/{vehicle}",
                "id": f"b-{number:08d}",
                "type": "wegewart.observation.v1",
                "received_utc": when,
                "payload": replaced,
            }

    def sighting_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of `sightings`."""
        for number, case, vehicle, when, picture in self.seen():
            yield {
                "number": number,
                "case": case,
                "received": number,
                "vehicle": vehicle,
                "boot": "b",
                "class": "pothole",
                "score": 0.5 + number % 50 / 100,
                "utc": when,
                "lon": float(self.lon[case - 1]),
                "lat": float(self.lat[case - 1]),
                "error_m": 1.5,
                "heading_deg": 90.0,
                "length_m": 0.6,
                "width_m": 0.4,
                "size_error_m": 0.07,
                "grade": 1 + number % 5,
                "picture": picture,
                "monotonic_s": float(number),
            }

    def picture_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of `pictures`: of twenty, one has not come."""
        for number, _, vehicle, when, picture in self.seen():
            if number % 20:
                yield {
                    "sha256": picture,
                    "vehicle": vehicle,
                    "bytes": 60_000,
                    "width": 1280,
                    "height": 720,
                    "received_utc": when,
                }

    def look_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of `looks`: three passes over each case."""
        for number, case, vehicle, when, _ in self.seen():
            if (number - 1) % self.each < 3:
                yield {
                    "case": case,
                    "received": number,
                    "vehicle": vehicle,
                    "boot": "b",
                    "monotonic_s": float(number),
                    "utc": when,
                }

    def cell_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of `case_cells`."""
        for n in range(self.cases):
            for cell in cells_of(float(self.lon[n]), float(self.lat[n]), None, None):
                yield {"cell": cell, "case": n + 1}

    def audit_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of `audit`: one decision on each case."""
        for n in range(self.cases):
            yield {
                "utc": utc(float(self.ago_s[n]) * 0.5),
                "who": "anna",
                "action": "confirm",
                "kind": "case",
                "subject": str(n + 1),
                "before": '{"state":"new"}',
                "after": '{"state":"confirmed"}',
                "sequence": n,
            }


def _template() -> bytes:
    seen = Observation(
        defect_class="pothole",
        score=0.87,
        frames_seen=6,
        time=Time(boot="b", monotonic_s=12.5, quality="gnss", utc="2000-01-01T00:00:00.000Z"),
        model=ModelRef(name="street", version="0.1.0", sha256="ab" * 32),
        software="0.1.0",
        calibration="sweeper-front",
        position=Position(lon=6.123456, lat=51.123456, error_m=1.5, method="gnss", quality="differential"),
        heading_deg=90.0,
        speed_mps=8.3,
        size=Size(length_m=0.6, width_m=0.4, error_m=0.07),
        severity=Severity(grade=3, rule="pothole-by-area"),
        picture=PictureRef(
            sha256="f" * 64,
            bytes=60_000,
            width=1280,
            height=720,
            box=(600, 400, 700, 470),
            anonymised=Anonymised(method="blur"),
        ),
    )
    return envelope.encode(envelope.Event(id="b-00000000", source="wegewart/vehicle-0", data=seen))


def fill(database: Database, city: City) -> None:
    """Write the whole city into empty tables."""
    migrate(database)
    tables = (
        (events, city.event_rows()),
        (cases, city.case_rows()),
        (sightings, city.sighting_rows()),
        (pictures, city.picture_rows()),
        (looks, city.look_rows()),
        (case_cells, city.cell_rows()),
        (audit, city.audit_rows()),
        (vehicles, ({"name": name} for name in FLEET)),
    )
    for table, rows in tables:
        began_s = time.monotonic()
        written = _write(database, table, rows)
        print(f"  {table.name}: {written} rows in {time.monotonic() - began_s:.0f} s", flush=True)
    with database.writing() as connection:
        connection.execute(update(meta).where(meta.c.name == "sequence").values(value=city.cases))
        if database.dialect == "sqlite":
            connection.execute(text("ANALYZE"))
    if database.dialect == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))  # as autovacuum would have done meanwhile


def _write(database: Database, table: Any, rows: Iterator[dict[str, Any]]) -> int:
    written = 0
    with database.writing() as connection:
        while batch := list(itertools.islice(rows, _BATCH)):
            names = list(batch[0])
            columns = ", ".join(f'"{name}"' for name in names)
            values = [tuple(row.values()) for row in batch]
            if database.dialect == "sqlite":
                marks = ", ".join("?" * len(names))
                connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})', values)  # noqa: S608
            else:
                cursor: Any = connection.connection.cursor()
                with cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
                    for row in values:
                        copy.write_row(row)
            written += len(batch)
        if database.dialect == "postgresql" and table in (cases, events, sightings, audit):
            key = next(iter(table.primary_key.columns)).name
            connection.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{table.name}', '{key}'), max({key})) FROM {table.name}")  # noqa: S608
            )
    return written
