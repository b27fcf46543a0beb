# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Rendered streets, laid side by side so that they make a city with their truth."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from edge.simulator import simulate
from edge.simulator.route import ORIGIN
from edge.simulator.truth import Truth, load

#: No test, no training and no other benchmark renders a drive of this seed or the next ones.
FIRST_SEED = 4001
#: Frames this far apart show every metre of road in three of them, as a vehicle judges it.
FRAME_EVERY_M = 2.5
#: Every simulated drive starts at one place; this much farther east each (1.4 km), no two of them meet.
APART_DEG = 0.02


@dataclass(frozen=True)
class Street:
    """A drive and where it lies in the city: `number` 0 lies in the west."""

    number: int
    drive: Path

    @property
    def name(self) -> str:
        """Of the street."""
        return f"Teststraße {self.drive.name}"

    @property
    def east_deg(self) -> float:
        """How far its places lie east of those in the drive's files."""
        return self.number * APART_DEG

    def track(self, folder: Path) -> Path:
        """Write what the receiver says where the street lies."""
        with (self.drive / "track.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        path = folder / f"{self.drive.name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows({**row, "lon": f"{float(row['lon']) + self.east_deg:.8f}"} for row in rows)
        return path

    def truth(self) -> Truth:
        """Its defects where the street lies."""
        truth = load(self.drive / "truth.json")
        return replace(truth, defects=tuple(replace(one, lon=one.lon + self.east_deg) for one in truth.defects))


def streets(folder: Path, seeds: Sequence[int], km: float) -> Iterator[Street]:
    """Streets whose drives lie below the folder, drawn where they are missing."""
    for number, seed in enumerate(seeds):
        drive = folder / str(seed)
        if not (drive / "truth.json").exists():
            simulate(drive, seed=seed, km=km, frame_every_m=FRAME_EVERY_M, scene="street")
        yield Street(number, drive)


def street_at(some: Sequence[Street], lon: float) -> Street:
    """The street that a place lies on."""
    return some[min(max(round((lon - ORIGIN[0]) / APART_DEG), 0), len(some) - 1)]


def network(some: Sequence[Street]) -> str:
    """The city's roads as GeoJSON."""
    features = [
        {
            "type": "Feature",
            "properties": {"name": street.name, "highway": "secondary", "district": "Testgelände"},
            "geometry": {
                "type": "LineString",
                "coordinates": [
                    [frame.lon + street.east_deg, frame.lat] for frame in load(street.drive / "truth.json").frames[::5]
                ],
            },
        }
        for street in some
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})
