# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A street with defects, vehicles that pass it with errors like real ones, and a depot that takes their words."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import insert, select

from depot.cases.ports import Placed
from depot.cases.projection import CaseProjection
from depot.cases.records import Case, Sighting, case_of, sighting_of
from depot.projecting import Projector
from depot.store.database import Database
from depot.store.tables import cases, events, pending, sightings
from messages import envelope
from messages.types import Message, Position, Size, Time
from tests.depot import samples

LON, LAT = 6.7623, 51.4344
METRES = math.pi * 6_371_008.8 / 180
START = datetime(2026, 5, 4, 9, 30, tzinfo=timezone.utc)


def at(east_m: float, north_m: float = 0.0) -> tuple[float, float]:
    return LON + east_m / (METRES * math.cos(math.radians(LAT))), LAT + north_m / METRES


def position(east_m: float, north_m: float = 0.0, error_m: float = 1.0, **more: Any) -> Position:
    lon, lat = at(east_m, north_m)
    return Position(lon=lon, lat=lat, error_m=error_m, method="gnss", **more)


def when(days: float = 0.0, seconds: float = 0.0, boot: str = "b0") -> Time:
    utc = (START + timedelta(days=days, seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Time(boot=boot, monotonic_s=seconds, quality="gnss", utc=utc)


class NoPlacing:
    def place(self, _connection: object, _case: Case) -> Placed:
        return Placed()


class Depot:
    """Stores events as ingest does and projects them at once."""

    def __init__(self, database: Database, placing: Any = None, batch: int = 500) -> None:
        self.database = database
        self.projection = CaseProjection(placing or NoPlacing())
        self.projector = Projector(database, [self.projection], batch=batch)
        self._counter = 0

    def store(self, said: Sequence[tuple[str, str, Message]]) -> None:
        """(vehicle, event id, message): only stored."""
        with self.database.writing() as connection:
            for vehicle, name, message in said:
                event = envelope.Event(id=name, source=envelope.source_of(vehicle), data=message)
                values = {
                    "source": event.source,
                    "id": name,
                    "type": f"wegewart.{envelope.kind_of(message)}.v1",
                    "received_utc": self.database.now_utc(),
                    "payload": envelope.encode(event),
                }
                received = connection.execute(insert(events).values(values)).inserted_primary_key[0]
                connection.execute(insert(pending).values(received=received))

    def project(self) -> None:
        while self.projector.run_once():
            pass
        assert not self.projector.counts["failed"]

    def hear(self, *messages: Message, vehicle: str = "sweeper-1") -> list[str]:
        """Store and project each by itself; their ids."""
        names = []
        for message in messages:
            self._counter += 1
            names.append(f"e{self._counter:06d}")
            self.store([(vehicle, names[-1], message)])
            self.project()
        return names

    def cases(self, *, merged: bool = False) -> list[Case]:
        with self.database.reading() as connection:
            found = [case_of(row) for row in connection.execute(select(cases).order_by(cases.c.number))]
        return [case for case in found if merged or case.state != "merged"]

    def sightings(self) -> list[Sighting]:
        with self.database.reading() as connection:
            return [sighting_of(row) for row in connection.execute(select(sightings).order_by(sightings.c.number))]


@dataclass(frozen=True)
class Defect:
    east_m: float
    north_m: float
    label: str = "pothole"
    size_m: float = 0.6


@dataclass(frozen=True)
class Errors:
    """Of a receiver: deviation per axis and how long it lasts; of a place against its neighbours; what is missed."""

    gnss_m: float = 1.06
    memory_s: float = 25.0
    within_m: float = 0.25
    missed: float = 0.1


def street(seed: int, length_m: float = 500.0, per_km: float = 62.0) -> list[Defect]:
    """Defects along a street to the east, 0.6 m apart at least, some pairs of potholes 3 m apart."""
    dice = random.Random(seed)
    found: list[Defect] = []
    count = round(length_m * per_km / 1000)
    labels = ["pothole", "longitudinal_crack", "transverse_crack", "alligator_crack"]
    while len(found) < count:
        label = dice.choices(labels, (0.36, 0.22, 0.2, 0.22))[0]
        made = Defect(dice.uniform(0, length_m), dice.uniform(-2.5, 0.0), label, 0.6 if label == "pothole" else 2.0)
        pair = Defect(made.east_m + 3.0, made.north_m, label, made.size_m)
        new = [made, pair] if label == "pothole" and dice.random() < 0.2 else [made]
        gap = [2.5 if o.label == n.label else 0.8 for n in new for o in found]
        far = [math.hypot(n.east_m - o.east_m, n.north_m - o.north_m) for n in new for o in found]
        if all(d >= g for d, g in zip(far, gap, strict=True)):
            found += new
    return sorted(found, key=lambda d: d.east_m)


def drive(
    defects: Sequence[Defect], seed: int, days: float, errors: Errors = Errors(), speed_mps: float = 10.0
) -> list[tuple[Message, int]]:
    """What one pass along the street says: observations with the index of their defect."""
    dice = random.Random(seed)
    drift = [dice.gauss(0, 1), dice.gauss(0, 1)]
    before_s = 0.0
    said = []
    for index, defect in enumerate(defects):
        now_s = defect.east_m / speed_mps
        keep = math.exp(-(now_s - before_s) / errors.memory_s)
        drift = [keep * d + math.sqrt(1 - keep * keep) * dice.gauss(0, 1) for d in drift]
        before_s = now_s
        if dice.random() < errors.missed:
            continue
        east = defect.east_m + errors.gnss_m * drift[0] + dice.gauss(0, errors.within_m)
        north = defect.north_m + errors.gnss_m * drift[1] + dice.gauss(0, errors.within_m)
        said.append(
            (
                samples.observation(
                    defect_class=defect.label,
                    position=position(east, north, error_m=1.1 * errors.gnss_m),
                    time=when(days, now_s, boot=f"boot{seed}"),
                    heading_deg=90.0,
                    size=Size(length_m=defect.size_m, width_m=defect.size_m, error_m=0.1),
                ),
                index,
            )
        )
    return said
