# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A defect in the making: its looks, its place, how sure we are, what to call it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edge.defects.footprint import Base, Footprint
from edge.defects.place import Place
from edge.lining import Lining
from edge.types import Detection, Pose

#: A look from nearer to the last one shows nothing new: it is no further vote. Metres moved or rolled.
APART_M = 0.5
#: Looks kept of one defect.
_MOST = 100


@dataclass(frozen=True)
class Sighting:
    """One detection of a track: in which frame, from where.

    `footprint`: in the vehicle's frame at that time; None where no calibration or no motion is known.
    `base`: the vehicle in the frame of the track's place.
    """

    detection: Detection
    frame_name: str
    time_s: float
    pose: Pose
    footprint: Footprint | None
    base: Base | None = None

    def is_news(self, last: Sighting) -> bool:
        """Whether it was taken from another place than the last one, as far as we can tell."""
        if self.base is None or last.base is None:
            return True
        return math.hypot(self.base.x_m - last.base.x_m, self.base.y_m - last.base.y_m) >= APART_M


@dataclass(frozen=True, eq=False)
class Defect:
    """A confirmed track. `best` is the sighting whose picture shows it best; `lining`: where it lies on one."""

    track_id: int
    label: str
    score: float
    sightings: tuple[Sighting, ...]
    best: Sighting
    place: Place
    lining: Lining | None = None


@dataclass(eq=False)
class Track:
    """Looks from nearly the same place count as one: the surest of them."""

    id: int
    family: str
    place: Place
    sightings: list[Sighting] = field(default_factory=list)
    best: Sighting | None = None
    #: Times in view and not seen: since it was last seen, and in all.
    missed: int = 0
    unseen: int = 0
    #: Way and place at which it was last missed or seen.
    asked_m: float = 0.0
    _doubt: float = 1.0
    _votes: dict[str, float] = field(default_factory=dict)

    def add(self, sighting: Sighting, place: Place) -> bool:
        """Take a sighting; True where it is the best so far, so that its picture should be kept."""
        self.missed = 0
        self.asked_m = sighting.pose.distance_m
        last = self.sightings[-1] if self.sightings else None
        if last is None or sighting.is_news(last):
            self.place = place.kept() if last is None else self.place.joined(place)
            self._count(sighting)
        elif last is not None and sighting.detection.score > last.detection.score:
            self._recount(last, sighting)
        if self.best is None or _picture_value(sighting) > _picture_value(self.best):
            self.best = sighting
            return True
        return False

    def _count(self, sighting: Sighting) -> None:
        self.sightings.append(sighting)
        if len(self.sightings) > _MOST:
            del self.sightings[1]
        score = sighting.detection.score
        self._doubt *= 1.0 - min(score, 0.999)
        self._votes[sighting.detection.label] = self._votes.get(sighting.detection.label, 0.0) + score

    def _recount(self, last: Sighting, sighting: Sighting) -> None:
        """A surer look from the same place takes the last one's vote; the place stays as it was told."""
        self._doubt *= (1.0 - min(sighting.detection.score, 0.999)) / (1.0 - min(last.detection.score, 0.999))
        self._votes[last.detection.label] -= last.detection.score
        label = sighting.detection.label
        self._votes[label] = self._votes.get(label, 0.0) + sighting.detection.score
        self.sightings[-1] = replace(
            last, detection=replace(last.detection, label=label, score=sighting.detection.score)
        )

    def miss(self, pose: Pose) -> None:
        """In view and not seen: counted once for each piece of way, for what hides it may stand as we do."""
        if abs(pose.distance_m - self.asked_m) >= APART_M or pose.distance_m == 0:
            self.missed += 1
            self.unseen += 1
            self.asked_m = pose.distance_m

    def revise(self, pose_at: Callable[[float], Pose], start_s: float, end_s: float) -> None:
        """Poses of the past that are known better now."""
        self.sightings = [
            replace(s, pose=pose_at(s.time_s)) if start_s <= s.time_s <= end_s else s for s in self.sightings
        ]
        if self.best is not None and start_s <= self.best.time_s <= end_s:
            self.best = replace(self.best, pose=pose_at(self.best.time_s))

    @property
    def certainty(self) -> float:
        """Probability that at least one of its looks was right, if they were independent."""
        return 1.0 - self._doubt

    @property
    def label(self) -> str:
        """The class with the most score over all looks; `crack` only where no look gave a type."""
        typed = {label: votes for label, votes in self._votes.items() if label != "crack" and votes > 0} or self._votes
        return max(sorted(typed), key=lambda label: typed[label])


def _picture_value(sighting: Sighting) -> float:
    """How well a picture shows a defect: sure, large, not cut off."""
    x1, y1, x2, y2 = sighting.detection.box
    cut = sighting.footprint is not None and sighting.footprint.cut
    return sighting.detection.score * math.sqrt(max((x2 - x1) * (y2 - y1), 0.0)) * (0.3 if cut else 1.0)
