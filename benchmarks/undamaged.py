# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated drive without a single defect, and what lies at a place in one of its frames."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from edge.geometry import Calibration
from edge.simulator import simulate
from edge.simulator.layout import GROUND_LEFT, GROUND_WIDTH, ROAD_EDGE, TILE_M
from edge.simulator.light import COARSE_M, Light
from edge.simulator.noise import Image
from edge.simulator.route import Route
from edge.simulator.scenario import plan
from edge.simulator.truth import Truth, load
from edge.types import Box

#: A box lies on a thing when this share of the smaller one of both is common.
ON = 0.3
#: Ground that gets less than this share of the light around lies in shadow.
SHADOW = 0.85


def drives(folder: Path, scene: str, seeds: Sequence[int], km: float) -> Iterator[Path]:
    """Undamaged drives below the folder, drawn where they are missing. `scene`: street or tunnel."""
    for seed in seeds:
        drive = folder / f"{scene}-{seed}-{km:g}km"
        if not (drive / "truth.json").exists():
            simulate(drive, seed=seed, km=km, scene="tunnel" if scene == "tunnel" else "street", undamaged=True)
            if scene == "tunnel":
                _with_a_fix(drive)
        yield drive


def _with_a_fix(drive: Path) -> None:
    """A drive that lies in a tunnel from its first metre gets the last fix before the portal."""
    first = load(drive / "truth.json").frames[0]
    at = f"{first.t_s},{first.lat},{first.lon},{first.heading_deg},{first.speed_mps},3.0,"
    with (drive / "track.csv").open("a", encoding="utf-8") as track:
        track.write(at + "\n")


class Scenery:
    """What was drawn where: decoys, people and cars by their boxes, markings and shadows by their place."""

    def __init__(self, drive: Path) -> None:
        self.truth: Truth = load(drive / "truth.json")
        length_m = self.truth.km * 1000
        self._camera = Calibration(**self.truth.camera)  # type: ignore[arg-type]
        self._route = Route(self.truth.seed, length_m)
        self._scenario = plan(self.truth.seed, length_m, "tunnel" if self.truth.scene == "tunnel" else "street")
        self._light = Light(self._scenario)
        self._tiles: dict[int, Image] = {}
        self._s_m = {frame.frame: frame.s_m for frame in self.truth.frames}
        self._things: dict[str, list[tuple[str, Box]]] = {}
        for thing in (*self.truth.decoys, *self.truth.objects):
            for seen in thing.frames:
                self._things.setdefault(seen.frame, []).append((thing.label, seen.box))

    def at(self, frame: str, box: Box) -> str:
        """What a box lies on."""
        share, label = max(((common(box, other), name) for name, other in self._things.get(frame, [])), default=(0, ""))
        if share >= ON:
            return label
        point = self._camera.pixel_to_road((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        if point is None:
            return "wall or sky"
        s, t = self._route.from_vehicle(self._route.place(self._s_m[frame]), point.x_m, point.y_m)
        return self._ground(float(s), float(t))

    def _ground(self, s: float, t: float) -> str:
        if abs(t) > GROUND_WIDTH / 2:
            return "wall or sky"
        if abs(t) > ROAD_EDGE:
            return "kerb and beside"
        crossing = any(start - 0.3 < s < start + 4.3 for start in self._scenario.crossings)
        if crossing or (abs(t) < 0.2 and s % 9 < 3.2) or (self._scenario.tunnel and 2.8 < abs(t) < 3.25):
            return "marking"
        return "shadow" if self._lit(s, t) < SHADOW else "bare asphalt"

    def _lit(self, s: float, t: float) -> float:
        tile = math.floor(s / TILE_M)
        if tile not in self._tiles:
            self._tiles[tile] = self._light.ground(tile * TILE_M)
        light = self._tiles[tile]
        row = min(int((s - tile * TILE_M) / COARSE_M), light.shape[0] - 1)
        column = min(max(int((GROUND_LEFT - t) / COARSE_M), 0), light.shape[1] - 1)
        return float(light[row, column]) / float(self._light.along(np.array([s]))[0])


def common(a: Box, b: Box) -> float:
    """What two boxes have in common, as a share of the smaller one."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return max(0.0, wide) * max(0.0, high) / max(1e-6, smaller)
