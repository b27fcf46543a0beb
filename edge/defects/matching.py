# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which detection belongs to which track: places that can be compared and joined, and the pairing.

Two kinds of place behind one interface: on the road in metres (camera calibrated, motion known) and, where
neither is known (a bare film), in pixels of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from edge.defects.footprint import Footprint
from edge.types import Box, Detection

_CRACKS = frozenset({"crack", "longitudinal_crack", "transverse_crack", "alligator_crack"})
#: Standard deviations within which two looks are the same place.
_GATE_SIGMAS = 2.0
#: However coarse the looks: two potholes three metres apart stay two.
_MAX_GATE_M = 2.0
#: A crack's rectangle never grows beyond this: a crack that long is a section's condition, not one repair.
_MAX_CRACK_M = 60.0
#: Boxes of different families that overlap more are one thing with two names.
_SAME_BOX = 0.6

P = TypeVar("P", bound="Place")


def family(label: str) -> str:
    """Classes that a detector confuses with each other share a family and may share a track."""
    return "crack" if label in _CRACKS else label


class Place(Protocol):
    """Where a track is."""

    def cost(self, other: Place) -> float | None:
        """How far apart, 0 (same) to 1 (just possible); None where they cannot be the same."""

    def joined(self, other: Place) -> Place:
        """This place, improved by another look at it."""

    def is_same(self, other: Place) -> bool:
        """Whether two finished tracks of a family lie within each other's error."""

    def overlap(self, other: Place) -> float:
        """Intersection over union of the two rectangles, 0 to 1; asked across families."""


@dataclass(frozen=True)
class RoadPlace:
    """A rectangle in the odometry frame, metres, with the error of its centre."""

    x_m: float
    y_m: float
    half_length_m: float
    half_width_m: float
    error_m: float
    slack_m: float
    grows: bool

    @classmethod
    def of(cls, footprint: Footprint, *, slack_m: float, grows: bool) -> RoadPlace:
        """The place of one look, given in the odometry frame."""
        error = math.hypot(footprint.range_error_m, footprint.cross_error_m)
        return cls(
            footprint.x_m,
            footprint.y_m,
            footprint.half_length_m,
            footprint.half_width_m,
            error,
            slack_m,
            grows,
        )

    def _gate_m(self, other: RoadPlace) -> float:
        return min(self.slack_m + _GATE_SIGMAS * math.hypot(self.error_m, other.error_m), _MAX_GATE_M)

    def _gap_m(self, other: RoadPlace) -> float:
        """Distance between the two rectangles' edges (cracks) or between centres (all else)."""
        dx, dy = abs(self.x_m - other.x_m), abs(self.y_m - other.y_m)
        if self.grows and other.grows:
            dx = max(dx - self.half_length_m - other.half_length_m, 0.0)
            dy = max(dy - self.half_width_m - other.half_width_m, 0.0)
        return math.hypot(dx, dy)

    def cost(self, other: Place) -> float | None:
        """Gap by gate; for rectangles that overlap, distance of centres breaks the tie."""
        if not isinstance(other, RoadPlace):
            return None
        gate = self._gate_m(other)
        gap = self._gap_m(other)
        if gap > gate:
            return None
        centres = math.hypot(self.x_m - other.x_m, self.y_m - other.y_m)
        return 0.9 * gap / gate + 0.1 * centres / (centres + 1.0)

    def joined(self, other: Place) -> RoadPlace:
        """Mean weighted by the inverse variances; a crack's rectangle also grows."""
        if not isinstance(other, RoadPlace):
            return self
        own, new = 1 / max(self.error_m, 0.05) ** 2, 1 / max(other.error_m, 0.05) ** 2
        share = new / (own + new)
        # Errors of successive looks are not independent (same calibration): never below a third of one look.
        error = max(math.sqrt(1 / (own + new)), other.error_m / 3)
        if self.grows and other.grows:
            grown = self._grown(other, share)
            if max(grown.half_length_m, grown.half_width_m) <= _MAX_CRACK_M / 2:
                return replace(grown, error_m=error)
        return RoadPlace(
            self.x_m + share * (other.x_m - self.x_m),
            self.y_m + share * (other.y_m - self.y_m),
            self.half_length_m + share * (other.half_length_m - self.half_length_m),
            self.half_width_m + share * (other.half_width_m - self.half_width_m),
            error,
            self.slack_m,
            self.grows,
        )

    def _grown(self, other: RoadPlace, share: float) -> RoadPlace:
        """Each edge: the weighted mean where both looks mean the same end, else the outer of the two."""
        reach = self.slack_m + math.hypot(self.error_m, other.error_m)

        def edge(own: float, seen: float, outward: float) -> float:
            if abs(seen - own) <= reach:
                return own + share * (seen - own)
            return max(own * outward, seen * outward) * outward

        x1 = edge(self.x_m - self.half_length_m, other.x_m - other.half_length_m, -1.0)
        x2 = edge(self.x_m + self.half_length_m, other.x_m + other.half_length_m, 1.0)
        y1 = edge(self.y_m - self.half_width_m, other.y_m - other.half_width_m, -1.0)
        y2 = edge(self.y_m + self.half_width_m, other.y_m + other.half_width_m, 1.0)
        return replace(
            self, x_m=(x1 + x2) / 2, y_m=(y1 + y2) / 2, half_length_m=(x2 - x1) / 2, half_width_m=(y2 - y1) / 2
        )

    def is_same(self, other: Place) -> bool:
        """Centres (cracks: rectangles) within the slack and one standard deviation of each."""
        if not isinstance(other, RoadPlace):
            return False
        return self._gap_m(other) <= self.slack_m + math.hypot(self.error_m, other.error_m)

    def overlap(self, other: Place) -> float:
        """Of the rectangles on the road."""
        return iou(self.rectangle(), other.rectangle()) if isinstance(other, RoadPlace) else 0.0

    def rectangle(self) -> Box:
        """x1, y1, x2, y2 in the odometry frame."""
        return (
            self.x_m - self.half_length_m,
            self.y_m - self.half_width_m,
            self.x_m + self.half_length_m,
            self.y_m + self.half_width_m,
        )


@dataclass(frozen=True)
class PixelPlace:
    """A box in the picture; `width` is the picture's width in pixels."""

    box: Box
    width: int

    def cost(self, other: Place) -> float | None:
        """1 - overlap; boxes that do not overlap must be near each other for their size."""
        if not isinstance(other, PixelPlace):
            return None
        overlap = iou(self.box, other.box)
        if overlap > 0.1:
            return 0.5 * (1 - overlap)
        (ax, ay, ad), (bx, by, bd) = _centre(self.box), _centre(other.box)
        apart = math.hypot(ax - bx, ay - by) / max(ad, bd, 0.02 * self.width)
        return 0.5 + 0.5 * apart if apart <= 1 else None

    def joined(self, other: Place) -> Place:
        """The newest look: in a moving picture older boxes say nothing."""
        return other

    def is_same(self, other: Place) -> bool:  # noqa: ARG002 - the interface
        """Never: without motion a place in the picture is no place in the world."""
        return False

    def overlap(self, other: Place) -> float:  # noqa: ARG002 - the interface
        """None, for the same reason."""
        return 0.0


def _centre(box: Box) -> tuple[float, float, float]:
    x1, y1, x2, y2 = box
    return (x1 + x2) / 2, (y1 + y2) / 2, math.hypot(x2 - x1, y2 - y1)


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    inter = width * height
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


def one_per_place(detections: Sequence[Detection]) -> list[Detection]:
    """Of detections of different families on nearly the same box, the surest: one place has one defect.

    A pothole inside a large crack stays: its box is much smaller.
    """
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: -d.score):
        kind = family(detection.label)
        if all(family(k.label) == kind or iou(k.box, detection.box) < _SAME_BOX for k in kept):
            kept.append(detection)
    return kept


def pair(tracks: Sequence[tuple[str, Place]], looks: Sequence[tuple[str, Place]]) -> dict[int, int]:
    """Pair looks with tracks of the same family, cheapest first; returns look index -> track index.

    Greedy, not optimal: with gates this tight the optimal assignment differs in no case we know.
    """
    candidates = [
        (cost, look, track)
        for look, (look_family, look_place) in enumerate(looks)
        for track, (track_family, track_place) in enumerate(tracks)
        if look_family == track_family and (cost := track_place.cost(look_place)) is not None
    ]
    matched: dict[int, int] = {}
    taken: set[int] = set()
    for _, look, track in sorted(candidates):
        if look not in matched and track not in taken:
            matched[look] = track
            taken.add(track)
    return matched
