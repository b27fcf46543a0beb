# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The road's centre line: made up, gently curved, laid out from a place in Duisburg.

Road coordinates: s metres along the centre line, t metres to its left. The plane is local east and north of
`ORIGIN`; headings are radians clockwise from north.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.geometry import offset_lonlat
from edge.simulator.noise import Floats, generator

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: Longitude and latitude where every simulated drive starts. The road itself does not exist.
ORIGIN = (6.76, 51.43)
#: The centre line is tabulated this densely, metres (chord error at 150 m radius: 0.05 mm).
STEP_M = 0.25
#: Tightest radius, metres.
TIGHTEST_M = 160.0


@dataclass(frozen=True)
class Place:
    """Where the vehicle's origin (under the antenna) is: exact, in the plane."""

    s_m: float
    t_m: float
    east_m: float
    north_m: float
    heading_rad: float

    @property
    def lonlat(self) -> tuple[float, float]:
        """WGS 84."""
        return offset_lonlat(*ORIGIN, self.east_m, self.north_m)

    @property
    def heading_deg(self) -> float:
        """Clockwise from true north, 0 to 360."""
        return math.degrees(self.heading_rad) % 360.0


class Route:
    """The centre line over `length_m` metres plus run-in and run-out, and the vehicle's line on it."""

    RUN_IN_M = 60.0
    RUN_OUT_M = 240.0
    LANE_M = -1.65

    def __init__(self, seed: int, length_m: float) -> None:
        rng = generator(seed, "route")
        self.length_m = length_m
        self._s = np.arange(-self.RUN_IN_M, length_m + self.RUN_OUT_M, STEP_M)
        waves = [(rng.uniform(0.3, 1.0), rng.uniform(140, 600), rng.uniform(0, 2 * math.pi)) for _ in range(4)]
        bend = sum(a * np.sin(2 * math.pi * self._s / wave + phase) for a, wave, phase in waves)
        bend = bend / (np.max(np.abs(bend)) * TIGHTEST_M)
        turn = np.cumsum(bend) * STEP_M
        self._heading = rng.uniform(0, 2 * math.pi) - (turn - np.interp(0.0, self._s, turn))
        east = np.cumsum(np.sin(self._heading)) * STEP_M
        north = np.cumsum(np.cos(self._heading)) * STEP_M
        self._east = east - np.interp(0.0, self._s, east)
        self._north = north - np.interp(0.0, self._s, north)
        self._wander = (rng.uniform(70, 130), rng.uniform(0, 2 * math.pi))

    def plane(self, s_m: ArrayLike, t_m: ArrayLike) -> tuple[Floats, Floats]:
        """East and north of road points, metres."""
        s, t = np.asarray(s_m, float), np.asarray(t_m, float)
        heading = np.interp(s, self._s, self._heading)
        east = np.interp(s, self._s, self._east) - t * np.cos(heading)
        north = np.interp(s, self._s, self._north) + t * np.sin(heading)
        return east, north

    def lonlat(self, s_m: float, t_m: float) -> tuple[float, float]:
        """WGS 84 of a road point."""
        east, north = self.plane(s_m, t_m)
        return offset_lonlat(*ORIGIN, float(east), float(north))

    def place(self, s_m: float) -> Place:
        """Where the vehicle is when its origin has passed `s_m`: it wanders a little in its lane."""
        wave, phase = self._wander
        t = self.LANE_M + 0.12 * math.sin(2 * math.pi * s_m / wave + phase)
        slope = 0.12 * 2 * math.pi / wave * math.cos(2 * math.pi * s_m / wave + phase)
        east, north = self.plane(s_m, t)
        heading = float(np.interp(s_m, self._s, self._heading)) - math.atan(slope)
        return Place(s_m, t, float(east), float(north), heading)

    def in_vehicle(self, place: Place, s_m: ArrayLike, t_m: ArrayLike) -> tuple[Floats, Floats]:
        """Road points in the vehicle's frame: x forward, y left, metres."""
        east, north = self.plane(s_m, t_m)
        de, dn = east - place.east_m, north - place.north_m
        sin, cos = math.sin(place.heading_rad), math.cos(place.heading_rad)
        return de * sin + dn * cos, dn * sin - de * cos

    def from_vehicle(self, place: Place, x_m: ArrayLike, y_m: ArrayLike) -> tuple[Floats, Floats]:
        """Road coordinates of points in the vehicle's frame (Newton on the arc length)."""
        x, y = np.asarray(x_m, float), np.asarray(y_m, float)
        sin, cos = math.sin(place.heading_rad), math.cos(place.heading_rad)
        east, north = place.east_m + x * sin - y * cos, place.north_m + x * cos + y * sin
        s = place.s_m + x
        t = np.zeros_like(s)
        for _ in range(8):
            heading = np.interp(s, self._s, self._heading)
            de = east - np.interp(s, self._s, self._east)
            dn = north - np.interp(s, self._s, self._north)
            s = s + de * np.sin(heading) + dn * np.cos(heading)
            t = dn * np.sin(heading) - de * np.cos(heading)
        return s, t
