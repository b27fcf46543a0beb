# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The flat piece of earth in which the filter works, and where on earth its places are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.geometry import east_north, offset_lonlat
from edge.positioning.ekf import Ekf, antenna_covariance, largest_variance
from edge.positioning.history import Place
from edge.positioning.states import E, H, N

if TYPE_CHECKING:
    from edge.types import Fix

#: Further out the earth is not flat enough, metres.
_RADIUS_M = 2_000.0


class Plane:
    """East and north from an origin, metres."""

    def __init__(self) -> None:
        self.origin = (0.0, 0.0)

    def local(self, fix: Fix) -> tuple[float, float]:
        """A fix in the plane, the short way round the date line."""
        turn = math.remainder(fix.lon - self.origin[0], 360)
        return east_north(self.origin[0] + turn, fix.lat, *self.origin)

    def place(self, ekf: Ekf, floor_m: float) -> Place:
        """Where the filter's axle is on earth; its error is said to be no smaller than `floor_m`."""
        heading = float(ekf.x[H])
        variance = largest_variance(antenna_covariance(ekf.p, heading, ekf.mounting))
        lon, lat = offset_lonlat(*self.origin, float(ekf.x[E]), float(ekf.x[N]))
        return Place(lon, lat, max(variance, floor_m**2), heading, float(ekf.p[H, H]))

    def keep_near(self, ekf: Ekf) -> None:
        """Move the origin when the filter has come far from it."""
        east, north = ekf.antenna()
        if math.hypot(east, north) > _RADIUS_M:
            self.origin = offset_lonlat(*self.origin, east, north)
            ekf.shift(-east, -north)
