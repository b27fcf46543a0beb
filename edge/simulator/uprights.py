# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws parked cars, people and trees, and says where they, their plates and faces appear."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from edge.simulator import cars, figures
from edge.simulator.brush import UPRIGHTS, Brush
from edge.simulator.noise import Floats, Image, generator

if TYPE_CHECKING:
    from edge.simulator.light import Light
    from edge.simulator.optics import Optics
    from edge.simulator.roadside import Upright
    from edge.simulator.route import Place, Route
    from edge.simulator.scenario import Scenario
    from edge.simulator.walls import Part

#: Uprights nearer than this are out of the picture's sides; farther ones are left out.
NEAR_M, FAR_M = 1.2, 110.0
#: A plate shows while the camera is before or behind the car by more than this.
PLATE_AHEAD_M = 2.4
#: The sun stands at the right behind, in road axes (along, left, up).
SUN = np.array([-0.5, -0.45, 0.74])


@dataclass(frozen=True)
class Shown:
    """Where one upright, and its plate or face, appears; boxes may reach beyond the picture."""

    index: int
    box: tuple[float, float, float, float]
    detail: tuple[float, float, float, float] | None


def count(layer: Image, shown: Shown, code: int) -> int:
    """Pixels that show this code, looked for around its box."""
    x1, y1, x2, y2 = (max(0, int(value)) for value in shown.box)
    return int(np.count_nonzero(layer[max(0, y1 - 2) : y2 + 3, max(0, x1 - 2) : x2 + 3] == code))


def _bounds(pixels: Floats) -> tuple[float, float, float, float]:
    (x1, y1), (x2, y2) = pixels.min(axis=0), pixels.max(axis=0)
    return float(x1), float(y1), float(x2), float(y2)


class Uprights:
    """All that stands beside the carriageway."""

    def __init__(self, scenario: Scenario, route: Route, optics: Optics, light: Light) -> None:
        self._scenario, self._route, self._optics, self._light = scenario, route, optics, light
        self._car = lru_cache(maxsize=64)(cars.car)
        self._person = lru_cache(maxsize=24)(figures.person)
        self._tree = lru_cache(maxsize=32)(figures.tree)

    def parts(self, brush: Brush, place: Place, shown: dict[int, Shown], areas: dict[int, int]) -> list[Part]:
        """What to draw; drawing fills `shown` and `areas` (pixels painted) by index in the scenario."""
        found: list[Part] = []
        for index, thing in enumerate(self._scenario.uprights):
            ahead = thing.s_m - place.s_m - self._optics.calibration.forward_m
            if not NEAR_M < ahead < FAR_M:
                continue

            def draw(index: int = index, thing: Upright = thing) -> None:
                done = self._car_drawn(brush, place, index, thing) if thing.label == "vehicle" else None
                done = done or self._figure_drawn(brush, place, index, thing)
                if done is not None:
                    shown[index] = done
                    areas[index] = count(brush.layer, done, UPRIGHTS + index)

            found.append((thing.s_m - place.s_m, draw))
        return found

    def _level(self, s_m: float, look: int) -> float:
        shade = 0.72 if generator(look, "stands-in-shade").random() < 0.35 else 1.0
        return float(self._light.along(np.array([s_m]))[0]) * shade

    def _figure_drawn(self, brush: Brush, place: Place, index: int, thing: Upright) -> Shown | None:
        if thing.label == "vehicle":
            return None
        figure = self._tree(thing.look) if thing.label == "tree" else self._person(thing.look, facing=thing.along < 0)
        x, y = self._route.in_vehicle(place, [thing.s_m] * 2, [thing.t_m] * 2)
        pixels, depth = self._optics.project(x, y, np.array([0.0, figure.height_m]))
        if depth.min() < NEAR_M:
            return None
        foot, tall = (float(pixels[0, 0]), float(pixels[0, 1])), float(pixels[0, 1] - pixels[1, 1])
        brush.figure(figure.picture, foot, tall, self._level(thing.s_m, thing.look), UPRIGHTS + index)
        scale = tall / figure.picture.shape[0]
        left, top = foot[0] - figure.picture.shape[1] * scale / 2, foot[1] - tall
        solid = figure.picture[..., 3] > 128
        cols, rows = np.flatnonzero(solid.any(axis=0)), np.flatnonzero(solid.any(axis=1))
        x1, x2, y1, y2 = int(cols[0]), int(cols[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
        box = (left + x1 * scale, top + y1 * scale, left + x2 * scale, top + y2 * scale)
        face = figure.face
        detail = face and (left + face[0] * scale, top + face[1] * scale, left + face[2] * scale, top + face[3] * scale)
        return Shown(index, box, detail)

    def _car_drawn(self, brush: Brush, place: Place, index: int, thing: Upright) -> Shown | None:
        car = self._car(thing.look, thing.plate)
        level = self._level(thing.s_m, thing.look)
        everything = self._pixels(place, thing, car.corners)
        if everything is None:
            return None
        eye = self._eye(place, thing)
        sun = SUN * np.array([thing.along, thing.along, 1.0])
        for face, start, end in zip(car.faces, car.starts, car.starts[1:], strict=False):
            if face.normal @ (eye - face.corners[0]) > 0:
                brush.polygon(everything[start:end], face.lit(level, sun), UPRIGHTS + index)
        seen_from = 0 if eye[0] < 0 else 1
        plate = self._pixels(place, thing, car.plates[seen_from]) if abs(eye[0]) > PLATE_AHEAD_M else None
        if plate is not None:
            brush.quad(np.clip(car.plate * (0.9 * level), 0, 255).astype(np.uint8), plate, UPRIGHTS + index)
        return Shown(index, _bounds(everything), None if plate is None else _bounds(plate))

    def _pixels(self, place: Place, thing: Upright, corners: Floats) -> Floats | None:
        s, t = thing.s_m + thing.along * corners[:, 0], thing.t_m + thing.along * corners[:, 1]
        x, y = self._route.in_vehicle(place, s, t)
        pixels, depth = self._optics.project(x, y, corners[:, 2])
        return pixels if depth.min() > 0.3 else None

    def _eye(self, place: Place, thing: Upright) -> Floats:
        """The camera's place in the car's frame."""
        c = self._optics.calibration
        s, t = self._route.from_vehicle(place, [c.forward_m], [c.left_m])
        turn = math.copysign(1.0, thing.along)
        return np.array([turn * (float(s[0]) - thing.s_m), turn * (float(t[0]) - thing.t_m), c.height_m])
