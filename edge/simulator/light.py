# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How bright it is along the drive: sun, clouds, shadows of houses, trees and cars, tunnel lamps."""

from __future__ import annotations

import cv2
import numpy as np

from edge.simulator.layout import GROUND_LEFT, GROUND_WIDTH, LAMP_EVERY_M, TILE_M
from edge.simulator.noise import Floats, Image, cloud, generator, smooth
from edge.simulator.scenario import Scenario

#: Lamps give this share of daylight; the camera's exposure follows.
TUNNEL_LIGHT = 0.3
#: Metres per pixel of the shadow map.
COARSE_M = 0.05


class Light:
    """Brightness as a share of full sun."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        rng = generator(scenario.seed, "light")
        self._s = np.arange(-80.0, scenario.length_m + 400.0, 2.0)
        self._sun = np.clip(0.62 + 0.9 * smooth(rng, len(self._s), len(self._s) / 45), 0.0, 1.0)

    def along(self, s_m: Floats) -> Floats:
        """Light under the open sky or the lamps, without shadows, per place along the road."""
        day: Floats = 0.74 + 0.26 * np.interp(s_m, self._s, self._sun)
        tunnel = self._scenario.tunnel
        if tunnel is None:
            return day
        lamps = TUNNEL_LIGHT * (0.86 + 0.14 * np.cos(2 * np.pi * s_m / LAMP_EVERY_M))
        depth = np.minimum(s_m - tunnel[0], tunnel[1] - s_m)
        reach = np.exp(-np.clip(depth, 0, None) / 4.0)
        level: Floats = np.where(depth > 0, lamps + (day * 0.8 - lamps) * reach, day)
        return level

    def ground(self, s0_m: float) -> Image:
        """Light on one tile of the ground, float32, one pixel per `COARSE_M`."""
        rows, cols = round(TILE_M / COARSE_M), round(GROUND_WIDTH / COARSE_M)
        s = s0_m + (np.arange(rows) + 0.5) * COARSE_M
        shadow = cv2.GaussianBlur(self._shadows(s0_m, rows, cols), (0, 0), 1.6)
        sun = np.interp(s, self._s, self._sun)[:, None]
        level = self.along(s)[:, None] * (1 - (0.18 + 0.44 * sun) * shadow)
        soft: Image = cv2.GaussianBlur((level * self._contact(s0_m, rows, cols)).astype(np.float32), (0, 0), 1.0)
        return soft

    def _shadows(self, s0: float, rows: int, cols: int) -> Image:
        mask = np.zeros((rows, cols), np.float32)
        tunnel = self._scenario.tunnel

        def at(s: float, t: float) -> list[int]:
            return [round((GROUND_LEFT - t) / COARSE_M), round((s - s0) / COARSE_M)]

        for block in range(int(s0 // 40) - 1, int(s0 // 40) + 3):
            rng = generator(self._scenario.seed, "house-shadow", block + 1000)
            start, length, reach = block * 40 + rng.uniform(0, 20), rng.uniform(8, 22), rng.uniform(3.5, 9.5)
            if rng.random() < 0.55:
                edge = [at(start, -9.6), at(start + 0.6 * reach, -9.6 + reach)]
                edge += [at(start + length + 0.6 * reach, -9.6 + reach), at(start + length, -9.6)]
                cv2.fillPoly(mask, [np.array(edge)], 1.0)
        for tree in self._scenario.uprights:
            if tree.label == "tree" and s0 - 8 < tree.s_m < s0 + TILE_M + 8:
                self._tree(mask, tree.look, at(tree.s_m + 1.6, tree.t_m + 2.2), at(tree.s_m, tree.t_m))
        if tunnel is not None:
            inside = s0 + (np.arange(rows) + 0.5) * COARSE_M
            mask[(inside > tunnel[0]) & (inside < tunnel[1])] = 0
        return mask

    @staticmethod
    def _tree(mask: Image, look: int, centre: list[int], foot: list[int]) -> None:
        """Dappled shade: leaves let suns through."""
        rng = generator(look, "shade")
        size = round(rng.uniform(2.4, 3.6) / COARSE_M)
        dapple = cloud(rng, 2 * size, 2 * size, 0.9 / COARSE_M, 3)
        y, x = np.mgrid[-size:size, -size:size] / size
        crown = np.clip((1.05 - np.hypot(x, y)) * 3 + 1.1 * dapple, 0, 1).astype(np.float32)
        left, top = centre[0] - size, centre[1] - size
        y0, y1 = max(0, top), min(mask.shape[0], top + 2 * size)
        x0, x1 = max(0, left), min(mask.shape[1], left + 2 * size)
        if y0 < y1 and x0 < x1:
            part = mask[y0:y1, x0:x1]
            np.maximum(part, crown[y0 - top : y1 - top, x0 - left : x1 - left], out=part)
        cv2.line(mask, foot, centre, 1.0, 5)

    def _contact(self, s0: float, rows: int, cols: int) -> Image:
        """Darkness under and beside cars and under people's feet, sun or not."""
        level = np.ones((rows, cols), np.float32)
        for thing in self._scenario.uprights:
            if thing.label == "tree" or not s0 - 6 < thing.s_m < s0 + TILE_M + 6:
                continue
            half_s, half_t = (2.25, 0.95) if thing.label == "vehicle" else (0.25, 0.3)
            x = (GROUND_LEFT - thing.t_m) / COARSE_M
            y = (thing.s_m - s0) / COARSE_M
            a, b = (round(x - (half_t + 0.15) / COARSE_M), round(y - half_s / COARSE_M)), None
            b = (round(x + half_t / COARSE_M), round(y + (half_s + 0.25) / COARSE_M))
            cv2.rectangle(level, a, b, 0.32, -1)
        return cv2.GaussianBlur(level, (0, 0), 3.0)
