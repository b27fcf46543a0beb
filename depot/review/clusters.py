# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Cases on the map: what would lie on top of each other at a zoom becomes one cluster. Pure.

The plane is Web Mercator's square, 0 to 1 both ways, y downwards. Clusters are the squares of a grid that lies still
in the world, and a square counts all its cases even where the window cuts it: so nothing jumps while one moves about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depot.review.filters import Bbox

#: Side of a square on the screen, and of the world at zoom 0 (as MapLibre counts it).
_SQUARE_PX = 64
_WORLD_PX = 512
MAX_FEATURES = 500
#: Nearer than this every case is shown by itself.
SINGLE_ZOOM = 19
_MAX_LATITUDE = 85.051128


@dataclass(frozen=True)
class Grid:
    """A grid of `2 ** depth` squares each way."""

    depth: int

    @classmethod
    def of(cls, zoom: float) -> Grid:
        """The grid for a zoom of the map."""
        return cls(max(0, math.floor(zoom)) + round(math.log2(_WORLD_PX / _SQUARE_PX)))

    @property
    def zoom(self) -> int:
        """The smallest whole zoom that this grid is for."""
        return self.depth - round(math.log2(_WORLD_PX / _SQUARE_PX))

    def around(self, area: Bbox) -> Bbox:
        """The box, grown to whole squares."""
        size = 2**self.depth
        x, y = mercator(np.array([area.west, area.east]), np.array([area.north, area.south]))
        west, north = math.floor(x[0] * size) / size, math.floor(y[0] * size) / size
        east, south = (math.floor(x[1] * size) + 1) / size, (math.floor(y[1] * size) + 1) / size
        return Bbox(
            max(west * 360 - 180, -180.0),
            max(_latitude(south), -90.0) if south < 1 else -90.0,
            min(east * 360 - 180, 180.0),
            _latitude(north) if north > 0 else 90.0,
        )

    def squares(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        """Which square each place is in, as one number."""
        size = 2**self.depth
        column = np.clip((x * size).astype(np.int64), 0, size - 1)
        row = np.clip((y * size).astype(np.int64), 0, size - 1)
        numbers: NDArray[np.int64] = row * size + column
        return numbers


@dataclass(frozen=True)
class Clusters:
    """Which cluster each case is in, and where. Arrays of clusters: shape (clusters,); `member`: (cases,)."""

    member: NDArray[np.int64]
    count: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    expand_zoom: NDArray[np.int64]


def mercator(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places on the plane."""
    clipped = np.radians(np.clip(lat, -_MAX_LATITUDE, _MAX_LATITUDE))
    return (lon + 180) / 360, (1 - np.arcsinh(np.tan(clipped)) / math.pi) / 2


def _latitude(y: float) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y))))


def cluster(lon: NDArray[np.float64], lat: NDArray[np.float64], grid: Grid) -> Clusters:
    """Put places together by the squares of a grid; by a coarser one where that gives too many.

    Args:
        lon: degrees, shape (cases,), none NaN.
        lat: degrees, likewise.
        grid: the finest one to use.
    """
    x, y = mercator(lon, lat)
    if grid.zoom >= SINGLE_ZOOM and len(lon) <= MAX_FEATURES:
        member = np.arange(len(lon))
        return Clusters(member, np.ones(len(lon), np.int64), lon, lat, np.full(len(lon), SINGLE_ZOOM))
    while True:
        squares, member, count = np.unique(grid.squares(x, y), return_inverse=True, return_counts=True)
        if len(squares) <= MAX_FEATURES or grid.depth == 0:
            break
        grid = Grid(grid.depth - 1)
    count = count.astype(np.int64)
    return Clusters(
        member,
        count,
        np.bincount(member, lon) / count,
        np.bincount(member, lat) / count,
        _expand_zoom(x, y, member, len(count), grid),
    )


def _expand_zoom(
    x: NDArray[np.float64], y: NDArray[np.float64], member: NDArray[np.int64], clusters: int, grid: Grid
) -> NDArray[np.int64]:
    """The zoom from which each cluster falls apart for certain: where its extent is wider than a square."""
    extent = np.zeros(clusters)
    for along in (x, y):
        least, most = np.full(clusters, np.inf), np.full(clusters, -np.inf)
        np.minimum.at(least, member, along)
        np.maximum.at(most, member, along)
        extent = np.maximum(extent, most - least)
    with np.errstate(divide="ignore"):
        depth = np.ceil(-np.log2(extent))
    zoom = np.where(np.isfinite(depth), depth - (grid.depth - grid.zoom), SINGLE_ZOOM)
    return np.clip(zoom, grid.zoom + 1, max(SINGLE_ZOOM, grid.zoom + 1)).astype(np.int64)
