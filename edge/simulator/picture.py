# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws what the camera sees: sky, ground, walls, then what stands on it, from far to near."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.simulator import fronts
from edge.simulator.brush import Brush
from edge.simulator.canvas import RES_M
from edge.simulator.ground import Ground
from edge.simulator.layout import GROUND_LEFT, TILE_M
from edge.simulator.light import Light
from edge.simulator.lining import Lining
from edge.simulator.noise import Image, generator
from edge.simulator.optics import FAR_M, LEVELS, Optics
from edge.simulator.uprights import Shown, Uprights
from edge.simulator.walls import Walls

if TYPE_CHECKING:
    from edge.geometry import Calibration
    from edge.simulator.route import Place, Route
    from edge.simulator.scenario import Scenario

#: Seconds the shutter is open by day and under lamps.
SHUTTER_DAY_S, SHUTTER_TUNNEL_S = 1 / 1000, 1 / 400
#: Ground levels finer than this one are only needed near the vehicle.
NEAR_LEVELS, NEAR_M = 3, 24.0


@dataclass(frozen=True)
class View:
    """One drawn frame: picture before the sensor, what each pixel shows (see `brush`), and the uprights in it."""

    picture: Image
    layer: Image
    shown: dict[int, Shown]
    #: Pixels each upright had before nearer ones were drawn over it.
    areas: dict[int, int]


class Painter:
    """Draws frames in the order of the drive; keeps the tiles that are in view."""

    def __init__(self, scenario: Scenario, route: Route, calibration: Calibration, speed_mps: float) -> None:
        self._scenario, self._route, self.optics = scenario, route, Optics(calibration)
        self._light = Light(scenario)
        self._ground, self._lining = Ground(scenario, self._light), Lining(scenario, self._light)
        self._speed = speed_mps
        self._walls = Walls(scenario, route, self.optics, self._light, self._make_lining)
        self._uprights = Uprights(scenario, route, self.optics, self._light)
        self._panorama = fronts.panorama(scenario.seed)
        self._window: tuple[int, list[Image]] | None = None
        self._ground_tile = lru_cache(maxsize=5)(self._make_ground)
        shape = (calibration.height, calibration.width)
        y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
        self._vignette = (1 - 0.13 * (x * x + y * y)).astype(np.float32)[..., None].repeat(3, axis=2)
        noise = generator(scenario.seed, "sensor").standard_normal((shape[0] + 64, shape[1] + 64, 3), dtype=np.float32)
        self._noise = cv2.GaussianBlur(noise, (0, 0), 0.55) * np.float32(1.7)

    def view(self, place: Place) -> View:
        """Draw the scene from a place, in the light that is there."""
        c = self.optics.calibration
        brush = Brush(np.zeros((c.height, c.width, 3), np.uint8), np.zeros((c.height, c.width), np.uint16))
        self._draw_sky(brush.picture, place)
        self._draw_ground(brush.picture, place)
        shown: dict[int, Shown] = {}
        areas: dict[int, int] = {}
        parts = self._walls.parts(brush, place) + self._uprights.parts(brush, place, shown, areas)
        for _, draw in sorted(parts, key=lambda part: -part[0]):
            draw()
        return View(brush.picture, brush.layer, shown, areas)

    def expose(self, picture: Image, gain: float, index: int) -> Image:
        """What the sensor makes of it: exposure, vignetting, noise."""
        bright = cv2.multiply(picture, self._vignette, scale=gain, dtype=cv2.CV_8U)
        rng = generator(self._scenario.seed, "frame", index)
        y, x = rng.integers(0, 64, 2)
        noise = self._noise[y : y + picture.shape[0], x : x + picture.shape[1]]
        noisy = cv2.add(bright, noise * np.float32(1.1 * gain**0.6), dtype=cv2.CV_8U)
        return cv2.GaussianBlur(noisy, (3, 3), 0.45)

    def light_ahead(self, s_m: float) -> float:
        """Share of daylight on the stretch that fills the picture, for the exposure."""
        return float(self._light.along(s_m + np.linspace(3.0, 18.0, 6)).mean())

    def _make_ground(self, index: int) -> list[Image]:
        tile = self._blurred(self._ground.tile(index), index)
        levels = [tile]
        for level in range(1, LEVELS):
            size = (tile.shape[1] >> max(0, level - 3), tile.shape[0] >> level)
            levels.append(cv2.resize(levels[-1], size, interpolation=cv2.INTER_AREA))
        return levels

    def _make_lining(self, index: int) -> Image:
        return self._blurred(self._lining.tile(index), index)

    def _blurred(self, tile: Image, index: int) -> Image:
        """Surfaces smear along the way that the vehicle goes while the shutter is open."""
        shutter = SHUTTER_TUNNEL_S if self._scenario.in_tunnel((index + 0.5) * TILE_M) else SHUTTER_DAY_S
        length = round(self._speed * shutter / RES_M)
        return cv2.blur(tile, (1, length)) if length > 1 else tile

    def _draw_sky(self, picture: Image, place: Place) -> None:
        o = self.optics
        rows = slice(0, min(o.top + 2, picture.shape[0]))
        if rows.stop == 0:
            return
        col = np.mod(o.azimuth_deg[rows] + place.heading_deg, 360.0) * fronts.SKY_PX_PER_DEG
        row = (fronts.SKY_HIGH_DEG - o.elevation_deg[rows]) * fronts.SKY_PX_PER_DEG
        picture[rows] = cv2.remap(
            self._panorama,
            col.astype(np.float32),
            row.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def _draw_ground(self, picture: Image, place: Place) -> None:
        o = self.optics
        if o.top >= picture.shape[0]:
            return
        ahead, t = o.road_map(self._route, place)
        first = int(np.floor(place.s_m / TILE_M))
        levels = self._levels(first)
        base = place.s_m - first * TILE_M
        for level, start, end in o.bands:
            rows = slice(start - o.top, end - o.top)
            along, across = RES_M * 2**level, RES_M * 2 ** max(0, level - 3)
            map_y = (ahead[rows] + np.float32(base)) / np.float32(along) - np.float32(0.5)
            map_x = (np.float32(GROUND_LEFT) - t[rows]) / np.float32(across) - np.float32(0.5)
            drawn = cv2.remap(levels[level], map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            np.copyto(picture[start:end], drawn, where=~o.sky[start:end, :, None])

    def _levels(self, first: int) -> list[Image]:
        """The ground from tile `first` on, at each level as far as it is needed."""
        if self._window is None or self._window[0] != first:
            tiles = [self._ground_tile(first + i) for i in range(1 + math.ceil((FAR_M + 6) / TILE_M))]
            near = tiles[: 1 + math.ceil(NEAR_M / TILE_M)]
            self._window = (
                first,
                [np.concatenate([t[k] for t in (near if k < NEAR_LEVELS else tiles)]) for k in range(LEVELS)],
            )
        return self._window[1]
