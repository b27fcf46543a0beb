# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Cases, stretches, roughness and vehicles as GeoJSON (RFC 7946): flat properties with units in their names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from depot.store.port import Case, Ride, Stretch, Vehicle
from messages.types import LinePosition, Observation, PictureRef, Position

#: Of a place with the same normal error along both axes, 95 % lie within this many standard deviations
#: (Rayleigh distribution: sqrt(-2 ln 0.05)).
RADIUS_95 = 2.45
_METRES_PER_DEGREE = math.pi * 6_371_008.8 / 180


def collection(features: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A FeatureCollection."""
    return {"type": "FeatureCollection", "features": list(features)}


def _feature(name: str | int, geometry: dict[str, Any] | None, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": name, "geometry": geometry, "properties": properties}


def case_feature(case: Case) -> dict[str, Any]:
    """A case; its geometry is null where no position is known."""
    seen = case.observation
    return _feature(
        case.number,
        _point(seen.position),
        {
            "case": case.number,
            "changed": case.changed,
            "state": case.state,
            "class": seen.defect_class,
            "score": seen.score,
            "sightings": case.sightings,
            "frames_seen": seen.frames_seen,
            "vehicle": case.vehicle,
            "event": case.event,
            "received_utc": case.received_utc,
            **_when(seen),
            **_where(seen.position, seen.line),
            "position_revision": case.revision,
            "position_moved_m": _apart_m(case.first_position, seen.position) if case.revision else None,
            "surface": seen.surface,
            "lining_clock": None if seen.lining is None else seen.lining.clock,
            "lining_height_m": None if seen.lining is None else seen.lining.height_m,
            "lining_side": None if seen.lining is None else seen.lining.side,
            **_how_large(seen),
            "shock_mps2": case.shock_mps2,
            "model": seen.model.name,
            "model_version": seen.model.version,
            "model_sha256": seen.model.sha256,
            "software": seen.software,
            "calibration": seen.calibration,
            **_picture(seen.picture, stored=case.picture_stored),
        },
    )


def _point(position: Position | None) -> dict[str, Any] | None:
    return None if position is None else {"type": "Point", "coordinates": [position.lon, position.lat]}


def _when(seen: Observation) -> dict[str, Any]:
    return {
        "utc": seen.time.utc,
        "time_quality": seen.time.quality,
        "boot": seen.time.boot,
        "monotonic_s": seen.time.monotonic_s,
        "heading_deg": seen.heading_deg,
        "speed_mps": seen.speed_mps,
    }


def _where(position: Position | None, line: LinePosition | None) -> dict[str, Any]:
    return {
        "position_error_m": None if position is None else position.error_m,
        "position_radius_95_m": None if position is None else RADIUS_95 * position.error_m,
        "position_method": None if position is None else position.method,
        "position_quality": None if position is None else position.quality,
        "position_since_fix_m": None if position is None else position.since_fix_m,
        "position_revised": None if position is None else position.revised,
        "line": None if line is None else line.line,
        "chainage_m": None if line is None else line.chainage_m,
        "chainage_error_m": None if line is None else line.error_m,
        "track": None if line is None else line.track,
        "side": None if line is None else line.side,
    }


def _apart_m(first: Position | None, now: Position | None) -> float | None:
    """Metres between two places that are not far apart."""
    if first is None or now is None:
        return None
    east = (now.lon - first.lon) * math.cos(math.radians(first.lat))
    return math.hypot(east, now.lat - first.lat) * _METRES_PER_DEGREE


def _how_large(seen: Observation) -> dict[str, Any]:
    size, severity = seen.size, seen.severity
    return {
        "length_m": None if size is None else size.length_m,
        "width_m": None if size is None else size.width_m,
        "size_error_m": None if size is None else size.error_m,
        "severity": None if severity is None else severity.grade,
        "severity_rule": None if severity is None else severity.rule,
    }


def _picture(picture: PictureRef | None, *, stored: bool) -> dict[str, Any]:
    if picture is None:
        return {"picture": None}
    return {
        "picture": f"/pictures/{picture.sha256}.jpg",
        "picture_stored": stored,
        "picture_width": picture.width,
        "picture_height": picture.height,
        "picture_box": picture.box,
        "anonymised_by": picture.anonymised.method,
        "anonymised_people": picture.anonymised.people,
        "anonymised_vehicles": picture.anonymised.vehicles,
    }


def stretch_feature(stretch: Stretch) -> dict[str, Any]:
    """A stretch as a line; its geometry is null where fewer than two places are known."""
    seen, line = stretch.coverage, stretch.coverage.line
    return _feature(
        stretch.number,
        _line_string(seen.path),
        {
            "changed": stretch.changed,
            "vehicle": stretch.vehicle,
            "valid": seen.valid,
            "reason": seen.reason,
            "length_m": seen.length_m,
            "frames_judged": seen.frames_judged,
            "utc": seen.time.utc,
            "surface": seen.surface,
            "line": None if line is None else line.line,
            "track": None if line is None else line.track,
            "from_m": None if line is None else line.from_m,
            "to_m": None if line is None else line.to_m,
            "chainage_error_m": None if line is None else line.error_m,
        },
    )


def ride_features(ride: Ride) -> Iterator[dict[str, Any]]:
    """Sections as lines, shocks as points; their geometry is null where no place is known."""
    felt = ride.roughness
    about = {
        "changed": ride.changed,
        "vehicle": ride.vehicle,
        "rule": felt.rule,
        "reference_speed_mps": felt.reference_speed_mps,
        "utc": felt.time.utc,
    }
    for number, section in enumerate(felt.sections):
        properties = {
            "kind": "section",
            "rms_mps2": section.rms_mps2,
            "length_m": section.length_m,
            "speed_mps": section.speed_mps,
            **about,
        }
        yield _feature(f"{ride.number}-section-{number}", _line_string(section.path), properties)
    for number, shock in enumerate(felt.shocks):
        properties = {
            "kind": "shock",
            "peak_mps2": shock.peak_mps2,
            "speed_mps": shock.speed_mps,
            "observation": shock.observation,
            **_where(shock.position, shock.line),
            **about,
        }
        yield _feature(f"{ride.number}-shock-{number}", _point(shock.position), properties)


def _line_string(path: tuple[tuple[float, float], ...]) -> dict[str, Any] | None:
    return {"type": "LineString", "coordinates": path} if len(path) > 1 else None


def vehicle_feature(vehicle: Vehicle) -> dict[str, Any]:
    """A vehicle where it was last."""
    known = vehicle.lon is not None and vehicle.lat is not None
    health = vehicle.health
    return _feature(
        vehicle.name,
        {"type": "Point", "coordinates": [vehicle.lon, vehicle.lat]} if known else None,
        {
            "vehicle": vehicle.name,
            "state": vehicle.state,
            "seen_utc": vehicle.seen_utc,
            "position_utc": vehicle.position_utc,
            "software": vehicle.software,
            "calibration": vehicle.calibration,
            "models": [f"{model.name} {model.version}" for model in vehicle.models],
            "counters": {} if health is None else health.counters,
            "gauges": {} if health is None else health.gauges,
            "faults": [] if health is None else health.faults,
        },
    )
