# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The roughness stage in figures, against four quarter cars: `python -m tests.roughness.figures`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge.roughness.meter import RoughnessMeter
from edge.roughness.settings import RoughnessSettings
from tests.roughness.quarter_car import FRONT_M, REAR_M, TRACK_M, Hole, drive

VEHICLE = RoughnessSettings(front_axle_forward_m=FRONT_M, rear_axle_forward_m=REAR_M, track_width_m=TRACK_M)
SPEEDS_KMH = (30, 40, 50, 60)


@dataclass(frozen=True)
class Felt:
    """One drive: RMS over all sections, kilometres, holes found, counted twice, shocks where there is none, misses."""

    rms_mps2: float
    km: float
    holes: int
    found: int
    doubled: int
    made_up: int
    off_m: tuple[float, ...]
    within: int


def felt(grade: str, kmh: float, *, holes: int, depth_m: float = 0.05, km: float = 1.0, seed: int = 1) -> Felt:
    """Drive over a road; holes under the right wheels, the same way apart."""
    speed = kmh / 3.6
    apart = (1000 * km - 150) / max(holes, 1)
    places = [100 + apart * (i + 0.5) for i in range(holes)]
    meter = RoughnessMeter(VEHICLE)
    drive(
        seconds=1000 * km / speed,
        speed_mps=speed,
        grade=grade,
        holes=tuple(Hole(place, depth_m) for place in places),
        seed=seed,
    ).fed_to(meter)
    meter.flush()
    stretches = meter.take()
    levels = [section.rms_mps2 for stretch in stretches for section in stretch.sections]
    shocks = [shock for stretch in stretches for shock in stretch.shocks]
    at = [(s.position.lon - 13) * 111_319.49 for s in shocks if s.position]
    errors = [s.position.error_m for s in shocks if s.position]
    near = [min(places, key=lambda p, x=x: abs(p - x)) if places else math.inf for x in at]
    hits = [(p, x - p, e) for p, x, e in zip(near, at, errors, strict=True) if abs(x - p) < 5]
    return Felt(
        rms_mps2=math.sqrt(float(np.mean(np.square(levels)))),
        km=km,
        holes=holes,
        found=len({p for p, _, _ in hits}),
        doubled=len(hits) - len({p for p, _, _ in hits}),
        made_up=len(at) - len(hits),
        off_m=tuple(abs(off) for _, off, _ in hits),
        within=sum(abs(off) <= 2.45 * error for _, off, error in hits),
    )


def main() -> None:
    """Print the tables."""
    print("| ISO 8608 class | " + " | ".join(f"{kmh} km/h" for kmh in SPEEDS_KMH) + " | largest / smallest |")
    for grade in "ABCD":
        levels = [felt(grade, kmh, holes=0).rms_mps2 for kmh in SPEEDS_KMH]
        print(f"| {grade} | " + " | ".join(f"{v:.3f}" for v in levels) + f" | {max(levels) / min(levels):.3f} |")
    print("\n| class | depth, cm | km/h | holes | found | twice | made up | off, median m | within 2.45 error_m |")
    for grade, depth_m in [("A", 0.03), ("A", 0.05), ("B", 0.03), ("B", 0.05), ("C", 0.05), ("C", 0.08), ("D", 0.08)]:
        for kmh in (30, 50):
            f = felt(grade, kmh, holes=100, depth_m=depth_m, km=3.0)
            off = f"{np.median(f.off_m):.2f}" if f.off_m else "-"
            print(
                f"| {grade} | {100 * depth_m:.0f} | {kmh} | {f.holes} | {f.found} | {f.doubled} | {f.made_up} |"
                f" {off} | {f.within} of {len(f.off_m)} |"
            )
    print("\n| class | km without holes | shocks |")
    for grade in "ABC":
        runs = [felt(grade, kmh, holes=0, km=10.0, seed=7 + kmh) for kmh in (30, 50)]
        print(f"| {grade} | {sum(f.km for f in runs):.0f} | {sum(f.made_up for f in runs)} |")


if __name__ == "__main__":
    main()
