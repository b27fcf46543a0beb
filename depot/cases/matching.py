# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which case each sighting of one pass shows. Pure.

What a vehicle sees within a few seconds is shifted by nearly the same error of its position, while the distances
between the sightings are good to a few decimetres. So a pass is compared as a whole: of all shifts that its stated
errors allow, the one is taken that explains most (docs/cases.md has the formulas). That tells two potholes three
metres apart, though each of them alone is only known to two.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from depot.cases.assigning import assign
from depot.cases.plane import east_north_m, turn_deg
from depot.cases.records import Case, Seen

#: Classes that detectors confuse with each other share a family.
_CRACKS = frozenset({"crack", "longitudinal_crack", "transverse_crack", "alligator_crack"})
#: Defects of one family on a square metre of road: a poor street. With it near and far are weighed against chance.
_DENSITY_PER_M2 = 0.005
#: Odds that a defect in view has been seen before, as a cost (twice the logarithm).
_ALONE = 2 * math.log(9)
#: Standard deviation of a place against its neighbours of the same pass, metres.
_WITHIN_PASS_M = 0.45
#: The middle of a crack is known to so much of its length.
_CRACK_SHARE = 0.2
#: Hours on the lining to metres: a bore of about 4.5 m radius; and how well they are told.
_CLOCK_M, _CLOCK_ERROR_M, _CLOCK_UNKNOWN_M = 2.4, 0.8, 3.0
#: How long a receiver's error lasts, and how often the assignment is looked at again.
_MEMORY_S = 25.0
_ROUNDS = 4
_CERTAIN = 1e6
#: Farther is never tried, whatever the errors, metres.
FARTHEST_M = 40.0
#: Standard deviations that are tried.
_REACH = 4.5
_OTHER_LABEL = 2.0
_OTHER_HEADING = 4.0
_OTHER_SIDE = 3.0
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A sighting and a case that may be one: how far apart, and the variances of the shift and within the pass."""

    apart: tuple[float, float]
    shift: tuple[float, float]
    within: tuple[float, float]
    unlike: float

    @property
    def distance_m(self) -> float:
        """How far apart they are."""
        return math.hypot(*self.apart)

    @property
    def cost(self) -> float:
        """What it costs to take them for one when nothing is known of the pass; below 0: they rather are."""
        total = self.unlike + 2 * math.log(_DENSITY_PER_M2) - _ALONE
        for apart, shift, within in zip(self.apart, self.shift, self.within, strict=True):
            total += apart**2 / (shift + within) + math.log(2 * math.pi * (shift + within))
        return total


def family(label: str) -> str:
    """The family of a class."""
    return "crack" if label in _CRACKS else label


def on_line(seen: Seen | Case) -> bool:
    """Whether it is placed by a line's chainage rather than by coordinates."""
    known = seen.line is not None and seen.chainage_m is not None
    return known and (seen.surface == "lining" or seen.lon is None)


def reach_m(seen: Seen) -> float:
    """How far from a sighting its case may lie, metres; half of the error may be the case's own."""
    error = seen.chainage_error_m if on_line(seen) else seen.error_m
    return min(FARTHEST_M, _REACH * math.hypot((error or 0.0) * math.sqrt(2), _within_m(seen, seen)))


def compare(seen: Seen, case: Seen | Case) -> Pair | None:
    """What speaks for and against their being one; None: they are not."""
    labels = _labels(case)
    if family(seen.defect_class) not in map(family, labels) or _surface(seen) != _surface(case):
        return None
    if _differ(seen.line, case.line) or _differ(seen.track, case.track):
        return None
    unlike = 0.0 if seen.defect_class in labels else _OTHER_LABEL
    if _differ(seen.side, case.side):
        if _surface(seen) == "lining" and "middle" not in {seen.side, case.side}:
            return None
        unlike += _OTHER_SIDE
    if on_line(seen):
        pair = _on_line(seen, case, unlike)
    else:
        if seen.heading_deg is not None and case.heading_deg is not None and _surface(seen) == "road":
            unlike += _OTHER_HEADING * math.sin(math.radians(turn_deg(seen.heading_deg, case.heading_deg) / 2)) ** 2
        pair = _on_ground(seen, case, unlike)
    if pair is None or pair.distance_m > FARTHEST_M:
        return None
    far = sum(a * a / (s + w) for a, s, w in zip(pair.apart, pair.shift, pair.within, strict=True))
    return pair if far <= _REACH**2 else None


def _labels(case: Seen | Case) -> set[str]:
    """What it is called: by a person too, but a vehicle's model goes on calling it as before."""
    labels = {case.defect_class}
    if isinstance(case, Case) and case.class_seen is not None:
        labels.add(case.class_seen)
    return labels


def _differ(a: str | None, b: str | None) -> bool:
    return a is not None and b is not None and a != b


def _surface(seen: Seen | Case) -> str:
    return seen.surface or "road"


def _within_m(seen: Seen, case: Seen | Case) -> float:
    if family(seen.defect_class) != "crack":
        return _WITHIN_PASS_M
    longest = max(seen.length_m or 0.0, seen.width_m or 0.0, case.length_m or 0.0, case.width_m or 0.0)
    return math.hypot(_WITHIN_PASS_M, _CRACK_SHARE * min(longest, 10.0))


def _on_line(seen: Seen, case: Seen | Case, unlike: float) -> Pair | None:
    if seen.chainage_m is None or case.chainage_m is None or case.line is None:
        return None
    clocks = seen.lining_clock, case.lining_clock
    if clocks[0] is None or clocks[1] is None:
        around, around_error = 0.0, _CLOCK_UNKNOWN_M
    else:
        around, around_error = ((clocks[0] - clocks[1] + 6) % 12 - 6) * _CLOCK_M, _CLOCK_ERROR_M
    shift = (seen.chainage_error_m or 0.0) ** 2 + (case.chainage_error_m or 0.0) ** 2
    within = _within_m(seen, case) ** 2
    return Pair((seen.chainage_m - case.chainage_m, around), (shift, 0.0), (within, around_error**2), unlike)


def _on_ground(seen: Seen, case: Seen | Case, unlike: float) -> Pair | None:
    if seen.lon is None or seen.lat is None or case.lon is None or case.lat is None:
        return None
    shift = (seen.error_m or 0.0) ** 2 + (case.error_m or 0.0) ** 2
    within = _within_m(seen, case) ** 2
    apart = east_north_m(seen.lon, seen.lat, case.lon, case.lat)
    return Pair(apart, (shift, shift), (within, within), unlike)


def match(
    seen: Sequence[Seen],
    cases: Sequence[Seen | Case],
    *,
    candidates: Sequence[Collection[int]] | None = None,
) -> list[int | None]:
    """For each sighting of a few seconds of one pass the index of the case that it shows; None: a new one.

    Args:
        seen: all placed on a line, or all by coordinates (`on_line`).
        cases: what is known.
        candidates: for each sighting which cases are asked; default: all.
    """
    pairs: list[dict[int, Pair]] = []
    for index, one in enumerate(seen):
        asked = range(len(cases)) if candidates is None else candidates[index]
        found = ((column, compare(one, cases[column])) for column in asked)
        pairs.append({column: pair for column, pair in found if pair is not None})
    if sum(map(len, pairs)) < 2 or len(seen) == 1:
        return assign([{column: pair.cost for column, pair in row.items()} for row in pairs], 0.0)
    return _Pass(pairs, [one.monotonic_s or 0.0 for one in seen]).assigned()


class _Pass:
    """All pairs of one pass as columns of numbers, and the search for its shift."""

    def __init__(self, rows: Sequence[dict[int, Pair]], times_s: Sequence[float]) -> None:
        self._rows = rows
        flat = [(row, column, pair) for row, found in enumerate(rows) for column, pair in found.items()]
        self._row = np.array([row for row, _, _ in flat])
        self._column = [column for _, column, _ in flat]
        self._apart = np.array([pair.apart for _, _, pair in flat])
        self._within = np.array([pair.within for _, _, pair in flat])
        #: Variance of the shift along both axes, the same for the whole pass; an axis that nothing shifts is 0.
        self._shift: Floats = np.array([pair.shift for _, _, pair in flat]).mean(axis=0)
        self._base = np.array([pair.unlike for _, _, pair in flat]) + 2 * math.log(_DENSITY_PER_M2)
        self._starts = np.flatnonzero(np.concatenate([[True], self._row[1:] != self._row[:-1]]))
        times = np.array(times_s)
        #: How alike the shifts of two sightings are, 0 to 1.
        self._alike: Floats = np.exp(-np.abs(times[:, None] - times[None]) / _MEMORY_S)

    def assigned(self) -> list[int | None]:
        """The assignment under the shift that explains most."""
        chosen = self._from_anchor()
        for _ in range(_ROUNDS):
            before, chosen = chosen, assign(self._by_row(self._from_others(chosen)), _ALONE)
            if before == chosen:
                break
        return chosen

    def _from_anchor(self) -> list[int | None]:
        """The assignment if one of the pairs holds for certain: of all pairs, the one that explains most."""
        alike = self._alike[self._row[:, None], self._row[None]][:, :, None]  # anchor, pair, axis
        known = self._shift / (self._shift + self._within)  # of the shift, by an anchor
        shift = alike * (known * self._apart)[:, None]
        left = self._shift * (1 - alike**2 * known[:, None])
        costs = self._costs(shift, left)
        alone = self._costs(np.zeros(2), self._shift)
        costs[self._row[:, None] == self._row[None]] = np.inf  # an anchor's row has the anchor
        others = np.minimum(np.minimum.reduceat(costs, self._starts, axis=1), _ALONE).sum(axis=1) - _ALONE
        totals = alone + others
        anchor = int(np.argmin(totals))
        if totals[anchor] >= len(self._starts) * _ALONE:
            return [None] * len(self._rows)
        costs[anchor, anchor] = -_CERTAIN
        return assign(self._by_row(costs[anchor]), _ALONE)

    def _from_others(self, chosen: Sequence[int | None]) -> Floats:
        """Costs of the pairs, the shift at each sighting told by the others' pairs (Gaussian process, left out one)."""
        used = np.array([chosen[row] == column for row, column in zip(self._row, self._column, strict=True)])
        rows = self._row[used]
        shift, left = np.zeros_like(self._apart), np.zeros_like(self._apart)
        for axis, variance in enumerate(self._shift):
            alike = variance * self._alike[np.ix_(rows, rows)]
            inverse = np.linalg.inv(alike + np.diag(self._within[used, axis]))
            told = self._apart[used, axis]
            weighed = inverse @ told
            cross = variance * self._alike[:, rows]
            mean = cross @ weighed
            rest = variance - np.einsum("ij,jk,ik->i", cross, inverse, cross)
            own = np.diag(inverse)
            mean[rows] = told - weighed / own
            rest[rows] = 1 / own - self._within[used, axis]
            shift[:, axis], left[:, axis] = mean[self._row], np.maximum(rest, 0.0)[self._row]
        return self._costs(shift, left)

    def _costs(self, shift: Floats, left: Floats) -> Floats:
        """Cost of each pair (last axis) when its shift is known but for a variance that is left."""
        variance = left + self._within
        far: Floats = ((self._apart - shift) ** 2 / variance + np.log(2 * np.pi * variance)).sum(axis=-1)
        return far + self._base

    def _by_row(self, costs: Floats) -> list[dict[int, float]]:
        found: list[dict[int, float]] = [{} for _ in self._rows]
        for row, column, cost in zip(self._row, self._column, costs.tolist(), strict=True):
            found[row][column] = cost
        return found
