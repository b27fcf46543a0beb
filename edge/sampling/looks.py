# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How often was this piece of road judged before the vehicle rolled over it? Answered in the odometry frame.

A camera shows road ahead of the antenna; the piece under the antenna was in the pictures taken some metres before.
So the account is made when the vehicle gets there: all pictures that could show the piece have been taken by then,
and its place on earth is the path itself. Road that was seen and never driven over is never claimed.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

from edge.sampling import Reason
from edge.sampling.view import View
from edge.types import Pose

Surface: TypeAlias = Literal["road", "lining"]
Verdict: TypeAlias = Reason | Literal["judged", "unseen"]
"""`unseen`: in no picture, for no fault of pictures or pace (the start of a drive, the inside of a tight bend)."""

#: A segment is looked at in pieces of at most this length, metres.
_PIECE_M = 0.5
#: Frames nearer to each other than this are one look, metres.
_SAME_M = 0.1
#: A bend makes the way to a place longer than the straight distance; and how many frames are remembered at most.
_BEND, _MAX_FRAMES = 1.5, 400


@dataclass(frozen=True)
class _Point:
    x_m: float
    y_m: float
    distance_m: float

    @classmethod
    def between(cls, a: Pose, b: Pose, share: float) -> _Point:
        return cls(
            a.odom_x_m + share * (b.odom_x_m - a.odom_x_m),
            a.odom_y_m + share * (b.odom_y_m - a.odom_y_m),
            a.distance_m + share * (b.distance_m - a.distance_m),
        )


@dataclass(frozen=True)
class _Look:
    pose: Pose
    reason: Reason | None
    surface: Surface


class Looks:
    """Remembers the last frames and judges segments of the path by them."""

    def __init__(self, view: View, least: int) -> None:
        self._view = view
        self._least = least
        self._looks: deque[_Look] = deque(maxlen=_MAX_FRAMES)

    def clear(self) -> None:
        """Forget all frames: what comes is not connected to them."""
        self._looks.clear()

    def note(self, pose: Pose, reason: Reason | None, surface: Surface) -> None:
        """Remember a frame that was judged (`reason` None) or refused; many from one place are one look."""
        look = _Look(pose, reason, surface)
        if self._looks:
            last = self._looks[-1]
            if (last.reason, last.surface) == (reason, surface) and _apart(last.pose, pose) < _SAME_M:
                return
        self._looks.append(look)
        # One frame from before the view is kept: it tells a gap from a beginning.
        while len(self._looks) > 1 and pose.distance_m - self._looks[1].pose.distance_m > _BEND * self._view.far_m:
            self._looks.popleft()

    def verdict(self, before: Pose, now: Pose, surface: Surface) -> Verdict:
        """What is known of the path between two poses: `judged` where every piece of it was often enough."""
        pieces = max(1, math.ceil(_apart(before, now) / _PIECE_M))
        points = [_Point.between(before, now, index / pieces) for index in range(pieces + 1)]
        verdicts = Counter(self._of_piece(start, end, surface) for start, end in pairwise(points))
        del verdicts["judged"]
        return verdicts.most_common(1)[0][0] if verdicts else "judged"

    def _of_piece(self, start: _Point, end: _Point, surface: Surface) -> Verdict:
        # A view is convex: who sees both ends sees all between them.
        seen = [
            look
            for look in self._looks
            if look.surface == surface and self._sees(look.pose, start) and self._sees(look.pose, end)
        ]
        if sum(look.reason is None for look in seen) >= self._least:
            return "judged"
        reasons = Counter(look.reason for look in seen if look.reason is not None)
        if reasons:
            return reasons.most_common(1)[0][0]
        return "too_fast" if self._came_too_late(start, end, len(seen)) else "unseen"

    def _came_too_late(self, start: _Point, end: _Point, seen: int) -> bool:
        """Whether frames were too far apart: some came before the piece was in view, and too few while it was."""
        ways = [(start.distance_m - at, end.distance_m - at) for at in (look.pose.distance_m for look in self._looks)]
        passed = sum(self._view.near_m <= near and far <= self._view.far_m for near, far in ways)
        return passed <= seen and any(far > self._view.far_m for _, far in ways)

    def _sees(self, pose: Pose, point: _Point) -> bool:
        yaw = math.radians(pose.odom_yaw_deg)
        dx, dy = point.x_m - pose.odom_x_m, point.y_m - pose.odom_y_m
        return self._view.sees(dx * math.cos(yaw) + dy * math.sin(yaw), -dx * math.sin(yaw) + dy * math.cos(yaw))


def _apart(a: Pose, b: Pose) -> float:
    return math.hypot(a.odom_x_m - b.odom_x_m, a.odom_y_m - b.odom_y_m)
