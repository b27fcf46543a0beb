# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From what the stages found to the messages that the depot gets. Nothing is decided here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from msgspec.structs import replace

from edge.clock import UtcClock
from edge.defects.report import report
from edge.defects.revisions import Revised
from edge.defects.tracker import Defect
from edge.looking import Looked
from edge.privacy.anonymise import SafePicture
from edge.roughness.meter import RoughStretch
from edge.roughness.settings import RULE, RoughnessSettings
from edge.sampling.coverage import LineSpan, Stretch
from edge.types import Pose
from messages.types import (
    AskedPlace,
    Coverage,
    LineStretch,
    Look,
    ModelRef,
    Observation,
    PictureRef,
    Position,
    Revision,
    Roughness,
)


@dataclass(frozen=True)
class Identity:
    """What every observation says about who made it: software version and camera calibration."""

    software: str
    calibration: str


class Teller:
    """Writes messages of one vehicle."""

    def __init__(self, identity: Identity, clock: UtcClock) -> None:
        self._identity = identity
        self._clock = clock

    def observation(self, defect: Defect, model: ModelRef, picture: SafePicture | None) -> Observation:
        """A confirmed defect."""
        told = report(defect)
        return Observation(
            defect_class=defect.label,
            score=round(defect.score, 3),
            frames_seen=len(defect.sightings),
            time=self._clock.at(defect.best.time_s),
            model=model,
            software=self._identity.software,
            calibration=self._identity.calibration,
            surface=told.surface,
            position=told.position,
            line=told.line,
            lining=told.lining,
            heading_deg=told.heading_deg,
            speed_mps=told.speed_mps,
            size=told.size,
            severity=told.severity,
            picture=None if picture is None else _reference(picture),
        )

    def look(self, looked: Looked) -> Look:
        """A place that the depot asked for. Its place is the depot's; the error is that of this pass."""
        place, pose, error_m = looked.asked.place, looked.pose, round(looked.sight.error_m, 2)
        speed = pose.speed_mps
        return Look(
            asked=looked.asked.id,
            frames_judged=looked.frames_judged,
            found=looked.found,
            time=self._clock.at(looked.time_s),
            model=looked.model,
            software=self._identity.software,
            calibration=self._identity.calibration,
            surface=place.surface,
            position=_asked_position(place, pose, error_m),
            line=None if place.line is None else replace(place.line, error_m=error_m),
            heading_deg=None if pose.heading_deg is None else round(pose.heading_deg, 1) % 360,
            speed_mps=None if speed is None else round(max(speed, 0.0), 2),
            picture=_reference(looked.picture),
        )

    def revision(self, revised: Revised, reason: str, time_s: float) -> Revision:
        """A better place of an observation that has been told."""
        return Revision(
            observation=revised.event_id,
            number=revised.number,
            reason="known_point" if reason == "known_point" else "fix_returned",
            time=self._clock.at(time_s),
            position=revised.position,
            line=revised.line,
            heading_deg=revised.heading_deg,
        )

    def coverage(self, stretch: Stretch) -> Coverage:
        """A stretch that was looked at, or could not be judged and why."""
        return Coverage(
            path=stretch.path,
            length_m=round(stretch.length_m, 1),
            frames_judged=stretch.frames_judged,
            valid=stretch.valid,
            reason=stretch.reason,
            time=self._clock.at(stretch.end_s),
            line=_on_line(stretch.line),
            surface=stretch.surface,
        )

    def roughness(self, stretch: RoughStretch) -> Roughness:
        """What the wheels felt on a stretch."""
        return Roughness(
            rule=RULE,
            reference_speed_mps=RoughnessSettings.reference_speed_mps,
            time=self._clock.at(stretch.end_s),
            sections=stretch.sections,
            shocks=stretch.shocks,
        )


def _asked_position(place: AskedPlace, pose: Pose, error_m: float) -> Position | None:
    if place.lon is None or place.lat is None or pose.method is None:
        return None
    return Position(
        lon=place.lon,
        lat=place.lat,
        error_m=error_m,
        method=pose.method,
        quality=pose.quality,
        since_fix_m=None if pose.since_fix_m is None else round(pose.since_fix_m, 1),
    )


def _on_line(span: LineSpan | None) -> LineStretch | None:
    if span is None:
        return None
    return LineStretch(
        line=span.line,
        from_m=round(span.from_m, 1),
        to_m=round(span.to_m, 1),
        error_m=round(span.error_m, 1),
        track=span.track,
    )


def _reference(picture: SafePicture) -> PictureRef:
    return PictureRef(
        sha256=hashlib.sha256(picture.jpeg).hexdigest(),
        bytes=len(picture.jpeg),
        width=picture.width,
        height=picture.height,
        box=picture.box,
        anonymised=picture.anonymised,
    )
