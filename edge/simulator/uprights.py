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
from edge.simulator.noise import Floats, Image

if TYPE_CHECKING:
    from edge.simulator.light import Light
    from edge.simulator.optics import Optics
    from edge.simulator.roadside import Upright
    from edge.simulator.route import Place, Route
    from edge.simulator.scenario import Scenario
    from edge.simulator.walls import Part

#: People and trees nearer than this are out of the picture's sides; farther things are left out.
NEAR_M, FAR_M = 1.2, 110.0
#: Cars show until their far end is beside the camera; what is nearer to it than this is cut off.
CAR_HALF_M, CLOSE_M = 2.3, 0.3
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


def _before(seen: Floats) -> Floats:
    """The part of a polygon (N x 3, camera axes) that lies at least `CLOSE_M` before the camera."""
    if (seen[:, 2] >= CLOSE_M).all():
        return seen
    kept = []
    for a, b in zip(seen, np.roll(seen, -1, axis=0), strict=True):
        if a[2] >= CLOSE_M:
            kept.append(a)
        if (a[2] >= CLOSE_M) != (b[2] >= CLOSE_M):
            kept.append(a + (b - a) * (CLOSE_M - a[2]) / (b[2] - a[2]))
    return np.array(kept).reshape(-1, 3)


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
            if not (-CAR_HALF_M if thing.label == "vehicle" else NEAR_M) < ahead < FAR_M:
                continue

            def draw(index: int = index, thing: Upright = thing) -> None:
                drawn = self._car_drawn if thing.label == "vehicle" else self._figure_drawn
                done = drawn(brush, place, index, thing)
                if done is not None:
                    shown[index] = done
                    areas[index] = count(brush.layer, done, UPRIGHTS + index)

            found.append((thing.s_m - place.s_m, draw))
        return found

    def _level(self, thing: Upright) -> float:
        """Share of daylight on it; a third of all things stand in some shade."""
        shade = 0.72 if thing.look % 3 == 0 else 1.0
        return float(self._light.along(np.array([thing.s_m]))[0]) * shade

    def _figure_drawn(self, brush: Brush, place: Place, index: int, thing: Upright) -> Shown | None:
        figure = self._tree(thing.look) if thing.label == "tree" else self._person(thing.look, facing=thing.along < 0)
        x, y = self._route.in_vehicle(place, [thing.s_m] * 2, [thing.t_m] * 2)
        pixels, depth = self._optics.project(x, y, np.array([0.0, figure.height_m]))
        if depth.min() < NEAR_M:
            return None
        foot, tall = (float(pixels[0, 0]), float(pixels[0, 1])), float(pixels[0, 1] - pixels[1, 1])
        brush.figure(figure.picture, foot, tall, self._level(thing), UPRIGHTS + index)
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
        car, eye = self._car(thing.look, thing.plate), self._eye(place, thing)
        level, sun = self._level(thing), SUN * np.array([thing.along, thing.along, 1.0])
        corners = self._seen(place, thing, car.corners)
        outlines = []
        for face, start, end in zip(car.faces, car.starts, car.starts[1:], strict=False):
            outline = _before(corners[start:end])
            if len(outline) and face.normal @ (eye - face.corners[0]) > 0:
                outlines.append(self._optics.pixels(outline))
                brush.polygon(outlines[-1], face.lit(level, sun), UPRIGHTS + index)
        if not outlines:
            return None
        plate = self._seen(place, thing, car.plates[0 if eye[0] < 0 else 1])
        if abs(eye[0]) < PLATE_AHEAD_M or plate[:, 2].min() < CLOSE_M:
            return Shown(index, _bounds(np.vstack(outlines)), None)
        pixels = self._optics.pixels(plate)
        brush.quad(np.clip(car.plate * (0.9 * level), 0, 255).astype(np.uint8), pixels, UPRIGHTS + index)
        return Shown(index, _bounds(np.vstack(outlines)), _bounds(pixels))

    def _seen(self, place: Place, thing: Upright, corners: Floats) -> Floats:
        """Corners in the thing's frame, in the camera's axes."""
        s, t = thing.s_m + thing.along * corners[:, 0], thing.t_m + thing.along * corners[:, 1]
        return self._optics.seen(*self._route.in_vehicle(place, s, t), corners[:, 2])

    def _eye(self, place: Place, thing: Upright) -> Floats:
        """The camera's place in the car's frame."""
        c = self._optics.calibration
        s, t = self._route.from_vehicle(place, [c.forward_m], [c.left_m])
        turn = math.copysign(1.0, thing.along)
        return np.array([turn * (float(s[0]) - thing.s_m), turn * (float(t[0]) - thing.t_m), c.height_m])
