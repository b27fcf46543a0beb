# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What stands and lies along the drive: planned once from the seed, before anything is drawn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from edge.simulator import roadside, shapes
from edge.simulator.layout import LINING_LENGTH, TUNNEL_WALL
from edge.simulator.noise import Floats, generator
from edge.simulator.roadside import Upright, under
from edge.simulator.shapes import Stroke

Scene = Literal["street", "tunnel", "mixed"]
Surface = Literal["road", "lining"]

#: Per kilometre. Rich for a demonstration; a real street has fewer.
ROAD_DEFECTS_PER_KM = 62
LINING_DEFECTS_PER_KM = 130
DECOYS_PER_KM = {"manhole": 16, "gully": 22, "patch": 11, "puddle": 5, "joint": 5, "oil_stain": 9}
#: Defect classes on the carriageway with their share, and on the lining.
ROAD_SHARES = {"pothole": 0.36, "longitudinal_crack": 0.22, "transverse_crack": 0.2, "alligator_crack": 0.22}
LINING_SHARES = {"crack": 0.4, "spalling": 0.33, "water_leakage": 0.27}


@dataclass(frozen=True)
class Mark:
    """Something on a surface: a defect, or a decoy that is none. Points are (s, t); on the lining t is u."""

    id: str
    label: str
    surface: Surface
    outline: Floats | None
    strokes: tuple[Stroke, ...]
    look: int
    wet: bool = False
    depth_m: float | None = None

    @cached_property
    def points(self) -> Floats:
        """Points all over it (N x 2) that its extent and its visible share are taken from."""
        parts = [stroke.points for stroke in self.strokes] if self.outline is None else []
        if self.outline is not None:
            centre = self.outline.mean(axis=0)
            parts += [centre + (self.outline - centre) * share for share in (1.0, 0.7, 0.35)]
        return np.vstack(parts)

    @cached_property
    def extent(self) -> tuple[float, float, float, float]:
        """Smallest and largest s, smallest and largest t, metres."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return float(low[0]), float(high[0]), float(low[1]), float(high[1])

    @property
    def is_line(self) -> bool:
        """Whether it is a single crack, to be seen by its opening alone."""
        return self.outline is None and self.label != "alligator_crack"

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the extent (s, t)."""
        s0, s1, t0, t1 = self.extent
        return (s0 + s1) / 2, (t0 + t1) / 2


@dataclass(frozen=True)
class Scenario:
    """Everything along one drive."""

    seed: int
    length_m: float
    tunnel: tuple[float, float] | None
    defects: tuple[Mark, ...]
    decoys: tuple[Mark, ...]
    uprights: tuple[Upright, ...]
    crossings: tuple[float, ...]

    def in_tunnel(self, s_m: float) -> bool:
        """Whether a place along the road is under the roof."""
        return self.tunnel is not None and self.tunnel[0] <= s_m <= self.tunnel[1]


def mended(scenario: Scenario, ids: Collection[str]) -> Scenario:
    """The same road after a crew was there: each of these defects of the carriageway has become a patch of asphalt."""
    gone = [mark for mark in scenario.defects if mark.id in ids and mark.surface == "road"]
    left = tuple(mark for mark in scenario.defects if mark not in gone)
    return replace(scenario, defects=left, decoys=(*scenario.decoys, *map(_patch_over, gone)))


def _patch_over(mark: Mark) -> Mark:
    s0, s1, t0, t1 = mark.extent
    edge = 0.15
    outline = np.array([
        [s0 - edge, t0 - edge], [s1 + edge, t0 - edge], [s1 + edge, t1 + edge], [s0 - edge, t1 + edge]
    ])  # fmt: skip
    return Mark(f"{mark.id}-mended", "patch", "road", outline, (), mark.look)


class _Room:
    """Keeps marks on one surface apart."""

    def __init__(self, gap_m: float) -> None:
        self._gap, self._taken = gap_m, []  # type: float, list[tuple[float, float, float, float]]

    def take(self, extent: tuple[float, float, float, float]) -> bool:
        s0, s1, t0, t1 = extent
        gap = self._gap
        for a0, a1, b0, b1 in self._taken:
            if s0 < a1 + gap and a0 < s1 + gap and t0 < b1 + gap and b0 < t1 + gap:
                return False
        self._taken.append(extent)
        return True


def plan(seed: int, length_m: float, scene: Scene) -> Scenario:
    """Lay out one drive."""
    tunnel = _tunnel(seed, length_m, scene)
    room = _Room(0.6)
    rng = generator(seed, "scenario")
    crossings = tuple(s for s in np.arange(45.0, length_m, 190.0) + rng.uniform(0, 60) if not under(tunnel, s, 12))
    defects = _road_defects(seed, length_m, room)
    decoys = _decoys(seed, length_m, tunnel, room)
    if tunnel is not None:
        defects += _lining_defects(seed, max(3.0, tunnel[0] + 0.5), min(length_m + 6, tunnel[1] - 0.5))
    return Scenario(
        seed, length_m, tunnel, tuple(defects), tuple(decoys),
        tuple(roadside.plan(seed, length_m, tunnel)), tuple(float(s) for s in crossings),
    )  # fmt: skip


def _tunnel(seed: int, length_m: float, scene: Scene) -> tuple[float, float] | None:
    if scene == "street":
        return None
    if scene == "tunnel":
        return -1000.0, length_m + 1000.0
    start = round(length_m * generator(seed, "tunnel").uniform(0.45, 0.62), 1)
    return start, start + round(0.2 * length_m, 1)


def _moved(mark: Mark, s_m: float, t_m: float) -> Mark:
    """The mark with the middle of its extent at a place."""
    s0, t0 = mark.centre
    by = np.array([s_m - s0, t_m - t0])
    outline = None if mark.outline is None else mark.outline + by
    strokes = tuple(Stroke(stroke.points + by, stroke.widths) for stroke in mark.strokes)
    return Mark(mark.id, mark.label, mark.surface, outline, strokes, mark.look, mark.wet, mark.depth_m)


def _road_defects(seed: int, length_m: float, room: _Room) -> list[Mark]:
    rng = generator(seed, "defects")
    wanted = max(3, round(ROAD_DEFECTS_PER_KM * length_m / 1000))
    labels = list(rng.choice(list(ROAD_SHARES), size=wanted, p=list(ROAD_SHARES.values())))
    labels[0] = "pothole"
    pairs = max(1, round(length_m / 350))
    found: list[Mark] = []
    for i, label in enumerate(labels):
        for _ in range(30):
            mark = _road_defect(rng, f"d{len(found):04d}", str(label))
            s = 7.0 + (length_m - 8.0) * (i + rng.uniform(-0.4, 1.4)) / wanted
            mark = _moved(mark, float(np.clip(s, 6.5, length_m)), _lane_place(rng, mark))
            if room.take(mark.extent):
                found.append(mark)
                if label == "pothole" and pairs:
                    pairs -= _second(rng, mark, found, room, length_m)
                break
    return found


def _second(rng: np.random.Generator, first: Mark, found: list[Mark], room: _Room, length_m: float) -> int:
    """A second pothole 3 m further on: two defects, not one."""
    mark = _road_defect(rng, f"d{len(found):04d}", "pothole")
    s, t = first.centre
    mark = _moved(mark, s + rng.uniform(2.8, 3.3), t + rng.uniform(-0.15, 0.15))
    if mark.extent[1] > length_m + 4 or not room.take(mark.extent):
        return 0
    found.append(mark)
    return 1


def _lane_place(rng: np.random.Generator, mark: Mark) -> float:
    """Mostly in our lane, as cracks and holes are where wheels run; sometimes in the other one."""
    half = (mark.extent[3] - mark.extent[2]) / 2
    ours = rng.random() < 0.8
    centre = -1.65 if ours else 1.65
    if mark.label == "transverse_crack":
        return float(centre + rng.uniform(-0.2, 0.2))
    wheel = centre + rng.choice([-0.85, 0.0, 0.85], p=[0.4, 0.2, 0.4]) + rng.normal(0, 0.15)
    room = max(0.0, 3.1 - half)
    return float(np.clip(wheel, -room, room))


def _road_defect(rng: np.random.Generator, name: str, label: str) -> Mark:
    look = int(rng.integers(2**31))
    if label == "pothole":
        length = float(np.exp(rng.normal(np.log(0.55), 0.32)))
        outline = shapes.blob(rng, min(length, 1.3), min(1.2, length * rng.uniform(0.75, 1.25)), rough=0.3)
        rays = shapes.rays(rng, outline, round(rng.uniform(0, 5)))
        return Mark(name, label, "road", outline, rays, look, rng.random() < 0.2, round(rng.uniform(0.03, 0.09), 3))
    if label == "longitudinal_crack":
        strokes = shapes.crack(rng, rng.uniform(2.0, 6.5), rng.uniform(0.014, 0.03))
        return Mark(name, label, "road", None, strokes, look)
    if label == "transverse_crack":
        strokes = shapes.turned(
            shapes.crack(rng, rng.uniform(1.6, 2.9), rng.uniform(0.016, 0.034)), np.pi / 2 + rng.normal(0, 0.12)
        )
        return Mark(name, label, "road", None, strokes, look)
    size = rng.uniform(1.4, 4.0), rng.uniform(0.6, 1.2)
    return Mark(name, label, "road", None, shapes.network(rng, *size, rng.uniform(0.1, 0.19)), look)


def _lining_defects(seed: int, from_m: float, to_m: float) -> list[Mark]:
    rng, room = generator(seed, "lining"), _Room(0.5)
    wanted = max(3, round(LINING_DEFECTS_PER_KM * max(0.0, to_m - from_m) / 1000))
    found: list[Mark] = []
    for i, label in enumerate(rng.choice(list(LINING_SHARES), size=wanted, p=list(LINING_SHARES.values()))):
        for _ in range(20):
            mark = _lining_defect(rng, f"w{len(found):04d}", str(label))
            half_s, half_u = (mark.extent[1] - mark.extent[0]) / 2, (mark.extent[3] - mark.extent[2]) / 2
            s = np.clip(
                from_m + (to_m - from_m) * (i + rng.uniform(-0.3, 1.3)) / wanted, from_m + half_s, to_m - half_s
            )
            up = rng.uniform(min(1.0 + half_u, 2.0), max(TUNNEL_WALL - half_u - 0.2, 2.0))
            mark = _moved(mark, float(s), float(up if rng.random() < 0.6 else LINING_LENGTH - up))
            if room.take(mark.extent):
                found.append(mark)
                break
    return found


def _lining_defect(rng: np.random.Generator, name: str, label: str) -> Mark:
    look = int(rng.integers(2**31))
    if label == "crack":
        angle = rng.choice([0.0, np.pi / 2, 0.6, -0.6], p=[0.3, 0.4, 0.15, 0.15]) + rng.normal(0, 0.1)
        strokes = shapes.turned(shapes.crack(rng, rng.uniform(1.2, 2.6), rng.uniform(0.014, 0.026)), float(angle))
        return Mark(name, label, "lining", None, strokes, look)
    if label == "spalling":
        outline = shapes.blob(rng, rng.uniform(0.35, 1.2), rng.uniform(0.3, 0.9), rough=0.35)
        return Mark(name, label, "lining", outline, (), look, depth_m=round(rng.uniform(0.02, 0.05), 3))
    outline = shapes.blob(rng, rng.uniform(0.5, 1.4), rng.uniform(1.2, 2.6), rough=0.3)
    return Mark(name, label, "lining", outline, (), look, wet=True)


def _decoys(seed: int, length_m: float, tunnel: tuple[float, float] | None, room: _Room) -> list[Mark]:
    rng = generator(seed, "decoys")
    found: list[Mark] = []
    for label, per_km in DECOYS_PER_KM.items():
        wanted = max(1, round(per_km * length_m / 1000))
        for i in range(wanted):
            for _ in range(20):
                s = 6.0 + length_m * (i + rng.uniform(0, 1)) / wanted
                mark = _decoy(rng, f"n{len(found):04d}", label, s)
                if (label == "puddle" and under(tunnel, s, 3)) or not room.take(mark.extent):
                    continue
                found.append(mark)
                break
    return found


def _decoy(rng: np.random.Generator, name: str, label: str, s_m: float) -> Mark:
    length, width, t = 0.64, 0.64, float(rng.choice([-1.65, 0.4, 1.65]) + rng.normal(0, 0.5))
    ring = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    outline: Floats = np.column_stack([np.cos(ring), np.sin(ring)]) * 0.32
    if label == "gully":
        length, width, t = 0.5, 0.32, float(rng.choice([-1, 1]) * 3.36)
        outline = np.array([[-0.25, -0.16], [0.25, -0.16], [0.25, 0.16], [-0.25, 0.16]])
    elif label in ("patch", "joint"):
        length = rng.uniform(1.0, 5.0) if label == "patch" else 0.05
        width = rng.uniform(0.8, 2.2) if label == "patch" else 6.4
        t = float(np.clip(t, width / 2 - 3.2, 3.2 - width / 2))
        outline = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.array([length, width]) / 2
    elif label in ("puddle", "oil_stain"):
        scale = 1.0 if label == "puddle" else 0.4
        length, width = rng.uniform(0.8, 2.0) * scale, rng.uniform(0.4, 1.0) * scale
        t = float(rng.choice([-2.7, 2.7])) if label == "puddle" else -1.65 + float(rng.normal(0, 0.2))
        outline = shapes.blob(rng, length, width, rough=0.3)
    look = int(rng.integers(2**31))
    return _moved(Mark(name, label, "road", outline, (), look), s_m, t)
