# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What closes the street at its sides: house fronts, hedges and fences, and the sky and skyline behind them."""

from __future__ import annotations

import cv2
import numpy as np

from edge.simulator.layout import TILE_M
from edge.simulator.noise import Image, cloud, generator

#: Metres per pixel of a front, and its height.
FRONT_RES_M = 0.04
FRONT_HEIGHT_M = 10.0
ROWS, COLS = round(FRONT_HEIGHT_M / FRONT_RES_M), round(TILE_M / FRONT_RES_M)


def front(seed: int, side: str, index: int, *, sunny: bool) -> Image:
    """One tile of fronts (rows from the top down, columns along s), BGRA."""
    rng = generator(seed, "front", side, index + 1000)
    image = np.zeros((ROWS, COLS, 4), np.uint8)
    at = 0
    while at < COLS:
        wide = int(rng.uniform(7, 14) / FRONT_RES_M)
        to = min(COLS, at + wide)
        if COLS - to < 4 / FRONT_RES_M:
            to = COLS
        if rng.random() < 0.66:
            _house(image, at, to, rng)
        else:
            _hedge(image, at, to, rng)
        at = to
    tone = 1.0 if sunny else 0.72
    grain = 1 + 0.06 * cloud(rng, ROWS, COLS, 30, 4)
    image[..., :3] = np.clip(image[..., :3] * (grain * tone)[..., None], 0, 255)
    return image


def _house(image: Image, x0: int, x1: int, rng: np.random.Generator) -> None:
    top = ROWS - int(rng.uniform(6.0, 10.0) / FRONT_RES_M)
    wall = rng.choice([[150, 176, 188], [176, 184, 188], [96, 110, 150], [142, 160, 168], [120, 140, 176]])
    image[top:, x0:x1] = (*wall.tolist(), 255)
    image[ROWS - 18 :, x0:x1, :3] = (wall * 0.55).astype(np.uint8)
    image[top : top + 8, x0:x1, :3] = (58, 60, 84)
    for floor in range(3):
        sill = ROWS - round((1.0 + 2.9 * floor) / FRONT_RES_M)
        for x in np.arange(x0 + 25, x1 - 50, rng.integers(52, 78)):
            door = floor == 0 and rng.random() < 0.22
            low, high = (ROWS, ROWS - 54) if door else (sill, sill - 38)
            if high < top + 12:
                continue
            glass = rng.uniform(40, 95)
            image[high - 3 : low, x - 3 : x + 29, :3] = (200, 204, 206)
            image[high:low, x : x + 26, :3] = (glass * 1.1, glass, glass * 0.9)
            image[high:low, x + 12 : x + 14, :3] = (190, 194, 196)


def _hedge(image: Image, x0: int, x1: int, rng: np.random.Generator) -> None:
    wide, high = x1 - x0, int(rng.uniform(1.4, 4.5) / FRONT_RES_M)
    leaves = cloud(rng, high + 14, wide, 16, 4)
    fine = rng.standard_normal((high + 14, wide)).astype(np.float32)
    colour = np.array([42, 84, 70], np.float32) * rng.uniform(0.7, 1.15)
    picture = colour * (1 + 0.45 * leaves + 0.16 * fine)[..., None]
    edge = np.arange(high + 14)[:, None] - 14 + 12 * leaves > 0
    part = image[ROWS - high - 14 :, x0:x1]
    part[..., :3] = np.clip(picture, 0, 255)
    part[..., 3] = np.where(edge, 255, 0)


#: The panorama covers all round and this many degrees from below the horizon to above it.
SKY_LOW_DEG, SKY_HIGH_DEG = -2.0, 28.0
SKY_PX_PER_DEG = 12


def panorama(seed: int) -> Image:
    """Sky with clouds and a hazy skyline all round (columns are degrees clockwise from north)."""
    rng = generator(seed, "sky")
    rows, cols = round((SKY_HIGH_DEG - SKY_LOW_DEG) * SKY_PX_PER_DEG), 360 * SKY_PX_PER_DEG
    up = np.linspace(SKY_HIGH_DEG, SKY_LOW_DEG, rows, dtype=np.float32)[:, None]
    haze = np.exp(-np.clip(up, 0, None) / 9)[..., None]
    blue, pale = np.array([226, 196, 160], np.float32), np.array([236, 232, 226], np.float32)
    clouds = cloud(rng, rows, cols + 240, 150, 5)
    fade = np.linspace(0, 1, 240, dtype=np.float32)[None, :]
    clouds[:, :240] = clouds[:, :240] * fade + clouds[:, cols : cols + 240] * (1 - fade)
    cover = np.clip(clouds[:, :cols] * 1.6 + 0.45, 0, 1)[..., None]
    image = (blue * (1 - haze) + pale * haze) * (1 - cover) + (242 - 22 * clouds[:, :cols, None]) * cover
    skyline = 1.3 + 0.9 * cv2.resize(
        rng.uniform(0, 1, (1, 240)).astype(np.float32), (cols, 1), interpolation=cv2.INTER_LINEAR
    )
    trees = cloud(rng, rows, cols, 8, 3)
    ground = up < skyline + 0.5 * trees
    image[ground] = (np.array([120, 128, 116], np.float32) * (1 + 0.16 * trees[..., None]))[ground]
    sky: Image = np.clip(image, 0, 255).astype(np.uint8)
    return sky
