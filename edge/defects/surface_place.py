# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A place on the road or the lining in metres.

Its errors have directions: along the line of sight they grow with the square of the distance, across it in proportion.
So distances are Mahalanobis distances, and looks are joined by a Kalman update of a point at rest (Bar-Shalom, Li,
Kirubarajan, Estimation with Applications to Tracking and Navigation, ch. 3 and 5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.boxes import iou
from edge.defects.footprint import Footprint
from edge.defects.place import GATE, Place, Surface
from edge.types import Box

Matrix = NDArray[np.float64]

#: However coarse the looks, metres.
_MAX_GATE_M = 3.0
#: A body nods about once a second, so looks 0.2 s apart nod nearly alike: the variance of the mean of n looks is about
#: this many times that of n independent ones, (1 + r) / (1 - r) with r = 0.5 from one to the next (Bartlett 1946).
_NODS_ALIKE = 3.0
#: A crack's rectangle never grows beyond this: a crack that long is a section's condition, not one repair.
_MAX_CRACK_M = 60.0
#: Of cracks whose rectangles touch, what is not alike at all costs as much as a gap of so many standard deviations
#: squared: it settles which of two crossing ones a look is of.
_UNLIKE = 4.0


@dataclass(frozen=True, eq=False)
class SurfacePlace:
    """A rectangle in the frame that its surface is tracked in, metres; its sides run along `yaw_deg` and across it.

    `spread`: covariance of the centre; `nod`: a look's footprint's, zero for a track; `systematic`: what more looks do
    not better. `slack_m`: one standard deviation of what is not modelled. `grows`: seen in parts (a crack).
    `cut`: of a look, that it goes on outside of the picture.
    """

    x_m: float
    y_m: float
    half_length_m: float
    half_width_m: float
    yaw_deg: float
    spread: Matrix
    nod: Matrix
    systematic: Matrix
    slack_m: float
    grows: bool = False
    surface: Surface = "road"
    cut: bool = False

    @classmethod
    def of(
        cls, footprint: Footprint, *, slack_m: float, grows: bool = False, surface: Surface = "road"
    ) -> SurfacePlace:
        """The place of one look, whose footprint is given in the frame of the surface.

        The middle of what is cut is not that of the defect (a crack is seen in parts anyhow).
        """
        spread = footprint.spread
        if footprint.cut and not grows:
            turn = _turn(footprint.yaw_deg)
            spread = spread + turn @ np.diag([footprint.half_length_m**2, footprint.half_width_m**2]) @ turn.T
        return cls(
            footprint.x_m,
            footprint.y_m,
            footprint.half_length_m,
            footprint.half_width_m,
            footprint.yaw_deg,
            spread,
            footprint.nod,
            footprint.systematic,
            slack_m,
            grows,
            surface,
            footprint.cut,
        )

    @property
    def error_m(self) -> float:
        """One standard deviation of the centre in its worst direction."""
        return math.sqrt(float(np.linalg.eigvalsh(self.spread + self.systematic)[-1]))

    def levelled(self, nod: float, sigma: float) -> SurfacePlace:
        """A look with the body's nodding taken out: its estimate and what is left, in standard deviations."""
        return replace(
            self,
            x_m=self.x_m - nod * float(self.nod[0]),
            y_m=self.y_m - nod * float(self.nod[1]),
            spread=self.spread + sigma**2 * np.outer(self.nod, self.nod),
            nod=np.zeros(2),
        )

    def innovation(self, look: SurfacePlace) -> tuple[Matrix, Matrix]:
        """How far off a look's centre is (2, metres) and the covariance of that, without the look's nod."""
        slack = (self.slack_m**2) * np.eye(2)
        off = np.array([look.x_m - self.x_m, look.y_m - self.y_m])
        return off, self.spread + look.spread + slack + self._drawn(look)

    def _drawn(self, look: SurfacePlace) -> Matrix:
        """Covariance of how far what is alike in all looks draws two apart: it grows with the distance, so not away."""
        apart = _root(self.systematic) - _root(look.systematic)
        return apart @ apart

    def cost(self, other: Place) -> float | None:
        """Squared Mahalanobis distance of centres; of cracks: of what lies between the rectangles.

        Cracks that overlap differ by how little they cover each other.
        """
        if not isinstance(other, SurfacePlace) or other.surface != self.surface:
            return None
        if not self.is_near(other) or (self.grows and self._span_m(other) > _MAX_CRACK_M):
            return None
        distance = self.gap(other, np.zeros((2, 2)))
        if self.grows and other.grows:
            distance += _UNLIKE * (1 - iou(self._around(self.yaw_deg), other._around(self.yaw_deg)))  # noqa: SLF001
        return distance if distance <= GATE else None

    def gap(self, other: SurfacePlace, drift: Matrix) -> float:
        """Squared Mahalanobis distance of centres (cracks: rectangles); `drift`: covariance of the frame since then."""
        off, spread = self.innovation(other)
        if self.grows and other.grows:
            off = self._between(off, other)
        if math.hypot(*off) > _MAX_GATE_M:
            return math.inf
        return float(off @ np.linalg.solve(spread + drift, off))

    def is_near(self, other: SurfacePlace, more_m: float = 0.0) -> bool:
        """Whether it is worth to ask for more: most pairs of a frame are far apart, and this costs nothing."""
        reach = _MAX_GATE_M + more_m
        if self.grows:
            reach += self.half_length_m + self.half_width_m + other.half_length_m + other.half_width_m
        return abs(self.x_m - other.x_m) <= reach and abs(self.y_m - other.y_m) <= reach

    def _span_m(self, other: SurfacePlace) -> float:
        """How long the rectangle of both would be."""
        apart = math.hypot(self.x_m - other.x_m, self.y_m - other.y_m)
        return max(self.half_length_m, self.half_width_m) + max(other.half_length_m, other.half_width_m) + apart

    def _between(self, off: Matrix, other: SurfacePlace) -> Matrix:
        """What is left of the way between centres outside both rectangles."""
        turn = _turn(other.yaw_deg)
        along, across = turn.T @ off
        own = self.turned(other.yaw_deg)
        gap = np.array(
            [
                math.copysign(max(abs(along) - own.half_length_m - other.half_length_m, 0.0), along),
                math.copysign(max(abs(across) - own.half_width_m - other.half_width_m, 0.0), across),
            ]
        )
        between: Matrix = turn @ gap
        return between

    def turned(self, yaw_deg: float) -> SurfacePlace:
        """The rectangle of the same second moments whose sides run along another heading."""
        angle = math.radians(yaw_deg - self.yaw_deg)
        c, s = math.cos(angle), math.sin(angle)
        return replace(
            self,
            half_length_m=math.hypot(self.half_length_m * c, self.half_width_m * s),
            half_width_m=math.hypot(self.half_length_m * s, self.half_width_m * c),
            yaw_deg=yaw_deg,
        )

    def _swung(self, other: SurfacePlace) -> SurfacePlace:
        """The rectangle swung to another's heading around its point next to it: a crack bends as the road does."""
        along = _turn(self.yaw_deg)[:, 0]
        reach = float(
            np.clip(along @ (other.x_m - self.x_m, other.y_m - self.y_m), -self.half_length_m, self.half_length_m)
        )
        x, y = reach * (along - _turn(other.yaw_deg)[:, 0])
        return replace(self, x_m=self.x_m + float(x), y_m=self.y_m + float(y), yaw_deg=other.yaw_deg)

    def kept(self) -> SurfacePlace:
        """With the whole of the nodding's spread, widened because the next looks nod alike."""
        return self.levelled(0.0, math.sqrt(_NODS_ALIKE))

    def joined(self, other: Place) -> SurfacePlace:
        """Kalman update by a look; a crack's rectangle also grows. The sides then run along the look's heading."""
        if not isinstance(other, SurfacePlace):
            return self
        other = other.kept()
        own = self._swung(other) if self.grows else self.turned(other.yaw_deg)
        drawn = own._drawn(other)  # noqa: SLF001 - the same class
        # It is the farther look that it draws away.
        spread = own.spread + drawn if np.trace(own.systematic) > np.trace(other.systematic) else own.spread
        noise = other.spread + own.spread + drawn - spread
        gain = spread @ np.linalg.inv(spread + noise)
        centre = np.array([own.x_m, own.y_m]) + gain @ np.array([other.x_m - own.x_m, other.y_m - own.y_m])
        turn = _turn(other.yaw_deg)
        share = np.clip(np.diag(turn.T @ gain @ turn), 0.0, 1.0)
        joined = replace(
            own,
            x_m=float(centre[0]),
            y_m=float(centre[1]),
            half_length_m=own.half_length_m + float(share[0]) * (other.half_length_m - own.half_length_m),
            half_width_m=own.half_width_m + float(share[1]) * (other.half_width_m - own.half_width_m),
            spread=(np.eye(2) - gain) @ spread,
            systematic=own.systematic + float(share.mean()) * (other.systematic - own.systematic),
        )
        return joined._grown(own, other, share) if own.grows and other.grows else joined  # noqa: SLF001 - the same class

    def _grown(self, own: SurfacePlace, other: SurfacePlace, share: Matrix) -> SurfacePlace:
        """Each edge: the weighted mean where both looks mean the same end, else the outer of the two.

        A look that is cut says nothing of the sides: they are where the picture ends.
        """
        turn = _turn(other.yaw_deg)
        _, spread = own.innovation(other)
        off = turn.T @ np.array([other.x_m - own.x_m, other.y_m - own.y_m])
        reach = 2 * np.sqrt(np.diag(turn.T @ spread @ turn))
        halves = (own.half_length_m, other.half_length_m), (own.half_width_m, other.half_width_m)
        middle, half = np.zeros(2), np.array([0.0, own.half_width_m])
        for axis, (own_half, other_half) in enumerate(halves[:1] if other.cut else halves):
            low, high = (
                _edge(
                    sign * own_half, float(off[axis]) + sign * other_half, sign, float(reach[axis]), float(share[axis])
                )
                for sign in (-1.0, 1.0)
            )
            middle[axis], half[axis] = (low + high) / 2, (high - low) / 2
        x, y = turn @ middle
        return replace(
            self,
            x_m=own.x_m + float(x),
            y_m=own.y_m + float(y),
            half_length_m=float(half[0]),
            half_width_m=float(half[1]),
        )

    def overlap(self, other: Place) -> float:
        """Of the rectangles, both with sides along this one's heading."""
        if not isinstance(other, SurfacePlace) or other.surface != self.surface:
            return 0.0
        return iou(self.rectangle(self.yaw_deg), other.rectangle(self.yaw_deg))

    def _around(self, yaw_deg: float) -> Box:
        """The rectangle with the slack around it: thin cracks hardly ever overlap by themselves."""
        x1, y1, x2, y2 = self.rectangle(yaw_deg)
        return x1 - self.slack_m, y1 - self.slack_m, x2 + self.slack_m, y2 + self.slack_m

    def rectangle(self, yaw_deg: float) -> Box:
        """x1, y1, x2, y2 in axes along a heading and across it."""
        turned = self.turned(yaw_deg)
        x, y = _turn(yaw_deg).T @ (self.x_m, self.y_m)
        return (
            float(x) - turned.half_length_m,
            float(y) - turned.half_width_m,
            float(x) + turned.half_length_m,
            float(y) + turned.half_width_m,
        )


def _edge(own: float, seen: float, outward: float, reach: float, share: float) -> float:
    if abs(seen - own) <= reach:
        return own + share * (seen - own)
    return max(own * outward, seen * outward) * outward


def _turn(yaw_deg: float) -> Matrix:
    c, s = math.cos(math.radians(yaw_deg)), math.sin(math.radians(yaw_deg))
    return np.array([[c, -s], [s, c]])


def _root(covariance: Matrix) -> Matrix:
    """The symmetric square root."""
    values, axes = np.linalg.eigh(covariance)
    root: Matrix = (axes * np.sqrt(np.maximum(values, 0.0))) @ axes.T
    return root
