# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From a finished track to what the message says: place on earth, size, severity, each with its error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, median

from edge.defects.footprint import Footprint, to_vehicle
from edge.defects.matching import RoadPlace
from edge.defects.severity import grade
from edge.defects.tracker import Defect, Sighting
from edge.geometry import east_north, offset_lonlat, to_earth
from edge.types import RoadPoint
from messages.types import Position, Severity, Size

#: A box cannot place an edge better than this on the road, whatever the arithmetic says.
_MIN_SIZE_ERROR_M = 0.05
_MIN_POSITION_ERROR_M = 0.3


@dataclass(frozen=True)
class Report:
    """What is known of a defect's place and extent; None where it is not known."""

    position: Position | None
    size: Size | None
    severity: Severity | None
    heading_deg: float | None
    speed_mps: float | None


def report(defect: Defect) -> Report:
    """Place, measure and grade a finished track."""
    size = _size(defect)
    pose = defect.best.pose
    return Report(
        position=_position(defect),
        size=size,
        severity=grade(defect.label, size),
        heading_deg=None if pose.heading_deg is None else round(pose.heading_deg, 1) % 360,
        speed_mps=None if pose.speed_mps is None else max(pose.speed_mps, 0.0),
    )


def _position(defect: Defect) -> Position | None:
    """Mean over all looks of the track's place carried to earth by the pose of that look.

    The place is common to all looks, so the looks average only the noise of the poses, most of which is common
    too: the error stated is that of the best pose and of the place, not divided by their number.
    """
    place = defect.place
    if not isinstance(place, RoadPlace):
        return None
    points: list[tuple[float, float]] = []
    errors: list[float] = []
    for sighting in defect.sightings:
        pose = sighting.pose
        if pose.lon is None or pose.lat is None or pose.heading_deg is None or pose.error_m is None:
            continue
        ahead, left = to_vehicle(place.x_m, place.y_m, pose)
        points.append(to_earth(pose.lon, pose.lat, pose.heading_deg, RoadPoint(ahead, left)))
        errors.append(pose.error_m)
    method = defect.best.pose.method or next((s.pose.method for s in defect.sightings if s.pose.method), None)
    if not points or method is None:
        return None
    lon0, lat0 = points[0]
    offsets = [east_north(lon, lat, lon0, lat0) for lon, lat in points]
    lon, lat = offset_lonlat(lon0, lat0, fmean(e for e, _ in offsets), fmean(n for _, n in offsets))
    error_m = max(math.hypot(min(errors), place.error_m), _MIN_POSITION_ERROR_M)
    return Position(lon=round(lon, 8), lat=round(lat, 8), error_m=round(error_m, 2), method=method)


def _size(defect: Defect) -> Size | None:
    """Cracks: the rectangle that all looks together cover. Others: the median of the best third of the looks."""
    place = defect.place
    if not isinstance(place, RoadPlace):
        return None
    looks = sorted(
        ((s.footprint, s) for s in defect.sightings if s.footprint is not None),
        key=lambda pair: _blur_m(pair[0]),
    )
    whole = [look for look in looks if not look[0].cut] or looks
    best = [footprint for footprint, _ in whole[: max(1, len(whole) // 3)]]
    length_m, width_m = (2 * median(getattr(f, name) for f in best) for name in ("half_length_m", "half_width_m"))
    if place.grows:
        length_m, width_m = max(length_m, 2 * place.half_length_m), max(width_m, 2 * place.half_width_m)
    error_m = max(_MIN_SIZE_ERROR_M, _size_error_m(whole[0]))
    return Size(length_m=round(length_m, 2), width_m=round(width_m, 2), error_m=round(error_m, 2))


def _blur_m(footprint: Footprint) -> float:
    return footprint.range_error_m + footprint.cross_error_m


def _size_error_m(look: tuple[Footprint, Sighting]) -> float:
    """Both ends of a box err alike by range (that cancels) and each by the box's own fit (that does not)."""
    footprint, _ = look
    share = 2 * footprint.half_length_m / max(footprint.x_m, 1.0)
    return math.hypot(footprint.range_error_m * share, math.sqrt(2) * 0.1 * 2 * footprint.half_length_m)
