# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where things are across the road: one street and one tunnel cross-section, metres to the left of the centre."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edge.simulator.noise import Floats

#: Edge of the carriageway and of the kerb, either side.
ROAD_EDGE = 3.25
KERB = 3.65
PARKING_EDGE = 5.75
#: House fronts and hedges: planes along the road.
FRONT_LEFT, FRONT_RIGHT = 8.6, -9.2
#: Painted ground: from the left edge to the right one.
GROUND_LEFT = 9.6
GROUND_WIDTH = 19.2
TILE_M = 40.0

TUNNEL_HALF = 4.7
TUNNEL_WALL = 4.0
TUNNEL_HEIGHT = 5.0
LAMP_EVERY_M = 8.0


@dataclass(frozen=True)
class Facet:
    """One flat strip of the tunnel's lining: from (t, z) at profile length `u0_m` to (t, z) at `u1_m`."""

    t0: float
    z0: float
    t1: float
    z1: float
    u0_m: float
    u1_m: float


def _facets() -> tuple[Facet, ...]:
    half, wall, top = TUNNEL_HALF, TUNNEL_WALL, TUNNEL_HEIGHT
    cut = top - wall
    corners = [(-half, 0.0), (-half, wall), (cut - half, top), (half - cut, top), (half, wall), (half, 0.0)]
    facets, along = [], 0.0
    for (t0, z0), (t1, z1) in pairwise(corners):
        length = float(np.hypot(t1 - t0, z1 - z0))
        facets.append(Facet(t0, z0, t1, z1, along, along + length))
        along += length
    return tuple(facets)


#: The lining's profile from the foot of the right wall over the ceiling to the foot of the left wall.
LINING = _facets()
LINING_LENGTH = LINING[-1].u1_m


def lining_point(u_m: Floats) -> tuple[Floats, Floats]:
    """Distance to the left (t) and height (z), metres, of places along the lining's profile."""
    knots = [LINING[0].u0_m, *(facet.u1_m for facet in LINING)]
    t = np.interp(u_m, knots, [LINING[0].t0, *(facet.t1 for facet in LINING)])
    z = np.interp(u_m, knots, [LINING[0].z0, *(facet.z1 for facet in LINING)])
    return t, z
