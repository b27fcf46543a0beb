# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Take a frame when new road is in view: by distance, not by the clock. Standing still costs nothing.

Where neither position nor odometer says how far the vehicle went, the clock is all there is: then one frame is
taken every `fallback_s` seconds, and `by_distance` is False.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.types import Pose


#: A frame may come early by this share of the spacing: frames that come exactly as often as they are wanted would
#: otherwise be skipped by turns for an odometer that is a few millimetres short.
_EARLY = 0.25


class Sampler:
    """Decides for each frame, in order of time, whether it is judged."""

    def __init__(self, *, every_m: float, fallback_s: float = 0.5) -> None:
        if not (every_m > 0 and fallback_s > 0):
            raise ValueError(f"every_m {every_m} and fallback_s {fallback_s} must be above 0")
        self._every_m = every_m
        self._fallback_s = fallback_s
        self._due_m: float | None = None
        self._due_s: float | None = None
        self.by_distance = False

    def take(self, pose: Pose) -> bool:
        """Whether the frame taken at this pose shows enough new road."""
        # The estimator gives no speed where nothing tells it of motion.
        self.by_distance = pose.speed_mps is not None
        if self.by_distance:
            self._due_s = None
            return self._take_by_distance(pose.distance_m)
        self._due_m = None
        return self._take_by_time(pose.time_s)

    def _take_by_distance(self, distance_m: float) -> bool:
        due = self._due_m
        # A distance far below what is due belongs to an estimator that started anew.
        if due is None or distance_m < due - 2 * self._every_m:
            self._due_m = distance_m + self._every_m
            return True
        if distance_m < due - _EARLY * self._every_m:
            return False
        # Keep to the grid, so that the mean spacing is `every_m` whatever the frame rate; catch up after a jump.
        self._due_m = due + self._every_m if distance_m < due + self._every_m else distance_m + self._every_m
        return True

    def _take_by_time(self, time_s: float) -> bool:
        due = self._due_s
        if due is not None and due - 2 * self._fallback_s <= time_s < due:
            return False
        self._due_s = time_s + self._fallback_s
        return True
