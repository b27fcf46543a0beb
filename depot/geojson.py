# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Cases, stretches and vehicles as GeoJSON (RFC 7946): flat properties with units in their names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from depot.store.port import Case, Stretch, Vehicle
from messages.types import Observation, PictureRef


def collection(features: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A FeatureCollection."""
    return {"type": "FeatureCollection", "features": list(features)}


def case_feature(case: Case) -> dict[str, Any]:
    """A case; its geometry is null where no position is known."""
    seen = case.observation
    position = seen.position
    return {
        "type": "Feature",
        "id": case.number,
        "geometry": None if position is None else {"type": "Point", "coordinates": [position.lon, position.lat]},
        "properties": {
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
            **_when_and_where(seen),
            **_how_large(seen),
            "model": seen.model.name,
            "model_version": seen.model.version,
            "model_sha256": seen.model.sha256,
            "software": seen.software,
            "calibration": seen.calibration,
            **_picture(seen.picture, stored=case.picture_stored),
        },
    }


def _when_and_where(seen: Observation) -> dict[str, Any]:
    position, line = seen.position, seen.line
    return {
        "utc": seen.time.utc,
        "time_quality": seen.time.quality,
        "boot": seen.time.boot,
        "monotonic_s": seen.time.monotonic_s,
        "position_error_m": None if position is None else position.error_m,
        "position_method": None if position is None else position.method,
        "position_revised": None if position is None else position.revised,
        "line": None if line is None else line.line,
        "chainage_m": None if line is None else line.chainage_m,
        "chainage_error_m": None if line is None else line.error_m,
        "track": None if line is None else line.track,
        "side": None if line is None else line.side,
        "heading_deg": seen.heading_deg,
        "speed_mps": seen.speed_mps,
    }


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
    seen = stretch.coverage
    line = {"type": "LineString", "coordinates": seen.path}
    return {
        "type": "Feature",
        "id": stretch.number,
        "geometry": line if len(seen.path) > 1 else None,
        "properties": {
            "changed": stretch.changed,
            "vehicle": stretch.vehicle,
            "valid": seen.valid,
            "reason": seen.reason,
            "length_m": seen.length_m,
            "frames_judged": seen.frames_judged,
            "utc": seen.time.utc,
        },
    }


def vehicle_feature(vehicle: Vehicle) -> dict[str, Any]:
    """A vehicle where it was last."""
    known = vehicle.lon is not None and vehicle.lat is not None
    health = vehicle.health
    return {
        "type": "Feature",
        "id": vehicle.name,
        "geometry": {"type": "Point", "coordinates": [vehicle.lon, vehicle.lat]} if known else None,
        "properties": {
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
    }
