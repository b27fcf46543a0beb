# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws what closes the view at the sides: house fronts outside, the lining and the portal of the tunnel."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from edge.simulator import fronts
from edge.simulator.brush import WALL, Brush
from edge.simulator.canvas import RES_M
from edge.simulator.layout import FRONT_LEFT, FRONT_RIGHT, LINING, LINING_LENGTH, TILE_M, TUNNEL_HALF, TUNNEL_HEIGHT
from edge.simulator.noise import Floats, Image

if TYPE_CHECKING:
    from edge.simulator.light import Light
    from edge.simulator.optics import Optics
    from edge.simulator.route import Place, Route
    from edge.simulator.scenario import Scenario

#: One thing to draw: how far away, and what draws it.
Part = tuple[float, Callable[[], None]]
#: Walls are drawn in slices between these distances ahead of the camera, metres.
SLICES = (
    0.8,
    1.6,
    2.4,
    3.2,
    4.2,
    5.5,
    7.0,
    9.0,
    11.5,
    14.5,
    18.0,
    22.5,
    28.0,
    35.0,
    44.0,
    55.0,
    68.0,
    84.0,
    105.0,
    130.0,
    155.0,
)
PORTAL_HEIGHT, PORTAL_HALF = 7.2, 13.0


class Walls:
    """Draws slices from far to near together with all else that stands."""

    def __init__(
        self, scenario: Scenario, route: Route, optics: Optics, light: Light, lining: Callable[[int], Image]
    ) -> None:
        self._scenario, self._route, self._optics, self._light = scenario, route, optics, light
        self._lining = lru_cache(maxsize=5)(lining)
        self._front = lru_cache(maxsize=12)(self._make_front)

    def _make_front(self, side: str, index: int) -> Image:
        sunny = side == "left"
        return fronts.front(self._scenario.seed, side, index, sunny=sunny)

    def parts(self, brush: Brush, place: Place) -> list[Part]:
        """All wall slices in view."""
        eye = place.s_m + self._optics.calibration.forward_m
        tunnel = self._scenario.tunnel
        edges = [eye + far for far in SLICES]
        if tunnel is not None:
            edges = sorted({*edges, *(s for s in tunnel if edges[0] < s < edges[-1])})
        found: list[Part] = []
        for near, far in zip(edges, edges[1:], strict=False):
            if far - near < 0.02:
                continue
            distance = far - place.s_m
            if self._scenario.in_tunnel((near + far) / 2):
                found.append((distance, lambda n=near, f=far: self._lining_slice(brush, place, n, f)))  # type: ignore[misc]
            else:
                found.append((distance, lambda n=near, f=far: self._front_slice(brush, place, n, f)))  # type: ignore[misc]
        if tunnel is not None and eye + 0.8 < tunnel[0] < edges[-1]:
            found.append((tunnel[0] - place.s_m, lambda: self._portal(brush, place, tunnel[0])))
        return found

    def _corners(self, place: Place, points: list[tuple[float, float, float]]) -> Floats | None:
        """Pixels of road points (s, t, z); None where one lies behind the camera."""
        s, t, z = np.array(points).T
        x, y = self._route.in_vehicle(place, s, t)
        pixels, depth = self._optics.project(x, y, z)
        return pixels if (depth > 0.15).all() else None

    def _lining_slice(self, brush: Brush, place: Place, near: float, far: float) -> None:
        strip = _cut(self._lining, near, far, RES_M, axis=0)
        for facet in LINING:
            corners = self._corners(
                place,
                [
                    (near, facet.t1, facet.z1),
                    (near, facet.t0, facet.z0),
                    (far, facet.t0, facet.z0),
                    (far, facet.t1, facet.z1),
                ],
            )
            if corners is not None:
                left, right = (round((LINING_LENGTH - u) / RES_M) for u in (facet.u1_m, facet.u0_m))
                brush.quad(strip[:, left:right], corners, WALL)

    def _front_slice(self, brush: Brush, place: Place, near: float, far: float) -> None:
        for side, t in (("left", FRONT_LEFT), ("right", FRONT_RIGHT)):
            high = fronts.FRONT_HEIGHT_M
            corners = self._corners(place, [(near, t, high), (far, t, high), (far, t, 0.0), (near, t, 0.0)])
            if corners is not None:
                strip = _cut(lambda index, side=side: self._front(side, index), near, far, fronts.FRONT_RES_M, axis=1)  # type: ignore[misc]
                brush.quad(strip, corners, WALL)

    def _portal(self, brush: Brush, place: Place, s: float) -> None:
        """The concrete face around the tunnel's mouth."""
        half, top, cut = TUNNEL_HALF, TUNNEL_HEIGHT, TUNNEL_HEIGHT - LINING[0].z1
        wide, high = PORTAL_HALF, PORTAL_HEIGHT
        level = float(self._light.along(np.array([s - 5.0]))[0])
        grey, band = (136.0 * level, 142.0 * level, 144.0 * level), (104.0 * level, 108.0 * level, 110.0 * level)
        for side in (-1.0, 1.0):
            flank = [
                (wide, 0.0),
                (wide, high),
                (0.0, high),
                (0.0, top),
                (half - cut, top),
                (half, top - cut),
                (half, 0.0),
            ]
            rim = [
                (half + 0.3, 0.0),
                (half + 0.3, top + 0.3),
                (0.0, top + 0.3),
                (0.0, top),
                (half - cut, top),
                (half, top - cut),
                (half, 0.0),
            ]
            for outline, colour in ((flank, grey), (rim, band)):
                corners = self._corners(place, [(s, side * t, z) for t, z in outline])
                if corners is not None:
                    brush.polygon(corners, colour, WALL)


def _cut(tile: Callable[[int], Image], near: float, far: float, res_m: float, *, axis: int) -> Image:
    """A stretch along the road out of one tile or two (rows or columns run along s)."""
    first, last = int(np.floor(near / TILE_M)), int(np.floor((far - 1e-6) / TILE_M))
    parts = []
    for index in range(first, last + 1):
        picture = tile(index)
        count = picture.shape[axis]
        start = max(0, min(count - 1, int((near - index * TILE_M) / res_m)))
        end = max(start + 1, min(count, int(np.ceil((far - index * TILE_M) / res_m))))
        parts.append(picture[start:end] if axis == 0 else picture[:, start:end])
    return np.concatenate(parts, axis=axis) if len(parts) > 1 else parts[0]
