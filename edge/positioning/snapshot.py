# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is known at one moment, as the history keeps it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.positioning.history import Node, Place
from edge.positioning.states import V, W

if TYPE_CHECKING:
    from edge.positioning.ekf import Ekf
    from edge.positioning.odom import OdomFrame
    from edge.positioning.odometer import Wheels
    from edge.positioning.plane import Plane
    from edge.types import Fix

#: Slower than this by the speeds of fixes alone is standing.
STANDING_MPS = 0.5


def snapshot(
    time_s: float,
    *,
    odom: OdomFrame,
    plane: Plane,
    ekf: Ekf | None,
    wheels: Wheels | None,
    gyro: float | None,
    fix: Fix | None,
    fix_way_m: float | None,
    restarted: bool,
) -> Node:
    """By the filter; before it has started, by the last fix believed, without a heading."""
    speed, speed_variance, turn_rate = (wheels.mps if wheels else None), 1.0, gyro or 0.0
    place = None
    if ekf is not None:
        speed, speed_variance, turn_rate = float(ekf.x[V]), float(ekf.p[V, V]), float(ekf.x[W])
        place = plane.place(ekf, fix.error_m if fix else 0.0)
        if wheels is None and abs(speed) < STANDING_MPS:
            speed = 0.0
    elif fix is not None:
        if speed is None:
            speed = fix.speed_mps or 0.0
        place = Place(fix.lon, fix.lat, fix.error_m**2 + (speed * (time_s - fix.time_s)) ** 2)
    return Node(
        time_s,
        odom.now,
        speed,
        speed_variance,
        turn_rate,
        odom.yaw_pull,
        place,
        fix.time_s if fix else -math.inf,
        wheels.last.time_s if wheels else -math.inf,
        restarted,
        fix_way_m,
        fix.quality if fix else None,
    )
