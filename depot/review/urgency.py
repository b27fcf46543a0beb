# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Rule `wegewart-urgency-1`: which case a clerk should look at first. It knows no clock, so an order stays.

1. What waits for a decision comes first (new, reopened), then what waits for an order (confirmed), for the crew
   (ordered), and last what is closed (repaired, rejected).
2. Within that, points: 10 a grade (no grade counts as 2), 5 where it grows, 3 less where it shrinks, 6 on a main
   road and 3 on a collecting one, 4 where a citizen reported it, 2 where three vehicles or more have seen it.
3. Of the same points the one that was seen first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depot.cases.records import State

RULE = "wegewart-urgency-1"

TURN: dict[State, int] = {
    "new": 0,
    "reopened": 0,
    "confirmed": 1,
    "ordered": 2,
    "repaired": 3,
    "rejected": 3,
    "merged": 4,
}
TREND = {"growing": 5, "shrinking": -3}
#: By OpenStreetMap's names of classes.
ROAD_CLASS = {
    "motorway": 6,
    "trunk": 6,
    "primary": 6,
    "secondary": 6,
    "tertiary": 3,
}
UNGRADED = 2
_REPORTED = 4
_MANY_VEHICLES = 2
#: More than any sum of points, and more seconds than until the year 2242: one number holds turn, points and age.
_POINTS = 128
_SECONDS = float(2**33)


def keys(
    *,
    turn: NDArray[np.int64],
    grade: NDArray[np.int64],
    trend_points: NDArray[np.int64],
    road_points: NDArray[np.int64],
    reported: NDArray[np.bool_],
    vehicles: NDArray[np.int64],
    first_seen_s: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Numbers to sort by, the most urgent first. All arrays have one element a case.

    Args:
        turn: from `TURN`.
        grade: 1 to 5; 0: none.
        trend_points: from `TREND`.
        road_points: from `ROAD_CLASS`.
        reported: whether a citizen reported it.
        vehicles: how many have seen it.
        first_seen_s: seconds since 1970; NaN where it is not known: after all others.
    """
    points = (
        10 * np.where(grade == 0, UNGRADED, grade)
        + trend_points
        + road_points
        + _REPORTED * reported
        + _MANY_VEHICLES * (vehicles >= 3)
    )
    age = np.clip(np.nan_to_num(first_seen_s, nan=_SECONDS - 1), 0, _SECONDS - 1)
    ordered: NDArray[np.float64] = (turn * _POINTS + (_POINTS - 1 - points)) * _SECONDS + age
    return ordered
