# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a measurement cannot be, whatever the filter thinks: impossible values, a frozen place, a time to come.

UTC is no business of this module (`utc.py` judges it where it is received): the pose rests on the vehicle's clock.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.geometry import east_north
from edge.types import Fix, Odometry

if TYPE_CHECKING:
    from typing import TypeAlias

    Heard: TypeAlias = Fix | Odometry

#: No clock and no odometer shows more (seconds, metres).
_LARGEST = 1e12
#: No receiver is better; a fix that is known no better than the other says nothing about a street.
_BEST_ERROR_M, _WORST_ERROR_M = 0.001, 1_000.0
#: Receivers without a fix that say so by the place in the Gulf of Guinea, degrees.
_NULL_DEG = 1e-4
#: The same place to the last digit, although the vehicle has rolled so far (metres, seconds): nothing real does that.
_FROZEN_M, _FROZEN_S = 5.0, 0.5
#: A measurement further ahead of all others waits until others confirm that time has passed, seconds.
_AHEAD_S, _LONGEST_AHEAD_S, _INTERVALS_AHEAD, _MOST_WAITING = 2.0, 30.0, 4.0, 500


def fault(measurement: Heard) -> str | None:
    """The name of what makes it no measurement at all: `not_finite`, `bad_fix`, or `null_fix` for 0/0."""
    if not abs(measurement.time_s) <= _LARGEST:
        return "not_finite"
    if isinstance(measurement, Odometry):
        return None if abs(measurement.distance_m) <= _LARGEST else "not_finite"
    fix = measurement
    sane = (
        abs(fix.lat) < 89.9
        and abs(fix.lon) <= 180
        and _BEST_ERROR_M <= fix.error_m <= _WORST_ERROR_M
        and (fix.heading_deg is None or abs(fix.heading_deg) <= 360)
        and (fix.speed_mps is None or 0 <= fix.speed_mps <= 150)
    )
    if not sane:
        return "bad_fix"
    return "null_fix" if abs(fix.lat) < _NULL_DEG and abs(fix.lon) < _NULL_DEG else None


def way(before: Fix, after: Fix) -> tuple[float, float]:
    """Metres east and north from one fix to another."""
    turn = math.remainder(after.lon - before.lon, 360)
    return east_north(before.lon + turn, after.lat, before.lon, before.lat)


def is_reachable(before: Fix, after: Fix, speed_mps: float) -> bool:
    """Whether a vehicle of that speed could get from one to the other, given their errors."""
    allowed = speed_mps * (after.time_s - before.time_s) + 3 * math.hypot(before.error_m, after.error_m)
    return math.hypot(*way(before, after)) <= allowed


class FrozenWatch:
    """Notices a receiver that goes on repeating its last place while the vehicle rolls."""

    def __init__(self) -> None:
        self._first: Fix | None = None
        self._first_m: float | None = None

    def is_frozen(self, fix: Fix, rolled_m: float | None) -> bool:
        """Whether the vehicle has rolled since a fix with the very same place.

        `rolled_m`: as the odometer counts; None without one: then the receiver's own speed belies its place.
        """
        first, first_m = self._first, self._first_m
        if first is None or (fix.lon, fix.lat) != (first.lon, first.lat):
            self._first, self._first_m = fix, rolled_m
            return False
        lasted_s = fix.time_s - first.time_s
        if rolled_m is None or first_m is None:
            self._first_m = rolled_m
            rolled = min(first.speed_mps or 0.0, fix.speed_mps or 0.0) * lasted_s
        else:
            rolled = rolled_m - first_m
        return rolled >= _FROZEN_M and lasted_s >= _FROZEN_S


class FutureWatch:
    """Holds back measurements whose time lies far ahead until enough of them show that time has really passed.

    Without that, one wrong time stamp would make everything after it "old" for ever. Far is several times the usual
    interval between measurements; enough is two seconds of them, and not one of the old time between.
    """

    def __init__(self) -> None:
        self._waiting: list[Heard] = []
        self._now_s = -math.inf
        self._usual_s = math.inf
        self.discarded = 0

    def admit(self, measurement: Heard) -> list[Heard]:
        """What may be used now, in order of time: the measurement, nothing, or it and those held back."""
        time_s, waiting = measurement.time_s, self._waiting
        patience_s = min(_LONGEST_AHEAD_S, max(_AHEAD_S, _INTERVALS_AHEAD * self._usual_s))
        if not math.isfinite(self._now_s) or time_s - self._now_s <= patience_s:
            ready = [measurement]
            if time_s >= self._now_s:
                near = [m for m in waiting if m.time_s - time_s <= patience_s]
                self.discarded += len(waiting) - len(near)
                self._waiting = []
                ready = sorted([measurement, *near], key=lambda m: m.time_s)
        else:
            if waiting and not 0 <= time_s - waiting[-1].time_s <= patience_s:
                self.discarded += len(waiting)
                waiting = []
            waiting = [*waiting, measurement]
            if time_s - waiting[0].time_s < _AHEAD_S and len(waiting) < _MOST_WAITING:
                self._waiting = waiting
                return []
            self._waiting, ready = [], waiting
        self._note(ready[-1].time_s)
        return ready

    def _note(self, time_s: float) -> None:
        if math.isfinite(self._now_s) and time_s >= self._now_s:
            interval = time_s - self._now_s
            self._usual_s = interval if math.isinf(self._usual_s) else max(interval, 0.9 * self._usual_s)
        self._now_s = max(self._now_s, time_s)
