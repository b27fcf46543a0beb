# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Read a geofence: a GeoJSON FeatureCollection (RFC 7946) of Polygon and MultiPolygon features.

Coordinates are WGS 84, longitude first. Each feature has the property `surroundings`: "tunnel" or "street". Nothing
of a file is taken where something in it cannot be true; the error is one line that says what, where, why and what to
do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import InputError
from edge.geometry import metres_per_degree
from edge.sampling.geofence import Area, Geofence, Ring

_MAX_BYTES, _MAX_AREAS, _MAX_POINTS = 5_000_000, 2_000, 5_000
#: No tunnel and no depot is larger, or smaller, from end to end (metres).
_LARGEST_M, _SMALLEST_M = 100_000.0, 5.0
#: Longitude and latitude of Germany and its neighbours; what lies there only when swapped is swapped.
_HOME = ((5.0, 17.5), (45.5, 56.0))


def read_geofence(path: Path) -> Geofence:
    """Read the areas of a file.

    Raises:
        InputError: it cannot be read, or something in it cannot be true.
    """
    features = _features(path)
    areas: list[Area] = []
    for number, feature in enumerate(features, start=1):
        areas += _Feature(path, f"feature {number}").areas(feature)
    if not 1 <= len(areas) <= _MAX_AREAS:
        raise InputError(f"{path}: has {len(areas)} areas; give 1 to {_MAX_AREAS}")
    return Geofence(tuple(areas))


def _features(path: Path) -> list[Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise InputError(f"{path}: is larger than {_MAX_BYTES // 1_000_000} MB; simplify its polygons")
        root = json.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or 'cannot be read'}; give a GeoJSON file of areas") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start}: is not UTF-8; save it as UTF-8") from None
    except RecursionError:
        raise InputError(f"{path}: is nested too deeply; export it anew as GeoJSON") from None
    except ValueError as error:
        raise InputError(f"{path}: is not JSON ({str(error)[:80]}); export it anew as GeoJSON") from None
    features = root.get("features") if isinstance(root, dict) and root.get("type") == "FeatureCollection" else None
    if not isinstance(features, list):
        raise InputError(f"{path}: is no FeatureCollection; export it as GeoJSON FeatureCollection")
    return features


@dataclass(frozen=True)
class _Feature:
    """One feature of the file; knows where it stands, for its errors."""

    path: Path
    where: str

    def areas(self, feature: Any) -> list[Area]:
        """The polygons of the feature."""
        properties = feature.get("properties") if isinstance(feature, dict) else None
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        if not isinstance(properties, dict) or not isinstance(geometry, dict):
            raise self._refused("has no properties or no geometry", "give Polygon features with surroundings")
        surroundings = properties.get("surroundings")
        if surroundings not in ("tunnel", "street"):
            raise self._refused(f"surroundings is {_shown(surroundings)}", 'write "tunnel" or "street"')
        kind, coordinates = geometry.get("type"), geometry.get("coordinates")
        if kind not in ("Polygon", "MultiPolygon"):
            raise self._refused(f"geometry is {_shown(kind)}", "give Polygon or MultiPolygon")
        polygons = [coordinates] if kind == "Polygon" else coordinates
        if not isinstance(polygons, list) or not all(isinstance(rings, list) and rings for rings in polygons):
            raise self._refused("coordinates are no list of rings", "export it anew as GeoJSON")
        return [Area(surroundings, tuple(self._ring(ring) for ring in rings)) for rings in polygons]

    def _ring(self, ring: Any) -> Ring:
        if not isinstance(ring, list) or not 4 <= len(ring) <= _MAX_POINTS:
            count = len(ring) if isinstance(ring, list) else 0
            raise self._refused(f"a ring has {count} points", f"a ring has 4 to {_MAX_POINTS}, the last as the first")
        points = np.array([self._point(point) for point in ring])
        if (points[0] != points[-1]).any():
            raise self._refused("a ring is not closed", "end it with its first point")
        self._check_place(points)
        points = points[np.append(True, (np.diff(points, axis=0) != 0).any(axis=1))]  # without repeated corners
        crossing = _crossing(points)
        if crossing is not None:
            raise self._refused(f"its sides {crossing[0]} and {crossing[1]} cross", "draw the outline anew")
        return tuple((float(lon), float(lat)) for lon, lat in points)

    def _point(self, point: Any) -> tuple[float, float]:
        if not isinstance(point, list) or not 2 <= len(point) <= 4:
            raise self._refused(f"{_shown(point)} is no position", "write [lon, lat]")
        lon, lat = point[:2]
        if not (_is_number(lon) and _is_number(lat)):
            raise self._refused(f"{_shown(point)} is no position", "write [lon, lat] in degrees")
        if not (abs(lon) <= 180 and abs(lat) <= 90):  # also what is not a number
            swapped = abs(lat) <= 180 and abs(lon) <= 90
            hint = "longitude comes first, then latitude" if swapped else "give degrees in WGS 84 (EPSG:4326)"
            raise self._refused(f"{_shown(point)} lies outside the earth's degrees", hint)
        return float(lon), float(lat)

    def _check_place(self, points: np.ndarray) -> None:
        (west, east), (south, north) = _HOME
        swapped = ((points[:, 1] >= west) & (points[:, 1] <= east)).all()
        if swapped and ((points[:, 0] >= south) & (points[:, 0] <= north)).all():
            raise self._refused("latitude and longitude are swapped", "longitude comes first, then latitude")
        size = float(np.hypot(*(np.ptp(points, axis=0) * metres_per_degree(float(points[0, 1])))))
        if not _SMALLEST_M <= size <= _LARGEST_M:
            raise self._refused(
                f"is {size:.0f} m from end to end", f"give areas of {_SMALLEST_M:.0f} to {_LARGEST_M:.0f} m"
            )

    def _refused(self, what: str, remedy: str) -> InputError:
        return InputError(f"{self.path}: {self.where}: {what}; {remedy}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _crossing(points: np.ndarray) -> tuple[int, int] | None:
    """The numbers of two sides of a closed ring that cross or overlap, None where none do.

    Two sides cross where each one's ends lie on different sides of the other (signs of cross products); neighbours
    share a corner and are left out.
    """
    start, end = points[:-1], points[1:]
    count = len(start)
    for index in range(count - 2):
        others = np.arange(index + 2, count - (index == 0))
        a, b, c, d = start[index], end[index], start[others], end[others]
        across = _side(a, b, c) * _side(a, b, d) <= 0
        touching = across & (_side(c, d, a) * _side(c, d, b) <= 0)
        # Sides on one line all look as if they crossed; they do where they overlap.
        apart = (np.maximum(a, b) < np.minimum(c, d)) | (np.minimum(a, b) > np.maximum(c, d))
        found = others[touching & ~apart.any(axis=1)]
        if len(found):
            return index + 1, int(found[0]) + 1
    return None


def _side(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Sign: which side of the line from a to b (last axis: lon, lat) c lies on."""
    sides: np.ndarray = np.sign(
        (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
    )
    return sides
