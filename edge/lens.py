# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How a lens bends the picture, and the inside of a camera as a whole.

The model is that of Brown (Decentering distortion of lenses, 1966) and Conrady with the five numbers of OpenCV, in
units of the focal length from the principal point, r^2 = x^2 + y^2:

    x' = x (1 + k1 r^2 + k2 r^4 + k3 r^6) + 2 p1 x y + p2 (r^2 + 2 x^2)
    y' = y (1 + k1 r^2 + k2 r^4 + k3 r^6) + p1 (r^2 + 2 y^2) + 2 p2 x y

Beyond some radius such a polynomial turns back and two directions share a pixel: outside of it nothing is answered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]
"""n x 2."""

#: Newton's steps; from the bent point as start each lens of a camera that sees less than 120 degrees needs 3 to 6.
_STEPS = 25
_DONE = 1e-12
#: Two directions share a pixel where a step would have to be longer than this.
_FLAT = 1e-6
#: How far behind its turning point a lens is taken at its word, as share of the radius.
_SAFE = 0.99


@dataclass(frozen=True)
class Lens:
    """Distortion. All zero: a pinhole."""

    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0

    @cached_property
    def radius(self) -> float:
        """Up to this distance from the principal point (undistorted, in focal lengths) a pixel has one direction."""
        slope = [7 * self.k3, 5 * self.k2, 3 * self.k1, 1.0]  # of r(1 + ...), in powers of r^2
        slope = [c if abs(c) > 1e-12 else 0.0 for c in slope]
        roots = np.roots(slope)
        turns = [float(r.real) for r in roots if abs(r.imag) < 1e-9 and r.real > 0]
        return _SAFE * math.sqrt(min(turns)) if turns else math.inf

    def bend(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Undistorted to distorted; numbers or arrays. Whether they lie within `radius` is the caller's to ask."""
        r2 = x * x + y * y
        radial = 1 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
        return (
            x * radial + 2 * self.p1 * x * y + self.p2 * (r2 + 2 * x * x),
            y * radial + self.p1 * (r2 + 2 * y * y) + 2 * self.p2 * x * y,
        )

    def slopes(self, x: Any, y: Any) -> tuple[Any, Any, Any]:
        """Derivatives of `bend` at an undistorted point: dx'/dx, dx'/dy = dy'/dx, dy'/dy."""
        r2 = x * x + y * y
        radial = 1 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
        grow = 2 * (self.k1 + r2 * (2 * self.k2 + 3 * r2 * self.k3))
        return (
            radial + grow * x * x + 2 * self.p1 * y + 6 * self.p2 * x,
            grow * x * y + 2 * self.p1 * x + 2 * self.p2 * y,
            radial + grow * y * y + 6 * self.p1 * y + 2 * self.p2 * x,
        )

    def straighten(self, x: float, y: float) -> tuple[float, float] | None:
        """Distorted to undistorted (Newton); None where no direction within `radius` gives this point."""
        at_x, at_y = self._into(x, y)
        for _ in range(_STEPS):
            bent_x, bent_y = self.bend(at_x, at_y)
            off_x, off_y = bent_x - x, bent_y - y
            if abs(off_x) + abs(off_y) < _DONE * (1 + abs(x) + abs(y)):
                return (at_x, at_y) if math.hypot(at_x, at_y) <= self.radius else None
            a, b, d = self.slopes(at_x, at_y)
            flat = a * d - b * b
            if not flat > _FLAT:  # also for what is no number
                return None
            at_x, at_y = self._into(at_x - (d * off_x - b * off_y) / flat, at_y - (a * off_y - b * off_x) / flat)
        return None

    def _into(self, x: float, y: float) -> tuple[float, float]:
        """The nearest point that is still within `radius`: a first step may lead beyond the turn and never back."""
        long = math.hypot(x, y)
        return (x, y) if long <= self.radius else (x * self.radius / long, y * self.radius / long)

    def straighten_all(self, points: Points) -> Points:
        """`straighten` for many points (n x 2); not a number where it has no answer."""
        at = np.array([self.straighten(float(x), float(y)) or (math.nan, math.nan) for x, y in points])
        return at.reshape(-1, 2)


def scales(name: str, size: tuple[int, int], wanted: tuple[int, int]) -> tuple[float, float]:
    """Factors from one picture size (width, height) to another of the same shape.

    Raises:
        ValueError: the shape (aspect) differs by more than 2 %, so the calibration `name` does not hold.
    """
    sx, sy = wanted[0] / size[0], wanted[1] / size[1]
    if abs(sx - sy) > 0.02 * sy:
        raise ValueError(
            f"calibration {name!r} is for {size[0]}x{size[1]} pixels and does not fit {wanted[0]}x{wanted[1]}"
        )
    return sx, sy


@dataclass(frozen=True)
class Intrinsics:
    """The inside of a camera: picture size, focal lengths and principal point in pixels, lens.

    One standard deviation each: `focal_error_share` of both focal lengths, `centre_error_px` of the principal point
    along either direction, `reprojection_px` between the model and a corner that was seen.
    """

    id: str
    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    lens: Lens = Lens()
    focal_error_share: float = 0.0
    centre_error_px: float = 0.0
    reprojection_px: float = 0.0

    def straight(self, pixels: Points) -> Points:
        """Pixels (n x 2) to undistorted places in focal lengths from the axis; not a number outside the lens."""
        points: Points = (np.asarray(pixels, dtype=np.float64) - (self.cx, self.cy)) / (self.fx, self.fy)
        return points if self.lens == Lens() else self.lens.straighten_all(points)

    def scaled(self, width: int, height: int) -> Intrinsics:
        """The same camera at another picture size of the same shape.

        Raises:
            ValueError: the shape differs, see `scales`.
        """
        sx, sy = scales(self.id, (self.width, self.height), (width, height))
        return replace(
            self,
            width=width,
            height=height,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=self.cx * sx,
            cy=self.cy * sy,
            centre_error_px=self.centre_error_px * sx,
            reprojection_px=self.reprojection_px * sx,
        )
