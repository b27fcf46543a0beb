# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Stretches, rides, sections and roads as GeoJSON (RFC 7946): flat properties with units in their names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Row

from depot.roads.coverage import RoadCoverage
from depot.roads.network import Lines
from depot.roads.sections import RoadSection
from messages.types import Coverage, Position, Roughness

#: Of a place with the same normal error along both axes, 95 % lie within this many standard deviations
#: (Rayleigh distribution: sqrt(-2 ln 0.05)).
RADIUS_95 = math.sqrt(-2 * math.log(0.05))

Feature = dict[str, Any]


def collection(features: Iterable[Feature], **members: Any) -> dict[str, Any]:
    """A FeatureCollection, with further members beside the features."""
    return {"type": "FeatureCollection", **members, "features": list(features)}


def _feature(name: str | int, geometry: dict[str, Any] | None, properties: dict[str, Any]) -> Feature:
    return {"type": "Feature", "id": name, "geometry": geometry, "properties": properties}


def stretch_feature(row: Row[Any], seen: Coverage) -> Feature:
    """A stretch as a line; its geometry is null where fewer than two places are known."""
    line = seen.line
    return _feature(
        row.received,
        _line_string(seen.path),
        {
            "changed": row.changed,
            "vehicle": row.vehicle,
            "valid": seen.valid,
            "reason": seen.reason,
            "length_m": seen.length_m,
            "frames_judged": seen.frames_judged,
            "utc": row.utc,
            "surface": seen.surface,
            "line": None if line is None else line.line,
            "track": None if line is None else line.track,
            "from_m": None if line is None else line.from_m,
            "to_m": None if line is None else line.to_m,
            "chainage_error_m": None if line is None else line.error_m,
        },
    )


def ride_features(row: Row[Any], felt: Roughness) -> Iterator[Feature]:
    """Sections as lines, shocks as points; their geometry is null where no place is known."""
    about = {
        "changed": row.changed,
        "vehicle": row.vehicle,
        "rule": felt.rule,
        "reference_speed_mps": felt.reference_speed_mps,
        "utc": row.utc,
    }
    for number, section in enumerate(felt.sections):
        properties = {
            "kind": "section",
            "rms_mps2": section.rms_mps2,
            "length_m": section.length_m,
            "speed_mps": section.speed_mps,
            **about,
        }
        yield _feature(f"{row.received}-section-{number}", _line_string(section.path), properties)
    for number, shock in enumerate(felt.shocks):
        line = shock.line
        properties = {
            "kind": "shock",
            "peak_mps2": shock.peak_mps2,
            "speed_mps": shock.speed_mps,
            "observation": shock.observation,
            **_where(shock.position),
            "line": None if line is None else line.line,
            "track": None if line is None else line.track,
            "chainage_m": None if line is None else line.chainage_m,
            "chainage_error_m": None if line is None else line.error_m,
            **about,
        }
        yield _feature(f"{row.received}-shock-{number}", _point(shock.position), properties)


def section_feature(section: RoadSection) -> Feature:
    """A section of a road with its grade, null where nobody looked."""
    return _feature(
        section.id,
        lines_geometry(section.lines),
        {
            "road": section.road,
            "name": section.name,
            "road_class": section.road_class,
            "district": section.district,
            "from_m": section.from_m,
            "to_m": section.to_m,
            "grade": section.grade,
            "rule": section.rule,
            "damaged_share": section.damaged_share,
            "by": section.by,
            "worst_case": section.worst,
            "cases": section.cases,
            "confirmed": section.confirmed,
            "looked_utc": section.looked_utc,
        },
    )


def road_feature(road: RoadCoverage, lines: Lines) -> Feature:
    """A road with what was looked at."""
    return _feature(
        road.road,
        lines_geometry(lines),
        {
            "name": road.name,
            "road_class": road.road_class,
            "district": road.district,
            "length_m": road.length_m,
            "looked_at_m": road.looked_at_m,
            "valid_share": road.valid_share,
            "not_judged_m": road.not_judged_m,
            "last_looked_utc": road.last_looked_utc,
            "age_days": road.age_days,
        },
    )


def lines_geometry(lines: Sequence[Any]) -> dict[str, Any] | None:
    """One line or several."""
    if not lines:
        return None
    if len(lines) == 1:
        return {"type": "LineString", "coordinates": lines[0]}
    return {"type": "MultiLineString", "coordinates": lines}


def _where(position: Position | None) -> dict[str, Any]:
    return {
        "position_error_m": None if position is None else position.error_m,
        "position_radius_95_m": None if position is None else round(RADIUS_95 * position.error_m, 2),
        "position_method": None if position is None else position.method,
        "position_quality": None if position is None else position.quality,
    }


def _point(position: Position | None) -> dict[str, Any] | None:
    return None if position is None else {"type": "Point", "coordinates": [position.lon, position.lat]}


def _line_string(path: tuple[tuple[float, float], ...]) -> dict[str, Any] | None:
    return {"type": "LineString", "coordinates": path} if len(path) > 1 else None
