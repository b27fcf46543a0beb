# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Does a defect grow? A straight line through its sizes over time, weighted by their stated errors, and a test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from depot.cases.records import Trend

#: Fewer say nothing.
_MIN_SIZES = 4
_MIN_DAYS = 7.0
#: Two-sided 1 % of a normal distribution.
_SIGNIFICANT = 2.576
#: A change that matters, as a share of the size.
_MIN_CHANGE = 0.1
#: No size is better known than this, metres: a picture's share of mud, light and angle that no error states.
_FLOOR_M = 0.03


@dataclass(frozen=True)
class Measured:
    """A size at a time: the root of length times width, with one standard deviation; both in metres."""

    day: float
    size_m: float
    error_m: float


def trend(sizes: Sequence[Measured]) -> Trend | None:
    """Growing or shrinking where the slope differs from 0 with p < 0.01 and the change is a tenth at least.

    None: fewer than four sizes, or all within a week. Where the sizes scatter more than their errors allow, the slope's
    error is widened by as much (Birge ratio), so that a poor measurement is never a trend.
    """
    if len(sizes) < _MIN_SIZES:
        return None
    span = max(s.day for s in sizes) - min(s.day for s in sizes)
    if span < _MIN_DAYS:
        return None
    weights = [1 / max(s.error_m, _FLOOR_M) ** 2 for s in sizes]
    total = sum(weights)
    day = sum(w * s.day for w, s in zip(weights, sizes, strict=True)) / total
    size = sum(w * s.size_m for w, s in zip(weights, sizes, strict=True)) / total
    spread = sum(w * (s.day - day) ** 2 for w, s in zip(weights, sizes, strict=True))
    if spread <= 0:
        return None
    slope = sum(w * (s.day - day) * (s.size_m - size) for w, s in zip(weights, sizes, strict=True)) / spread
    left = sum(w * (s.size_m - size - slope * (s.day - day)) ** 2 for w, s in zip(weights, sizes, strict=True))
    error = math.sqrt(max(1.0, left / (len(sizes) - 2)) / spread)
    if abs(slope) < _SIGNIFICANT * error or abs(slope) * span < _MIN_CHANGE * size:
        return "steady"
    return "growing" if slope > 0 else "shrinking"
