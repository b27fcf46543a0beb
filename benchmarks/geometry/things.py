# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""True defects: what lies where on the road or on the tunnel's lining, as points around its outline."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from benchmarks.geometry.route import Floats, Route

#: Share of each class on a road, as in the rendered drives.
SHARES = {"pothole": 0.36, "longitudinal_crack": 0.22, "transverse_crack": 0.2, "alligator_crack": 0.22}
#: Smallest and largest extent along and across the road, metres.
EXTENTS = {
    "pothole": ((0.25, 1.2), (0.25, 1.0)),
    "longitudinal_crack": ((1.0, 6.0), (0.05, 0.3)),
    "transverse_crack": ((0.05, 0.35), (1.0, 3.0)),
    "alligator_crack": ((0.8, 3.0), (0.6, 1.6)),
}
#: Two defects of a random road leave this much road between them, metres; the scenarios have nearer ones.
APART_M = 1.0


@dataclass(frozen=True)
class Thing:
    """One true defect. `s_m`, `t_m`: its middle along the line and to its left; `z_m` above the road.

    `length_m` along the road, `width_m` across it (on the lining: around it); `outline`: east, north, up (N x 3).
    """

    id: str
    label: str
    s_m: float
    t_m: float
    length_m: float
    width_m: float
    east_m: float
    north_m: float
    outline: Floats = field(repr=False)
    z_m: float = 0.0
    clock: float | None = None

    @property
    def surface(self) -> Literal["road", "lining"]:
        """What it lies on."""
        return "road" if self.clock is None else "lining"

    @property
    def longer_m(self) -> float:
        """The longer extent."""
        return max(self.length_m, self.width_m)


def on_road(route: Route, name: str, label: str, *, s_m: float, t_m: float, length_m: float, width_m: float) -> Thing:
    """A flat defect: a pothole is nearly an ellipse, a crack a wavering line, an alligator crack nearly a rectangle."""
    along, across = shape(label, length_m, width_m)
    east, north = route.plane(s_m + along, t_m + across)
    middle = route.plane(s_m, t_m)
    outline = np.column_stack([east, north, np.zeros_like(east)])
    return Thing(name, label, s_m, t_m, length_m, width_m, float(middle[0]), float(middle[1]), outline)


def shape(label: str, length_m: float, width_m: float) -> tuple[Floats, Floats]:
    """Points of the outline around 0, with exactly these extents."""
    if label in ("longitudinal_crack", "transverse_crack"):
        run = np.linspace(-1, 1, 25)
        swerve = np.sin(np.pi * run)  # the extreme values lie at half of the way
        along, across = (run, swerve) if label == "longitudinal_crack" else (swerve, run)
    else:
        turn = np.linspace(0, 2 * math.pi, 33)[:-1]
        power = 2 / (2.5 if label == "pothole" else 6.0)  # superellipse
        along = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power
        across = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power
    return along * length_m / 2, across * width_m / 2


def scattered(
    route: Route, rng: np.random.Generator, *, per_km: float, from_m: float, to_m: float, right_m: float = -1.4,
    left_m: float = 4.2,
) -> list[Thing]:  # fmt: skip
    """Defects at random over the carriageway beside and before the vehicle's line."""
    things: list[Thing] = []
    labels, shares = list(SHARES), np.array(list(SHARES.values()))
    for number in range(round(per_km * (to_m - from_m) / 1000)):
        for _ in range(50):
            label = str(rng.choice(labels, p=shares))
            (short, long), (thin, wide) = EXTENTS[label]
            length, width = float(rng.uniform(short, long)), float(rng.uniform(thin, wide))
            s = float(rng.uniform(from_m + length / 2, to_m - length / 2))
            t = float(rng.uniform(right_m + width / 2, left_m - width / 2))
            if all(_gap_m(s, t, length, width, other) >= APART_M for other in things):
                things.append(on_road(route, f"d{number}", label, s_m=s, t_m=t, length_m=length, width_m=width))
                break
    return things


def _gap_m(s: float, t: float, length: float, width: float, other: Thing) -> float:
    along = abs(s - other.s_m) - (length + other.length_m) / 2
    across = abs(t - other.t_m) - (width + other.width_m) / 2
    return math.hypot(max(along, 0.0), max(across, 0.0))
