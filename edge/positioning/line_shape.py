# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From the points of a file to the shape of an axis: bends made round, chainage fitted, crossings found.

Points of a map lie on the axis and its chords cut the corners: at 30 m radius and 10 m between points by 0.4 m. A cubic
curve (Hermite) through the points with the axis' headings at both ends takes most of that away.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge.geometry import metres_per_degree
from edge.positioning.line import steps_m, tangents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.positioning.line import Floats, LonLat

#: A bend is followed to within this, metres.
_ROUND_M = 0.02
_MOST_PIECES = 16
#: What turns more at one point is a corner, not a bend.
_CORNER = math.radians(45)
#: Segments that are tested against each other at once.
_CHUNK = 32


def rounded(points: Sequence[LonLat]) -> tuple[list[LonLat], list[int]]:
    """The points with more between them where the axis bends, and where among those each given point is."""
    pieces, headings = tangents(list(points))
    steps = steps_m(list(points))
    corners = np.abs(np.diff(pieces)) > _CORNER
    shape, given = [points[0]], [0]
    for i, (step, piece) in enumerate(zip(steps, pieces, strict=True)):
        leave = piece if i > 0 and corners[i - 1] else headings[i]
        arrive = piece if i < len(corners) and corners[i] else headings[i + 1]
        length = math.hypot(*step)
        # A cubic that leaves its chord by an angle bulges by 4/27 of length times angle.
        bulge = max(abs(leave - piece), abs(arrive - piece)) * length * 4 / 27
        count = min(_MOST_PIECES, math.ceil(math.sqrt(bulge / _ROUND_M)))
        scale = metres_per_degree((points[i][1] + points[i + 1][1]) / 2)
        for u in (np.arange(1, count) / count).tolist():
            out, into = u * (1 - u) ** 2 * length, u * u * (u - 1) * length
            along = u * u * (3 - 2 * u)
            east = along * step[0] + out * math.sin(leave) + into * math.sin(arrive)
            north = along * step[1] + out * math.cos(leave) + into * math.cos(arrive)
            shape.append((points[i][0] + float(east) / scale[0], points[i][1] + float(north) / scale[1]))
        shape.append(points[i + 1])
        given.append(len(shape) - 1)
    return shape, given


def running_m(points: Sequence[LonLat]) -> list[float]:
    """Metres from the first point to each, along the polyline."""
    steps = steps_m(list(points))
    return [0.0, *np.cumsum(np.hypot(steps[:, 0], steps[:, 1])).tolist()]


def fitted(metres: Sequence[float], anchors: Sequence[tuple[float, float]]) -> list[float]:
    """Chainages of points: piecewise linear between anchors (metres along the polyline, chainage), 1:1 beyond them."""
    at, chainage = (np.array(column) for column in zip(*anchors, strict=True))
    run = np.array(metres)
    inside = np.interp(run, at, chainage)
    fit: list[float] = (inside + np.minimum(0.0, run - at[0]) + np.maximum(0.0, run - at[-1])).tolist()
    return fit


def crossing(points: Sequence[LonLat]) -> tuple[int, int] | None:
    """Two pieces (each by the index of its first point) that touch or cross though neither follows the other."""
    corners = np.array(points) * metres_per_degree(points[0][1])
    corners -= corners[0]
    low, high = np.minimum(corners[:-1], corners[1:]), np.maximum(corners[:-1], corners[1:])
    starts = np.arange(0, len(low), _CHUNK)
    chunk_low, chunk_high = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
    for i, start in enumerate(starts.tolist()):
        meets = np.all((chunk_low[i:] <= chunk_high[i]) & (chunk_high[i:] >= chunk_low[i]), axis=1)
        for j in (np.flatnonzero(meets) + i).tolist():
            a = np.arange(start, min(start + _CHUNK, len(low)))
            b = np.arange(starts[j], min(starts[j] + _CHUNK, len(low)))
            first, second = (grid.ravel() for grid in np.meshgrid(a, b, indexing="ij"))
            apart = second > first + 1
            first, second = first[apart], second[apart]
            near = np.all((low[first] <= high[second]) & (high[first] >= low[second]), axis=1)
            first, second = first[near], second[near]
            cut = _cross(corners, first, second) & _cross(corners, second, first)
            if cut.any():
                at = int(np.argmax(cut))
                return int(first[at]), int(second[at])
    return None


def _cross(corners: Floats, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether the ends of the second pieces lie on both sides of (or on) the straight through the first."""
    start, way = corners[first], corners[first + 1] - corners[first]
    sides = []
    for end in (corners[second], corners[second + 1]):
        to_end = end - start
        sides.append(way[:, 0] * to_end[:, 1] - way[:, 1] * to_end[:, 0])
    result: NDArray[np.bool_] = sides[0] * sides[1] <= 0
    return result
