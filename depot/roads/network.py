# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The city's roads in memory: which one lies here, and how far along it.

Places are laid on a plane in metres around the network's middle; over a city that is good to a per mille of each
distance. A road that runs as the vehicle heads goes before one that does not: at a crossing the nearest line is often
that of the other road.
"""

from __future__ import annotations

import itertools
import json
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from shapely import STRtree, linestrings, points
from shapely import box as geometry_box
from sqlalchemy import Connection, select

from depot.roads.tables import NETWORK, roads
from depot.store.tables import meta

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
#: Lines of a road: (lon, lat) along each.
Lines = tuple[tuple[tuple[float, float], ...], ...]

#: So far may a road's direction lie from the vehicle's, degrees.
_FITS_DEG = 50.0


class Road(Struct, frozen=True, kw_only=True):
    """A road as the city knows it; `road_class` in the words of its source (OSM: residential, primary, ...)."""

    id: str
    length_m: float
    name: str | None = None
    road_class: str | None = None
    district: str | None = None
    lines: Lines = ()


@dataclass(frozen=True)
class OnRoads:
    """Where N places lie: `road` is an index into `RoadNetwork.roads`, -1 where there is none within reach."""

    road: Integers
    chainage_m: Floats
    distance_m: Floats


class RoadNetwork:
    """Frozen once made; may be asked from any thread."""

    def __init__(self, known: Sequence[Road], version: int = 0) -> None:
        """Index the roads; about a second for the 200,000 pieces of a large city."""
        self.roads = tuple(known)
        self.version = version
        self._by_id = {road.id: number for number, road in enumerate(self.roads)}
        self._middle_lat = _middle_lat(self.roads)
        starts: list[Floats] = []
        ends: list[Floats] = []
        chainages: list[Floats] = []
        owners: list[Integers] = []
        for number, road in enumerate(self.roads):
            at_m = 0.0
            for line in road.lines:
                plane = self.plane(np.array(line, dtype=np.float64))
                lengths = np.hypot(*np.diff(plane, axis=0).T)
                along = at_m + np.concatenate(([0.0], np.cumsum(lengths)))
                at_m = float(along[-1])
                starts.append(plane[:-1])
                ends.append(plane[1:])
                chainages.append(along[:-1])
                owners.append(np.full(len(lengths), number, dtype=np.int64))
        self._start = np.concatenate(starts) if starts else np.empty((0, 2))
        self._end = np.concatenate(ends) if ends else np.empty((0, 2))
        self._chainage_m = np.concatenate(chainages) if chainages else np.empty(0)
        self._owner = np.concatenate(owners) if owners else np.empty(0, dtype=np.int64)
        way = self._end - self._start
        self._bearing_deg = np.degrees(np.arctan2(way[:, 0], way[:, 1]))
        pieces: Any = linestrings(np.stack((self._start, self._end), axis=1))
        self._tree = STRtree(pieces)

    @classmethod
    def load(cls, connection: Connection) -> RoadNetwork:
        """The network as it stands in the database; without any road where none was imported."""
        rows = connection.execute(select(roads).order_by(roads.c.id))
        return cls([_road(row._mapping) for row in rows], version_of(connection))  # noqa: SLF001 - its public name

    def plane(self, lon_lat: Floats) -> Floats:
        """(N, 2) degrees to (N, 2) metres east and north on the network's plane."""
        found: Floats = lon_lat * np.array(metres_per_degree(self._middle_lat))
        return found

    def number_of(self, road: str) -> int | None:
        """The index of the road with this id."""
        return self._by_id.get(road)

    def inside(self, box: tuple[float, float, float, float] | None) -> set[int]:
        """Indices of the roads that may touch a box (west, south, east, north); of None, all."""
        if box is None:
            return set(range(len(self.roads)))
        west, south, east, north = box
        corners = self.plane(np.array([[west, south], [east, north]], dtype=np.float64))
        if west > east:
            return self.inside((west, south, 180.0, north)) | self.inside((-180.0, south, east, north))
        return set(self._owner[self._tree.query(geometry_box(*corners.ravel()))].tolist())

    def part(self, number: int, from_m: float, to_m: float) -> list[list[list[float]]]:
        """Lines of a part of a road, as the coordinates of a MultiLineString."""
        found: list[list[list[float]]] = []
        at_m = 0.0
        for line in self.roads[number].lines:
            degrees = np.array(line, dtype=np.float64)
            along = at_m + np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(self.plane(degrees), axis=0).T))))
            at_m = float(along[-1])
            low, high = max(from_m, float(along[0])), min(to_m, at_m)
            if high - low <= 0.01:
                continue
            inner = along[(along > low) & (along < high)]
            wanted = np.concatenate(([low], inner, [high]))
            lon = np.interp(wanted, along, degrees[:, 0])
            found.append(np.stack((lon, np.interp(wanted, along, degrees[:, 1])), axis=1).round(7).tolist())
        return found

    def nearest(
        self, lon: float, lat: float, *, heading_deg: float | None = None, within_m: float = 25.0
    ) -> Road | None:
        """The road that this place belongs to; None where none is near enough."""
        heading = np.array([math.nan if heading_deg is None else heading_deg])
        found = self.locate(np.array([[lon, lat]]), heading, within_m=within_m).road[0]
        return None if found < 0 else self.roads[found]

    def locate(self, lon_lat: Floats, heading_deg: Floats | None = None, *, within_m: float = 25.0) -> OnRoads:
        """The road of each of N places.

        Args:
            lon_lat: (N, 2) degrees.
            heading_deg: (N,) degrees from north, NaN where not known.
            within_m: how far the road's line may lie off.
        """
        here = self.plane(np.asarray(lon_lat, dtype=np.float64).reshape(-1, 2))
        found = OnRoads(np.full(len(here), -1, dtype=np.int64), np.full(len(here), np.nan), np.full(len(here), np.nan))
        which, piece = self._tree.query(points(here), predicate="dwithin", distance=within_m)
        if not len(which):
            return found
        way = self._end[piece] - self._start[piece]
        off = here[which] - self._start[piece]
        squared = np.maximum((way**2).sum(axis=1), 1e-12)
        share = np.clip((off * way).sum(axis=1) / squared, 0.0, 1.0)
        distance = np.hypot(*(off - share[:, None] * way).T)
        across = np.zeros(len(which), dtype=bool)
        if heading_deg is not None:
            turn = np.abs((np.asarray(heading_deg)[which] - self._bearing_deg[piece] + 90.0) % 180.0 - 90.0)
            across = turn > _FITS_DEG  # NaN: it fits
        order = np.lexsort((piece, distance, across, which))
        first = order[np.concatenate(([True], np.diff(which[order]) > 0))]
        found.road[which[first]] = self._owner[piece[first]]
        found.chainage_m[which[first]] = self._chainage_m[piece[first]] + share[first] * np.sqrt(squared[first])
        found.distance_m[which[first]] = distance[first]
        return found


class Roads:
    """The newest network, read anew where an import has changed it. May be asked from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: RoadNetwork | None = None

    def current(self, connection: Connection) -> RoadNetwork:
        """The network as this connection sees it. Raises StoreError (by the connection)."""
        version = version_of(connection)
        with self._lock:
            if self._known is None or self._known.version != version:
                self._known = RoadNetwork.load(connection)
            return self._known


def version_of(connection: Connection) -> int:
    """How often a network was imported."""
    return connection.execute(select(meta.c.value).where(meta.c.name == NETWORK)).scalar() or 0


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Metres in a degree eastwards and northwards at a latitude, on the ellipsoid of WGS 84 (its usual series)."""
    phi = math.radians(lat)
    east = 111_412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi)
    return east, 111_132.954 - 559.822 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi)


def length_m(lines: Lines) -> float:
    """Length of a road, metres on the ground."""
    total = 0.0
    for line in lines:
        for (west, south), (east, north) in itertools.pairwise(line):
            east_m, north_m = metres_per_degree((south + north) / 2)
            total += math.hypot((east - west) * east_m, (north - south) * north_m)
    return total


def _middle_lat(known: Sequence[Road]) -> float:
    lats = [lat for road in known for line in road.lines for _, lat in line]
    return (min(lats) + max(lats)) / 2 if lats else 0.0


def _road(row: Any) -> Road:
    lines = tuple(tuple((lon, lat) for lon, lat in line) for line in json.loads(row["lines"]))
    return Road(
        id=row["id"],
        name=row["name"],
        road_class=row["class"],
        district=row["district"],
        length_m=row["length_m"],
        lines=lines,
    )
