# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From pixel to a tunnel's lining and back.

The lining is a cylinder or a box along the vehicle's x axis (vehicle frame of `edge.geometry`: x forward, y left, z up,
origin on the road under the antenna), so a place on it has two coordinates as if it were unrolled: `x_m` ahead and
`around_m` along the profile, 0 at the crown, positive clockwise as seen in driving direction (down the right wall).
A ray meets the cylinder at the positive root of a quadratic and the box at its nearest plane: the camera is inside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.geometry import Calibration

Side = Literal["left", "crown", "right"]
Vector = NDArray[np.float64]

#: Farther along the tunnel than this a ray that all but runs along it means nothing, metres.
_FARTHEST_M = 200.0
_SMALLEST_M, _LARGEST_M = 0.5, 50.0
#: A place on an arch so far from the crown is on a wall (half past ten, half past one).
_CROWN = math.radians(45)


@dataclass(frozen=True)
class LiningPoint:
    """A place on the lining in the vehicle's frame, metres; `clock`: hours, 12 (as 0) is the crown, 3 the right."""

    x_m: float
    around_m: float
    y_m: float
    z_m: float
    clock: float


@dataclass(frozen=True)
class Lining:
    """The inside of a tunnel as seen from the vehicle, metres.

    `cylinder`: `radius_m` around an axis `axis_height_m` above the road and `axis_left_m` to the left of the antenna.
    `box`: walls `left_m` and `right_m` beside the antenna, ceiling `crown_m` above the road.
    `error_m`: one standard deviation of the walls' distance; the vehicle wanders in its lane.
    `yaw_error_deg`: of the angle between vehicle and tunnel; along a wall it counts most.

    Raises:
        ValueError: a measure that the kind needs is missing or cannot be.
    """

    kind: Literal["cylinder", "box"]
    radius_m: float | None = None
    axis_height_m: float | None = None
    axis_left_m: float = 0.0
    left_m: float | None = None
    right_m: float | None = None
    crown_m: float | None = None
    error_m: float = 0.2
    yaw_error_deg: float = 0.5

    def __post_init__(self) -> None:
        needed = ("radius_m",) if self.kind == "cylinder" else ("left_m", "right_m", "crown_m")
        for name in needed:
            value = getattr(self, name)
            if value is None or not _SMALLEST_M <= value <= _LARGEST_M:
                raise ValueError(f"lining {self.kind}: {name} is {value}; give {_SMALLEST_M} to {_LARGEST_M} metres")
        if self.kind == "cylinder" and (self.axis_height_m is None or not abs(self.axis_height_m) < self._radius):
            raise ValueError(f"lining cylinder: axis_height_m is {self.axis_height_m}; give it within the radius")

    @property
    def _radius(self) -> float:
        return self.radius_m or 0.0

    @property
    def _axis(self) -> tuple[float, float]:
        """Middle of the profile: y and z; clock positions are seen from here."""
        if self.kind == "cylinder":
            return self.axis_left_m, self.axis_height_m or 0.0
        return ((self.left_m or 0.0) - (self.right_m or 0.0)) / 2, (self.crown_m or 0.0) / 2

    @property
    def _half_m(self) -> float:
        """Half the width of the box."""
        return ((self.left_m or 0.0) + (self.right_m or 0.0)) / 2

    @property
    def lowest_m(self) -> float:
        """`around_m` where the profile meets the road on the right; on the left it is the same below 0."""
        if self.kind == "cylinder":
            return self._radius * math.acos(-(self.axis_height_m or 0.0) / self._radius)
        return self._half_m + (self.crown_m or 0.0)

    def profile(self, around_m: Vector) -> tuple[Vector, Vector]:
        """Y and z of places along the profile; any shape. Beyond `lowest_m` the profile runs on below the road."""
        y0, z0 = self._axis
        if self.kind == "cylinder":
            angle = around_m / self._radius
            return y0 - self._radius * np.sin(angle), z0 + self._radius * np.cos(angle)
        down = np.maximum(np.abs(around_m) - self._half_m, 0.0)
        return y0 - np.clip(around_m, -self._half_m, self._half_m), (self.crown_m or 0.0) - down

    def at(self, x_m: float, around_m: float) -> LiningPoint:
        """The place with these unrolled coordinates."""
        y, z = (float(v) for v in self.profile(np.asarray(around_m)))
        return LiningPoint(x_m, around_m, y, z, self._clock(y, z))

    def around(self, clock: float) -> float | None:
        """`around_m` at an hour; None where the road is there."""
        angle = math.radians(30 * clock)
        # All but straight across: a place on the lining lies ahead of the eye.
        point = self.meet(np.array([0.0, *self._axis]), np.array([1e-6, -math.sin(angle), math.cos(angle)]))
        return None if point is None else point.around_m

    def side(self, around_m: float) -> Side:
        """Wall or crown; of a box the ceiling, of an arch the middle quarter."""
        edge = self._radius * _CROWN if self.kind == "cylinder" else self._half_m
        if abs(around_m) <= edge:
            return "crown"
        return "right" if around_m > 0 else "left"

    def meet(self, eye: Vector, ray: Vector) -> LiningPoint | None:
        """Where a ray from inside meets the lining; None where it meets the road before, or too far away.

        Args:
            eye: 3, place in the vehicle's frame.
            ray: 3, direction in it, of any length.
        """
        long = float(np.linalg.norm(ray))
        if not (math.isfinite(long) and long > 0):
            return None
        reach = self._reach(eye, ray / long)
        if reach is None:
            return None
        x, y, z = (float(v) for v in eye + reach * ray / long)
        if z < 0 or not 0 < x <= _FARTHEST_M:
            return None
        return LiningPoint(x, self._around(y, z), y, z, self._clock(y, z))

    def _reach(self, eye: Vector, ray: Vector) -> float | None:
        if self.kind == "cylinder":
            y0, z0 = self._axis
            y, z = float(eye[1]) - y0, float(eye[2]) - z0
            a = float(ray[1] ** 2 + ray[2] ** 2)
            b, c = y * float(ray[1]) + z * float(ray[2]), y * y + z * z - self._radius**2
            if c >= 0 or a < 1e-9:  # the camera is not inside, or looks along the tunnel
                return None
            return (-b + math.sqrt(b * b - a * c)) / a
        walls = ((1, self.left_m or 0.0, 1.0), (1, self.right_m or 0.0, -1.0), (2, self.crown_m or 0.0, 1.0))
        gaps = [(far - sign * float(eye[axis]), sign * float(ray[axis])) for axis, far, sign in walls]
        if any(gap <= 0 for gap, _ in gaps):
            return None
        return min((gap / speed for gap, speed in gaps if speed > 1e-9), default=None)

    def _around(self, y: float, z: float) -> float:
        y0, z0 = self._axis
        if self.kind == "cylinder":
            return self._radius * math.atan2(y0 - y, z - z0)
        right = y0 - y
        on_wall = abs(right) >= self._half_m - 1e-6
        return math.copysign(self._half_m + (self.crown_m or 0.0) - z, right) if on_wall else right

    def _clock(self, y: float, z: float) -> float:
        y0, z0 = self._axis
        hours = math.degrees(math.atan2(y0 - y, z - z0)) / 30 % 12
        return hours if hours < 12 else 0.0  # -1e-17 % 12 is 12.0


def _eye(calibration: Calibration) -> Vector:
    return np.array([calibration.forward_m, calibration.left_m, calibration.height_m])


def pixel_to_lining(calibration: Calibration, lining: Lining, u: float, v: float) -> LiningPoint | None:
    """Where the ray through a pixel meets the lining; None where it meets the road before, or too far away."""
    return lining.meet(_eye(calibration), calibration.ray(u, v))


def lining_to_pixel(
    calibration: Calibration, lining: Lining, x_m: float, around_m: float
) -> tuple[float, float] | None:
    """Where a place on the lining appears; None behind the camera. May lie outside the picture."""
    point = lining.at(x_m, around_m)
    return calibration.road_to_pixel(point.x_m, point.y_m, point.z_m)


@dataclass(frozen=True, eq=False)
class LiningError:
    """Covariances (2x2, square metres) of a place on the unrolled lining: x_m, then around_m.

    `random` falls with the number of looks, `systematic` (where the walls are, how the camera sits) stays.
    """

    random: Vector
    systematic: Vector


def pixel_to_lining_error(
    calibration: Calibration, lining: Lining, u: float, v: float, *, pixel_px: float = 1.0
) -> LiningError | None:
    """How well `pixel_to_lining` knows its place, by first-order propagation (Hartley & Zisserman, ch. 5.2).

    Derivatives are differences of two rays. None where the pixel, or one that near to it, is not on the lining.
    """
    eye, ray = _eye(calibration), calibration.ray(u, v)

    def turned(angle_deg: float, axis: int) -> Vector | None:
        angle = math.radians(angle_deg)
        return _moved(lining, eye, _turned(ray, angle, axis), _turned(ray, -angle, axis))

    random = [
        _moved(lining, eye, calibration.ray(u + pixel_px, v), calibration.ray(u - pixel_px, v)),
        _moved(lining, eye, calibration.ray(u, v + pixel_px), calibration.ray(u, v - pixel_px)),
        turned(calibration.pitch_error_deg, 1),
        turned(lining.yaw_error_deg, 2),
    ]
    systematic = [
        turned(calibration.mount_pitch_error_deg, 1),
        turned(calibration.mount_yaw_error_deg, 2),
        _widened(lining, eye, ray),
    ]
    if any(step is None for step in (*random, *systematic)):
        return None
    return LiningError(_spread(random), _spread(systematic))


def _spread(steps: list[Vector | None]) -> Vector:
    spread: Vector = sum((np.outer(step, step) for step in steps if step is not None), np.zeros((2, 2)))
    return spread


def _moved(lining: Lining, eye: Vector, ray: Vector, other: Vector) -> Vector | None:
    """Half of the way on the unrolled lining between what two rays meet."""
    a, b = lining.meet(eye, ray), lining.meet(eye, other)
    return None if a is None or b is None else np.array([a.x_m - b.x_m, a.around_m - b.around_m]) / 2


def _widened(lining: Lining, eye: Vector, ray: Vector) -> Vector | None:
    """By walls that are `error_m` farther away."""
    names = ("radius_m",) if lining.kind == "cylinder" else ("left_m", "right_m", "crown_m")
    wider = {name: min(getattr(lining, name) + lining.error_m, _LARGEST_M) for name in names}
    a, b = lining.meet(eye, ray), replace(lining, **wider).meet(eye, ray)
    return None if a is None or b is None else np.array([b.x_m - a.x_m, b.around_m - a.around_m])


def _turned(ray: Vector, angle: float, axis: int) -> Vector:
    """Turned about y (1: downwards) or z (2: to the left)."""
    c, s = math.cos(angle), math.sin(angle)
    x, y, z = ray
    return np.array([x * c + z * s, y, -x * s + z * c]) if axis == 1 else np.array([x * c - y * s, x * s + y * c, z])
