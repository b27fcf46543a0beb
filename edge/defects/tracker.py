# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One defect in ten frames is one track: detections are joined by where they lie on the road.

Rules (all pure, no I/O):

- A detection joins the track of its family (potholes; cracks of any type) whose rectangle on the road it overlaps
  or whose centre is nearest within the stated errors; nearest pairs first, each track and detection once a frame.
- Cracks are long and are seen in parts: a crack's rectangle grows with what is seen. A pothole's does not.
- A track ends when its place has left the view, or when it stayed unseen although it was in view too often.
- On ending it becomes a `Defect` if it was seen in enough frames with enough certainty, else it counts as dropped.
- Two ended tracks of a family within each other's error are one defect: the later is dropped as a duplicate. So are
  two of different families on the same rectangle: one place, one defect, named by its surer track.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edge.defects.footprint import Footprint, locate, to_odom, to_vehicle
from edge.defects.matching import PixelPlace, Place, RoadPlace, family, one_per_place, pair
from edge.geometry import Calibration
from edge.types import Box, Detection, Frame, Pose

#: Ended tracks of different families whose rectangles on the road overlap more are one defect with two names.
_SAME_PLACE = 0.5


@dataclass(frozen=True)
class TrackerSettings:
    """Bounds of the rules above."""

    #: Farther detections are too coarse to place.
    max_range_m: float = 25.0
    #: Frames that must have seen a defect.
    min_frames: int = 2
    #: Certainty over all frames, 1 - product(1 - score). Chosen on simulated drives with seeds 101 and 102: of 0.4 to
    #: 0.9 the least cost where a missed defect counts 30 s of the depot and a false or repeated one 5 s.
    min_certainty: float = 0.6
    #: Judged frames in which an unseen track may stay in view.
    max_missed: int = 6
    #: Slack of every association, metres: what odometry, nodding and boxes do that is not modelled.
    slack_m: float = 0.6


@dataclass(frozen=True)
class Sighting:
    """One detection of a track: in which frame, from where."""

    detection: Detection
    frame_name: str
    time_s: float
    pose: Pose
    #: In the vehicle's frame at that time; None where no calibration or no motion is known.
    footprint: Footprint | None


@dataclass(frozen=True)
class Defect:
    """A confirmed track. `best` is the sighting whose picture shows it best."""

    track_id: int
    label: str
    score: float
    sightings: tuple[Sighting, ...]
    best: Sighting
    place: Place


@dataclass
class Track:
    """A defect in the making."""

    id: int
    family: str
    place: Place
    sightings: list[Sighting] = field(default_factory=list)
    best: Sighting | None = None
    missed: int = 0
    _doubt: float = 1.0

    def add(self, sighting: Sighting, place: Place) -> bool:
        """Take a sighting; True where it is the best so far, so that its picture should be kept."""
        self.place = self.place.joined(place) if self.sightings else place
        self.sightings.append(sighting)
        self.missed = 0
        self._doubt *= 1.0 - min(sighting.detection.score, 0.999)
        if self.best is None or _picture_value(sighting) > _picture_value(self.best):
            self.best = sighting
            return True
        return False

    @property
    def certainty(self) -> float:
        """Probability that at least one of its looks was right, if they were independent."""
        return 1.0 - self._doubt

    @property
    def label(self) -> str:
        """The class with the most score over all looks; `crack` only where no look gave a type."""
        votes: dict[str, float] = {}
        for sighting in self.sightings:
            detection = sighting.detection
            votes[detection.label] = votes.get(detection.label, 0.0) + detection.score
        typed = {label: votes[label] for label in votes if label != "crack"} or votes
        return max(sorted(typed), key=lambda label: typed[label])


def _picture_value(sighting: Sighting) -> float:
    """How well a picture shows a defect: sure, large, not cut off."""
    x1, y1, x2, y2 = sighting.detection.box
    cut = sighting.footprint is not None and sighting.footprint.cut
    return sighting.detection.score * math.sqrt(max((x2 - x1) * (y2 - y1), 0.0)) * (0.3 if cut else 1.0)


@dataclass(frozen=True)
class Step:
    """What one frame did: tracks whose best picture is in this frame with their box, and defects that ended."""

    best_now: Mapping[int, Box]
    finished: tuple[Defect, ...]
    dropped: tuple[int, ...]


class Tracker:
    """Joins detections of successive judged frames. Not thread-safe; one per camera."""

    def __init__(self, settings: TrackerSettings, calibration: Calibration | None) -> None:
        self._settings = settings
        self._calibration = calibration
        self._tracks: list[Track] = []
        self._recent: deque[tuple[str, Place]] = deque(maxlen=200)
        self._next_id = 0
        self.counters: Counter[str] = Counter()

    def step(self, frame: Frame, pose: Pose, detections: Sequence[Detection]) -> Step:
        """Take the detections of one judged frame."""
        surest = one_per_place(detections)
        looks = [look for detection in surest if (look := self._look(frame, pose, detection)) is not None]
        self.counters["detections"] += len(looks)
        matched = pair(
            [(track.family, track.place) for track in self._tracks],
            [(family(sighting.detection.label), place) for sighting, place in looks],
        )
        best_now: dict[int, Box] = {}
        known = len(self._tracks)
        for index, (sighting, place) in enumerate(looks):
            track = self._tracks[matched[index]] if index in matched else self._open(sighting, place)
            if track.add(sighting, place):
                best_now[track.id] = sighting.detection.box
        seen = set(matched.values())
        for index, track in enumerate(self._tracks[:known]):
            if index not in seen and self._in_view(track, frame, pose):
                track.missed += 1
        return self._close(best_now, lambda track: self._is_over(track, pose))

    def finish(self) -> Step:
        """The drive is over: end every track."""
        return self._close({}, lambda _: True)

    def _look(self, frame: Frame, pose: Pose, detection: Detection) -> tuple[Sighting, Place] | None:
        if self._calibration is None or (pose.method is None and pose.distance_m == 0):
            sighting = Sighting(detection, frame.name, frame.time_s, pose, None)
            return sighting, PixelPlace(detection.box, frame.picture.shape[1])
        footprint = locate(detection.box, self._calibration, max_range_m=self._settings.max_range_m)
        if footprint is None:
            self.counters["too_far"] += 1
            return None
        sighting = Sighting(detection, frame.name, frame.time_s, pose, footprint)
        grows = family(detection.label) == "crack"
        return sighting, RoadPlace.of(to_odom(footprint, pose), slack_m=self._settings.slack_m, grows=grows)

    def _open(self, sighting: Sighting, place: Place) -> Track:
        track = Track(self._next_id, family(sighting.detection.label), place)
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _in_view(self, track: Track, frame: Frame, pose: Pose) -> bool:
        if not isinstance(track.place, RoadPlace) or self._calibration is None:
            return True
        x_m, y_m = to_vehicle(track.place.x_m, track.place.y_m, pose)
        pixel = self._calibration.road_to_pixel(x_m, y_m)
        height, width = frame.picture.shape[:2]
        return pixel is not None and 0 <= pixel[0] < width and 0 <= pixel[1] < height

    def _is_over(self, track: Track, pose: Pose) -> bool:
        if track.missed > self._settings.max_missed:
            return True
        if not isinstance(track.place, RoadPlace):
            return False
        ahead, _ = to_vehicle(track.place.x_m, track.place.y_m, pose)
        return ahead + track.place.half_length_m < -self._settings.slack_m or ahead > 3 * self._settings.max_range_m

    def _close(self, best_now: dict[int, Box], is_over: Callable[[Track], bool]) -> Step:
        over = [track for track in self._tracks if is_over(track)]
        self._tracks = [track for track in self._tracks if track not in over]
        finished: list[Defect] = []
        dropped: list[int] = []
        for track in sorted(over, key=lambda track: -track.certainty):
            reason = self._why_not(track)
            if reason is None and track.best is not None:
                self._recent.append((track.family, track.place))
                finished.append(
                    Defect(
                        track.id,
                        track.label,
                        track.certainty,
                        tuple(track.sightings),
                        track.best,
                        track.place,
                    )
                )
            else:
                self.counters[f"dropped_{reason}"] += 1
                dropped.append(track.id)
        return Step(best_now, tuple(finished), tuple(dropped))

    def _why_not(self, track: Track) -> str | None:
        if len(track.sightings) < self._settings.min_frames:
            return "too_few_frames"
        if track.certainty < self._settings.min_certainty:
            return "unsure"
        for kind, place in self._recent:
            if place.is_same(track.place) if kind == track.family else place.overlap(track.place) > _SAME_PLACE:
                return "duplicate"
        return None
