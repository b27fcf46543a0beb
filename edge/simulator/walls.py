# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws what closes the view at the sides: house fronts outside, the lining and the portal of the tunnel."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
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
SLICES = tuple(float(far) for far in np.geomspace(0.8, 155.0, 22))
#: Reduced copies of a wall: each half as fine along the road, every second one across it too.
WALL_LEVELS = 6
PORTAL_HEIGHT, PORTAL_HALF = 7.2, 13.0


class Walls:
    """Draws slices from far to near together with all else that stands."""

    def __init__(
        self, scenario: Scenario, route: Route, optics: Optics, light: Light, lining: Callable[[int], Image]
    ) -> None:
        self._scenario, self._route, self._optics, self._light = scenario, route, optics, light
        self._lining = _Tiles(lining, 0, RES_M)
        self._fronts = {
            side: _Tiles(partial(self._make_front, side), 1, fronts.FRONT_RES_M) for side in ("left", "right")
        }

    def _make_front(self, side: str, index: int) -> Image:
        return fronts.front(self._scenario.seed, side, index, sunny=side == "left")

    def parts(self, brush: Brush, place: Place) -> list[Part]:
        """All wall slices in view."""
        eye = place.s_m + self._optics.calibration.forward_m
        tunnel = self._scenario.tunnel
        edges = [eye + far for far in SLICES]
        if tunnel is not None:
            edges = sorted({*edges, *(s for s in tunnel if edges[0] < s < edges[-1])})
        found: list[Part] = []
        for near, far in pairwise(edges):
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
        for facet in LINING:
            end1, end0 = (facet.t1, facet.z1), (facet.t0, facet.z0)
            corners = self._corners(place, [(near, *end1), (near, *end0), (far, *end0), (far, *end1)])
            if corners is not None:
                strip = self._lining.cut(near, far, _length(corners, 1))
                per_m = strip.shape[1] / LINING_LENGTH
                left, right = (round((LINING_LENGTH - u) * per_m) for u in (facet.u1_m, facet.u0_m))
                brush.quad(strip[:, left:right], corners, WALL)

    def _front_slice(self, brush: Brush, place: Place, near: float, far: float) -> None:
        high = fronts.FRONT_HEIGHT_M
        for side, t in (("left", FRONT_LEFT), ("right", FRONT_RIGHT)):
            corners = self._corners(place, [(near, t, high), (far, t, high), (far, t, 0.0), (near, t, 0.0)])
            if corners is not None:
                brush.quad(self._fronts[side].cut(near, far, _length(corners, 0)), corners, WALL)

    def _portal(self, brush: Brush, place: Place, s: float) -> None:
        """The concrete face around the tunnel's mouth."""
        half, top, cut = TUNNEL_HALF, TUNNEL_HEIGHT, TUNNEL_HEIGHT - LINING[0].z1
        level = float(self._light.along(np.array([s - 5.0]))[0])
        grey, band = (136.0 * level, 142.0 * level, 144.0 * level), (104.0 * level, 108.0 * level, 110.0 * level)
        mouth = [(0.0, top), (half - cut, top), (half, top - cut), (half, 0.0)]
        flank = [(PORTAL_HALF, 0.0), (PORTAL_HALF, PORTAL_HEIGHT), (0.0, PORTAL_HEIGHT), *mouth]
        rim = [(half + 0.3, 0.0), (half + 0.3, top + 0.3), (0.0, top + 0.3), *mouth]
        for side in (-1.0, 1.0):
            for outline, colour in ((flank, grey), (rim, band)):
                corners = self._corners(place, [(s, side * t, z) for t, z in outline])
                if corners is not None:
                    brush.polygon(corners, colour, WALL)


def _length(corners: Floats, first: int) -> float:
    """Length in pixels of the longer one of the two sides that run along the road."""
    sides = np.hypot(*(corners - np.roll(corners, -1, axis=0)).T)
    return float(max(sides[first], sides[first + 2]))


@dataclass(frozen=True)
class _Tiles:
    """A wall's tiles with reduced copies; `make` draws one, `axis` of it runs along s, `res_m` metres per pixel."""

    make: Callable[[int], Image]
    axis: int
    res_m: float

    @cached_property
    def _levels(self) -> Callable[[int], list[Image]]:
        return lru_cache(maxsize=5)(self._reduced)

    def _reduced(self, index: int) -> list[Image]:
        levels = [self.make(index)]
        for level in range(1, WALL_LEVELS):
            along, across = levels[-1].shape[self.axis] // 2, levels[-1].shape[1 - self.axis] // (2 - level % 2)
            size = (across, along) if self.axis == 0 else (along, across)
            levels.append(cv2.resize(levels[-1], size, interpolation=cv2.INTER_AREA))
        return levels

    def cut(self, near: float, far: float, length_px: float) -> Image:
        """A stretch along the road, out of one tile or two, hardly finer than it will appear."""
        level = int(np.clip(math.log2((far - near) / self.res_m / max(length_px, 1.0)), 0, WALL_LEVELS - 1))
        first, last = int(np.floor(near / TILE_M)), int(np.floor((far - 1e-6) / TILE_M))
        parts = []
        for index in range(first, last + 1):
            picture = self._levels(index)[level]
            size = picture.shape[self.axis]
            step = TILE_M / size
            start = max(0, min(size - 1, int((near - index * TILE_M) / step)))
            end = max(start + 1, min(size, int(np.ceil((far - index * TILE_M) / step))))
            parts.append(picture[start:end] if self.axis == 0 else picture[:, start:end])
        return np.concatenate(parts, axis=self.axis) if len(parts) > 1 else parts[0]
