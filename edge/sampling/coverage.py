# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From single frames to stretches of road: looked at, or not judged and why.

Stretches lie end to end: a frame covers the road since the frame before it. Where frames are so far apart that the
road between them was in no picture, the stretch ends and the next one starts anew: that road is not covered at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.sampling import Reason
    from edge.types import Pose

#: What a message takes; a longer path loses every second point.
_MAX_PATH = 1000


@dataclass(frozen=True)
class Stretch:
    """A piece of the drive. `path`: (lon, lat), empty where no position was known; `reason` None: it was judged."""

    path: tuple[tuple[float, float], ...]
    length_m: float
    frames_judged: int
    reason: Reason | None
    start_s: float
    end_s: float

    @property
    def valid(self) -> bool:
        """Whether it was judged."""
        return self.reason is None


@dataclass
class _Open:
    reason: Reason | None
    start_s: float
    start_m: float
    end_s: float
    end_m: float
    frames: int = 0
    path: list[tuple[float, float]] = field(default_factory=list)


class CoverageLog:
    """Collects frames into stretches of about `length_m`, closed earlier where the reason changes."""

    def __init__(self, *, length_m: float = 100.0, max_gap_m: float = 25.0, max_s: float = 300.0) -> None:
        self._length_m = length_m
        self._max_gap_m = max_gap_m
        self._max_s = max_s
        self._open: _Open | None = None

    def add(self, pose: Pose, reason: Reason | None = None) -> Stretch | None:
        """Note a frame that was judged (`reason` None) or that could not be; give a stretch when one is complete."""
        now, closed = self._open, None
        if now is not None:
            if not 0 <= pose.distance_m - now.end_m <= self._max_gap_m or pose.time_s < now.end_s:
                closed, now = _close(now), None
            elif now.reason != reason or self._is_full(now):
                closed, now = _close(now), _follow(now, reason)
        if now is None:
            now = _Open(reason, pose.time_s, pose.distance_m, pose.time_s, pose.distance_m)
        now.end_s, now.end_m = pose.time_s, pose.distance_m
        now.frames += 1
        if pose.lon is not None and pose.lat is not None:
            now.path.append((round(pose.lon, 7), round(pose.lat, 7)))
            if len(now.path) > _MAX_PATH:
                del now.path[1:-1:2]
        self._open = now
        return closed

    def flush(self) -> Stretch | None:
        """Close what is open: the drive is over or pauses."""
        now, self._open = self._open, None
        return None if now is None else _close(now)

    def _is_full(self, now: _Open) -> bool:
        return now.end_m - now.start_m >= self._length_m or now.end_s - now.start_s >= self._max_s


def _follow(before: _Open, reason: Reason | None) -> _Open:
    """The next stretch, which begins where the last one ended."""
    return _Open(reason, before.end_s, before.end_m, before.end_s, before.end_m, 0, before.path[-1:])


def _close(now: _Open) -> Stretch:
    judged = now.frames if now.reason is None else 0
    return Stretch(tuple(now.path), now.end_m - now.start_m, judged, now.reason, now.start_s, now.end_s)
