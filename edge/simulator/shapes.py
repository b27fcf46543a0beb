# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The outlines of defects: drawn once when the drive is planned, used by the painter and by the truth alike."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.simulator.noise import Floats, smooth


@dataclass(frozen=True)
class Stroke:
    """A line of varying width: `points` N x 2 (s, t), `widths` N, metres."""

    points: Floats
    widths: Floats


def blob(rng: np.random.Generator, length_m: float, width_m: float, rough: float = 0.22) -> Floats:
    """A ragged closed outline (96 x 2) around 0, exactly `length_m` by `width_m`."""
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    radius = np.ones_like(angle)
    for wave in range(2, 14):
        radius += rough / wave**0.8 * rng.uniform(0.3, 1) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi)) * 0.7
    radius += rng.normal(0, rough * 0.12, len(angle))
    points = np.column_stack([np.cos(angle), np.sin(angle)]) * np.clip(radius, 0.35, 1.8)[:, None]
    return fitted(points, length_m, width_m)


def fitted(points: Floats, length_m: float, width_m: float) -> Floats:
    """Move and stretch points so that they span exactly these extents around 0."""
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.maximum(high - low, 1e-6)
    result: Floats = (points - (low + high) / 2) / size * np.array([length_m, width_m])
    return result


def walk(rng: np.random.Generator, length_m: float, *, stray_m: float, width_m: float) -> Stroke:
    """One wandering crack along s around 0, thin at its ends."""
    count = max(8, round(length_m / 0.035))
    along = np.linspace(-length_m / 2, length_m / 2, count)
    # Jagged at every scale: each wave half as long sways about half as far.
    drift = sum(
        stray_m * share * smooth(rng, count, max(1.0, length_m / wave))
        for share, wave in ((1.0, 2.6), (0.5, 0.9), (0.3, 0.35), (0.17, 0.14))
    ) + rng.normal(0, 0.004, count)
    taper = np.minimum(1.0, np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.2 * count) + 0.2)
    # Narrow and wide stretches take turns; here and there it is nearly closed.
    swell = np.clip(
        0.8 + 0.6 * smooth(rng, count, length_m / 0.45) + 0.35 * smooth(rng, count, length_m / 0.12), 0.15, 1.7
    )
    return Stroke(np.column_stack([along, drift]), np.maximum(width_m * taper * swell, 0.002))


def crack(rng: np.random.Generator, length_m: float, width_m: float) -> tuple[Stroke, ...]:
    """A crack along s around 0 with side branches."""
    main = walk(rng, length_m, stray_m=min(0.22, 0.03 + 0.04 * length_m), width_m=width_m)
    strokes = [main]
    for _ in range(rng.integers(1, 3 + round(length_m / 1.5))):
        start = main.points[rng.integers(2, len(main.points) - 2)]
        twig = walk(rng, rng.uniform(0.15, 0.7), stray_m=0.05, width_m=width_m * rng.uniform(0.3, 0.6))
        angle = rng.choice([-1, 1]) * rng.uniform(0.35, 1.1)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = (twig.points - twig.points[0]) @ turn.T + start
        strokes.append(Stroke(points, twig.widths))
    return tuple(strokes)


def rays(rng: np.random.Generator, outline: Floats, count: int) -> tuple[Stroke, ...]:
    """Short cracks that run outward from a hole's edge."""
    centre, found = outline.mean(axis=0), []
    for start in outline[rng.integers(0, len(outline), count)]:
        line = walk(rng, rng.uniform(0.15, 0.5), stray_m=0.03, width_m=rng.uniform(0.006, 0.014))
        away = np.arctan2(start[1] - centre[1], start[0] - centre[0]) + rng.normal(0, 0.4)
        turn = np.array([[np.cos(away), -np.sin(away)], [np.sin(away), np.cos(away)]])
        found.append(Stroke((line.points - line.points[0]) @ turn.T + start, line.widths))
    return tuple(found)


def turned(strokes: tuple[Stroke, ...], angle: float) -> tuple[Stroke, ...]:
    """The same cracks turned by an angle (radians, from s towards t)."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return tuple(Stroke(stroke.points @ turn.T, stroke.widths) for stroke in strokes)


def network(rng: np.random.Generator, length_m: float, width_m: float, cell_m: float) -> tuple[Stroke, ...]:
    """The cells of an alligator crack: ragged Voronoi edges within a blob around 0."""
    edge = blob(rng, length_m, width_m, rough=0.3)
    inside = (edge * 1000 + 20_000).astype(np.float32)
    box = cv2.Subdiv2D((-20_000, -20_000, 40_000, 40_000))
    count = round((length_m + 2 * cell_m) * (width_m + 2 * cell_m) / (cell_m * cell_m))
    where = rng.uniform(-0.5, 0.5, (count, 2)) * np.array([length_m + 2 * cell_m, width_m + 2 * cell_m])
    kept: list[Floats] = []
    for point in where:
        # Not nearer than half a cell to another one, else slivers.
        if all(abs(point[0] - p[0]) + abs(point[1] - p[1]) > 0.55 * cell_m for p in kept):
            kept.append(point)
            box.insert((float(point[0] * 1000), float(point[1] * 1000)))
    facets, _ = box.getVoronoiFacetList([])
    strokes: dict[tuple[int, ...], Stroke] = {}
    for facet in facets:
        for a, b in zip(facet, np.roll(facet, -1, axis=0), strict=True):
            ends: list[tuple[int, ...]] = sorted(
                [tuple(np.round(a).astype(int).tolist()), tuple(np.round(b).astype(int).tolist())]
            )
            middle = ((a + b) / 2 + 20_000).astype(np.float32)
            if cv2.pointPolygonTest(inside, (float(middle[0]), float(middle[1])), measureDist=False) < 0:
                continue
            strokes.setdefault((*ends[0], *ends[1]), _ragged(rng, np.array(ends, float) / 1000, cell_m))
    return tuple(strokes.values())


def _ragged(rng: np.random.Generator, ends: Floats, cell_m: float) -> Stroke:
    share = np.linspace(0, 1, 6)[:, None]
    points = ends[0] * (1 - share) + ends[1] * share
    points[1:-1] += rng.normal(0, cell_m * 0.045, (4, 2))
    # Most edges are hair cracks, some are open.
    width = 0.005 + 0.013 * rng.uniform() ** 2.2
    return Stroke(points, np.full(6, width) * rng.uniform(0.6, 1.4, 6))
