# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Distance from a vehicle's own speed signal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from edge.types import Odometry

#: Nothing on a road is faster: 250 km/h.
_FASTEST_MPS = 70.0
#: After a longer silence nobody knows what was driven meanwhile; the estimator bridges it by other means.
_LONGEST_S = 5.0
_GAP_S = 1.0


@dataclass
class Total:
    """Metres run; outlives a connection, so that an odometer does not begin anew after a loss."""

    metres: float = 0.0


class SpeedOdometer:
    """Adds up speed by the trapezoidal rule, as if it changed evenly between two words.

    Counts `speed_refused` (not a speed), `speed_gap` (more than a second between words) and `time_backwards`. The sum
    is as good as the signal: a tachometer is allowed 2 to 4 % under way, OBD gives whole km/h.
    """

    def __init__(self, counts: Counter[str], total: Total | None = None) -> None:
        self._counts = counts
        self._total = total or Total()
        self._before: tuple[float, float] | None = None

    def add(self, time_s: float, speed_mps: float) -> Odometry | None:
        """Take the speed at a time (negative: backwards); None where it cannot be used."""
        if not abs(speed_mps) <= _FASTEST_MPS:
            self._counts["speed_refused"] += 1
            return None
        if self._before is not None:
            before_s, before_mps = self._before
            step_s = time_s - before_s
            if step_s <= 0:
                self._counts["time_backwards"] += 1
                return None
            if step_s > _GAP_S:
                self._counts["speed_gap"] += 1
            if step_s <= _LONGEST_S:
                self._total.metres += (before_mps + speed_mps) / 2 * step_s
        self._before = (time_s, speed_mps)
        return Odometry(time_s, self._total.metres)
