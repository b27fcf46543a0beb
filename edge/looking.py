# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes the picture that the depot asked for: the best one of a pass, once, and says what the model saw there.

Each judged frame that shows an asked place finely enough is a chance; the best picture so far is made safe at once, so
that no raw one is kept. When the place has left the view, what was gathered is one look. A frame in which somebody or
a vehicle stands on the place, or takes much of the patch around it, is no chance: the place is not to be seen in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from edge.asked import Asked, AskedPlaces
from edge.asked_view import Eye, Sight, ahead_m, overlap, sight
from edge.judging import Verdict
from edge.privacy.anonymise import PrivacySettings, SafePicture, anonymise, hidden_share
from edge.privacy.guard import Guard
from edge.types import Frame, Pose
from messages.types import ModelRef

#: A box that shares so much with the place, of the smaller of both, is seen at the place.
_AT_PLACE_SHARE = 0.2
#: So much of the patch around the place may be taken by cars beside it (they become mosaic).
_MOST_HIDDEN_SHARE = 0.3
#: A place so far ahead has left the view all the same: the vehicle has turned off, metres beyond the range.
_TURNED_OFF_M = 30.0
_MOST_FOUND = 20


@dataclass(frozen=True)
class Looked:
    """What is to be told of one asked place. `pose`, `sight`: of the picture; `found`: classes, sorted."""

    asked: Asked
    picture: SafePicture
    pose: Pose
    sight: Sight
    time_s: float
    found: tuple[str, ...]
    frames_judged: int
    model: ModelRef


@dataclass
class _Pass:
    """The place on this pass so far."""

    asked: Asked
    pose: Pose
    sight: Sight
    time_s: float
    picture: SafePicture
    model: ModelRef
    found: set[str]
    frames_judged: int = 0


class Looking:
    """Looks for the places of one vehicle. `counters`: `looks_hidden` are frames with somebody on the place.

    `eye` None: without a calibration nobody knows where in the picture a place is.
    """

    def __init__(
        self,
        places: AskedPlaces,
        eye: Eye | None,
        privacy: PrivacySettings | None = None,
        *,
        guard: Guard | None = None,
    ) -> None:
        self.places = places
        self.counters: Counter[str] = Counter()
        self._eye = eye
        self._privacy = privacy or PrivacySettings()
        self._guard = guard or Guard(None)
        self._passes: dict[str, _Pass] = {}

    @property
    def can_look(self) -> bool:
        """Whether anything can be asked of this vehicle."""
        return self._eye is not None

    def see(self, frame: Frame, pose: Pose, verdict: Verdict, *, utc: str | None, horizon_row: float | None) -> None:
        """One frame that was judged, with its pose. `utc`: when it was taken, where that is known."""
        if self._eye is None or verdict.reason is not None:
            return
        for asked in self.places.now(utc):
            if asked.place.surface == verdict.judge.surface:
                seen = sight(asked.place, pose, self._eye)
                if seen is not None:
                    self._note(asked, seen, frame, pose, verdict=verdict, horizon_row=horizon_row)

    def passed(self, pose: Pose) -> Iterator[Looked]:
        """The places that have left the view at `pose`, each once; they are open until `done`."""
        for key, one in list(self._passes.items()):
            ahead = ahead_m(one.asked.place, pose)
            if ahead is None or ahead < 0 or (self._eye and ahead > self._eye.max_range_m + _TURNED_OFF_M):
                yield from self._take(key)

    def finish(self) -> Iterator[Looked]:
        """The drive is over: all that were in view."""
        for key in list(self._passes):
            yield from self._take(key)

    def done(self, looked: Looked) -> None:
        """It is on its way, durably."""
        self.places.answered(looked.asked.id)
        self.counters["looks_confirmed"] += 1

    def _take(self, key: str) -> Iterator[Looked]:
        one = self._passes.pop(key)
        if key in self.places:  # not withdrawn meanwhile
            found = tuple(sorted(one.found)[:_MOST_FOUND])
            yield Looked(one.asked, one.picture, one.pose, one.sight, one.time_s, found, one.frames_judged, one.model)

    def _note(
        self, asked: Asked, seen: Sight, frame: Frame, pose: Pose, *, verdict: Verdict, horizon_row: float | None
    ) -> None:
        height, width = frame.picture.shape[:2]
        private = self._guard.private(frame.picture, verdict.private)
        hidden = [hidden_share(width, height, part, private) for part in (seen.core, seen.outline)]
        if hidden[0] > 0 or hidden[1] > _MOST_HIDDEN_SHARE:
            self.counters["looks_hidden"] += 1
            return
        one = self._passes.get(asked.id)
        if one is None or _rank(seen) > _rank(one.sight):
            picture = anonymise(
                frame.picture, seen.box, private, self._privacy, horizon_row=horizon_row, outline=seen.outline
            )
            gathered, frames = (set[str](), 0) if one is None else (one.found, one.frames_judged)
            one = _Pass(asked, pose, seen, frame.time_s, picture, verdict.judge.model, gathered, frames)
            self._passes[asked.id] = one
        one.frames_judged += 1
        one.found.update(d.label for d in verdict.defects if overlap(d.box, seen.outline) >= _AT_PLACE_SHARE)


def _rank(seen: Sight) -> tuple[bool, float]:
    """A picture with all of the patch is better than a finer one without."""
    return seen.whole, seen.px_per_m
