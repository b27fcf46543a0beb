# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How far the body nodded in one frame, from where the known defects appear in it.

A nod moves all boxes of a frame along their lines of sight at once, by far the most those far ahead. So before looks
are paired with tracks, one number is estimated: the nod n in standard deviations of its usual size, with the prior
n ~ N(0, 1). Each look-track pair costs (d - n s)' S^-1 (d - n s), a parabola in n; the n with the least sum of every
look's cheapest pair (or of a look that stays alone) is searched on a grid, then refined by least squares over the
pairs that were made. Robust by that sum's bound, as an M-estimator is (Huber, Robust Statistics, 1981).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.defects.place import GATE, Place
from edge.defects.surface_place import Matrix, SurfacePlace

_GRID = np.linspace(-3.5, 3.5, 29)
#: A crack longer than this is seen in parts and says nothing about where along it we look, metres.
_POINT_M = 0.6


@dataclass(frozen=True)
class Nod:
    """The estimate and its standard deviation, both in standard deviations of the body's usual nodding."""

    value: float = 0.0
    sigma: float = 1.0


@dataclass(frozen=True, eq=False)
class _Parabola:
    """Costs of all pairs: `a - 2 b n + c n^2`, looks x tracks; `a` is inf where a pair cannot be."""

    a: Matrix
    b: Matrix
    c: Matrix

    def at(self, n: float) -> Matrix:
        cost: Matrix = self.a - 2 * self.b * n + self.c * n * n
        return cost


def guess(tracks: Sequence[tuple[str, Place]], looks: Sequence[tuple[str, Place]]) -> Nod:
    """The nod of the least total cost, before anything is paired."""
    pairs = _parabola(tracks, looks)
    if not np.isfinite(pairs.a).any():
        return Nod()
    costs = [n * n + float(np.minimum(pairs.at(n).min(axis=1), GATE).sum()) for n in _GRID]
    return Nod(float(_GRID[int(np.argmin(costs))]), 0.5)


def refine(tracks: Sequence[tuple[str, Place]], looks: Sequence[tuple[str, Place]], pairs: dict[int, int]) -> Nod:
    """The nod by least squares over the pairs (look -> track), with its prior."""
    weight, pull = 1.0, 0.0
    for look, track in pairs.items():
        seen, place = looks[look][1], tracks[track][1]
        if isinstance(seen, SurfacePlace) and isinstance(place, SurfacePlace) and _votes(seen, place):
            _, b, c = _costs(place, seen)
            weight, pull = weight + c, pull + b
    return Nod(pull / weight, 1 / math.sqrt(weight))


def _votes(look: SurfacePlace, track: SurfacePlace) -> bool:
    nod_m = float(np.abs(look.nod).max())
    if look.surface != track.surface or nod_m == 0 or not track.is_near(look, _GRID[-1] * nod_m):
        return False
    return not look.grows or max(look.half_length_m, track.half_length_m) <= _POINT_M / 2


def _costs(place: SurfacePlace, look: SurfacePlace) -> tuple[float, float, float]:
    off, spread = place.innovation(look)
    weight = np.linalg.inv(spread)
    return float(off @ weight @ off), float(look.nod @ weight @ off), float(look.nod @ weight @ look.nod)


def _parabola(tracks: Sequence[tuple[str, Place]], looks: Sequence[tuple[str, Place]]) -> _Parabola:
    shape = (len(looks), max(len(tracks), 1))
    a, b, c = np.full(shape, np.inf), np.zeros(shape), np.zeros(shape)
    for row, (look_family, look) in enumerate(looks):
        for column, (family, place) in enumerate(tracks):
            if family != look_family or not isinstance(look, SurfacePlace) or not isinstance(place, SurfacePlace):
                continue
            if _votes(look, place):
                a[row, column], b[row, column], c[row, column] = _costs(place, look)
    return _Parabola(a, b, c)
