# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a decided case teaches, and whether it is for training or for judging. Pure.

A confirmed case says: here is this defect; and where a person called it another one than the vehicles did: not that
one. A case rejected as no defect says: here is none of the kind that the vehicles saw. Every other rejection (not
ours, a duplicate, a bad picture ...) says nothing about what is seen. The same street is never on both sides: the side
follows from its name, so that it stays the same from one export to the next.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from depot.cases.kinds import KINDS, ROAD_CRACKS
from depot.cases.records import Case

Model = Literal["street", "tunnel"]
Split = Literal["train", "val"]

_SURFACES: Mapping[Model, Literal["road", "lining"]] = {"street": "road", "tunnel": "lining"}
#: What each model tells apart; their order is that of the categories.
CLASSES: Mapping[Model, tuple[str, ...]] = {model: KINDS[surface] for model, surface in _SURFACES.items()}
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

    `ignored`: the classes whose groups cannot be judged outside the sharp part.
    """

    defect: str | None
    annotated: tuple[str, ...]
    ignored: tuple[str, ...]


def lesson(case: Case, model: Model) -> Lesson | str:
    """What the case teaches this model, or why nothing."""
    name = case.defect_class
    if name not in CLASSES[model]:
        return "of a class that the model does not know"
    if case.surface != _SURFACES[model]:
        return "on a surface that the model does not judge"
    if case.decided_by is None or case.decided_by.startswith("rule:"):
        return "not decided by a person"
    seen = case.class_seen if case.class_seen in CLASSES[model] else name
    groups = _group(model, name), _group(model, seen)
    if case.state in _TRUE:
        if name == groups[1]:  # "a crack" says nothing of its type
            seen = name
        return Lesson(name, _unique((name, groups[0], seen, groups[1])), _unique(groups))
    if case.state == "rejected" and case.reject_reason == "not_a_defect":
        none = ROAD_CRACKS if model == "street" and groups[1] == "crack" else (seen,)
        return Lesson(None, none, groups[1:])
    return "rejected for a reason that says nothing of what is seen" if case.state == "rejected" else "not decided"


def _group(model: Model, label: str) -> str:
    """The class that stands for all of its kind: of a road `crack` for every crack."""
    return "crack" if model == "street" and label in ROAD_CRACKS else label


def _unique(labels: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(labels))


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
