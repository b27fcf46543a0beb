# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What was already reported on this pass, so that nothing is reported twice, and a later pass reports it anew.

One pass ends by way and time, not by place: the odometry frame drifts, so after driving round the block a place in it
means nothing. Standing does not end it, nor does rolling back and forth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.defects.place import GATE, Place
from edge.defects.surface_place import SurfacePlace
from edge.defects.track import Sighting, Track

#: So much way after it was last seen, or time with some way, a defect is seen on another pass.
_PASS_M = 100.0
_PASS_S = 60.0
_PASS_MOVED_M = 50.0
#: Odometry is off by about this share of the way between two looks, one standard deviation.
_DRIFT = 0.02
#: Two tracks of a family that one frame showed side by side are two defects unless they cover each other so much.
_ONE_BOX_TWICE = 0.3
#: Ended tracks of different families whose rectangles overlap more are one defect with two names.
_SAME_PLACE = 0.5


@dataclass(frozen=True, eq=False)
class _Outline:
    """What of a track says which defect it shows. `is_faint`: in view, it was missed as often as it was seen."""

    family: str
    place: Place
    times: frozenset[float]
    first: Sighting
    last: Sighting
    is_faint: bool

    @classmethod
    def of(cls, track: Track) -> _Outline:
        seen = track.sightings
        times = frozenset(sighting.time_s for sighting in seen)
        return cls(track.family, track.place, times, seen[0], seen[-1], track.unseen >= len(seen))


class Reported:
    """The defects of the last stretch of way."""

    def __init__(self) -> None:
        self._kept: deque[_Outline] = deque(maxlen=500)

    def note(self, track: Track) -> None:
        """A track that became a defect."""
        self._kept.append(_Outline.of(track))

    def has(self, track: Track, live: Sequence[Track]) -> bool:
        """Whether a track shows a defect that was already reported on this pass, or that a better track still follows.

        Where rows of defects look alike, a nod can shift them by one row for a frame or two: that leaves faint tracks.
        """
        new = _Outline.of(track)
        followed = [_Outline.of(other) for other in live if len(other.sightings) > len(track.sightings)]
        others = [*self._kept, *(followed if new.is_faint else ())]
        return any(_on_one_pass(old, new) and _is_same(old, new) for old in others)


def _way_between_m(old: _Outline, new: _Outline) -> float:
    """Way from the last look at the one to the first at the other; 0 where they overlap."""
    return max(0.0, new.first.pose.distance_m - old.last.pose.distance_m)


def _on_one_pass(old: _Outline, new: _Outline) -> bool:
    way_m = _way_between_m(old, new)
    seconds = new.first.time_s - old.last.time_s
    return way_m <= _PASS_M and not (seconds > _PASS_S and way_m > _PASS_MOVED_M)


def _is_same(old: _Outline, new: _Outline) -> bool:
    overlap = old.place.overlap(new.place)
    if old.family != new.family:
        return overlap > _SAME_PLACE
    if not isinstance(old.place, SurfacePlace) or not isinstance(new.place, SurfacePlace):
        return False
    if old.times & new.times and not (old.is_faint or new.is_faint):
        return overlap > _ONE_BOX_TWICE
    drift = (_DRIFT * _way_between_m(old, new)) ** 2 * np.eye(2)
    return old.place.gap(new.place, drift) <= GATE
