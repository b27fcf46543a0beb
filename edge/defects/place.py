# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a track is: places that can be compared and joined.

Two kinds behind one interface: on a surface in metres (`surface_place.py`; camera calibrated, motion known) and, where
either is not known (a bare film), in pixels of the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

from edge.boxes import iou
from edge.types import Box

Surface = Literal["road", "lining"]

#: A look farther off is another place: 99 % of chi-squared with two degrees of freedom.
GATE = 9.2


class Place(Protocol):
    """Where a track is."""

    def cost(self, other: Place) -> float | None:
        """How far apart, 0 (same) to `GATE`; None where they cannot be the same."""

    def joined(self, other: Place) -> Place:
        """This place, improved by another look at it."""

    def kept(self) -> Place:
        """A first look as the place of a track."""

    def overlap(self, other: Place) -> float:
        """Intersection over union of the two rectangles, 0 to 1."""


@dataclass(frozen=True)
class PixelPlace:
    """A box in the picture; `width` is the picture's width in pixels."""

    box: Box
    width: int

    def cost(self, other: Place) -> float | None:
        """By 1 - overlap; boxes that do not overlap must be near each other for their size."""
        if not isinstance(other, PixelPlace):
            return None
        overlap = iou(self.box, other.box)
        if overlap > 0.1:
            return GATE * 0.5 * (1 - overlap)
        (ax, ay, ad), (bx, by, bd) = _centre(self.box), _centre(other.box)
        apart = math.hypot(ax - bx, ay - by) / max(ad, bd, 0.02 * self.width)
        return GATE * (0.5 + 0.5 * apart) if apart <= 1 else None

    def kept(self) -> PixelPlace:
        """As it is."""
        return self

    def joined(self, other: Place) -> Place:
        """The newest look: in a moving picture older boxes say nothing."""
        return other

    def overlap(self, other: Place) -> float:  # noqa: ARG002 - the interface
        """None: without motion a place in the picture is no place in the world."""
        return 0.0


def _centre(box: Box) -> tuple[float, float, float]:
    x1, y1, x2, y2 = box
    return (x1 + x2) / 2, (y1 + y2) / 2, math.hypot(x2 - x1, y2 - y1)
