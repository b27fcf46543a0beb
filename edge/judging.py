# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Who judges what: a model for a surface, with the tracker and the coverage of that surface.

In a street one judge looks at the road. In a tunnel another looks at the lining, and the first goes on where there is a
carriageway. Each has its own tracks: what lies on the wall is not what lies on the road.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from edge.defects.tracker import Tracker
from edge.ports import Detector
from edge.privacy.anonymise import PRIVATE_LABELS
from edge.sampling import Reason
from edge.sampling.coverage import CoverageLog
from edge.sampling.quality import Limits, Measures, measure, refuse
from edge.types import Box, Detection, Frame, Picture, Pose
from messages.types import ModelRef

Surface: TypeAlias = Literal["road", "lining"]

#: A defect of which this share lies inside a vehicle's or person's box is a stain on a car, not a defect.
_ON_PRIVATE_SHARE = 0.6


@dataclass(frozen=True)
class Judge:
    """One model at work. Without a detector it only tells the coverage that nobody looked."""

    surface: Surface
    model: ModelRef
    detector: Detector | None
    tracker: Tracker
    coverage: CoverageLog
    limits: Limits

    def look(self, picture: Picture, speed_mps: float | None, known: Measures | None = None) -> Verdict:
        """Judge one picture; `known`: its measures where they were taken with the same limits already."""
        if self.detector is None:
            return Verdict(self, "no_model")
        reason = refuse(known or measure(picture, self.limits), self.limits, speed_mps=speed_mps)
        if reason is not None:
            return Verdict(self, reason)
        found = self.detector.detect(picture)
        private = tuple(d for d in found if d.label in PRIVATE_LABELS)
        defects = tuple(d for d in found if d.label not in PRIVATE_LABELS and not _lies_on(d.box, private))
        return Verdict(self, None, defects, private)


@dataclass(frozen=True)
class Verdict:
    """What one judge saw in one frame; `reason`: why it could not judge."""

    judge: Judge
    reason: Reason | None
    defects: tuple[Detection, ...] = ()
    private: tuple[Detection, ...] = ()


@dataclass(frozen=True)
class Look:
    """One frame with its verdicts, waiting for its pose."""

    frame: Frame
    pose: Pose
    verdicts: tuple[Verdict, ...]


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
