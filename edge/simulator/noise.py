# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Random numbers that depend on the seed and on what they are for, and on nothing else."""

from __future__ import annotations

import zlib
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.floating[Any]]


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """A generator of its own for one purpose: what one thing draws never moves what another one draws."""
    key = [part if isinstance(part, int) else zlib.crc32(part.encode()) for part in purpose]
    return np.random.default_rng(np.random.SeedSequence([seed, *key]))


def smooth(rng: np.random.Generator, count: int, cells: float) -> Floats:
    """A smooth random line of `count` values around 0 (about -1..1) with about `cells` swings in it."""
    knots = rng.uniform(-1, 1, max(4, round(cells) + 3))
    where = np.linspace(0, len(knots) - 1, count)
    left = np.clip(where.astype(int), 0, len(knots) - 2)
    share = where - left
    share = share * share * (3 - 2 * share)
    line: Floats = knots[left] * (1 - share) + knots[left + 1] * share
    return line


def cloud(rng: np.random.Generator, height: int, width: int, cell: float, octaves: int = 3) -> Image:
    """Height x width float32 fractal noise around 0 (deviation about 0.5); `cell` is the largest blob in pixels."""
    total = np.zeros((height, width), np.float32)
    strength, norm = 1.0, 0.0
    for _ in range(octaves):
        rows, cols = max(2, round(height / cell) + 3), max(2, round(width / cell) + 3)
        knots = rng.standard_normal((rows, cols)).astype(np.float32)
        big = cv2.resize(
            knots, (max(width, round(cols * cell)), max(height, round(rows * cell))), interpolation=cv2.INTER_CUBIC
        )
        total += strength * big[:height, :width]
        norm += strength
        strength *= 0.55
        cell = max(1.0, cell / 2.3)
    return total / np.float32(norm)


class Mottle:
    """Brightness that varies slowly over the whole drive, without seams from tile to tile.

    One coarse grid per octave is drawn for the whole length, so that any stretch can be cut out of it.
    """

    #: Metres per grid cell; each divides a tile's length.
    CELLS = (0.1, 0.5, 2.0, 8.0)
    FINEST = 0.1

    def __init__(self, seed: int, purpose: str, length_m: float, width_m: float) -> None:
        self._grids = []
        for cell in self.CELLS:
            shape = (int(length_m / cell) + 8, int(width_m / cell) + 8)
            draw = generator(seed, purpose, round(cell * 10)).standard_normal(shape)
            self._grids.append(np.clip(draw * 40, -127, 127).astype(np.int8))

    def field(self, from_m: float, length_m: float, shape: tuple[int, int], weights: tuple[float, ...]) -> Image:
        """Float32 noise around 0 for `length_m` metres from `from_m` in `shape` pixels; a weight per octave."""
        rows = round(length_m / self.FINEST)
        width_m = shape[1] * length_m / shape[0]
        cols = round(width_m / self.FINEST)
        # One row more at both ends: what is drawn finer must not stop short at the tile's edge.
        total = np.zeros((rows + 2, cols), np.float32)
        for grid, cell, weight in zip(self._grids, self.CELLS, weights, strict=True):
            times = round(cell / self.FINEST)
            first, count = round(from_m / cell), round(length_m / cell)
            wide = int(np.ceil(width_m / cell))
            part = grid[first : first + count + 4, : wide + 4].astype(np.float32) / 40
            big = cv2.resize(part, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC) if times > 1 else part
            total += weight * big[2 * times - 1 : 2 * times + rows + 1, 2 * times : 2 * times + cols]
        finer = shape[0] // rows
        big = cv2.resize(total, (shape[1], (rows + 2) * finer), interpolation=cv2.INTER_LINEAR)
        return big[finer:-finer]
