# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""People and trees as flat pictures with transparency. Nobody here exists: faces are drawn from ellipses."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.simulator.noise import Image, cloud, generator

PERSON_PX_PER_M = 260.0
TREE_PX_PER_M = 45.0
#: Head width (ear to ear) over which a face's box is taken, metres.
HEAD_WIDTH_M = 0.17


@dataclass(frozen=True)
class Figure:
    """A flat picture (BGRA) standing on its lower edge; `face`: x1, y1, x2, y2 in it where a face looks at us."""

    picture: Image
    height_m: float
    face: tuple[float, float, float, float] | None = None


class _Pencil:
    """Draws shapes given in metres (x right of the middle, z up) with soft shading."""

    def __init__(self, width_m: float, height_m: float, px_per_m: float) -> None:
        self._scale, self._mid, self._top = px_per_m, width_m / 2, height_m
        self.image = np.zeros((round(height_m * px_per_m), round(width_m * px_per_m), 4), np.uint8)

    def at(self, x: float, z: float) -> tuple[int, int]:
        return round((x + self._mid) * self._scale), round((self._top - z) * self._scale)

    def shape(self, points: list[tuple[float, float]], colour: tuple[float, ...]) -> None:
        cv2.fillPoly(self.image, [np.array([self.at(*p) for p in points])], (*colour, 255), cv2.LINE_AA)

    def oval(
        self, x: float, z: float, wide: float, high: float, colour: tuple[float, ...], *, angle: float = 0
    ) -> None:
        axes = (max(1, round(wide / 2 * self._scale)), max(1, round(high / 2 * self._scale)))
        cv2.ellipse(self.image, self.at(x, z), axes, angle, 0, 360, (*colour, 255), -1, cv2.LINE_AA)

    def limb(self, points: list[tuple[float, float]], wide: float, colour: tuple[float, ...]) -> None:
        where = np.array([self.at(*p) for p in points])
        cv2.polylines(
            self.image, [where], isClosed=False, color=(*colour, 255), thickness=max(2, round(wide * self._scale))
        )


def _dark(colour: tuple[float, ...], share: float) -> tuple[float, ...]:
    return tuple(c * share for c in colour)


CLOTHES = ((70, 60, 58), (120, 70, 40), (48, 48, 150), (150, 150, 148), (60, 90, 60), (40, 110, 170), (96, 76, 108))
TROUSERS = ((92, 66, 48), (52, 50, 50), (84, 92, 100), (60, 44, 36))
SKINS = ((150, 178, 226), (132, 160, 212), (92, 122, 178), (60, 84, 132))
HAIRS = ((30, 36, 44), (50, 74, 100), (90, 140, 176), (150, 152, 154))


def person(look: int, *, facing: bool) -> Figure:
    """One walking person, seen from the front (with a face) or from behind."""
    rng = generator(look, "person")
    height = float(rng.uniform(1.6, 1.88))
    pencil = _Pencil(0.86, height + 0.02, PERSON_PX_PER_M)
    coat, trousers, skin, hair = (
        tuple(float(c) for c in palette[rng.integers(len(palette))]) for palette in (CLOTHES, TROUSERS, SKINS, HAIRS)
    )
    k = height / 1.75
    step = float(rng.uniform(0.06, 0.17)) * rng.choice([-1, 1])
    for side, shade in ((-1, 0.78), (1, 1.0)):
        foot = side * 0.08 + side * step
        pencil.limb(
            [(side * 0.09, 0.88 * k), (side * 0.1 + foot * 0.3, 0.48 * k), (foot, 0.1)], 0.15, _dark(trousers, shade)
        )
        pencil.oval(foot + 0.02 * side, 0.05, 0.13, 0.09, (38, 38, 40))
    for side in (-1, 1):
        hand = (side * 0.30 - step * 0.25, 0.82 * k)
        pencil.limb(
            [(side * 0.2, 1.38 * k), (side * 0.27, 1.1 * k), hand], 0.11, _dark(coat, 0.72 if side < 0 else 0.9)
        )
        pencil.oval(*hand, 0.08, 0.11, skin)
    half = [(0.06, 1.5), (0.17, 1.45), (0.22, 1.36), (0.2, 1.05), (0.21, 0.8)]
    body = [*half, *((-x, z) for x, z in reversed(half))]
    pencil.shape([(x, z * k) for x, z in body], coat)
    pencil.shape([(0.1, 1.47 * k), (0.22, 1.36 * k), (0.21, 0.8 * k), (0.12, 0.8 * k)], _dark(coat, 0.78))
    if facing:
        pencil.shape([(-0.05, 1.46 * k), (0.05, 1.46 * k), (0.0, 1.3 * k)], _dark(skin, 0.85))
        pencil.limb([(0.0, 1.3 * k), (0.01, 0.8 * k)], 0.008, _dark(coat, 0.55))
    pencil.limb([(0.0, 1.42 * k), (0.0, 1.52 * k)], 0.11, _dark(skin, 0.78))
    top = height - 0.125
    face = _head(pencil, top, skin, hair, rng, facing=facing)
    picture: Image = pencil.image
    light = np.linspace(1.08, 0.84, picture.shape[1], dtype=np.float32)[None, :]
    folds = 1 + 0.09 * cloud(rng, picture.shape[0], picture.shape[1], 40, 3)
    picture[..., :3] = np.clip(picture[..., :3] * (light * folds)[..., None], 0, 255)
    picture = cv2.GaussianBlur(picture, (0, 0), 1.0)
    return Figure(picture, height + 0.02, face)


def _head(
    pencil: _Pencil,
    z: float,
    skin: tuple[float, ...],
    hair: tuple[float, ...],
    rng: np.random.Generator,
    *,
    facing: bool,
) -> tuple[float, float, float, float] | None:
    long_hair = rng.random() < 0.45
    if long_hair:
        for side in (-1, 1):
            pencil.oval(side * 0.075, z - 0.05, 0.06, 0.26, _dark(hair, 0.85))
    pencil.oval(0, z + (0.03 if facing else 0.0), 0.18, 0.2 if facing else 0.25, hair)
    if not facing:
        return None
    pencil.oval(0, z - 0.022, 0.158, 0.212, skin)
    for side in (-1, 1):
        pencil.oval(side * 0.08, z - 0.02, 0.03, 0.06, _dark(skin, 0.85))
    pencil.oval(0.045, z - 0.035, 0.06, 0.13, _dark(skin, 0.9))
    for side in (-1, 1):
        pencil.oval(side * 0.034, z + 0.005, 0.045, 0.026, _dark(skin, 0.8))
        pencil.oval(side * 0.034, z + 0.003, 0.03, 0.014, (225, 228, 230))
        pencil.oval(side * 0.034, z + 0.003, 0.014, 0.014, (40, 44, 50))
        pencil.limb([(side * 0.016, z + 0.024), (side * 0.052, z + 0.026)], 0.009, _dark(hair, 0.8))
    pencil.shape([(-0.006, z), (0.006, z), (0.016, z - 0.04), (-0.016, z - 0.04)], _dark(skin, 0.86))
    pencil.oval(0, z - 0.042, 0.034, 0.012, _dark(skin, 0.7))
    pencil.oval(0, z - 0.072, 0.054, 0.018, (96, 92, 168))
    pencil.limb([(-0.024, z - 0.071), (0.024, z - 0.071)], 0.004, (60, 56, 100))
    pencil.oval(0, z - 0.103, 0.05, 0.012, _dark(skin, 0.9))
    pencil.shape([(-0.08, z + 0.02), (-0.055, z + 0.1), (0.055, z + 0.1), (0.08, z + 0.02), (0.0, z + 0.062)], hair)
    x1, y1 = pencil.at(-HEAD_WIDTH_M / 2, z + 0.09)
    x2, y2 = pencil.at(HEAD_WIDTH_M / 2, z - 0.125)
    return float(x1), float(y1), float(x2), float(y2)


def tree(look: int) -> Figure:
    """A street tree: trunk below, leaves above head height."""
    rng = generator(look, "tree")
    height = float(rng.uniform(6.5, 9.5))
    pencil = _Pencil(5.4, height, TREE_PX_PER_M)
    bark = (58.0, 70.0, 82.0)
    pencil.shape([(-0.13, 0.0), (0.13, 0.0), (0.09, 3.4), (-0.09, 3.4)], bark)
    pencil.shape([(0.04, 0.0), (0.13, 0.0), (0.09, 3.4), (0.03, 3.4)], _dark(bark, 0.6))
    for _ in range(5):
        pencil.limb(
            [(0.0, rng.uniform(2.2, 3.2)), (rng.uniform(-1.4, 1.4), rng.uniform(3.6, 4.8))], 0.07, _dark(bark, 0.8)
        )
    middle, green = (2.4 + height) / 2, np.array([44, 98, 80]) * rng.uniform(0.75, 1.2)
    for _ in range(900):
        angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1) ** 0.6
        x = 2.3 * far * np.cos(angle)
        z = middle + (height - 2.4) / 2 * 0.93 * far * np.sin(angle)
        glow = 0.6 + 0.5 * (z - 2.4) / (height - 2.4) + rng.uniform(-0.22, 0.22) - 0.1 * x / 2.3
        size = rng.uniform(0.12, 0.4)
        pencil.oval(x, z, size, size * 0.7, tuple((green * glow).tolist()), angle=rng.uniform(0, 180))
    return Figure(cv2.GaussianBlur(pencil.image, (0, 0), 0.7), height)
