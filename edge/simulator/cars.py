# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Parked cars as a small solid of flat faces, with number plates that belong to nobody."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import cv2
import numpy as np

from edge.simulator.noise import Floats, Image, generator

PAINTS = ((60, 58, 56), (150, 150, 152), (206, 208, 208), (44, 40, 130), (120, 72, 36), (40, 40, 42), (92, 88, 84))
GLASS, RUBBER, PLASTIC = (52.0, 50.0, 46.0), (30.0, 30.0, 31.0), (48.0, 48.0, 48.0)
Edge: TypeAlias = tuple[float, float, float]
#: Half width of body and roof, metres.
BODY, ROOF = 0.89, 0.62
PLATE_SIZE_M = (0.52, 0.11)


@dataclass(frozen=True)
class Face:
    """A flat face: corners N x 3 in the car's frame (x ahead, y left, z up, origin under its middle)."""

    corners: Floats
    colour: tuple[float, float, float]
    gloss: float = 0.0

    @cached_property
    def normal(self) -> Floats:
        """Direction that the face looks, away from the car's middle."""
        a, b, c = self.corners[0], self.corners[1], self.corners[2]
        normal: Floats = np.cross(b - a, c - a)
        outward = normal @ (self.corners.mean(axis=0) - np.array([0.0, 0.0, 0.7]))
        return normal / max(float(np.linalg.norm(normal)), 1e-9) * (1.0 if outward >= 0 else -1.0)

    def lit(self, light: float, sun: Floats) -> tuple[float, float, float]:
        """Its colour where this share of daylight falls, with the sun in this direction of the car's frame."""
        up = max(0.0, float(self.normal[2]))
        level = light * (0.62 + 0.3 * max(0.0, float(self.normal @ sun)) + 0.2 * up)
        shine = 150.0 * self.gloss * light * up
        blue, green, red = self.colour
        return min(255.0, blue * level + shine), min(255.0, green * level + shine), min(255.0, red * level + shine)


@dataclass(frozen=True)
class Car:
    """Faces in drawing order (what lies on a face comes after it); the plate from behind and from the front."""

    faces: tuple[Face, ...]
    plates: tuple[Floats, Floats]
    plate: Image

    @cached_property
    def corners(self) -> Floats:
        """All corners of all faces, one after the other (N x 3)."""
        return np.vstack([face.corners for face in self.faces])

    @cached_property
    def starts(self) -> list[int]:
        """Where each face's corners start in `corners`, and the end."""
        return [0, *np.cumsum([len(face.corners) for face in self.faces]).tolist()]


def _wall(points: list[tuple[float, float]], y: float) -> Floats:
    return np.array([(x, y, z) for x, z in points])


def _across(low: Edge, high: Edge, inset: float = 0.0) -> Floats:
    """A quad across the car between two edges (x, z, half width); `inset` shrinks it to lie within another one."""
    (x0, z0, y0), (x1, z1, y1) = low, high
    quad: Floats = np.array([(x0, y0, z0), (x0, -y0, z0), (x1, -y1, z1), (x1, y1, z1)])
    middle = quad.mean(axis=0)
    smaller: Floats = middle + (quad - middle) * (1 - inset)
    return smaller


def _disc(x: float, y: float, z: float, radius: float) -> Floats:
    angle = np.linspace(0, 2 * np.pi, 22, endpoint=False)
    return np.column_stack([x + radius * np.cos(angle), np.full(22, y), z + radius * np.sin(angle)])


def car(look: int, text: str) -> Car:
    """Build one car."""
    rng = generator(look, "car")
    base = PAINTS[rng.integers(len(PAINTS))]
    paint = (float(base[0]), float(base[1]), float(base[2]))
    tall, long = float(rng.uniform(0.96, 1.2)), float(rng.uniform(0.94, 1.08))
    estate = rng.random() < 0.5
    tail = -2.05 if estate else -1.5
    faces = [*_ends(paint), *_cabin(paint, tail)]
    for side in (-1.0, 1.0):
        faces += _side(paint, side, tail)
    faces += _lamps()
    stretch = np.array([long, 1.0, tall])
    scaled = tuple(Face(face.corners * stretch, face.colour, face.gloss) for face in faces)
    half, high = PLATE_SIZE_M[0] / 2, PLATE_SIZE_M[1] / 2
    rear = np.array([(-2.2, half, 0.62), (-2.2, -half, 0.62), (-2.2, -half, 0.62), (-2.2, half, 0.62)])
    rear[:2, 2] += high
    rear[2:, 2] -= high
    front = rear * np.array([-1, -1, 1]) - np.array([0, 0, 0.14])
    return Car(scaled, (rear * stretch, front * stretch), plate_picture(text))


def _ends(paint: tuple[float, float, float]) -> list[Face]:
    return [
        Face(_across((-2.13, 0.28, BODY), (-2.18, 0.52, BODY)), PLASTIC),
        Face(_across((-2.18, 0.52, BODY), (-2.12, 0.95, BODY)), paint),
        Face(_across((-2.12, 0.95, BODY), (-1.9, 0.97, BODY)), paint, 0.2),
        Face(_across((1.05, 0.97, BODY), (1.95, 0.82, BODY)), paint, 0.3),
        Face(_across((1.95, 0.82, BODY), (2.16, 0.6, BODY)), paint, 0.1),
        Face(_across((2.16, 0.6, BODY), (2.12, 0.28, BODY)), PLASTIC),
        Face(_across((2.0, 0.76, 0.42), (2.14, 0.62, 0.42)), RUBBER),
    ]


def _cabin(paint: tuple[float, float, float], tail: float) -> list[Face]:
    rear = (-2.1, 0.95, BODY - 0.04), (tail, 1.44, ROOF)
    front = (0.25, 1.47, ROOF), (1.12, 0.96, BODY - 0.06)
    return [
        Face(_across(*rear), paint),
        Face(_across(*rear, inset=0.14), GLASS, 0.25),
        Face(_across((tail, 1.44, ROOF), (0.25, 1.47, ROOF)), paint, 0.35),
        Face(_across(*front), paint),
        Face(_across(*front, inset=0.1), GLASS, 0.3),
    ]


def _side(paint: tuple[float, float, float], side: float, tail: float) -> list[Face]:
    y = side * BODY
    body = [(-2.13, 0.28), (-2.18, 0.52), (-2.12, 0.95), (1.05, 0.97), (1.95, 0.82), (2.16, 0.6), (2.12, 0.28)]
    cabin = np.array(
        [(-2.1, y * 0.97, 0.95), (tail, side * ROOF, 1.44), (0.25, side * ROOF, 1.47), (1.12, y * 0.96, 0.96)]
    )
    faces = [
        Face(cabin, paint),
        Face(_wall(body, y), paint),
        Face(_wall([(-2.13, 0.28), (-2.15, 0.4), (2.14, 0.4), (2.12, 0.28)], y * 1.004), PLASTIC),
    ]
    for x0, x1 in ((0.08, 0.5), (0.56, 0.93)):
        low0, low1 = cabin[0] + (cabin[3] - cabin[0]) * x0, cabin[0] + (cabin[3] - cabin[0]) * x1
        top0, top1 = (
            cabin[1] + (cabin[2] - cabin[1]) * max(0.0, x0 - 0.02),
            cabin[1] + (cabin[2] - cabin[1]) * min(1.0, x1 + 0.0),
        )
        glass = np.array(
            [
                low0 + (top0 - low0) * 0.1,
                low0 + (top0 - low0) * 0.86,
                low1 + (top1 - low1) * 0.86,
                low1 + (top1 - low1) * 0.1,
            ]
        )
        faces.append(Face(glass * np.array([1, 1.006, 1]), GLASS, 0.2))
    for x in (-1.32, 1.34):
        faces.append(Face(_disc(x, y * 1.006, 0.36, 0.37), (22.0, 22.0, 22.0)))
        faces.append(Face(_disc(x, y * 1.01, 0.315, 0.315), RUBBER))
        faces.append(Face(_disc(x, y * 1.016, 0.315, 0.2), (128.0, 130.0, 132.0)))
    faces.append(Face(_wall([(-0.52, 0.42), (-0.5, 0.95), (-0.48, 0.95), (-0.5, 0.42)], y * 1.005), (40.0, 40.0, 40.0)))
    return faces


def _lamps() -> list[Face]:
    faces = []
    for side in (-1.0, 1.0):
        tail = np.array(
            [
                (-2.19, side * 0.62, 0.72),
                (-2.19, side * 0.87, 0.72),
                (-2.15, side * 0.87, 0.93),
                (-2.15, side * 0.66, 0.93),
            ]
        )
        head = np.array(
            [(2.17, side * 0.5, 0.62), (2.17, side * 0.86, 0.62), (2.02, side * 0.86, 0.79), (2.02, side * 0.56, 0.77)]
        )
        faces += [Face(tail, (34.0, 30.0, 168.0)), Face(head, (206.0, 212.0, 212.0))]
    return faces


def plate_picture(text: str) -> Image:
    """A number plate, 416 x 88: white, black letters, blue field."""
    image = np.full((88, 416, 3), 236, np.uint8)
    cv2.rectangle(image, (0, 0), (415, 87), (20, 20, 20), 4)
    image[4:84, 4:40] = (150, 60, 20)
    (wide, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 2.0, 5)
    cv2.putText(
        image, text, (48, 66), cv2.FONT_HERSHEY_DUPLEX, 2.0 * min(1.0, 360 / wide), (16, 16, 16), 5, cv2.LINE_AA
    )
    return image
