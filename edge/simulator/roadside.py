# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What stands beside the carriageway: parked cars with made-up plates, trees, people who do not exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from edge.simulator.noise import generator

PEOPLE_PER_KM = 60
#: A parking place's length, and how far beyond the drive's end things are in view, metres.
PLACE_M, BEYOND_M = 6.4, 115.0
LETTERS = "ABCDEFGHKLMNPRSTUVWXYZ"
#: No German district is called so.
DISTRICT = "QX"


@dataclass(frozen=True)
class Upright:
    """A car, a person or a tree; `s_m`, `t_m`: its foot; `along`: +1 looks the way we drive, -1 towards us."""

    id: str
    label: Literal["vehicle", "person", "tree"]
    s_m: float
    t_m: float
    along: int
    look: int
    plate: str = ""


def under(tunnel: tuple[float, float] | None, s_m: float, margin_m: float) -> bool:
    """Whether a place along the road is in the tunnel or nearer to it than a margin."""
    return tunnel is not None and tunnel[0] - margin_m < s_m < tunnel[1] + margin_m


def plan(seed: int, length_m: float, tunnel: tuple[float, float] | None) -> list[Upright]:
    """Everything upright along one drive, none of it in or near the tunnel."""
    rng = generator(seed, "uprights")
    found: list[Upright] = []
    for side, share in ((-1, 0.5), (1, 0.4)):
        for s in np.arange(4.0, length_m + BEYOND_M, PLACE_M):
            at = float(s + rng.uniform(-0.5, 0.5))
            plate = f"{DISTRICT} {rng.choice(list(LETTERS))}{rng.choice(list(LETTERS))} {rng.integers(10, 9999)}"
            look, draw = int(rng.integers(2**31)), rng.random()
            if under(tunnel, at, 10):
                continue
            if draw < share:
                t = side * (4.75 + rng.uniform(-0.1, 0.15))
                found.append(Upright(f"v{len(found):04d}", "vehicle", at, t, -side, look, plate))
            elif draw > 0.75:
                found.append(Upright(f"t{len(found):04d}", "tree", at, side * 5.5, 1, look))
    return found + _people(rng, length_m, tunnel, found)


def _people(
    rng: np.random.Generator, length_m: float, tunnel: tuple[float, float] | None, others: list[Upright]
) -> list[Upright]:
    """People on the pavement and, where no car is parked, at the kerb."""
    wanted = max(3, round(PEOPLE_PER_KM * length_m / 1000))
    found: list[Upright] = []
    for i in range(wanted):
        at = 7 + (length_m + 10) * (i + float(rng.uniform(0, 1))) / wanted
        side, look = int(rng.choice([-1, 1])), int(rng.integers(2**31))
        kerb, along = float(rng.uniform(3.9, 5.3)), int(rng.choice([-1, -1, 1]))
        pavement = float(rng.uniform(6.0, 7.9))
        if under(tunnel, at, 6):
            continue
        blocked = any(o.t_m * side > 0 and abs(o.s_m - at) < 3.6 for o in others)
        t = side * (pavement if blocked or rng.random() < 0.35 else kerb)
        found.append(Upright(f"p{i:04d}", "person", at, t, along, look))
    return found
