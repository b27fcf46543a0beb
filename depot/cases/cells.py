# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Squares of the ground of about 30 m and pieces of 50 m of a line, by name: what is near is in few of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from depot.cases.plane import METRES_PER_DEGREE

_LAT_STEP = 0.0003
_LON_STEP = 0.0004
_LINE_STEP_M = 50.0
#: Longer ones are a vehicle's mistake.
LONGEST_LEG_M, _LONGEST_M = 1000.0, 20_000.0
#: Beyond it longitudes crowd together; no street is there.
_MAX_LAT = 85.0


def cells_of(lon: float | None, lat: float | None, line: str | None, chainage_m: float | None) -> list[str]:
    """The cells that a place lies in: one of the ground, one of a line, or both, or none."""
    found = []
    if lon is not None and lat is not None:
        found.append(_ground(math.floor(lon / _LON_STEP), math.floor(lat / _LAT_STEP)))
    if line is not None and chainage_m is not None:
        found.append(_piece(line, math.floor(chainage_m / _LINE_STEP_M)))
    return found


def around(lon: float, lat: float, radius_m: float) -> Iterator[str]:
    """The cells of the ground within a square about a place."""
    high = radius_m / METRES_PER_DEGREE
    wide = high / math.cos(math.radians(min(abs(lat), _MAX_LAT)))
    for column in range(math.floor((lon - wide) / _LON_STEP), math.floor((lon + wide) / _LON_STEP) + 1):
        for row in range(math.floor((lat - high) / _LAT_STEP), math.floor((lat + high) / _LAT_STEP) + 1):
            yield _ground(column, row)


def along(line: str, from_m: float, to_m: float) -> Iterator[str]:
    """The pieces of a line between two chainages; none where that is no stretch that anyone drives at once."""
    if to_m - from_m > _LONGEST_M:
        return
    for piece in range(math.floor(from_m / _LINE_STEP_M), math.floor(to_m / _LINE_STEP_M) + 1):
        yield _piece(line, piece)


def beside(path: Sequence[tuple[float, float]], radius_m: float) -> set[str]:
    """The cells of the ground near a path of (lon, lat); a leg longer than `LONGEST_LEG_M` is a gap."""
    found: set[str] = set()
    for index, (lon, lat) in enumerate(path):
        found.update(around(lon, lat, radius_m))
        before = path[max(index - 1, 0)]
        steps = math.ceil(max(abs(lon - before[0]) / _LON_STEP, abs(lat - before[1]) / _LAT_STEP))
        if steps * _LAT_STEP * METRES_PER_DEGREE <= LONGEST_LEG_M:
            for step in range(1, steps):
                share = step / steps
                at = before[0] + (lon - before[0]) * share, before[1] + (lat - before[1]) * share
                found.update(around(*at, radius_m))
    return found


def _ground(column: int, row: int) -> str:
    return f"g{column}:{row}"


def _piece(line: str, piece: int) -> str:
    return f"l{piece}:{line}"
