# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One defect in ten frames is one track: detections are joined by where they lie on the road or the lining.

Rules (all pure, no I/O):

- The looks of a frame are paired with the tracks of their family (potholes; cracks of any type) so that the sum of
  their distances within the stated errors is least, the body's nodding in that frame taken out (`nod.py`).
- Cracks are long and are seen in parts: a crack's rectangle grows with what is seen. A pothole's does not.
- A look from nearly the same place as the last one is no further vote: a vehicle that stands learns nothing.
- A track ends when its place has left the view, or when it stayed unseen although it was in view too often.
- On ending it becomes a `Defect` if it was seen in enough frames with enough certainty, else it counts as dropped.
- What was already reported on this pass is dropped as a duplicate (`passes.py`); another pass reports it anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edge.defects.footprint import Base
from edge.defects.matching import family, one_per_place, pair
from edge.defects.passes import Reported
from edge.defects.place import PixelPlace, Place, Surface
from edge.defects.surface_place import SurfacePlace
from edge.defects.surfaces import Ground, Road, Unrolled
from edge.defects.track import Defect, Sighting, Track
from edge.geometry import Calibration
from edge.lining import Lining
from edge.types import Box, Correction, Detection, Frame, Pose

__all__ = ["Defect", "Sighting", "Step", "Tracker", "TrackerSettings"]

#: A track ends this far behind, metres.
_BEHIND_M = 0.6
#: Tracks followed at once; what a detector sees everywhere must not fill the memory of a vehicle that stands.
_MOST_TRACKS = 100


@dataclass(frozen=True)
class TrackerSettings:
    """Bounds of the rules above."""

    #: Farther detections are too coarse to place.
    max_range_m: float = 25.0
    #: Frames that must have seen a defect.
    min_frames: int = 2
    #: Certainty over all frames, 1 - product(1 - score), of calibrated scores. Chosen on simulated drives with seeds
    #: 101 and 102 (`benchmarks.case_cost`): 0.5 to 0.7 cost about the same, above it potholes are lost; of these the
    #: one with the fewest false cases.
    min_certainty: float = 0.7
    #: Judged frames in which an unseen track may stay in view.
    max_missed: int = 6
    #: One standard deviation of what odometry and boxes do that is not modelled, metres.
    slack_m: float = 0.2


@dataclass(frozen=True)
class Step:
    """What one frame did: tracks whose best picture is in this frame with their box, and defects that ended."""

    best_now: Mapping[int, Box]
    finished: tuple[Defect, ...]
    dropped: tuple[int, ...]


class Tracker:
    """Joins detections of successive judged frames. Not thread-safe; one per camera."""

    def __init__(
        self, settings: TrackerSettings, calibration: Calibration | None, lining: Lining | None = None
    ) -> None:
        self._settings = settings
        self._lining = lining
        self._grounds: dict[Surface, Ground] = {}
        self._wall: Unrolled | None = None
        if calibration is not None and lining is not None:
            self._wall = self._grounds["lining"] = Unrolled(calibration, lining, max_range_m=settings.max_range_m)
        if calibration is not None:
            self._grounds["road"] = Road(calibration, max_range_m=settings.max_range_m)
        self._tracks: list[Track] = []
        self._reported = Reported()
        self._next_id = 0
        self.counters: Counter[str] = Counter()

    def step(self, frame: Frame, pose: Pose, detections: Sequence[Detection], surface: Surface = "road") -> Step:
        """Take the detections of one judged frame.

        With `surface` "lining" (the tunnel's model judged) a detection lies on the lining where its box's middle meets
        it, else on the road.
        """
        bases = {name: ground.move(pose) for name, ground in self._grounds.items()}
        looks = [
            look
            for detection in one_per_place(detections)
            if (look := self._look(frame, pose, detection, bases, surface)) is not None
        ]
        self.counters["detections"] += len(looks)
        pairing = pair(
            [(track.family, track.place) for track in self._tracks],
            [(family(sighting.detection.label), place) for sighting, place in looks],
        )
        known = len(self._tracks)
        best_now: dict[int, Box] = {}
        for index, (sighting, place) in enumerate(looks):
            matched = pairing.matched.get(index)
            track = self._open(sighting, place) if matched is None else self._tracks[matched]
            if track.add(sighting, place):
                best_now[track.id] = sighting.detection.box
        seen = set(pairing.matched.values())
        for index, track in enumerate(self._tracks[:known]):
            if index not in seen and self._in_view(track, frame, bases):
                track.miss(pose)
        return self._close(best_now, lambda track: self._is_over(track, bases))

    def roll_on(self, pose: Pose) -> Step:
        """No judged frame here (another model judges, a picture was refused): end what has left the view."""
        bases = {name: ground.move(pose) for name, ground in self._grounds.items()}
        return self._close({}, lambda track: self._is_over(track, bases))

    def finish(self) -> Step:
        """The drive is over: end every track."""
        return self._close({}, lambda _: True)

    def correct(self, correction: Correction) -> None:
        """Poses of looks at defects not yet reported are known better now."""
        for track in self._tracks:
            track.revise(correction.pose_at, correction.start_s, correction.end_s)

    def _look(
        self, frame: Frame, pose: Pose, detection: Detection, bases: Mapping[Surface, Base], surface: Surface
    ) -> tuple[Sighting, Place] | None:
        if not self._grounds or (pose.method is None and pose.distance_m == 0):
            sighting = Sighting(detection, frame.name, frame.time_s, pose, None)
            return sighting, PixelPlace(detection.box, frame.picture.shape[1])
        on_lining = surface == "lining" and self._wall is not None and self._wall.holds(detection)
        name: Surface = "lining" if on_lining else "road"
        footprint = self._grounds[name].locate(detection)
        if footprint is None:
            self.counters["too_far"] += 1
            return None
        sighting = Sighting(detection, frame.name, frame.time_s, pose, footprint, bases[name])
        grows = family(detection.label) == "crack"
        placed = footprint.placed(bases[name])
        return sighting, SurfacePlace.of(placed, slack_m=self._settings.slack_m, grows=grows, surface=name)

    def _open(self, sighting: Sighting, place: Place) -> Track:
        track = Track(self._next_id, family(sighting.detection.label), place)
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _in_view(self, track: Track, frame: Frame, bases: Mapping[Surface, Base]) -> bool:
        place = track.place
        if not isinstance(place, SurfacePlace):
            return True
        pixel = self._grounds[place.surface].pixel(*bases[place.surface].seen(place.x_m, place.y_m))
        height, width = frame.picture.shape[:2]
        return pixel is not None and 0 <= pixel[0] < width and 0 <= pixel[1] < height

    def _is_over(self, track: Track, bases: Mapping[Surface, Base]) -> bool:
        if track.missed > self._settings.max_missed:
            return True
        place = track.place
        if not isinstance(place, SurfacePlace):
            return False
        ahead, _ = bases[place.surface].seen(place.x_m, place.y_m)
        reach = max(place.half_length_m, place.half_width_m)
        return ahead + reach < -_BEHIND_M or ahead > 3 * self._settings.max_range_m

    def _close(self, best_now: dict[int, Box], is_over: Callable[[Track], bool]) -> Step:
        too_many = sorted(self._tracks, key=lambda track: (track.certainty, track.id))[: -_MOST_TRACKS or None]
        over = [track for track in self._tracks if is_over(track) or track in too_many]
        self._tracks = [track for track in self._tracks if track not in over]
        finished: list[Defect] = []
        dropped: list[int] = []
        for track in sorted(over, key=lambda track: -track.certainty):
            reason = self._why_not(track)
            if reason is None and track.best is not None:
                self._reported.note(track)
                finished.append(self._defect(track, track.best))
            else:
                self.counters[f"dropped_{reason}"] += 1
                dropped.append(track.id)
        return Step(best_now, tuple(finished), tuple(dropped))

    def _defect(self, track: Track, best: Sighting) -> Defect:
        on_lining = isinstance(track.place, SurfacePlace) and track.place.surface == "lining"
        return Defect(
            track.id,
            track.label,
            track.certainty,
            tuple(track.sightings),
            best,
            track.place,
            self._lining if on_lining else None,
        )

    def _why_not(self, track: Track) -> str | None:
        if len(track.sightings) < self._settings.min_frames:
            return "too_few_frames"
        if track.certainty < self._settings.min_certainty:
            return "unsure"
        return "duplicate" if self._reported.has(track, self._tracks) else None
