# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What was already reported on this pass, so that nothing is reported twice, and a later pass reports it anew.

One pass ends by way and time, not by place: the odometry frame drifts, so after driving round the block a place in it
means nothing. Standing does not end it, nor does rolling back and forth.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from edge.defects.place import GATE, Place, SurfacePlace
from edge.defects.track import Sighting, Track

#: So much way after it was last seen, or time with some way, a defect is seen on another pass.
_PASS_M = 100.0
_PASS_S = 60.0
_PASS_MOVED_M = 25.0
#: Odometry is off by about this share of the way between two looks, one standard deviation.
_DRIFT = 0.02
#: Two tracks of a family that one frame showed side by side are two defects unless they cover each other so much.
_ONE_BOX_TWICE = 0.3
#: Ended tracks of different families whose rectangles overlap more are one defect with two names.
_SAME_PLACE = 0.5


@dataclass(frozen=True)
class _Reported:
    family: str
    place: Place
    times: frozenset[float]
    last: Sighting


class Reported:
    """The defects of the last stretch of way."""

    def __init__(self) -> None:
        self._kept: deque[_Reported] = deque(maxlen=500)

    def note(self, track: Track) -> None:
        """A track that became a defect."""
        times = frozenset(sighting.time_s for sighting in track.sightings)
        self._kept.append(_Reported(track.family, track.place, times, track.sightings[-1]))

    def has(self, track: Track) -> bool:
        """Whether a track shows a defect that was already reported on this pass."""
        return any(_on_one_pass(old, track) and _is_same(old, track) for old in self._kept)


def _way_between_m(old: _Reported, track: Track) -> float:
    """Way from the last look at the one to the first at the other; 0 where they overlap."""
    return max(0.0, track.sightings[0].pose.distance_m - old.last.pose.distance_m)


def _on_one_pass(old: _Reported, track: Track) -> bool:
    way_m = _way_between_m(old, track)
    seconds = track.sightings[0].time_s - old.last.time_s
    return way_m <= _PASS_M and not (seconds > _PASS_S and way_m > _PASS_MOVED_M)


def _is_same(old: _Reported, track: Track) -> bool:
    overlap = old.place.overlap(track.place)
    if old.family != track.family:
        return overlap > _SAME_PLACE
    place = track.place
    if not isinstance(old.place, SurfacePlace) or not isinstance(place, SurfacePlace):
        return False
    if any(sighting.time_s in old.times for sighting in track.sightings):
        return overlap > _ONE_BOX_TWICE
    drift = (_DRIFT * _way_between_m(old, track)) ** 2 * np.eye(2)
    return old.place.gap(place, drift) <= GATE
