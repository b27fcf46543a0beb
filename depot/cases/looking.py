# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a stretch that a vehicle looked at shows the place of a case. Pure."""

from __future__ import annotations

import math
from itertools import pairwise

from depot.cases.cells import LONGEST_LEG_M
from depot.cases.plane import east_north_m, turn_deg
from depot.cases.records import Case
from messages.types import Coverage

#: So far beside the path a defect is seen for certain, metres: the own lane.
BESIDE_M = 3.0
#: From across or against it another picture shows: that it was not seen then says nothing.
_TURN_DEG = 60.0


def looked_at(coverage: Coverage, case: Case) -> bool:
    """Whether the stretch passes the case on its surface, in its direction, near enough to have seen it."""
    if not coverage.valid or coverage.surface != case.surface:
        return False
    if coverage.line is not None and case.line is not None:
        return _on_line(coverage, case)
    if case.surface == "lining" or case.lon is None or case.lat is None:
        return False
    return _beside(coverage.path, case)


def _on_line(coverage: Coverage, case: Case) -> bool:
    span = coverage.line
    if span is None or span.line != case.line or case.chainage_m is None:
        return False
    if span.track is not None and case.track is not None and span.track != case.track:
        return False
    # Near an end nobody knows whether it was still in view.
    margin = span.error_m + (case.chainage_error_m or 0.0)
    low, high = sorted((span.from_m, span.to_m))
    return low + margin <= case.chainage_m <= high - margin


def _beside(path: tuple[tuple[float, float], ...], case: Case) -> bool:
    assert case.lon is not None
    assert case.lat is not None
    corners = [east_north_m(lon, lat, case.lon, case.lat) for lon, lat in path]
    for (x0, y0), (x1, y1) in pairwise(corners):
        dx, dy = x1 - x0, y1 - y0
        length = math.hypot(dx, dy)
        if length == 0 or length > LONGEST_LEG_M:
            continue
        share = -(x0 * dx + y0 * dy) / length**2
        aside = abs(x0 * dy - y0 * dx) / length
        heading = math.degrees(math.atan2(dx, dy)) % 360
        fits = case.heading_deg is None or turn_deg(heading, case.heading_deg) <= _TURN_DEG
        if 0 <= share <= 1 and aside <= BESIDE_M and fits:
            return True
    return False
