# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Metres on the ground between places that are near each other, and angles between headings."""

from __future__ import annotations

import math

METRES_PER_DEGREE = math.pi * 6_371_008.8 / 180


def east_north_m(lon: float, lat: float, from_lon: float, from_lat: float) -> tuple[float, float]:
    """Metres east and north of a place; good to a part in a thousand within a few kilometres."""
    east_degrees = (lon - from_lon + 180) % 360 - 180
    middle = math.radians((lat + from_lat) / 2)
    return east_degrees * METRES_PER_DEGREE * math.cos(middle), (lat - from_lat) * METRES_PER_DEGREE


def turn_deg(a: float, b: float) -> float:
    """How far two headings are apart: 0 to 180."""
    return abs((a - b + 180) % 360 - 180)
