# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Paints defects and decoys on a surface seen from above, lit by the sun from the right rear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.simulator import undamaged
from edge.simulator.canvas import RES_M, Canvas
from edge.simulator.noise import Image, cloud, generator

if TYPE_CHECKING:
    from edge.simulator.scenario import Mark

#: Light comes from here in picture axes of a canvas (column, row): towards larger t lies left.
SUN = (0.75, -0.66)


def paint(canvas: Canvas, mark: Mark) -> None:
    """Paint one mark where it lies on this canvas."""
    s0, s1, t0, t1 = mark.extent
    part = canvas.window(s0 - 0.6, s1 + 0.6, t0 - 0.6, t1 + 0.6)
    if part is not None:
        # A generator per mark and place keeps a mark on a seam of two tiles the same on both.
        PAINTERS[mark.label](part, mark, generator(mark.look))


def _noise(canvas: Canvas, mark: Mark, cell_m: float, purpose: str, octaves: int = 3) -> Image:
    """Noise locked to the mark, whichever part of it this canvas shows."""
    s0, s1, t0, t1 = mark.extent
    rows, cols = round((s1 - s0 + 1.4) / RES_M), round((t1 - t0 + 1.4) / RES_M)
    field = cloud(generator(mark.look, purpose), rows, cols, cell_m / RES_M, octaves)
    top = max(0, round((canvas.s0_m - (s0 - 0.62)) / RES_M))
    left = max(0, round(((t1 + 0.62) - canvas.left_m) / RES_M))
    height, width = canvas.image.shape[:2]
    return field[top : top + height, left : left + width]


def _pothole(canvas: Canvas, mark: Mark, rng: np.random.Generator) -> None:
    assert mark.outline is not None
    inside = canvas.filled(mark.outline)
    hard = (inside > 0.5).astype(np.uint8)
    size = min(mark.extent[1] - mark.extent[0], mark.extent[3] - mark.extent[2])
    deep = cv2.distanceTransform(hard, cv2.DIST_L2, 5) * RES_M
    far = cv2.distanceTransform(1 - hard, cv2.DIST_L2, 5) * RES_M
    lumps, stones = _noise(canvas, mark, 0.16, "lumps"), _noise(canvas, mark, 0.03, "stones", 2)
    # Around it: a broken, paler edge with crumbs, a few cracks, dust blown about.
    canvas.scale(1 - 0.75 * canvas.drawn(mark.strokes))
    near = np.clip(1 - far / (0.05 + 0.16 * size), 0, 1) * (far > 0)
    canvas.scale(1 + near * (0.05 + 0.2 * np.clip(lumps, -0.5, 1) + 0.14 * stones))
    canvas.blend((112, 118, 122), np.clip(near + 0.7 * lumps - 0.55, 0, 1) * (far > 0) * 0.45)
    # Inside: walls fall to an uneven floor of stones and old layers; the wall towards the sun lies in shade.
    wall = 0.03 + 0.1 * size
    depth = np.clip(deep / wall, 0, 1) + 0.35 * lumps * np.clip(deep / wall, 0, 1)
    round_off = cv2.GaussianBlur(depth, (0, 0), 1.0)
    slope = cv2.Sobel(round_off, cv2.CV_32F, 1, 0) * SUN[0] + cv2.Sobel(round_off, cv2.CV_32F, 0, 1) * SUN[1]
    level = 0.66 - 0.2 * np.clip(depth, 0, 1) - 0.22 * slope + 0.1 * stones + 0.08 * lumps
    base = np.array([84, 94, 102], np.float32) * rng.uniform(0.75, 1.25) + np.array(
        [-4, 0, 6], np.float32
    ) * rng.uniform(0, 1.6)
    canvas.blend(base * np.clip(level, 0.12, 1.1)[..., None], inside * 0.95)
    lip = np.clip(1 - deep / 0.022, 0, 1) * (deep > 0)
    canvas.scale(1 - 0.5 * lip * np.clip(0.35 + slope * 2, 0, 1) + 0.2 * lip * np.clip(-slope * 2, 0, 1))
    if mark.wet:
        pool = np.clip((deep - 0.45 * wall + 0.05 * lumps) / 0.03, 0, 1) * hard
        mirror = np.array([92, 104, 110], np.float32) * (1 + 0.35 * _noise(canvas, mark, 0.5, "sky", 2))[..., None]
        canvas.blend(mirror, cv2.GaussianBlur(pool, (0, 0), 1.2) * 0.85)


def _crack(canvas: Canvas, mark: Mark, rng: np.random.Generator) -> None:
    cover = canvas.drawn(mark.strokes)
    dirt = cv2.GaussianBlur(cover, (0, 0), 2.2)
    worn = np.clip(1 + 0.5 * _noise(canvas, mark, 0.5, "worn", 2), 0.55, 1.2)
    lip = np.clip(np.roll(cover, (1, -1), (0, 1)) - cover, 0, 1)
    strength = rng.uniform(0.55, 0.9) * worn
    canvas.scale((1 - np.clip(strength * cover, 0, 0.92)) * (1 - 0.22 * dirt) * (1 + 0.22 * lip))


def _alligator(canvas: Canvas, mark: Mark, rng: np.random.Generator) -> None:
    cover = canvas.drawn(mark.strokes)
    area = np.clip(cv2.GaussianBlur(cover, (0, 0), 8) * 5, 0, 1)
    blotch, fine = _noise(canvas, mark, 0.4, "blotch", 2), _noise(canvas, mark, 0.09, "fine", 2)
    # Fines pumped up between the pieces make some of the area paler or browner; some pieces have sunk or broken out.
    canvas.blend((106, 114, 122), area * np.clip(0.1 + 0.35 * blotch, 0, 0.4))
    dirt = cv2.GaussianBlur(cover, (0, 0), 1.8)
    strength = np.clip(0.85 + 0.4 * blotch + 0.25 * fine, 0.5, 1.15)
    canvas.scale((1 - np.clip(0.95 * cover * strength, 0, 0.9)) * (1 - 0.3 * dirt * strength) * (1 - 0.06 * area))
    pits = np.clip((fine + 0.5 * blotch - rng.uniform(0.75, 1.05)) * 4, 0, 1) * area
    canvas.scale(1 - 0.62 * pits)


def _spalling(canvas: Canvas, mark: Mark, rng: np.random.Generator) -> None:
    assert mark.outline is not None
    inside = canvas.filled(mark.outline)
    hard = (inside > 0.5).astype(np.uint8)
    deep = np.clip(cv2.distanceTransform(hard, cv2.DIST_L2, 5) * RES_M / 0.07, 0, 1)
    rough = _noise(canvas, mark, 0.08, "rough", 4)
    height = deep + 0.45 * rough * (deep > 0)
    slope = (cv2.Sobel(height, cv2.CV_32F, 1, 0) * 0.9 + cv2.Sobel(height, cv2.CV_32F, 0, 1) * 0.3) * 0.16
    shade = np.clip(0.78 - 0.25 * deep - slope + 0.12 * rough, 0.2, 1.2)
    floor = np.array([96, 112, 128], np.float32)[None, None, :] * shade[..., None] * rng.uniform(0.85, 1.1)
    canvas.blend(floor, inside)
    if rng.random() < 0.5:
        columns = canvas.pixels(mark.outline)[:, 0]
        for x in np.arange(columns.min() + 6, columns.max() - 3, 0.15 / RES_M):
            bar = np.zeros_like(inside)
            cv2.line(bar, (round(x), 0), (round(x), bar.shape[0]), 1.0, 2, cv2.LINE_AA)
            canvas.blend((38, 62, 104), bar * inside * (deep > 0.5) * np.clip(0.8 + rough, 0, 1))


def _leakage(canvas: Canvas, mark: Mark, rng: np.random.Generator) -> None:
    assert mark.outline is not None
    inside = cv2.GaussianBlur(canvas.filled(mark.outline), (0, 0), 3)
    streaks = cv2.blur(_noise(canvas, mark, 0.15, "streaks", 3), (61, 1))
    share = np.clip(inside * (0.75 + 1.3 * streaks), 0, 1)
    canvas.scale(1 - 0.52 * share)
    rim = np.clip(1 - np.abs(inside - 0.35) / 0.3, 0, 1) * (inside > 0.03)
    canvas.blend((196, 206, 208), rim * np.clip(0.25 + streaks * 1.2, 0, 0.6) * rng.uniform(0.5, 1))
    canvas.blend((60, 96, 128), share * np.clip(streaks * 1.5 - 0.1, 0, 0.5) * rng.uniform(0.2, 1))


def _manhole(canvas: Canvas, mark: Mark, rng: np.random.Generator) -> None:
    s, t = canvas.grid()
    cs, ct = mark.centre
    radius = np.hypot(s - cs, t - ct)
    grain = _noise(canvas, mark, 0.03, "iron", 2)
    frame = np.clip((0.44 - radius) / RES_M, 0, 1) if rng.random() < 0.5 else np.zeros_like(radius)
    canvas.blend(np.array([150, 156, 160], np.float32) * (1 + 0.12 * grain[..., None]), frame * 0.8)
    lid = np.clip((0.32 - radius) / RES_M, 0, 1)
    pitch = 0.055
    knobs = ((np.mod(s - cs, pitch) < pitch * 0.55) ^ (np.mod(t - ct, pitch) < pitch * 0.55)).astype(np.float32)
    knobs *= radius < 0.25
    tone = rng.uniform(66, 92) * (1 + 0.28 * (knobs - 0.4) + 0.08 * grain)
    canvas.blend(tone[..., None] * np.array([0.95, 1.0, 1.05], np.float32), lid)
    for ring, wide, dark in ((0.325, 0.010, 0.65), (0.262, 0.008, 0.35)):
        canvas.scale(1 - dark * np.clip(1 - np.abs(radius - ring) / wide, 0, 1))


def _gully(canvas: Canvas, mark: Mark, rng: np.random.Generator) -> None:
    assert mark.outline is not None
    inside = canvas.filled(mark.outline)
    s, t = canvas.grid()
    cs, ct = mark.centre
    slots = (np.mod(s - cs + 0.02, 0.055) < 0.03) & (np.abs(t - ct) < 0.125) & (np.abs(s - cs) < 0.21)
    tone = rng.uniform(78, 105) * np.ones(inside.shape, np.float32)
    tone[slots & (np.abs(t - ct) > 0.012)] = 16
    canvas.blend(tone[..., None] * np.array([0.96, 1.0, 1.04], np.float32), inside)


def _patch(canvas: Canvas, mark: Mark, rng: np.random.Generator) -> None:
    assert mark.outline is not None
    inside = canvas.filled(mark.outline)
    grain = _noise(canvas, mark, 0.03, "grain", 2)
    blotch = _noise(canvas, mark, 0.6, "blotch", 2)
    tone = rng.choice([rng.uniform(52, 72), rng.uniform(112, 128)], p=[0.75, 0.25])
    fill = tone * (1 + 0.14 * grain + 0.07 * blotch)
    canvas.blend(fill[..., None] * np.array([1.0, 1.0, 0.99], np.float32), inside * 0.93)
    hard = (inside > 0.5).astype(np.uint8)
    away = (cv2.distanceTransform(hard, cv2.DIST_L2, 5) + cv2.distanceTransform(1 - hard, cv2.DIST_L2, 5)) * RES_M
    if rng.random() < 0.7:
        seal = np.clip(1.3 - away / rng.uniform(0.02, 0.05) + 0.4 * blotch, 0, 1)
        canvas.blend((44, 43, 42), seal * 0.75)


def _puddle(canvas: Canvas, mark: Mark, _rng: np.random.Generator) -> None:
    assert mark.outline is not None
    inside = canvas.filled(mark.outline)
    damp = cv2.GaussianBlur(inside, (0, 0), 7)
    canvas.scale(1 - 0.38 * np.clip(damp * 1.4, 0, 1))
    sky = _noise(canvas, mark, 0.9, "sky", 2)
    mirror = (np.array([176, 164, 150], np.float32))[None, None, :] * (1 + 0.16 * sky[..., None])
    canvas.blend(mirror, cv2.GaussianBlur(inside, (0, 0), 1.5) * 0.62)


def _joint(canvas: Canvas, mark: Mark, rng: np.random.Generator) -> None:
    s0, s1, t0, t1 = mark.extent
    middle = (s0 + s1) / 2
    s, t = canvas.grid()
    line = np.clip(1.2 - np.abs(s - middle) / 0.022, 0, 1) * ((t > t0) & (t < t1))
    canvas.blend((48, 47, 46), line * rng.uniform(0.5, 0.8))


def _oil(canvas: Canvas, mark: Mark, rng: np.random.Generator) -> None:
    assert mark.outline is not None
    canvas.scale(1 - rng.uniform(0.2, 0.4) * cv2.GaussianBlur(canvas.filled(mark.outline), (0, 0), 4))


PAINTERS = {
    "pothole": _pothole,
    "longitudinal_crack": _crack,
    "transverse_crack": _crack,
    "alligator_crack": _alligator,
    "crack": _crack,
    "spalling": _spalling,
    "water_leakage": _leakage,
    "manhole": _manhole,
    "gully": _gully,
    "patch": _patch,
    "puddle": _puddle,
    "joint": _joint,
    "oil_stain": _oil,
    **undamaged.PAINTERS,
}
