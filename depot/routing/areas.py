# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Areas: read from GeoJSON as cities publish it, and found again by place."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, MultiPolygon, Polygon, STRtree

from depot.routing.records import PRINTABLE, Area, Kind

MOST_AREAS = 2_000
MOST_POINTS = 500_000
_ID = re.compile(r"[^a-z0-9_-]+")
_PRINTABLE = re.compile(PRINTABLE)
_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


class AreaError(ValueError):
    """What is wrong with an upload, on one line."""


def read(content: bytes, *, kind: Kind | None = None, name_field: str = "name") -> list[Area]:
    """The areas of a GeoJSON FeatureCollection of polygons in WGS 84.

    Args:
        content: the file.
        kind: of all features; None: each says its own in its property `kind`, or is an "area".
        name_field: property with the name. The property `id`, else the name, makes the id.

    Raises:
        AreaError: one line that names the feature and what is wrong with it.
    """
    try:
        collection = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise AreaError("this is not JSON; a GeoJSON FeatureCollection of polygons is wanted") from None
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list) or collection.get("type") != "FeatureCollection":
        raise AreaError("a GeoJSON FeatureCollection of polygons is wanted")
    if len(features) > MOST_AREAS:
        raise AreaError(f"{len(features)} areas, at most {MOST_AREAS} are taken")
    found = [_area(number, feature, kind, name_field) for number, feature in enumerate(features, 1)]
    twice = [name for name, count in Counter(area.id for area in found).items() if count > 1]
    if twice:
        raise AreaError(f"the id {twice[0]} is there twice")
    points = sum(int(shapely.get_num_coordinates(area.geometry)) for area in found)
    if points > MOST_POINTS:
        raise AreaError(f"{points} points, at most {MOST_POINTS} are taken; simplify the lines")
    return found


def _area(number: int, feature: Any, kind: Kind | None, name_field: str) -> Area:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        raise AreaError(f"feature {number}: has no properties")
    name = properties.get(name_field)
    if not isinstance(name, str | int) or not 1 <= len(str(name)) <= 200 or not _PRINTABLE.match(str(name)):
        raise AreaError(f"feature {number}: has no name in the property {name_field!r}")
    own_kind = kind or properties.get("kind", "area")
    if own_kind not in ("district", "area"):
        raise AreaError(f"feature {number} ({name}): kind is district or area")
    given = properties.get("id")
    identity = _ID.sub("-", str(name if given is None else given).lower().translate(_LETTERS)).strip("-_")[:63]
    if not identity:
        raise AreaError(f"feature {number} ({name}): its id has no letter or digit")
    try:
        geometry = _geometry(feature.get("geometry"))
    except AreaError as error:
        raise AreaError(f"feature {number} ({name}): {error}") from None
    return Area(identity, str(name), cast("Kind", own_kind), geometry)


def _geometry(value: Any) -> Geometry:
    """Polygons without self-intersections, in degrees."""
    if not isinstance(value, dict) or value.get("type") not in ("Polygon", "MultiPolygon"):
        raise AreaError("is no Polygon or MultiPolygon")
    rings = [value.get("coordinates")] if value["type"] == "Polygon" else value.get("coordinates")
    if not isinstance(rings, list):
        raise AreaError("has no coordinates")
    mended = shapely.make_valid(MultiPolygon([_polygon(polygon) for polygon in rings]))
    polygons = [part for part in _parts(mended) if not part.is_empty]
    if not polygons:
        raise AreaError("encloses nothing")
    return MultiPolygon(polygons)


def _polygon(rings: Any) -> Polygon:
    if not isinstance(rings, list) or not rings or not all(isinstance(ring, list) for ring in rings):
        raise AreaError("has a polygon without rings")
    checked = [[_point(point) for point in ring] for ring in rings]
    if any(len(ring) < 4 for ring in checked):
        raise AreaError("has a ring of fewer than four points")
    return Polygon(checked[0], checked[1:])


def _point(point: Any) -> tuple[float, float]:
    if not isinstance(point, list) or len(point) < 2 or not all(type(value) in (int, float) for value in point[:2]):
        raise AreaError("has a point that is not [longitude, latitude]")
    lon, lat = point[:2]
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        told = f"{lon}, {lat}"[:40]
        raise AreaError(f"has a point at {told}, which are no degrees; export it in WGS 84 (EPSG:4326)")
    return float(lon), float(lat)


def _parts(geometry: Geometry) -> Iterator[Polygon]:
    for part in shapely.get_parts(geometry):
        if isinstance(part, Polygon):
            yield part
        elif isinstance(part, MultiPolygon):
            yield from part.geoms


def digest(geometry: Geometry) -> str:
    """Differs where the lines do."""
    return hashlib.sha256(shapely.to_wkb(geometry)).hexdigest()[:16]


class AreaIndex:
    """Finds the areas that a place lies in. Frozen; may be asked from any thread."""

    def __init__(self, areas: Sequence[Area]) -> None:
        self.areas = tuple(areas)
        for area in self.areas:
            shapely.prepare(area.geometry)
        self._tree = STRtree([area.geometry for area in self.areas])

    def holding(self, lon_lat: NDArray[np.float64]) -> list[list[Area]]:
        """For each of N places (N, 2; NaN: not known) its areas, in the order of their ids."""
        found: list[list[Area]] = [[] for _ in lon_lat]
        known = np.flatnonzero(np.isfinite(lon_lat).all(axis=1))
        if not self.areas or not len(known):
            return found
        places, areas = self._tree.query(shapely.points(lon_lat[known]), predicate="intersects")
        for place, area in sorted(zip(places.tolist(), areas.tolist(), strict=True)):
            found[known[place]].append(self.areas[area])
        return found
