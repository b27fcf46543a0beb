# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Poses along a straight road, and pictures to judge."""

from __future__ import annotations

from edge.types import Pose


def at(distance_m: float, time_s: float = 0.0, *, speed_mps: float | None = 10.0, known: bool = True) -> Pose:
    lon, lat = (13.4 + distance_m / 68_000, 52.5) if known else (None, None)
    method = "gnss" if known else None
    return Pose(time_s, distance_m, 0.0, 0.0, distance_m, speed_mps, lon, lat, 3.0 if known else None, 90.0, method)
