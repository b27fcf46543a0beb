# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Areas on the map in which we know whether the vehicle is in a tunnel or in the street."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

from edge.types import Surroundings

Ring: TypeAlias = tuple[tuple[float, float], ...]
"""(lon, lat) of the corners; the last is the first again."""


@dataclass(frozen=True)
class Area:
    """A polygon: its outline and its holes."""

    surroundings: Surroundings
    rings: tuple[Ring, ...]

    @cached_property
    def _box(self) -> tuple[float, float, float, float]:
        lons, lats = zip(*self.rings[0], strict=True)
        return min(lons), min(lats), max(lons), max(lats)

    def holds(self, lon: float, lat: float) -> bool:
        """Whether a place is inside: a ray from it crosses the rings an odd number of times (Jordan curve theorem)."""
        west, south, east, north = self._box
        if not (west <= lon <= east and south <= lat <= north):
            return False
        inside = False
        for ring in self.rings:
            for (lon1, lat1), (lon2, lat2) in pairwise(ring):
                if (lat1 > lat) != (lat2 > lat) and lon < lon1 + (lat - lat1) / (lat2 - lat1) * (lon2 - lon1):
                    inside = not inside
        return inside


@dataclass(frozen=True)
class Geofence:
    """All areas of a file, in its order; where they overlap the first one counts."""

    areas: tuple[Area, ...]

    def at(self, lon: float, lat: float) -> Surroundings | None:
        """What is known of a place, degrees; None outside all areas."""
        return next((area.surroundings for area in self.areas if area.holds(lon, lat)), None)
