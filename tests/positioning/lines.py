# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Lines for tests: courses on a plane near Duisburg, as lines and as files."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from edge.geometry import offset_lonlat
from edge.positioning.line import Line, LineLandmark
from edge.positioning.line_shape import rounded, running_m

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

LON0, LAT0 = 6.77, 51.43


def lonlat(east: float, north: float) -> tuple[float, float]:
    return offset_lonlat(LON0, LAT0, east, north)


def course(
    legs: Iterable[tuple[float, float]], *, step_m: float = 10.0, heading: float = 60.0
) -> list[tuple[float, float]]:
    """Points (east, north) of legs (length in metres, radius in metres: positive to the right, inf straight on)."""
    angle, east, north = math.radians(heading), 0.0, 0.0
    points = [(east, north)]
    for length, radius in legs:
        count = max(1, round(length / step_m))
        for _ in range(count):
            way, turn = length / count, length / count / radius
            chord = way if turn == 0 else 2 * abs(radius) * math.sin(abs(turn) / 2)
            east += chord * math.sin(angle + turn / 2)
            north += chord * math.cos(angle + turn / 2)
            angle += turn
            points.append((east, north))
    return points


#: 2 km with two bends.
LEGS = ((500, math.inf), (200, 300), (600, math.inf), (150, -100), (550, math.inf))


def line(
    legs: Sequence[tuple[float, float]] = LEGS,
    *,
    name: str = "U79",
    start_m: float = 0.0,
    aside_m: float = 0.0,
    track: str | None = None,
    tunnels: tuple[tuple[float, float], ...] = (),
    landmarks: Sequence[tuple[str, float, str]] = (),
    heading: float = 60.0,
) -> Line:
    """`aside_m`: to the left of the course."""
    points = course(legs, heading=heading)
    if aside_m:
        points = beside(points, aside_m)
    shape, _ = rounded([lonlat(*point) for point in points])
    chainages = tuple(start_m + metres for metres in running_m(shape))
    marks = tuple(LineLandmark(name, chainage, kind) for name, chainage, kind in landmarks)
    return Line(name, tuple(shape), chainages, track, tunnels, marks)


def beside(points: Sequence[tuple[float, float]], left_m: float) -> list[tuple[float, float]]:
    ways = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]
    ways.append(ways[-1])
    return [
        (point[0] - left_m * way[1] / math.hypot(*way), point[1] + left_m * way[0] / math.hypot(*way))
        for point, way in zip(points, ways, strict=True)
    ]


def axis_feature(points: Iterable[tuple[float, float]], **properties: Any) -> dict[str, Any]:
    coordinates = [list(point) for point in points]
    return {
        "type": "Feature",
        "properties": {"name": "U79", **properties},
        "geometry": {"type": "LineString", "coordinates": coordinates},
    }


def mark_feature(name: str, place: tuple[float, float] | None, **properties: Any) -> dict[str, Any]:
    geometry = None if place is None else {"type": "Point", "coordinates": list(place)}
    return {"type": "Feature", "properties": {"name": name, "kind": "station", **properties}, "geometry": geometry}


def geojson(path: Path, *features: Any) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path
