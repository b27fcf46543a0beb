# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From pixel to road and from road to earth.

Vehicle frame: x forward, y left, z up, metres, origin on the road under the GNSS antenna.
Camera: pinhole (Hartley & Zisserman, Multiple View Geometry, ch. 6) without lens distortion (pictures are
undistorted before), mounted `height_m` above the road; pitch > 0 looks down, roll > 0 tilts clockwise,
yaw > 0 looks to the left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge.types import RoadPoint

#: WGS 84: the ellipsoid's half axis in metres and its eccentricity squared.
_HALF_AXIS_M = 6_378_137.0
_ECCENTRICITY2 = 0.006_694_379_990_14


@dataclass(frozen=True)
class Calibration:
    """One camera's geometry. `id` names it in every observation.

    `width`, `height`: the picture it holds for, pixels. `fx`, `fy`, `cx`, `cy`: intrinsics, pixels.
    `pitch_error_deg`: one standard deviation of the mounting angle while driving (the body nods).
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

    @cached_property
    def rotation(self) -> NDArray[np.float64]:
        """3x3: a direction in camera axes (x right, y down, z ahead) to vehicle axes."""
        axes = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
        pitch, roll, yaw = (math.radians(a) for a in (self.pitch_deg, self.roll_deg, self.yaw_deg))
        turn = np.array([[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1]])
        nod = np.array([[math.cos(pitch), 0, math.sin(pitch)], [0, 1, 0], [-math.sin(pitch), 0, math.cos(pitch)]])
        tilt = np.array([[1, 0, 0], [0, math.cos(roll), -math.sin(roll)], [0, math.sin(roll), math.cos(roll)]])
        rotation: NDArray[np.float64] = turn @ nod @ tilt @ axes
        return rotation

    def ray(self, u: float, v: float) -> NDArray[np.float64]:
        """Direction of pixel (u, v) in vehicle axes, not normalised."""
        direction: NDArray[np.float64] = self.rotation @ np.array(
            [(u - self.cx) / self.fx, (v - self.cy) / self.fy, 1.0]
        )
        return direction

    def pixel_to_road(self, u: float, v: float, *, extra_pitch_deg: float = 0.0) -> RoadPoint | None:
        """Where the ray through a pixel meets the road plane; None at or above the horizon."""
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
        if ray[2] >= -1e-6 * float(np.linalg.norm(ray)):
            return None
        scale = self.height_m / -float(ray[2])
        return RoadPoint(self.forward_m + scale * float(ray[0]), self.left_m + scale * float(ray[1]))

    def road_to_pixel(self, x_m: float, y_m: float, z_m: float = 0.0) -> tuple[float, float] | None:
        """Where a point in the vehicle frame appears; None behind the camera. May lie outside the picture."""
        offset = np.array([x_m - self.forward_m, y_m - self.left_m, z_m - self.height_m])
        x, y, z = self.rotation.T @ offset
        if z <= 1e-6:
            return None
        return float(self.cx + self.fx * x / z), float(self.cy + self.fy * y / z)

    def range_error_m(self, u: float, v: float) -> float | None:
        """One standard deviation of the distance to a road pixel that the mounting angle's error gives, metres."""
        near = self.pixel_to_road(u, v, extra_pitch_deg=self.pitch_error_deg)
        far = self.pixel_to_road(u, v, extra_pitch_deg=-self.pitch_error_deg)
        if near is None or far is None:
            return None
        return math.hypot(far.x_m - near.x_m, far.y_m - near.y_m) / 2

    def scaled(self, width: int, height: int) -> Calibration:
        """The same camera at another picture size of the same shape.

        Raises:
            ValueError: the shape (aspect) differs by more than 2 %, so the calibration does not hold.
        """
        sx, sy = width / self.width, height / self.height
        if abs(sx - sy) > 0.02 * sy:
            raise ValueError(
                f"calibration {self.id!r} is for {self.width}x{self.height} pixels and does not fit {width}x{height}"
            )
        return replace(
            self, width=width, height=height, fx=self.fx * sx, fy=self.fy * sy, cx=self.cx * sx, cy=self.cy * sy
        )


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
