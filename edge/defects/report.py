# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From a finished track to what the message says: place, size, severity, each with its error."""

from __future__ import annotations

from dataclasses import dataclass

from edge.defects.place import Surface
from edge.defects.placing import Glimpse, Placed, place
from edge.defects.severity import grade
from edge.defects.size import measure
from edge.defects.surface_place import SurfacePlace
from edge.defects.track import Defect
from messages.types import LinePosition, LiningPlace, Position, Severity, Size


@dataclass(frozen=True)
class Report:
    """What is known of a defect's place and extent; None where it is not known."""

    position: Position | None
    line: LinePosition | None
    lining: LiningPlace | None
    surface: Surface
    size: Size | None
    severity: Severity | None
    heading_deg: float | None
    speed_mps: float | None


def report(defect: Defect) -> Report:
    """Place, measure and grade a finished track."""
    size = measure(defect)
    surface: Surface = "road" if defect.lining is None else "lining"
    placed = locate(defect)
    speed = defect.best.pose.speed_mps
    return Report(
        position=placed.position,
        line=placed.line,
        lining=_lining_place(defect),
        surface=surface,
        size=size,
        severity=grade(defect.label, size, surface),
        heading_deg=placed.heading_deg,
        speed_mps=None if speed is None else max(speed, 0.0),
    )


def locate(defect: Defect) -> Placed:
    """Where a defect is; of one on a lining its foot."""
    seen = glimpses(defect)
    if not isinstance(defect.place, SurfacePlace) or not seen:
        pose = defect.best.pose
        return Placed(None, None, None if pose.heading_deg is None else round(pose.heading_deg, 1) % 360)
    return place(seen, defect.best.pose, error_m=defect.place.error_m, overhead=is_overhead(defect))


def glimpses(defect: Defect) -> list[Glimpse]:
    """Its place as seen from each look; empty without metres."""
    at = defect.place
    if not isinstance(at, SurfacePlace):
        return []
    found = []
    for sighting in defect.sightings:
        if sighting.base is not None:
            ahead, left = sighting.base.seen(at.x_m, at.y_m)
            foot = left if defect.lining is None else defect.lining.at(ahead, -left).y_m
            found.append(Glimpse(sighting.pose, ahead, foot))
    return found


def is_overhead(defect: Defect) -> bool:
    """Whether it is at the crown."""
    at = defect.place
    return isinstance(at, SurfacePlace) and defect.lining is not None and defect.lining.side(-at.y_m) == "crown"


def _lining_place(defect: Defect) -> LiningPlace | None:
    at = defect.place
    if defect.lining is None or not isinstance(at, SurfacePlace):
        return None
    point = defect.lining.at(0.0, -at.y_m)
    return LiningPlace(
        clock=round(point.clock, 1) % 12, height_m=round(point.z_m, 2), side=defect.lining.side(point.around_m)
    )
