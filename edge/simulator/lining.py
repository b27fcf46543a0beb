# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The tunnel's lining unrolled along its profile, and the house fronts beside the street, tile by tile."""

from __future__ import annotations

import numpy as np

from edge.simulator import damage
from edge.simulator.canvas import RES_M, Canvas, times
from edge.simulator.layout import LAMP_EVERY_M, LINING_LENGTH, TILE_M, TUNNEL_WALL
from edge.simulator.light import Light
from edge.simulator.noise import Image, Mottle, generator
from edge.simulator.scenario import Scenario

CONCRETE = (132, 138, 139)
ROWS, COLS = round(TILE_M / RES_M), round(LINING_LENGTH / RES_M)


class Lining:
    """Draws tiles of concrete lining: columns run from the foot of the left wall over the ceiling to the right."""

    def __init__(self, scenario: Scenario, light: Light) -> None:
        self._scenario, self._light = scenario, light
        self._mottle = Mottle(scenario.seed, "concrete", scenario.length_m + 400, LINING_LENGTH)
        self._grain = generator(scenario.seed, "lining").standard_normal((ROWS, COLS), dtype=np.float32)
        self._u = LINING_LENGTH - (np.arange(COLS) + 0.5) * RES_M

    def tile(self, index: int) -> Image:
        """The lit lining (rows x columns x 3) from `index` times 40 m on."""
        s0 = index * TILE_M
        height = np.minimum(self._u, LINING_LENGTH - self._u)
        field = self._mottle.field(s0 + 80, TILE_M, (ROWS, COLS), (0.02, 0.045, 0.05, 0.05)) + 0.02 * self._grain
        grime = 1 - 0.28 * np.exp(-height / 0.55) - 0.12 * np.exp(-(((height - TUNNEL_WALL - 0.8) / 1.2) ** 2))
        tone = ((1 + field) * grime[None, :]).astype(np.float32)
        canvas = Canvas(times(np.full((ROWS, COLS, 3), CONCRETE, np.uint8), tone), s0, LINING_LENGTH)
        self._formwork(canvas)
        for mark in (*self._scenario.defects, *self._scenario.decoys):
            if mark.surface == "lining" and mark.extent[1] > s0 - 1 and mark.extent[0] < s0 + TILE_M + 1:
                damage.paint(canvas, mark)
        lit = times(canvas.image, self._lamplight(s0))
        self._lamps(Canvas(lit, s0, LINING_LENGTH))
        return lit

    def _formwork(self, canvas: Canvas) -> None:
        """Block joints, board seams, tie holes, a cable tray: regular, and no defects."""
        s0 = canvas.s0_m
        for s in np.arange(np.ceil(s0 / 10) * 10, s0 + TILE_M, 10.0):
            self._bar(canvas, (s - 0.012, s + 0.012), (0, LINING_LENGTH), (52, 54, 55), 0.85)
        for u in (1.3, 2.6, LINING_LENGTH - 1.3, LINING_LENGTH - 2.6):
            self._bar(canvas, (s0, s0 + TILE_M), (u - 0.006, u + 0.006), (96, 98, 99), 0.5)
            for s in np.arange(s0 + 0.6, s0 + TILE_M, 1.2):
                self._bar(canvas, (s - 0.02, s + 0.02), (u + 0.33, u + 0.37), (70, 72, 72), 0.7)
        for u in (3.55, LINING_LENGTH - 3.55):
            self._bar(canvas, (s0, s0 + TILE_M), (u - 0.09, u + 0.09), (84, 86, 86), 0.9)
            self._bar(canvas, (s0, s0 + TILE_M), (u - 0.03, u + 0.03), (40, 41, 42), 0.9)
        self._bar(canvas, (s0 + 17.0, s0 + 17.7), (1.0, 1.9), (46, 44, 172), 0.92)

    def _lamps(self, canvas: Canvas) -> None:
        for s in np.arange(np.ceil(canvas.s0_m / LAMP_EVERY_M) * LAMP_EVERY_M, canvas.s0_m + TILE_M, LAMP_EVERY_M):
            for u in (LINING_LENGTH / 2 - 2.2, LINING_LENGTH / 2 + 2.2):
                self._bar(canvas, (s - 0.75, s + 0.75), (u - 0.11, u + 0.11), (236, 250, 252), 1.0)

    def _lamplight(self, s0: float) -> Image:
        s = s0 + (np.arange(ROWS) + 0.5) * RES_M
        along = self._light.along(s).astype(np.float32)[:, None]
        nearest = np.abs(np.mod(s + LAMP_EVERY_M / 2, LAMP_EVERY_M) - LAMP_EVERY_M / 2)[:, None]
        side = np.abs(np.abs(self._u - LINING_LENGTH / 2) - 2.2)[None, :]
        glow = (0.28 * np.exp(-((nearest / 1.5) ** 2) - (side / 0.9) ** 2)).astype(np.float32)
        scallop = (1 + 0.22 * np.cos(2 * np.pi * s / LAMP_EVERY_M)[:, None] * np.exp(-side / 3)).astype(np.float32)
        level = along * scallop * 0.95 + glow
        return np.asarray(level, np.float32)

    @staticmethod
    def _bar(
        canvas: Canvas, s: tuple[float, float], u: tuple[float, float], colour: tuple[int, int, int], a: float
    ) -> None:
        part = canvas.window(*s, *u)
        if part is not None:
            part.blend(colour, np.full(part.image.shape[:2], a, np.float32))
