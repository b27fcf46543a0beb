# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From pixel to road and from road to earth.

Vehicle frame: x forward, y left, z up, metres, origin on the road under the GNSS antenna.
Camera: pinhole (Hartley & Zisserman, Multiple View Geometry, ch. 6) behind a lens (`edge.lens`; all zero: none),
mounted `height_m` above the road; pitch > 0 looks down, roll > 0 tilts clockwise, yaw > 0 looks to the left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.lens import Lens, scales
from edge.types import RoadPoint

Matrix: TypeAlias = NDArray[np.float64]

#: WGS 84: the ellipsoid's half axis in metres and its eccentricity squared.
_HALF_AXIS_M = 6_378_137.0
_ECCENTRICITY2 = 0.006_694_379_990_14


@dataclass(frozen=True, eq=False)
class RoadError:
    """Covariances (2x2, square metres) of a place on the road in the vehicle's frame (x forward, y left).

    `random` falls with the number of looks, `systematic` stays.
    """

    random: Matrix
    systematic: Matrix

    @property
    def total(self) -> Matrix:
        """Of one look."""
        return self.random + self.systematic


@dataclass(frozen=True)
class Calibration:
    """One camera's geometry. `id` names it in every observation.

    `width`, `height`: the picture it holds for, pixels. `fx`, `fy`, `cx`, `cy`: intrinsics, pixels.
    `k1`, `k2`, `p1`, `p2`, `k3`: distortion, see `edge.lens`.

    Errors, each one standard deviation. `pitch_error_deg`: of the mounting angle while driving (the body nods), another
    in each look; `reprojection_px`: where the lens model leaves a pixel, counted as another in each look, because a
    thing crosses the picture from look to look. The same in each look, 0 where not known: `mount_pitch_error_deg`,
    `mount_yaw_error_deg`, `mount_roll_error_deg`, `height_error_m`, `focal_error_share` (of both focal lengths).
    """

    id: str
    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    height_m: float
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    yaw_deg: float = 0.0
    forward_m: float = 0.0
    left_m: float = 0.0
    pitch_error_deg: float = 0.3
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0
    mount_pitch_error_deg: float = 0.0
    mount_yaw_error_deg: float = 0.0
    mount_roll_error_deg: float = 0.0
    height_error_m: float = 0.0
    focal_error_share: float = 0.0
    reprojection_px: float = 0.0

    @cached_property
    def lens(self) -> Lens | None:
        """The lens, None where it bends nothing."""
        lens = Lens(self.k1, self.k2, self.p1, self.p2, self.k3)
        return None if lens == Lens() else lens

    @cached_property
    def rotation(self) -> Matrix:
        """3x3: a direction in camera axes (x right, y down, z ahead) to vehicle axes."""
        axes = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
        pitch, roll, yaw = (math.radians(a) for a in (self.pitch_deg, self.roll_deg, self.yaw_deg))
        turn = np.array([[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1]])
        nod = np.array([[math.cos(pitch), 0, math.sin(pitch)], [0, 1, 0], [-math.sin(pitch), 0, math.cos(pitch)]])
        tilt = np.array([[1, 0, 0], [0, math.cos(roll), -math.sin(roll)], [0, math.sin(roll), math.cos(roll)]])
        rotation: Matrix = turn @ nod @ tilt @ axes
        return rotation

    def ray(self, u: float, v: float) -> Matrix:
        """Direction of pixel (u, v) in vehicle axes, not normalised; not a number where the lens model has none."""
        x, y = (u - self.cx) / self.fx, (v - self.cy) / self.fy
        if self.lens is not None:
            x, y = self.lens.straighten(x, y) or (math.nan, math.nan)
        direction: Matrix = self.rotation @ np.array([x, y, 1.0])
        return direction

    def pixel_to_road(self, u: float, v: float, *, extra_pitch_deg: float = 0.0) -> RoadPoint | None:
        """Where the ray through a pixel meets the road plane; None at or above the horizon or outside the lens."""
        ray = self.ray(u, v)
        if extra_pitch_deg:
            angle = math.radians(extra_pitch_deg)
            ray = np.array(
                [
                    ray[0] * math.cos(angle) + ray[2] * math.sin(angle),
                    ray[1],
                    -ray[0] * math.sin(angle) + ray[2] * math.cos(angle),
                ]
            )
        if not ray[2] < -1e-6 * float(np.linalg.norm(ray)):  # also where the lens model has no ray
            return None
        scale = self.height_m / -float(ray[2])
        return RoadPoint(self.forward_m + scale * float(ray[0]), self.left_m + scale * float(ray[1]))

    def road_to_pixel(self, x_m: float, y_m: float, z_m: float = 0.0) -> tuple[float, float] | None:
        """Where a point in the vehicle frame appears; None behind the camera or beyond what the lens model holds for.

        May lie outside the picture.
        """
        offset = np.array([x_m - self.forward_m, y_m - self.left_m, z_m - self.height_m])
        x, y, z = self.rotation.T @ offset
        if z <= 1e-6:
            return None
        if self.lens is None:
            return float(self.cx + self.fx * x / z), float(self.cy + self.fy * y / z)
        x, y = float(x / z), float(y / z)
        if not math.hypot(x, y) <= self.lens.radius:
            return None
        x, y = self.lens.bend(x, y)
        return self.cx + self.fx * x, self.cy + self.fy * y

    def range_error_m(self, u: float, v: float) -> float | None:
        """One standard deviation of the distance to a road pixel that the mounting angle's error gives, metres."""
        near = self.pixel_to_road(u, v, extra_pitch_deg=self.pitch_error_deg)
        far = self.pixel_to_road(u, v, extra_pitch_deg=-self.pitch_error_deg)
        if near is None or far is None:
            return None
        return math.hypot(far.x_m - near.x_m, far.y_m - near.y_m) / 2

    def pixel_to_road_error(self, u: float, v: float, *, pixel_px: float = 1.0) -> RoadError | None:
        """How well `pixel_to_road` knows its place: first-order propagation (Hartley & Zisserman, ch. 5.2).

        Args:
            u: pixel, to the right.
            v: pixel, downwards.
            pixel_px: one standard deviation of u and of v in this look.

        Returns:
            None where there is no road, or the road could be the horizon within one standard deviation of the angles.
        """
        ray = self.ray(u, v)
        tilt_deg = math.hypot(self.pitch_error_deg, self.mount_pitch_error_deg)
        if any(self.pixel_to_road(u, v, extra_pitch_deg=tilt) is None for tilt in (tilt_deg, -tilt_deg)):
            return None
        down = -float(ray[2])
        place = self.height_m / down * np.array([[1.0, 0.0, ray[0] / down], [0.0, 1.0, ray[1] / down]])
        pixel = place @ self._ray_slopes(u, v)
        zoom = pixel @ np.array([self.cx - u, self.cy - v])
        yaw = math.radians(self.yaw_deg)
        # A small turn about an axis moves a ray by their cross product.
        left, ahead = (-math.sin(yaw), math.cos(yaw), 0.0), self.rotation[:, 2]
        turns = [place @ np.cross(axis, ray) for axis in ((0.0, 1.0, 0.0), left, (0.0, 0.0, 1.0), ahead)]
        nod, pitch, turn, roll = (math.radians(1.0) * slope for slope in turns)
        return RoadError(
            random=(pixel_px**2 + self.reprojection_px**2) * pixel @ pixel.T + _spread(nod, self.pitch_error_deg),
            systematic=_spread(pitch, self.mount_pitch_error_deg)
            + _spread(turn, self.mount_yaw_error_deg)
            + _spread(roll, self.mount_roll_error_deg)
            + _spread(ray[:2] / down, self.height_error_m)
            + _spread(zoom, self.focal_error_share),
        )

    def _ray_slopes(self, u: float, v: float) -> Matrix:
        """3x2: how `ray` moves with the pixel."""
        slopes: Matrix = np.diag([1 / self.fx, 1 / self.fy])
        straight = self.lens and self.lens.straighten((u - self.cx) / self.fx, (v - self.cy) / self.fy)
        if self.lens is not None and straight:
            a, b, d = self.lens.slopes(*straight)
            slopes = np.linalg.inv(np.array([[a, b], [b, d]])) @ slopes
        ray_slopes: Matrix = self.rotation[:, :2] @ slopes
        return ray_slopes

    def scaled(self, width: int, height: int) -> Calibration:
        """The same camera at another picture size of the same shape.

        Raises:
            ValueError: the shape (aspect) differs by more than 2 %, so the calibration does not hold.
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
            reprojection_px=self.reprojection_px * sx,
        )


def _spread(slope: Matrix, error: float) -> Matrix:
    """The covariance that one standard deviation of one quantity gives, by how the place moves with it."""
    spread: Matrix = error * error * np.outer(slope, slope)
    return spread


def to_earth(lon: float, lat: float, heading_deg: float, point: RoadPoint) -> tuple[float, float]:
    """Longitude and latitude of a point in the vehicle frame of a vehicle at (lon, lat)."""
    heading = math.radians(heading_deg)
    north = point.x_m * math.cos(heading) + point.y_m * math.sin(heading)
    east = point.x_m * math.sin(heading) - point.y_m * math.cos(heading)
    return offset_lonlat(lon, lat, east, north)


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Metres eastwards per degree of longitude, northwards per degree of latitude, on WGS 84.

    A sphere would be 0.3 % too short eastwards in Germany: 8 cm for a defect 25 m ahead.
    """
    sine = math.sin(math.radians(lat))
    root = math.sqrt(1 - _ECCENTRICITY2 * sine * sine)
    metres = math.radians(_HALF_AXIS_M) / root
    return metres * math.cos(math.radians(lat)), metres * (1 - _ECCENTRICITY2) / root**2


def offset_lonlat(lon: float, lat: float, east_m: float, north_m: float) -> tuple[float, float]:
    """Move a place by metres east and north: flat at `lat`, good to 3 mm within 100 m below 60 degrees of latitude."""
    east, north = metres_per_degree(lat)
    return lon + east_m / east, lat + north_m / north


def east_north(lon: float, lat: float, lon0: float, lat0: float) -> tuple[float, float]:
    """Metres east and north of (lon0, lat0): flat at `lat0`, the inverse of `offset_lonlat`."""
    east, north = metres_per_degree(lat0)
    return (lon - lon0) * east, (lat - lat0) * north
