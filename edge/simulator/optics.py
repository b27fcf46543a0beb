# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The camera on the vehicle: which place of the road each pixel sees, and where a point of the world appears."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edge.simulator.canvas import RES_M

if TYPE_CHECKING:
    from edge.geometry import Calibration
    from edge.simulator.noise import Floats, Image
    from edge.simulator.route import Place, Route

#: The ground is drawn to this distance; farther pixels repeat its colours.
FAR_M = 150.0
#: Reduced copies of the ground, each half as fine along the road as the one before.
LEVELS = 9
#: Rays that fall less than this (per unit along the optical axis) count as sky.
FLAT = 1e-4
#: The map is worked out for every so many-th column and drawn straight between them.
EACH = 8
#: Powers of x and y in the local map from the vehicle's frame to the road.
POWERS = [(a, b) for a in range(6) for b in range(3) if a + 2 * b <= 6]


class Optics:
    """Pixel geometry of one calibration, worked out once."""

    def __init__(self, calibration: Calibration) -> None:
        c = self.calibration = calibration
        _, rays = self._reach(np.arange(float(c.width)), 0)
        self.sky = -rays[..., 2] <= FLAT
        flat = np.where(
            self.sky, 1e9, np.hypot(rays[..., 0], rays[..., 1]) * c.height_m / np.maximum(-rays[..., 2], FLAT)
        )
        self.far = (flat > FAR_M * 0.999) & ~self.sky
        rows = np.flatnonzero((~self.sky).any(axis=1))
        #: First row with ground; all rows below it have ground too.
        self.top = int(rows[0]) if len(rows) else c.height
        self._terms_at = self._coarse()
        self.bands = self._bands(flat)
        self.azimuth_deg = np.degrees(np.arctan2(-rays[..., 1], rays[..., 0]))
        self.elevation_deg = np.degrees(np.arctan2(rays[..., 2], np.hypot(rays[..., 0], rays[..., 1])))

    def _reach(self, cols: Floats, top: int) -> tuple[Floats, Floats]:
        """How often each pixel's ray (rows from `top` down) fits before the ground or `FAR_M`, and the rays."""
        c = self.calibration
        u, v = np.meshgrid(cols, np.arange(float(top), float(c.height)))
        rays: Floats = np.stack([(u - c.cx) / c.fx, (v - c.cy) / c.fy, np.ones_like(u)], axis=-1) @ c.rotation.T
        distance = c.height_m / np.maximum(-rays[..., 2], FLAT)
        level = np.hypot(rays[..., 0], rays[..., 1])
        return np.minimum(distance, FAR_M / np.maximum(level, 1e-6)), rays

    @staticmethod
    def _terms(x: Image, y: Image) -> Image:
        return np.stack([(x / 40) ** a * (y / 10) ** b for a, b in POWERS])

    def _coarse(self) -> Image:
        """The map's powers at every `EACH`-th column of the rows with ground (powers x rows x columns)."""
        distance, rays = self._reach(np.arange(0.0, self.calibration.width + EACH, EACH), self.top)
        c = self.calibration
        x, y = c.forward_m + distance * rays[..., 0], c.left_m + distance * rays[..., 1]
        return self._terms(x, y).astype(np.float32)

    def _bands(self, flat: Floats) -> list[tuple[int, int, int]]:
        """(level, first row, end row): how fine the ground has to be where."""
        middle = flat[:, self.calibration.width // 2]
        bands: list[tuple[int, int, int]] = []
        for row in range(self.top, self.calibration.height):
            step = abs(middle[row] - middle[min(row + 1, self.calibration.height - 1)]) or RES_M
            level = int(np.clip(math.floor(math.log2(max(step / RES_M, 1e-3)) + 0.3), 0, LEVELS - 1))
            level = LEVELS - 1 if self.far[row].any() else level
            if bands and bands[-1][0] == level:
                bands[-1] = (level, bands[-1][1], row + 1)
            else:
                bands.append((level, row, row + 1))
        return bands

    def road_map(self, route: Route, place: Place) -> tuple[Image, Image]:
        """Metres ahead of the vehicle along the road, and t, of every pixel from row `top` down (float32).

        A polynomial stands for the exact inverse; it is good to a few millimetres within 25 m.
        """
        x = np.concatenate([np.linspace(1.5, 20, 16), np.linspace(23, 80, 14), np.linspace(90, FAR_M + 3, 8)])
        gx, gy = (g.ravel() for g in np.meshgrid(x, np.linspace(-20, 20, 9)))
        s, t = route.from_vehicle(place, gx, gy)
        terms, weight = self._terms(gx, gy), (3 + gx) ** -1.5
        target = np.stack([s - place.s_m, t], axis=1) * weight[:, None]
        factors, *_ = np.linalg.lstsq((terms * weight).T, target, rcond=None)
        coarse = np.tensordot(factors.T.astype(np.float32), self._terms_at, axes=1)
        return self._stretched(coarse[0]), self._stretched(coarse[1])

    def _stretched(self, coarse: Image) -> Image:
        """All columns from every `EACH`-th one: within a row the map is all but straight."""
        width = self.calibration.width
        share = (np.arange(EACH, dtype=np.float32) / EACH)[None, None, :]
        left, right = coarse[:, :-1, None], coarse[:, 1:, None]
        return (left + (right - left) * share).reshape(len(coarse), -1)[:, :width]

    def seen(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Points of the vehicle's frame in the camera's axes (N x 3: right, down, depth), metres."""
        c = self.calibration
        points: Floats = np.column_stack([x - c.forward_m, y - c.left_m, z - c.height_m]) @ c.rotation
        return points

    def pixels(self, seen: Floats) -> Floats:
        """Pixels (N x 2) of points in the camera's axes; not a number behind it."""
        c = self.calibration
        depth = np.where(seen[:, 2] > 1e-6, seen[:, 2], np.nan)
        return np.column_stack([c.cx + c.fx * seen[:, 0] / depth, c.cy + c.fy * seen[:, 1] / depth])

    def project(self, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats]:
        """Pixels (N x 2) and depth (N, metres along the optical axis) of points in the vehicle's frame."""
        seen = self.seen(x, y, z)
        return self.pixels(seen), seen[:, 2]
