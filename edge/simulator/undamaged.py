# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The same drive without a single defect: what is found there is a false alarm.

Everything else stays: manholes, gullies, patches, joints, puddles, oil, markings, shadows, cars. A tunnel's lining also
gets what stands and hangs beside cracks when people inspect one: rulers, chalk marks, signs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edge.simulator import shapes
from edge.simulator.layout import LINING_LENGTH
from edge.simulator.noise import Image, generator
from edge.simulator.scenario import Mark
from edge.simulator.shapes import Stroke

if TYPE_CHECKING:
    from edge.simulator.canvas import Canvas
    from edge.simulator.noise import Floats
    from edge.simulator.scenario import Scenario

#: Per kilometre of tunnel.
LINING_DECOYS_PER_KM = {"ruler": 30, "chalk": 40, "sign": 25}
YELLOW, INK, WHITE, GREEN = (70, 190, 215), (34, 34, 36), (208, 212, 212), (72, 118, 44)


def undamaged(scenario: Scenario) -> Scenario:
    """The scenario without defects, its lining with decoys."""
    decoys = list(scenario.decoys)
    if scenario.tunnel is not None:
        start, end = max(3.0, scenario.tunnel[0] + 0.5), min(scenario.length_m + 6, scenario.tunnel[1] - 0.5)
        decoys += _lining_decoys(scenario.seed, start, end)
    return replace(scenario, defects=(), decoys=tuple(decoys))


def _lining_decoys(seed: int, from_m: float, to_m: float) -> list[Mark]:
    rng = generator(seed, "lining decoys")
    found: list[Mark] = []
    for label, per_km in LINING_DECOYS_PER_KM.items():
        wanted = max(1, round(per_km * (to_m - from_m) / 1000))
        for i in range(wanted):
            s = from_m + (to_m - from_m) * (i + rng.uniform(0, 1)) / wanted
            up = rng.uniform(1.2, 3.2)
            at = np.array([s, up if rng.random() < 0.6 else LINING_LENGTH - up])
            found.append(_lining_decoy(rng, f"l{len(found):04d}", label, at))
    return found


def _lining_decoy(rng: np.random.Generator, name: str, label: str, at: Floats) -> Mark:
    look = int(rng.integers(2**31))
    if label == "chalk":
        angle = float(rng.uniform(0, np.pi))
        lines = [shapes.walk(rng, rng.uniform(0.3, 1.2), stray_m=0.06, width_m=0.014) for _ in range(3)]
        strokes = shapes.turned(tuple(lines), angle)
        moved = tuple(
            Stroke(stroke.points + at + np.array([0.12 * i, 0.0]), np.full_like(stroke.widths, 0.014))
            for i, stroke in enumerate(strokes)
        )
        return Mark(name, label, "lining", None, moved, look)
    long, wide = (rng.uniform(0.4, 1.2), 0.04) if label == "ruler" else (rng.uniform(0.35, 0.6), 0.35)
    size = np.array([long, wide] if rng.random() < 0.5 else [wide, long])
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * size
    return Mark(name, label, "lining", corners + at, (), look)


def _ruler(canvas: Canvas, mark: Mark, _rng: np.random.Generator) -> None:
    assert mark.outline is not None
    inside = canvas.filled(mark.outline)
    s0, s1, t0, t1 = mark.extent
    s, t = canvas.grid()
    along: Image = (s - s0) + 0 * t if s1 - s0 > t1 - t0 else (t - t0) + 0 * s
    canvas.blend(YELLOW, inside)
    canvas.blend(INK, inside * (np.mod(along, 0.1) < 0.025))


def _chalk(canvas: Canvas, mark: Mark, _rng: np.random.Generator) -> None:
    canvas.blend(WHITE, 0.75 * canvas.drawn(mark.strokes))


def _sign(canvas: Canvas, mark: Mark, _rng: np.random.Generator) -> None:
    assert mark.outline is not None
    middle = mark.outline.mean(axis=0)
    canvas.blend(GREEN, canvas.filled(mark.outline))
    canvas.blend(WHITE, canvas.filled(middle + (mark.outline - middle) * 0.4))


PAINTERS = {"ruler": _ruler, "chalk": _chalk, "sign": _sign}
