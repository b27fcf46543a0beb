# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Poses on straight and winding ways, and the plainest account of what was in a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge.geometry import east_north, offset_lonlat
from edge.sampling.view import View
from edge.types import LinePlace, Pose

LON0, LAT0 = 13.4, 52.5
VIEW = View(5.0, 14.0, 2.3, -2.3, 8.0, -8.0)


def at(
    distance_m: float,
    time_s: float = 0.0,
    *,
    speed_mps: float | None = 10.0,
    known: bool = True,
    line: LinePlace | None = None,
) -> Pose:
    lon, lat = (13.4 + distance_m / 68_000, 52.5) if known else (None, None)
    method = "gnss" if known else None
    error_m = 3.0 if known else None
    return Pose(time_s, distance_m, 0.0, 0.0, distance_m, speed_mps, lon, lat, error_m, 90.0, method, line=line)


@dataclass
class Car:
    """Rolls as told; odom x is east, y is north, so that the path on earth can be carried back."""

    x_m: float = 0.0
    y_m: float = 0.0
    yaw_deg: float = 0.0
    distance_m: float = 0.0
    time_s: float = 0.0

    def roll(self, way_m: float, turn_deg: float = 0.0, *, seconds: float = 0.1) -> Pose:
        """Along a straight way (negative: backwards), then turned on the spot."""
        self.x_m += way_m * math.cos(math.radians(self.yaw_deg))
        self.y_m += way_m * math.sin(math.radians(self.yaw_deg))
        self.yaw_deg += turn_deg
        self.distance_m += abs(way_m)
        self.time_s += seconds
        return self.pose(abs(way_m) / seconds)

    def pose(self, speed_mps: float | None = 0.0) -> Pose:
        lon, lat = offset_lonlat(LON0, LAT0, self.x_m, self.y_m)
        return Pose(
            self.time_s, self.x_m, self.y_m, self.yaw_deg, self.distance_m, speed_mps, lon, lat, 1.0, 90.0, "gnss"
        )


def on_road(place: tuple[float, float]) -> tuple[float, float]:
    """A point of a path in odom coordinates."""
    return east_north(*place, LON0, LAT0)


def is_in_picture(pose: Pose, x_m: float, y_m: float, view: View = VIEW, *, slack_m: float = 0.05) -> bool:
    """Whether a point is in the trapezoid, by the side on which it lies of each of its four edges."""
    dx, dy = x_m - pose.odom_x_m, y_m - pose.odom_y_m
    yaw = -math.radians(pose.odom_yaw_deg)
    px, py = dx * math.cos(yaw) - dy * math.sin(yaw), dx * math.sin(yaw) + dy * math.cos(yaw)
    corners = [
        (view.near_m - slack_m, view.near_right_m - slack_m),
        (view.far_m + slack_m, view.far_right_m - slack_m),
        (view.far_m + slack_m, view.far_left_m + slack_m),
        (view.near_m - slack_m, view.near_left_m + slack_m),
    ]
    return all(
        (bx - ax) * (py - ay) - (by - ay) * (px - ax) >= 0
        for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True)
    )


def looks_per_metre(judged: list[float], start_m: float, end_m: float, view: View) -> int:
    """The least number of judged frames (at these ways on a straight road) that show a place between start and end."""
    ahead = np.arange(start_m, end_m, 0.05)[:, None] - np.array(judged)[None, :]
    return int(((view.near_m <= ahead) & (ahead <= view.far_m)).sum(axis=1).min())
