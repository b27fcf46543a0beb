# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Shocks: the blow of the front axle and, a wheelbase later, that of the rear axle are one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from edge.roughness.blows import Blow
from edge.roughness.settings import RoughnessSettings
from edge.roughness.way import Spot, Way
from messages.types import LinePosition, Position

#: From a wheel's arrival at the middle of a hole to the body's highest peak: tyre, suspension, filter (measured with a
#: quarter car: tests/roughness), and its spread.
LAG_S, LAG_SPREAD_S = 0.045, 0.02
#: How far two blows may miss the wheelbase: this way, or what this time makes of the speed.
_MISS_M, _MISS_S = 0.5, 0.04
_TOLD_S, _LONGEST_S = 0.3, 5.0


@dataclass(frozen=True)
class Shock:
    """What the wheels met. `spot`: the vehicle when `axle_forward_m` of it lay on the place.

    `along_error_m`: one standard deviation along the way, without that of the pose.
    """

    spot: Spot
    peak_mps2: float
    axle_forward_m: float
    along_error_m: float


@dataclass(frozen=True)
class _Pending:
    first: Blow
    rear: Blow | None = None


class ShockPairs:
    """Joins blows to shocks."""

    def __init__(self, settings: RoughnessSettings, way: Way) -> None:
        self._settings = settings
        self._way = way
        self._pending: list[_Pending] = []

    def add(self, blow: Blow) -> None:
        """Take a blow: the rear axle's of one that waits for it, else a new one."""
        for i, pending in enumerate(self._pending):
            missed_m = abs(blow.way_m - pending.first.way_m - self._settings.wheelbase_m)
            if pending.rear is None and missed_m <= _miss_m(blow):
                self._pending[i] = replace(pending, rear=blow)
                return
        self._pending.append(_Pending(blow))

    def due(self, way_m: float, time_s: float) -> list[Shock]:
        """Shocks that no later blow can belong to any more, once the vehicle has come so far or waited so long."""
        if not self._pending:
            return []
        ready: list[_Pending] = []
        still: list[_Pending] = []
        for pending in self._pending:
            first = pending.first
            # A blow is told a tenth of a second after its peak.
            last_m = first.way_m + self._settings.wheelbase_m + _miss_m(first) + _TOLD_S * first.speed_mps
            (ready if way_m > last_m or time_s > first.time_s + _LONGEST_S else still).append(pending)
        self._pending = still
        return [shock for shock in map(self._shock, ready) if shock is not None]

    def _shock(self, pending: _Pending) -> Shock | None:
        blow, settings = pending.first, self._settings
        spot = self._way.at(blow.time_s - LAG_S)
        if spot is None:
            return None
        spread_m = LAG_SPREAD_S * blow.speed_mps
        if pending.rear is not None:
            peak = max(blow.peak_mps2, pending.rear.peak_mps2)
            return Shock(spot, peak, settings.front_axle_forward_m, math.hypot(spread_m, 0.1))
        if not blow.alone:
            return None
        # One axle's blow stayed below the threshold, and nothing tells which: in the middle, half a wheelbase off.
        along = math.hypot(spread_m, settings.wheelbase_m / 2)
        return Shock(spot, blow.peak_mps2, settings.middle_forward_m, along)


def position(shock: Shock, settings: RoughnessSettings) -> Position | None:
    """Where on earth; which of the two wheels it was is not known, so it is the axle's middle."""
    pose = shock.spot.pose
    point = shock.spot.ahead_on_earth(shock.axle_forward_m, settings.axles_left_m)
    if point is None or pose.error_m is None or pose.method is None:
        return None
    error_m = math.hypot(pose.error_m, max(shock.along_error_m, settings.track_width_m / 2))
    return Position(
        lon=round(point[0], 8),
        lat=round(point[1], 8),
        error_m=round(error_m, 2),
        method=pose.method,
        quality=pose.quality,
        since_fix_m=None if pose.since_fix_m is None else round(pose.since_fix_m, 1),
    )


def line_position(shock: Shock) -> LinePosition | None:
    """Where on the known line."""
    place = shock.spot.pose.line
    if place is None:
        return None
    ahead_m = shock.axle_forward_m if place.forward else -shock.axle_forward_m
    return LinePosition(
        line=place.line,
        chainage_m=round(place.chainage_m + ahead_m, 2),
        error_m=round(math.hypot(place.error_m, shock.along_error_m), 2),
        track=place.track,
    )


def _miss_m(blow: Blow) -> float:
    return max(_MISS_M, _MISS_S * blow.speed_mps)
