# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One frame through all stages: pose, sampling, detection, tracking, anonymising, confirming.

Knows the stages only by what it calls; `edge.daemon` builds them. Bad frames are counted, never fatal.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from edge.clock import UtcClock
from edge.defects.report import report
from edge.defects.tracker import Defect, Step, Tracker
from edge.delivery.port import Delivery
from edge.geometry import Calibration
from edge.ports import Detector, PositionSource
from edge.positioning.estimator import Estimator
from edge.privacy.anonymise import PRIVATE_LABELS, PrivacySettings, SafePicture, anonymise
from edge.sampling import Reason
from edge.sampling.coverage import CoverageLog, Stretch
from edge.sampling.quality import Limits, measure, refuse
from edge.sampling.sampler import Sampler
from edge.types import Box, Detection, Fix, Frame, Pose
from messages.types import Coverage, ModelRef, Observation, PictureRef, Time

#: A defect of which this share lies inside a vehicle's or person's box is a stain on a car, not a defect.
_ON_PRIVATE_SHARE = 0.6


@dataclass(frozen=True)
class Identity:
    """What every observation says about who made it."""

    model: ModelRef
    software: str
    calibration: str


@dataclass(frozen=True)
class Stages:
    """What a frame passes through, in this order."""

    positions: PositionSource
    estimator: Estimator
    sampler: Sampler
    coverage: CoverageLog
    detector: Detector
    tracker: Tracker
    delivery: Delivery


class Pipeline:
    """Takes frames one after the other; `counters` says what became of them."""

    def __init__(
        self,
        stages: Stages,
        *,
        identity: Identity,
        clock: UtcClock,
        calibration: Calibration | None,
        limits: Limits | None = None,
        privacy: PrivacySettings | None = None,
        lookahead_s: float = 0.0,
    ) -> None:
        self._stages = stages
        self._identity = identity
        self._clock = clock
        self._horizon_row = None if calibration is None else _horizon_row(calibration)
        self._limits = limits or Limits()
        self._lookahead_s = lookahead_s
        self._privacy = privacy or PrivacySettings()
        self._pictures: dict[int, SafePicture] = {}
        self.counters: Counter[str] = Counter()
        #: Where the newest frame was taken; None before the first.
        self.pose: Pose | None = None

    def take(self, frame: Frame) -> bool:
        """Take one frame; True where it was looked at: judged, or refused with a reason that the coverage tells."""
        self.counters["frames_seen"] += 1
        pose = self.pose = self._pose_at(frame.time_s)
        if not self._stages.sampler.take(pose):
            return False
        reason = refuse(measure(frame.picture, self._limits), self._limits, speed_mps=pose.speed_mps)
        self._cover(pose, reason)
        if reason is not None:
            self.counters[f"frames_refused_{reason}"] += 1
            return True
        detections = self._stages.detector.detect(frame.picture)
        self.counters["frames_judged"] += 1
        private = [d for d in detections if d.label in PRIVATE_LABELS]
        defects = [d for d in detections if d.label not in PRIVATE_LABELS and not _lies_on(d.box, private)]
        step = self._stages.tracker.step(frame, pose, defects)
        for track_id, box in step.best_now.items():
            self._pictures[track_id] = anonymise(
                frame.picture, box, private, self._privacy, horizon_row=self._horizon_row
            )
        self._conclude(step)
        return True

    def finish(self) -> None:
        """The drive is over: end every track and the open stretch of coverage."""
        self._conclude(self._stages.tracker.finish())
        self._confirm_coverage(self._stages.coverage.flush())

    def time_at(self, time_s: float) -> Time:
        """The message time of a moment on the monotonic clock."""
        return self._clock.at(time_s)

    def _pose_at(self, time_s: float) -> Pose:
        for measurement in self._stages.positions.until(time_s + self._lookahead_s):
            if isinstance(measurement, Fix):
                self._clock.observe(measurement)
            self._stages.estimator.add(measurement)
        return self._stages.estimator.pose_at(time_s)

    def _conclude(self, step: Step) -> None:
        for defect in step.finished:
            picture = self._pictures.pop(defect.track_id, None)
            self._stages.delivery.confirm(self._observation(defect, picture), None if picture is None else picture.jpeg)
            self.counters["observations_confirmed"] += 1
        for track_id in step.dropped:
            self._pictures.pop(track_id, None)

    def _observation(self, defect: Defect, picture: SafePicture | None) -> Observation:
        told = report(defect)
        return Observation(
            defect_class=defect.label,
            score=round(defect.score, 3),
            frames_seen=len(defect.sightings),
            time=self._clock.at(defect.best.time_s),
            model=self._identity.model,
            software=self._identity.software,
            calibration=self._identity.calibration,
            position=told.position,
            heading_deg=told.heading_deg,
            speed_mps=told.speed_mps,
            size=told.size,
            severity=told.severity,
            picture=None if picture is None else _reference(picture),
        )

    def _cover(self, pose: Pose, reason: Reason | None) -> None:
        self._confirm_coverage(self._stages.coverage.add(pose, reason))

    def _confirm_coverage(self, stretch: Stretch | None) -> None:
        if stretch is None:
            return
        self._stages.delivery.confirm(
            Coverage(
                path=stretch.path,
                length_m=round(stretch.length_m, 1),
                frames_judged=stretch.frames_judged,
                valid=stretch.valid,
                reason=stretch.reason,
                time=self._clock.at(stretch.end_s),
            )
        )
        self.counters["coverage_confirmed"] += 1


def _reference(picture: SafePicture) -> PictureRef:
    return PictureRef(
        sha256=hashlib.sha256(picture.jpeg).hexdigest(),
        bytes=len(picture.jpeg),
        width=picture.width,
        height=picture.height,
        box=picture.box,
        anonymised=picture.anonymised,
    )


def _lies_on(box: Box, private: Sequence[Detection]) -> bool:
    """Whether most of a defect's box is inside one private box."""
    area = max((box[2] - box[0]) * (box[3] - box[1]), 1e-6)
    for detection in private:
        other = detection.box
        width = min(box[2], other[2]) - max(box[0], other[0])
        height = min(box[3], other[3]) - max(box[1], other[1])
        if width > 0 and height > 0 and width * height > _ON_PRIVATE_SHARE * area:
            return True
    return False


def _horizon_row(calibration: Calibration) -> float:
    """The row of a point on the road so far away that nothing beyond it matters."""
    pixel = calibration.road_to_pixel(1000.0, 0.0)
    return 0.0 if pixel is None else pixel[1]
