# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Take a frame when new road is in view: by distance, not by the clock. Standing still costs nothing.

Guarantee, where the camera's view is known and frames come often enough: every metre of a straight road is judged
`looks` times while it lies between the far and the near edge of the view. It lies there while the vehicle rolls the
view's length L. Frames are kept to a grid of ways, each taken at most one camera frame's step S after its grid point;
so of a grid with spacing (L - S) / looks at least `looks` frames fall into any L. `every_m` bounds the spacing.

- A turn brings new road into view too: it takes a frame, once the vehicle has moved.
- Where the vehicle has looked from before, in the last 100 m, nothing is taken: reversing costs nothing.
- A frame that could not be judged counts as not taken (`refused`): the next ones are tried at once.

Where neither position nor odometer says how far the vehicle went, the clock is all there is: then one frame is
taken every `fallback_s` seconds, and `by_distance` is False.
"""

from __future__ import annotations

import math
from collections import deque

from edge.sampling.view import View
from edge.types import Pose

#: A frame may come early by this share of `every_m`: frames that come exactly as often as they are wanted would
#: otherwise be skipped by turns for an odometer that is a few millimetres short.
_EARLY = 0.25
#: No view is so short that more frames would show more; a turn without this way shows nothing new, metres.
_LEAST_M = 0.5
_TURN_DEG, _MOVING_MPS = 10.0, 0.3
#: A frame this near in direction to one already judged shows the same road, degrees.
_SAME_DEG = 5.0
#: Frames judged on the way lie at most this many spacings apart.
_NEIGHBOURS = 1.5
#: The way for which judged places are remembered, metres.
_MEMORY_M = 100.0
#: So many steps from frame to frame are looked at to know the camera's pace.
_STEPS = 8
#: After a refused frame so many more are tried before the next grid point, each at least so far on (metres).
_RETRIES, _RETRY_M = 3, 0.1


class Sampler:
    """Decides for each frame, in order of time, whether it is judged. `every_m` may be changed on the way."""

    def __init__(self, *, every_m: float, looks: int = 3, view_m: View | None = None, fallback_s: float = 0.5) -> None:
        if not (every_m > 0 and fallback_s > 0 and looks > 0):
            raise ValueError(f"every_m {every_m}, fallback_s {fallback_s} and looks {looks} must be above 0")
        self.every_m = every_m
        self._looks = looks
        self._view = view_m
        self._fallback_s = fallback_s
        self._steps: deque[float] = deque(maxlen=_STEPS)
        self._judged: deque[Pose] = deque()
        self._last: Pose | None = None
        self._taken: Pose | None = None
        self._tries = 0
        self._grid_m: float | None = None
        self._grid_before_m: float | None = None
        self._not_before_m = -math.inf
        self._due_s: float | None = None
        self.by_distance = False

    @property
    def spacing_m(self) -> float:
        """Metres between judged frames, as asked for now."""
        if self._view is None:
            return self.every_m
        # The second longest: a single hiccup of the camera says nothing about the next step.
        step = sorted(self._steps)[-2] if len(self._steps) > 1 else 0.0
        return min(self.every_m, max(_LEAST_M, (self._view.length_m - step) / self._looks))

    def take(self, pose: Pose) -> bool:
        """Whether the frame taken at this pose shows enough new road."""
        # The estimator gives no speed where nothing tells it of motion.
        self.by_distance = pose.speed_mps is not None
        if self.by_distance:
            self._due_s = None
            return self._take_by_distance(pose)
        self._forget()
        return self._take_by_time(pose.time_s)

    def refused(self) -> None:
        """The frame just taken could not be judged: what it was to show is still due."""
        if self._taken is None or self._grid_m is None or not self._judged or self._judged[-1] is not self._taken:
            return
        at_m, self._taken = self._judged.pop().distance_m, None
        self._tries += 1
        if self._tries <= _RETRIES:
            self._grid_m, self._not_before_m = self._grid_before_m, at_m + _RETRY_M
        else:
            self._tries, self._not_before_m = 0, self._grid_m + self.spacing_m - _EARLY * self.every_m

    def _take_by_distance(self, pose: Pose) -> bool:
        last, self._last = self._last, pose
        way = 0.0 if last is None else pose.distance_m - last.distance_m
        # A distance far below the last one belongs to an estimator that started anew.
        if way < -2 * self.every_m:
            self._forget()
        self._steps.append(max(0.0, way))
        while self._judged and pose.distance_m - self._judged[0].distance_m > _MEMORY_M:
            self._judged.popleft()
        if not (self._is_due(pose) or self._has_turned(pose)) or self._has_been_here(pose):
            return False
        self._note(pose)
        return True

    def _is_due(self, pose: Pose) -> bool:
        if self._grid_m is None:
            return pose.distance_m >= self._not_before_m
        due = self._grid_m + self.spacing_m - _EARLY * self.every_m
        return pose.distance_m >= max(due, self._not_before_m)

    def _has_turned(self, pose: Pose) -> bool:
        # A gyro's bias turns a vehicle that stands, too.
        if not self._judged or pose.distance_m < self._not_before_m or (pose.speed_mps or 0.0) < _MOVING_MPS:
            return False
        before = self._judged[-1]
        return pose.distance_m - before.distance_m >= _LEAST_M and _turn_deg(before, pose) >= _TURN_DEG

    def _has_been_here(self, pose: Pose) -> bool:
        """Whether frames judged before show what this one does: one from about here, or one on either side."""
        spacing, ahead, behind = self.spacing_m, False, False
        for seen in self._judged:
            if _turn_deg(pose, seen) >= _SAME_DEG:
                continue
            x_m, y_m = _as_seen_from(pose, seen)
            if math.hypot(x_m, y_m) < spacing / 2:
                return True
            if abs(y_m) < spacing / 2 and abs(x_m) <= _NEIGHBOURS * spacing:
                ahead, behind = ahead or x_m > 0, behind or x_m < 0
        return ahead and behind

    def _note(self, pose: Pose) -> None:
        if self._taken is not None:  # the frame before was judged
            self._tries = 0
        self._taken, self._grid_before_m = pose, self._grid_m
        # Keep to the grid, so that the mean spacing is as asked whatever the frame rate; catch up after a jump.
        following = pose.distance_m if self._grid_m is None else self._grid_m + self.spacing_m
        is_due, is_late = self._is_due(pose), pose.distance_m >= following + self.spacing_m
        self._grid_m = following if is_due and not is_late else pose.distance_m
        self._judged.append(pose)

    def _forget(self) -> None:
        self._judged.clear()
        self._steps.clear()
        self._last = self._taken = self._grid_m = self._grid_before_m = None
        self._not_before_m = -math.inf
        self._tries = 0

    def _take_by_time(self, time_s: float) -> bool:
        due = self._due_s
        if due is not None and due - 2 * self._fallback_s <= time_s < due:
            return False
        self._due_s = time_s + self._fallback_s
        return True


def _as_seen_from(pose: Pose, other: Pose) -> tuple[float, float]:
    """Metres ahead and to the left."""
    yaw = math.radians(pose.odom_yaw_deg)
    dx, dy = other.odom_x_m - pose.odom_x_m, other.odom_y_m - pose.odom_y_m
    return dx * math.cos(yaw) + dy * math.sin(yaw), -dx * math.sin(yaw) + dy * math.cos(yaw)


def _turn_deg(a: Pose, b: Pose) -> float:
    return abs(math.remainder(a.odom_yaw_deg - b.odom_yaw_deg, 360))
