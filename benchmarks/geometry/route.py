# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The line that the middle of the rear axle follows: straights and bends, laid out in a flat local plane.

Headings are radians clockwise from north; a bend's curvature is positive to the right, per metre.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.geometry import offset_lonlat

Floats: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = Floats | float

#: Longitude and latitude of the plane's zero; the roads do not exist.
ORIGIN = (6.76, 51.43)
_STEP_M = 0.1
#: A steering wheel is turned over this way, metres.
_EASE_M = 6.0
_RUN_M = 120.0


@dataclass(frozen=True)
class Piece:
    """A stretch of one curvature."""

    length_m: float
    curvature: float = 0.0


def straight(length_m: float) -> Piece:
    """Straight ahead."""
    return Piece(length_m)


def bend(radius_m: float, turn_deg: float) -> Piece:
    """A bend; `turn_deg` above 0 to the right."""
    return Piece(radius_m * math.radians(abs(turn_deg)), math.copysign(1 / radius_m, turn_deg))


def winding(rng: np.random.Generator, length_m: float) -> list[Piece]:
    """A town's through road: straights, bends of 120 to 400 m radius, now and then one that turns back (S)."""
    pieces, length = [straight(70.0)], 70.0
    while length < length_m:
        turn = float(rng.choice([-1, 1]) * rng.uniform(15, 45))
        new = [bend(float(rng.uniform(120, 400)), turn)]
        if rng.random() < 0.4:
            new.append(bend(float(rng.uniform(120, 400)), -turn))
        new.append(straight(float(rng.uniform(20, 90))))
        pieces += new
        length += sum(piece.length_m for piece in new)
    return pieces


class Route:
    """A line, with a straight run-in before 0 and a straight run-out after its length."""

    def __init__(self, pieces: Sequence[Piece], *, heading_deg: float = 70.0) -> None:
        self.length_m = sum(piece.length_m for piece in pieces)
        self._s = np.arange(-_RUN_M, self.length_m + _RUN_M, _STEP_M)
        ends = np.cumsum([piece.length_m for piece in pieces])
        number = np.searchsorted(ends, self._s, side="right")
        inside = (self._s >= 0) & (number < len(pieces))
        curvature = np.where(inside, np.array([p.curvature for p in pieces])[np.minimum(number, len(pieces) - 1)], 0.0)
        window = np.ones(int(_EASE_M / _STEP_M)) / int(_EASE_M / _STEP_M)
        curvature = np.convolve(curvature, window, mode="same")
        heading = np.cumsum(curvature) * _STEP_M
        self._heading = math.radians(heading_deg) + heading - np.interp(0.0, self._s, heading)
        middle = self._heading - curvature * _STEP_M / 2
        east, north = np.cumsum(np.sin(middle)) * _STEP_M, np.cumsum(np.cos(middle)) * _STEP_M
        self._east, self._north = east - np.interp(0.0, self._s, east), north - np.interp(0.0, self._s, north)

    def heading(self, s_m: Numbers) -> Floats:
        """Radians clockwise from north, not wrapped."""
        return np.asarray(np.interp(s_m, self._s, self._heading))

    def plane(self, s_m: Numbers, t_m: Numbers = 0.0) -> tuple[Floats, Floats]:
        """East and north of points `s_m` along the line and `t_m` to its left, metres."""
        heading, t = self.heading(s_m), np.asarray(t_m, float)
        east = np.interp(s_m, self._s, self._east) - t * np.cos(heading)
        north = np.interp(s_m, self._s, self._north) + t * np.sin(heading)
        return np.asarray(east), np.asarray(north)

    def distance_m(self, east_m: float, north_m: float) -> float:
        """How far a point lies from the line."""
        return float(np.hypot(self._east - east_m, self._north - north_m).min())


def lonlat(east_m: float, north_m: float) -> tuple[float, float]:
    """WGS 84 of a point of the plane."""
    return offset_lonlat(*ORIGIN, east_m, north_m)
