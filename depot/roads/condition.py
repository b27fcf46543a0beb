# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The indicative grade of a section, and proposed marks of a defect in a structure: two written rules.

docs/condition.md has both as tables. `wegewart-condition-1` is no value of a ZEB survey: it knows no evenness, no grip
and nothing that a camera on a bus does not see. `wegewart-svd-1` proposes marks for an inspector to confirm; the mark
itself, and the mark of a structure, stay with the engineer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

RULE = "wegewart-condition-1"
MARKS_RULE = "wegewart-svd-1"
#: States in which a defect is there, as far as the depot knows.
OPEN = ("new", "confirmed", "ordered", "reopened")

#: What a camera on a vehicle sees of a road's width, metres: the lane it drives in.
LANE_M = 3.5
#: A crack spoils so much beside it, metres.
_CRACK_M = 0.5
#: Area that counts where no size is known, square metres.
_AREA_M2 = {"pothole": 0.1, "alligator_crack": 1.0, "longitudinal_crack": 1.0, "transverse_crack": 1.0, "crack": 1.0}
_CRACKS = ("longitudinal_crack", "transverse_crack", "crack")
#: How much an area of a class weighs.
_WEIGHT = {"pothole": 4.0, "alligator_crack": 1.5, "longitudinal_crack": 0.5, "transverse_crack": 0.5, "crack": 0.5}
#: Weighted share of the section's area -> upper bounds of grades 1, 2, 3, 4.
_SHARES = (0.002, 0.02, 0.08, 0.20)
#: So far below the grade of its worst defect a section's grade may lie.
_BELOW = {"pothole": 0, "alligator_crack": 1}
_BELOW_OTHERS = 2


class Damage(Struct, frozen=True, kw_only=True):
    """What the rules take of a case. `grade`: its severity, None where its size is not known."""

    number: int
    defect_class: str
    state: str
    grade: int | None = None
    length_m: float | None = None
    width_m: float | None = None
    lining_clock: float | None = None


class Condition(Struct, frozen=True, kw_only=True):
    """A section's grade, 1 (nothing) to 5, and what gave it. `damaged_share`: weighted, of the lane's area."""

    grade: int
    rule: str
    damaged_share: float
    by: Literal["nothing", "extent", "severity"]
    worst: int | None


def condition(open_damages: Sequence[Damage], section_m: float) -> Condition:
    """The grade of a section of this length: the worse of what the extent and what the worst defect say."""
    if not open_damages:
        return Condition(grade=1, rule=RULE, damaged_share=0.0, by="nothing", worst=None)
    area_m2 = sum(_weighted_m2(damage, section_m) for damage in open_damages)
    share = min(area_m2 / max(section_m * LANE_M, 1e-6), 1.0)
    by_extent = 1 + bisect_right(_SHARES, share)
    worst = max(open_damages, key=lambda damage: (_by_severity(damage), damage.grade or 0, -damage.number))
    by_severity = _by_severity(worst)
    return Condition(
        grade=max(by_extent, by_severity),
        rule=RULE,
        damaged_share=round(share, 4),
        by="severity" if by_severity > by_extent else "extent",
        worst=worst.number,
    )


def _weighted_m2(damage: Damage, section_m: float) -> float:
    weight = _WEIGHT.get(damage.defect_class, 1.0)
    if damage.length_m is None or damage.width_m is None:
        return weight * _AREA_M2.get(damage.defect_class, 0.1)
    if damage.defect_class in _CRACKS:
        # A crack's box is as wide as the crack wanders; what it spoils is a strip along it.
        return weight * min(max(damage.length_m, damage.width_m), section_m) * _CRACK_M
    return weight * min(damage.length_m, section_m) * min(damage.width_m, LANE_M)


def _by_severity(damage: Damage) -> int:
    if damage.grade is None:
        return 1
    return max(1, damage.grade - _BELOW.get(damage.defect_class, _BELOW_OTHERS))


class Marks(Struct, frozen=True, kw_only=True):
    """Proposed marks 0 to 4: S stability, V traffic safety, D durability. None: a camera cannot propose it."""

    S: int | None
    V: int | None
    D: int | None
    note: str | None = None


#: Class -> D by the grade of severity 1 to 5.
_DURABILITY = {
    "crack": (1, 1, 1, 2, 2),
    "spalling": (1, 1, 2, 2, 2),
    "exposed_rebar": (2, 2, 2, 2, 2),
    "water_leakage": (1, 1, 2, 2, 3),
    "efflorescence": (1, 1, 2, 2, 2),
    "corrosion": (1, 1, 1, 1, 1),
}
#: V where pieces can fall on traffic, by the grade.
_FALLING = (1, 1, 2, 2, 3)
_CAN_FALL = ("spalling", "exposed_rebar")
#: Stability: only what the surface shows without a hammer. A crack's width is below what the camera resolves.
_STABILITY = {"spalling": 0, "exposed_rebar": 1, "water_leakage": 0, "efflorescence": 0, "corrosion": 0}
_NOTES = {
    "crack": "width not measured: S on site",
    "exposed_rebar": "loss of section not visible: S2 D3 from where it begins",
}


def marks(damage: Damage) -> Marks | None:
    """Marks to propose; None for a class that no structure has. Where no size is known: those of the least grade."""
    name = "crack" if damage.defect_class.endswith("crack") else damage.defect_class
    durability = _DURABILITY.get(name)
    if durability is None:
        return None
    step = (damage.grade or 1) - 1
    falls = name in _CAN_FALL and over_traffic(damage.lining_clock)
    return Marks(
        S=_STABILITY.get(name),
        V=_FALLING[step] if falls else 0,
        D=durability[step],
        note=_NOTES.get(name) or (None if damage.grade is not None else "size not known: at least these"),
    )


def over_traffic(clock: float | None) -> bool:
    """Whether it hangs over the carriageway: from ten to two. Where nobody knows it may."""
    return clock is None or clock <= 2.0 or clock >= 10.0
