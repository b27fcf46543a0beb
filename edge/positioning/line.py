# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A known line: the axis of a track or a road with its chainage, tunnels and landmarks. Pure geometry.

The chainage belongs to the points: it need not be the length of the polyline, and never quite is. Between two points
it is interpolated; so is the heading, so that it does not jump where one piece of the polyline meets the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.geometry import metres_per_degree

Floats: TypeAlias = NDArray[np.floating[Any]]
LonLat: TypeAlias = tuple[float, float]
LandmarkKind: TypeAlias = Literal["station", "portal", "tag"]

#: A vehicle runs along the line or against it, not across: the largest angle between both, degrees.
_ALONG_DEG = 60.0


@dataclass(frozen=True)
class LineLandmark:
    """A known point of a line. `error_m`: one standard deviation along the line, where the file says."""

    name: str
    chainage_m: float
    kind: LandmarkKind
    error_m: float | None = None


@dataclass(frozen=True)
class LinePoint:
    """A point of the axis; the heading is that of growing chainage, degrees clockwise from north."""

    lon: float
    lat: float
    heading_deg: float


@dataclass(frozen=True)
class Beside:
    """Where on the line a place lies.

    `offset_m`: to the left of the axis (seen with growing chainage); `gap_m`: distance from the axis, more than the
    offset beyond an end of the line. `heading_deg`: of the axis there.
    """

    chainage_m: float
    offset_m: float
    gap_m: float
    heading_deg: float


@dataclass(frozen=True)
class Line:
    """One axis. `points` (lon, lat) and `chainages` (growing) are as many; `tunnels`: stretches (from_m, to_m)."""

    name: str
    points: tuple[LonLat, ...]
    chainages: tuple[float, ...]
    track: str | None = None
    tunnels: tuple[tuple[float, float], ...] = ()
    landmarks: tuple[LineLandmark, ...] = ()

    def __post_init__(self) -> None:
        if len(self.points) != len(self.chainages) or len(self.points) < 2:
            raise ValueError("a line needs two points and as many chainages as points")

    @property
    def start_m(self) -> float:
        """The first point's chainage."""
        return self.chainages[0]

    @property
    def end_m(self) -> float:
        """The last point's chainage."""
        return self.chainages[-1]

    @cached_property
    def portals(self) -> tuple[float, ...]:
        """Chainages where a tunnel begins or ends."""
        ends = {chainage for tunnel in self.tunnels for chainage in tunnel}
        marked = {landmark.chainage_m for landmark in self.landmarks if landmark.kind == "portal"}
        return tuple(sorted(c for c in ends | marked if self.start_m < c < self.end_m))

    def in_tunnel(self, chainage_m: float) -> bool:
        """Whether the line is in a tunnel there."""
        return any(start <= chainage_m <= end for start, end in self.tunnels)

    def landmark(self, name: str) -> LineLandmark | None:
        """The landmark of that name."""
        return next((landmark for landmark in self.landmarks if landmark.name == name), None)

    def place_at(self, chainage_m: float) -> LinePoint:
        """The point of the axis at a chainage; beyond an end of the line that end."""
        lon, lat, heading = (float(np.interp(chainage_m, self._chainages, row)) for row in self._rows)
        return LinePoint(lon, lat, _degrees(heading))

    def nearest(
        self,
        lon: float,
        lat: float,
        heading_deg: float | None = None,
        *,
        within: tuple[float, float] | None = None,
    ) -> Beside | None:
        """The point of the axis nearest to a place.

        Args:
            lon: degrees.
            lat: degrees.
            heading_deg: which way the vehicle faces; only stretches that run that way, or against it, count.
            within: only this stretch of chainage counts; the ends of a line that lie in it go on as they are.

        Returns:
            None where no stretch runs that way.
        """
        first, last = 0, len(self.points) - 1
        if within is not None:
            first = max(0, int(np.searchsorted(self._chainages, within[0], "right")) - 1)
            last = min(last, max(first + 1, int(np.searchsorted(self._chainages, within[1]))))
            first = min(first, last - 1)
        # Flat around the place itself: exact where it matters, however long the line is.
        scale = np.array(metres_per_degree(lat))
        corners = (self._rows[:2, first : last + 1].T - (lon, lat)) * scale
        steps = np.diff(corners, axis=0)
        shares = np.clip(-np.sum(corners[:-1] * steps, axis=1) / np.sum(steps**2, axis=1), 0.0, 1.0)
        feet = corners[:-1] + shares[:, None] * steps
        gaps = np.hypot(feet[:, 0], feet[:, 1])
        if heading_deg is not None:
            turns = np.radians(heading_deg) - np.arctan2(steps[:, 0], steps[:, 1])
            gaps = np.where(np.abs(np.cos(turns)) >= math.cos(math.radians(_ALONG_DEG)), gaps, np.inf)
        at = int(np.argmin(gaps))
        if not math.isfinite(gaps[at]):
            return None
        ahead, length = -feet[at], math.hypot(*steps[at])
        before, after = self._chainages[first + at : first + at + 2]
        chainage = float(before + shares[at] * (after - before))
        offset = (steps[at][0] * ahead[1] - steps[at][1] * ahead[0]) / length
        return Beside(chainage, float(offset), float(gaps[at]), self.place_at(chainage).heading_deg)

    def is_near(self, lon: float, lat: float, margin_m: float) -> bool:
        """Whether a place lies in the line's bounding box with a margin: a quick test before `nearest`."""
        margin = margin_m / np.array(metres_per_degree(lat))
        low, high = self._bounds
        return bool(np.all(low - margin <= (lon, lat)) and np.all((lon, lat) <= high + margin))

    @cached_property
    def _chainages(self) -> Floats:
        return np.array(self.chainages)

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        points = np.array(self.points)
        return points.min(axis=0), points.max(axis=0)

    @cached_property
    def _rows(self) -> Floats:
        """3 x n: longitude, latitude, heading in radians without jumps."""
        return np.vstack([np.array(self.points).T, tangents(self.points)[1]])


def steps_m(points: tuple[LonLat, ...] | list[LonLat]) -> Floats:
    """(n - 1) x 2: metres east and north from each point to the next, flat at the middle of both."""
    corners = np.array(points, dtype=float)
    middles = (corners[:-1, 1] + corners[1:, 1]) / 2
    steps: Floats = np.diff(corners, axis=0) * np.array([metres_per_degree(lat) for lat in middles.tolist()])
    return steps


def tangents(points: tuple[LonLat, ...] | list[LonLat]) -> tuple[Floats, Floats]:
    """Headings of the n - 1 pieces and of the axis at the n points: radians clockwise from north, without jumps.

    At a point the axis leans towards the longer piece, by the ratio of the lengths: on a circle with even pieces that
    is its tangent, and a long straight stays straight where a bend begins.
    """
    steps = steps_m(points)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    pieces = np.unwrap(np.arctan2(steps[:, 0], steps[:, 1]))
    inner = (pieces[:-1] * lengths[:-1] + pieces[1:] * lengths[1:]) / (lengths[:-1] + lengths[1:])
    return pieces, np.concatenate([pieces[:1], inner, pieces[-1:]])


def _degrees(heading: float) -> float:
    degrees = math.degrees(heading) % 360
    return degrees if degrees < 360 else 0.0
