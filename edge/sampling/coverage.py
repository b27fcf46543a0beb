# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From single frames to stretches of road: looked at, or not judged and why.

Stretches lie end to end along the path that the antenna took. Between two frames the path counts as judged where it
was in enough judged pictures (`edge.sampling.looks`); a path that no picture showed, through no fault of picture or
pace, belongs to no stretch. Where the camera's view is not known, a frame stands for the road since the frame before.

A stretch ends where the verdict, the line, the track or the surface changes, and where frames are so far apart that
nobody knows how the vehicle got there. Rolling back, and forth again to where it was, adds nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from edge.sampling import Reason
from edge.sampling.looks import Looks, Surface
from edge.sampling.view import View
from edge.types import LinePlace, Pose

#: What a message takes; a longer path loses every second point.
_MAX_PATH = 1000
#: So much chainage may differ from the way rolled (a snap to a known point is more), metres and share.
_SNAP_M, _SNAP_SHARE = 5.0, 0.1
#: After rolling back farther than this, road is new again, metres.
_MAX_BEHIND_M = 30.0
#: Where the path goes on this far from where the stretch ended, it is another path, metres.
_OTHER_PATH_M = 2.0


@dataclass(frozen=True)
class LineSpan:
    """A stretch of a known line; `from_m` above `to_m` against the chainage. `error_m`: the larger of both ends'."""

    line: str
    from_m: float
    to_m: float
    error_m: float
    track: str | None = None


@dataclass(frozen=True)
class Stretch:
    """A piece of the drive. `path`: (lon, lat), empty where no position was known; `reason` None: it was judged.

    Path and chainage are those of the antenna, which rolled over this road after the camera had seen it.
    `frames_judged` counts the judged frames taken on it, also where they were too few.
    """

    path: tuple[tuple[float, float], ...]
    length_m: float
    frames_judged: int
    reason: Reason | None
    start_s: float
    end_s: float
    line: LineSpan | None = None
    surface: Surface = "road"

    @property
    def valid(self) -> bool:
        """Whether it was judged."""
        return self.reason is None


@dataclass
class _Open:
    reason: Reason | None
    surface: Surface
    start_s: float
    end_s: float
    end: Pose
    first: LinePlace | None
    length_m: float = 0.0
    frames: int = 0
    path: list[tuple[float, float]] = field(default_factory=list)

    def extend(self, pose: Pose, way_m: float, *, at_front: bool) -> None:
        """Go on to a pose with `way_m` of new road behind it; `at_front`: it is not on road already counted."""
        self.end_s = pose.time_s
        if not at_front:
            return
        self.length_m += way_m
        self.end = pose
        place = _place(pose)
        if place and self.path[-1:] != place:
            self.path += place
        if len(self.path) > _MAX_PATH:
            del self.path[1:-1:2]


class CoverageLog:
    """Collects frames into stretches of about `length_m`, closed earlier where something changes.

    `view_m`, `looks`: road is valid where it was in so many judged pictures; None: a frame stands for its road.
    """

    def __init__(
        self,
        *,
        length_m: float = 100.0,
        max_gap_m: float = 25.0,
        max_s: float = 300.0,
        view_m: View | None = None,
        looks: int = 1,
    ) -> None:
        self._length_m = length_m
        self._max_gap_m = max_gap_m
        self._max_s = max_s
        self._looks = None if view_m is None else Looks(view_m, looks)
        self._before: Pose | None = None
        self._behind_m = 0.0
        self._open: _Open | None = None

    def add(self, pose: Pose, reason: Reason | None = None, surface: Surface = "road") -> Stretch | None:
        """Note a frame that was judged (`reason` None) or that could not be; give a stretch when one is complete."""
        before, now, closed = self._before, self._open, None
        self._before = pose
        if before is None or now is None or self._is_broken(before, pose):
            closed = None if now is None else _close(now)
            now, self._behind_m = _begin(pose, reason, surface), 0.0
            if self._looks is not None:
                self._looks.clear()
        if self._looks is not None:
            self._looks.note(pose, reason, surface)
        if before is not None and now is self._open:
            now, closed = self._go_on(now, before, pose, reason, surface)
        now.frames += reason is None
        self._open = now
        return closed

    def flush(self) -> Stretch | None:
        """Close what is open: the drive is over or pauses."""
        now, self._open, self._before = self._open, None, None
        return None if now is None else _close(now)

    def _is_broken(self, before: Pose, pose: Pose) -> bool:
        way = pose.distance_m - before.distance_m
        return not -_OTHER_PATH_M <= way <= self._max_gap_m or pose.time_s < before.time_s

    def _go_on(
        self, now: _Open, before: Pose, pose: Pose, reason: Reason | None, surface: Surface
    ) -> tuple[_Open, Stretch | None]:
        """From the frame before to this one: what is open then, and what was closed."""
        way, closed = self._new_way(before, pose), None
        at_front = self._behind_m == 0
        jumped = at_front and now.end is not before and abs(_apart(now.end, pose) - way) > _OTHER_PATH_M
        start = now.end if not jumped else before if way > 0 else pose
        if self._looks is not None and way > 0:
            verdict = self._looks.verdict(start, pose, surface)
        else:
            # Who stands sees nothing new; where no motion is known, frames are all there is to tell of.
            stands = self._looks is not None and pose.speed_mps is not None
            verdict = (now.reason if stands else reason) or "judged"
        if verdict == "unseen":
            return _renewed(now, _begin(pose, None, surface))
        why = None if verdict == "judged" else verdict
        same_line = _is_same_line(start.line, pose.line, way)
        if jumped or not same_line or (why, surface) != (now.reason, now.surface) or self._is_full(now):
            following = _begin(start, why, surface)
            if not same_line:
                following.first = pose.line
            now, closed = _renewed(now, following, close=way == 0 or self._looks is None)
        now.extend(pose, way, at_front=at_front)
        return now, closed

    def _new_way(self, before: Pose, pose: Pose) -> float:
        """Metres of path that the vehicle has not rolled over just before."""
        way = abs(pose.distance_m - before.distance_m)
        yaw = math.radians(before.odom_yaw_deg)
        dx, dy = pose.odom_x_m - before.odom_x_m, pose.odom_y_m - before.odom_y_m
        if dx * math.cos(yaw) + dy * math.sin(yaw) < 0:
            self._behind_m = min(self._behind_m + way, _MAX_BEHIND_M)
            return 0.0
        made_up = min(self._behind_m, way)
        self._behind_m -= made_up
        return way - made_up

    def _is_full(self, now: _Open) -> bool:
        return now.length_m >= self._length_m or now.end_s - now.start_s >= self._max_s


def _begin(pose: Pose, reason: Reason | None, surface: Surface) -> _Open:
    return _Open(reason, surface, pose.time_s, pose.time_s, pose, pose.line, path=_place(pose))


def _renewed(now: _Open, following: _Open, *, close: bool = False) -> tuple[_Open, Stretch | None]:
    """End a stretch. One without length is no message, unless told to: its frames go to the one that follows."""
    if now.length_m > 0 or close:
        following.start_s = now.end_s
        return following, _close(now)
    following.frames = now.frames
    return following, None


def _close(now: _Open) -> Stretch | None:
    """The stretch; None where there is neither road nor frame in it."""
    if now.length_m == 0 and now.frames == 0 and now.reason is None:
        return None
    path = tuple(now.path)
    return Stretch(
        path, now.length_m, now.frames, now.reason, now.start_s, now.end_s, _span(now.first, now.end.line), now.surface
    )


def _span(first: LinePlace | None, last: LinePlace | None) -> LineSpan | None:
    if first is None or last is None:
        return None
    return LineSpan(first.line, first.chainage_m, last.chainage_m, max(first.error_m, last.error_m), last.track)


def _is_same_line(before: LinePlace | None, now: LinePlace | None, way_m: float) -> bool:
    """Whether the line goes on from the one place to the other, without a snap to a known point."""
    if before is None or now is None:
        return before is now
    if (before.line, before.track) != (now.line, now.track):
        return False
    return way_m == 0 or abs(abs(now.chainage_m - before.chainage_m) - way_m) <= _SNAP_M + _SNAP_SHARE * way_m


def _place(pose: Pose) -> list[tuple[float, float]]:
    if pose.lon is None or pose.lat is None:
        return []
    return [(round(pose.lon, 7), round(pose.lat, 7))]


def _apart(a: Pose, b: Pose) -> float:
    return math.hypot(a.odom_x_m - b.odom_x_m, a.odom_y_m - b.odom_y_m)
