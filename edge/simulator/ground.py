# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The ground from above, one tile of 40 m at a time: asphalt, markings, pavement, everything that lies on it."""

from __future__ import annotations

import cv2
import numpy as np

from edge.simulator import damage
from edge.simulator.canvas import RES_M, Canvas, times
from edge.simulator.layout import GROUND_LEFT, GROUND_WIDTH, KERB, PARKING_EDGE, ROAD_EDGE, TILE_M, TUNNEL_HALF
from edge.simulator.light import Light
from edge.simulator.noise import Floats, Image, Mottle, cloud, generator
from edge.simulator.scenario import Scenario

ROWS, COLS = round(TILE_M / RES_M), round(GROUND_WIDTH / RES_M)
#: Paint before markings; all other decoys lie on top of them.
UNDER_MARKINGS = ("patch", "joint")


class Ground:
    """Draws tiles; what it drew is not kept."""

    def __init__(self, scenario: Scenario, light: Light) -> None:
        self._scenario, self._light = scenario, light
        rng = generator(scenario.seed, "ground")
        fine = rng.standard_normal((ROWS, COLS), dtype=np.float32)
        self._grain = 0.75 * fine + 0.9 * cv2.GaussianBlur(fine, (0, 0), 1.1)
        self._mottle = Mottle(scenario.seed, "asphalt", scenario.length_m + 400, GROUND_WIDTH)
        self._t = GROUND_LEFT - (np.arange(COLS) + 0.5) * RES_M
        self._street = self._cross_section(rng)
        self._tunnel = self._tunnel_section()
        self._seams = self._sections(rng)

    def tile(self, index: int) -> Image:
        """The lit ground (rows x columns x 3) from `index` times 40 m on."""
        s0 = index * TILE_M
        canvas = Canvas(self._surface(s0), s0, GROUND_LEFT)
        here = [mark for mark in self._scenario.decoys if mark.surface == "road" and self._near(mark.extent, s0)]
        for mark in here:
            if mark.label in UNDER_MARKINGS:
                damage.paint(canvas, mark)
        self._markings(canvas)
        defects = [m for m in self._scenario.defects if m.surface == "road" and self._near(m.extent, s0)]
        for mark in [m for m in here if m.label not in UNDER_MARKINGS] + defects:
            damage.paint(canvas, mark)
        light = cv2.resize(self._light.ground(s0), (COLS, ROWS), interpolation=cv2.INTER_LINEAR)
        return times(canvas.image, light)

    @staticmethod
    def _near(extent: tuple[float, float, float, float], s0: float) -> bool:
        return extent[1] > s0 - 1 and extent[0] < s0 + TILE_M + 1

    def _surface(self, s0: float) -> Image:
        s = s0 + (np.arange(ROWS) + 0.5) * RES_M
        asphalt = (np.abs(self._t) < ROAD_EDGE).astype(np.float32)
        field = self._mottle.field(s0 + 80, TILE_M, (ROWS, COLS), (0.022, 0.028, 0.034, 0.04))
        tone, rough = self._tone(s)
        field += np.roll(self._grain, int(s0) * 37 % COLS, axis=1) * (0.035 + 0.05 * asphalt)[None, :]
        field *= 1 + (rough[:, None] - 1) * asphalt[None, :] * 0.5
        wheels = np.exp(-(((np.abs(np.abs(self._t) - 1.65) - 0.85) / 0.33) ** 2))
        drip = np.exp(-(((np.abs(self._t) - 1.65) / 0.25) ** 2))
        across = (1 + asphalt * (0.06 * wheels - 0.07 * drip)).astype(np.float32)
        field = (1 + field) * across[None, :] * (1 + asphalt[None, :] * (tone[:, None] - 1))
        base = self._street
        tunnel = self._scenario.tunnel
        if tunnel is not None and tunnel[0] < s0 + TILE_M and tunnel[1] > s0:
            inside = (s > tunnel[0]) & (s < tunnel[1])
            base = np.where(inside[:, None, None], self._tunnel, base)
        return times(base, field.astype(np.float32))

    def _sections(self, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Stretches of older and newer asphalt: start, tone, roughness."""
        starts = np.cumsum(rng.uniform(50, 170, int(self._scenario.length_m / 50) + 8)) - 120
        return starts, rng.uniform(0.78, 1.22, len(starts)), rng.uniform(0.7, 1.5, len(starts))

    def _tone(self, s: Floats) -> tuple[Image, Image]:
        starts, tones, roughs = self._seams
        which = np.clip(np.searchsorted(starts, s) - 1, 0, len(starts) - 1)
        return tones[which].astype(np.float32), roughs[which].astype(np.float32)

    def _cross_section(self, rng: np.random.Generator) -> Image:
        """A tile of street without asphalt's variation: carriageway, gutter, kerb, parking, slabs, gardens."""
        s = ((np.arange(ROWS) + 0.5) * RES_M)[:, None]
        image = np.full((ROWS, COLS, 3), (104, 106, 107), np.uint8)
        seams = (np.mod(s, 1.0) < 0.016).ravel()

        def fill(near: float, far: float, colour: tuple[int, int, int], joints: Image) -> None:
            for half in (self._t >= 0, self._t < 0):
                cols = np.flatnonzero(half & (np.abs(self._t) >= near) & (np.abs(self._t) < far))
                part = image[:, cols[0] : cols[-1] + 1]
                part[:] = colour
                part[joints[:, cols] if joints.ndim == 2 else joints] = [round(c * 0.66) for c in colour]

        t = np.abs(self._t)[None, :]
        row = np.floor(s / 0.2)
        fill(ROAD_EDGE, ROAD_EDGE + 0.28, (128, 132, 134), seams)
        fill(ROAD_EDGE + 0.28, KERB, (150, 154, 156), seams)
        fill(
            KERB,
            PARKING_EDGE,
            (104, 108, 116),
            (np.mod(s, 0.2) < 0.014) | (np.mod(t + 0.1 * np.mod(row, 2), 0.2) < 0.014),
        )
        fill(PARKING_EDGE, 8.4, (136, 142, 146), (np.mod(s, 0.4) < 0.013) | (np.mod(t, 0.4) < 0.013))
        for cols in (np.flatnonzero(self._t > 8.4), np.flatnonzero(self._t < -8.4)):
            green = cloud(rng, ROWS, len(cols), 60, 4)[..., None]
            image[:, cols] = np.clip(np.array([52, 92, 82], np.float32) * (1 + 0.3 * green), 0, 255).astype(np.uint8)
        return image

    def _tunnel_section(self) -> Image:
        t = np.abs(self._t)
        row = np.full((COLS, 3), (98, 101, 102), np.uint8)
        row[t > ROAD_EDGE + 0.3] = 124
        row[np.abs(t - ROAD_EDGE - 0.38) < 0.08] = 160
        row[t > TUNNEL_HALF - 0.05] = 70
        return row[None]

    def _markings(self, canvas: Canvas) -> None:
        s0 = canvas.s0_m
        worn = generator(self._scenario.seed, "worn", int(s0) + 1000)
        wear = np.clip(0.95 + 0.8 * cloud(worn, ROWS, 96, 14, 3) + 0.05 * worn.standard_normal((ROWS, 96)), 0, 0.97)
        for start in np.arange(np.floor(s0 / 9) * 9, s0 + TILE_M, 9.0):
            self._line(canvas, (start, start + 3.0), (-0.06, 0.06), wear)
        tunnel = self._scenario.tunnel
        if tunnel is not None:
            for t in (-3.05, 3.05):
                self._line(canvas, (tunnel[0], tunnel[1]), (t - 0.06, t + 0.06), wear)
        for start in self._scenario.crossings:
            for t in np.arange(-3.0, 3.0, 1.0):
                self._line(canvas, (start, start + 4.0), (t, t + 0.5), wear)

    @staticmethod
    def _line(canvas: Canvas, s: tuple[float, float], t: tuple[float, float], wear: Image) -> None:
        part = canvas.window(*s, *t)
        if part is not None:
            rows, cols = part.image.shape[:2]
            top = round((part.s0_m - canvas.s0_m) / RES_M)
            part.blend((204, 208, 208), wear[top : top + rows, :cols].astype(np.float32))
