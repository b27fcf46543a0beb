# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The first guess of heading and speed, from which the filter starts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.positioning.plausible import way

if TYPE_CHECKING:
    from edge.types import Fix

_MOVING_MPS = 1.0
_MAX_SPEED_MPS = 60.0
_SPEED_SIGMA = 0.5
_SAME_TIME_S = 0.001


@dataclass(frozen=True)
class Guess:
    """Radians clockwise from north and metres per second, each with one standard deviation."""

    heading: float
    heading_sigma: float
    speed_mps: float
    speed_sigma: float


def guess(anchor: Fix, fix: Fix, wheel_mps: float) -> Guess | None:
    """The heading by a receiver's course, else by the way from an earlier fix (`anchor`) if it is long enough.

    `wheel_mps`: the odometer's speed, negative backwards; 0 if there is none.
    """
    course, sigma = None, math.radians(15)
    if fix.heading_deg is not None and (fix.speed_mps is None or fix.speed_mps >= _MOVING_MPS):
        course = math.radians(fix.heading_deg)
    else:
        east, north = way(anchor, fix)
        error, metres = math.hypot(anchor.error_m, fix.error_m), math.hypot(east, north)
        if metres >= max(3.0, 4 * error):
            course, sigma = math.atan2(east, north), max(math.radians(20), 2 * math.atan2(error, metres))
    if course is None:
        return None
    speed, speed_sigma = fix.speed_mps, _SPEED_SIGMA
    if speed is None:
        dt = fix.time_s - anchor.time_s
        speed = math.hypot(*way(anchor, fix)) / dt if dt > _SAME_TIME_S else abs(wheel_mps)
        speed, speed_sigma = min(speed, _MAX_SPEED_MPS), 5.0
    if wheel_mps < 0:
        return Guess(course + math.pi, sigma, -speed, speed_sigma)
    return Guess(course, sigma, speed, speed_sigma)
