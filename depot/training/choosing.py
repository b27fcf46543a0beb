# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a decided case teaches, and whether it is for training or for judging. Pure.

A confirmed case says: here is this defect. A case rejected as no defect says: here is none of the kind. Every other
rejection (not ours, a duplicate, a bad picture ...) says nothing about what is seen. The same street is never on both
sides: the side follows from its name, so that it stays the same from one export to the next.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from depot.cases.records import Case

Model = Literal["street", "tunnel"]
Split = Literal["train", "val"]

_CRACKS = ("longitudinal_crack", "transverse_crack", "alligator_crack", "crack")
#: What each model tells apart; their order is that of the categories.
CLASSES: Mapping[Model, tuple[str, ...]] = {
    "street": (*_CRACKS[:3], "pothole", "crack"),
    "tunnel": ("crack", "spalling", "water_leakage", "efflorescence", "exposed_rebar", "corrosion"),
}
_SURFACES: Mapping[Model, str] = {"street": "road", "tunnel": "lining"}
_TRUE = frozenset({"confirmed", "ordered", "repaired"})
#: Of all streets.
_VAL_SHARE = 0.2
#: Cases for judging that lie nearer than this to one for training are left out: at a crossing two streets meet.
APART_M = 50.0
#: Where no street is known, a square of the map takes its place.
_SQUARE_DEG = 0.005
_M_PER_DEG = 111_195.0


@dataclass(frozen=True)
class Lesson:
    """What a case teaches about its box. `annotated`: the classes that somebody looked for there.

    `ignored`: the class whose group cannot be judged outside the sharp part.
    """

    defect: str | None
    annotated: tuple[str, ...]
    ignored: str


def lesson(case: Case, model: Model) -> Lesson | str:
    """What the case teaches this model, or why nothing."""
    name = case.defect_class
    if name not in CLASSES[model]:
        return "of a class that the model does not know"
    if case.surface != _SURFACES[model]:
        return "on a surface that the model does not judge"
    if case.decided_by is None or case.decided_by.startswith("rule:"):
        return "not decided by a person"
    typed = model == "street" and name in _CRACKS
    ignored = "crack" if typed else name
    if case.state in _TRUE:
        return Lesson(name, tuple(dict.fromkeys((name, ignored))), ignored)
    if case.state == "rejected" and case.reject_reason == "not_a_defect":
        return Lesson(None, _CRACKS if typed else (name,), ignored)
    return "rejected for a reason that says nothing of what is seen" if case.state == "rejected" else "not decided"


def place(case: Case) -> str | None:
    """The street or line that a case lies on, else a square of the map; None: nobody knows where."""
    if case.line is not None:
        return f"line {case.line}"
    if case.road is not None:
        return f"road {' '.join(case.road.casefold().split())}"
    if case.lon is None or case.lat is None:
        return None
    return f"square {math.floor(case.lon / _SQUARE_DEG)} {math.floor(case.lat / _SQUARE_DEG)}"


def split(key: str) -> Split:
    """On which side a place is, for ever."""
    return "val" if digest(key)[0] < _VAL_SHARE * 256 else "train"


def digest(key: str) -> bytes:
    """Of a place."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def sides(cases: Sequence[Case]) -> tuple[dict[int, Split], Counter[str]]:
    """By number the side of each case that has one, and how many have none, by reason."""
    keys = {case.number: place(case) for case in cases}
    found = {number: split(key) for number, key in keys.items() if key is not None}
    taught = _Near([case for case in cases if found.get(case.number) == "train"])
    beside = [case.number for case in cases if found.get(case.number) == "val" and taught.holds(case)]
    for number in beside:
        del found[number]
    nowhere = sum(key is None for key in keys.values())
    counts = {"at no known place": nowhere, "for judging, but beside one for training": len(beside)}
    return found, Counter({reason: count for reason, count in counts.items() if count})


class _Near:
    """Places of cases of a city, in squares of at least APART_M."""

    def __init__(self, cases: Sequence[Case]) -> None:
        placed = [(case.lon, case.lat) for case in cases if case.lon is not None and case.lat is not None]
        #: Of a square; east and west it is as wide as it has to be where degrees are narrowest.
        self._tall = APART_M / _M_PER_DEG
        self._wide = self._tall / _narrowness(max((abs(lat) for _, lat in placed), default=0.0) + self._tall)
        self._squares: dict[tuple[int, int], list[tuple[float, float]]] = {}
        for lon, lat in placed:
            self._squares.setdefault(self._square(lon, lat), []).append((lon, lat))

    def holds(self, case: Case) -> bool:
        """Whether one of them lies within APART_M of the case."""
        if case.lon is None or case.lat is None:
            return False
        column, row = self._square(case.lon, case.lat)
        east = _narrowness(case.lat)
        return any(
            math.hypot((lon - case.lon) * east, lat - case.lat) <= self._tall
            for x in (column - 1, column, column + 1)
            for y in (row - 1, row, row + 1)
            for lon, lat in self._squares.get((x, y), ())
        )

    def _square(self, lon: float, lat: float) -> tuple[int, int]:
        return math.floor(lon / self._wide), math.floor(lat / self._tall)


def _narrowness(lat: float) -> float:
    """Length of a degree east, of one north."""
    return max(math.cos(math.radians(lat)), 1e-3)
