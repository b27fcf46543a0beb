# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a detection lies on the road: its box projected to the road plane.

A box is an upright rectangle in the picture. We take it for the outline of a flat rectangle that lies along the
driving direction: its near edge on the box's bottom row, its far edge on the top row. Left of the camera such a
rectangle's outermost corner is the near one, its innermost the far one; right of it the other way round. So each
side of the box is carried to the road on the row of the corner that made it: exact for rectangles, and a thin crack
that runs ahead comes out thin although its box is wide. Wrong for upright things.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from edge.geometry import Calibration
from edge.types import Box, Pose

#: How well a detector's box fits the defect's edge, one standard deviation as a share of the box.
BOX_EDGE_SHARE = 0.08


@dataclass(frozen=True)
class Footprint:
    """A rectangle on the road: centre, half extents along and across, in metres.

    `x_m` ahead and `y_m` to the left in the frame that the function returning it names. `range_error_m` and
    `cross_error_m`: one standard deviation of the centre along and across the line of sight. `cut`: the box touches
    the picture's edge, so the defect goes on outside.
    """

    x_m: float
    y_m: float
    half_length_m: float
    half_width_m: float
    range_error_m: float
    cross_error_m: float
    cut: bool

    @property
    def near_m(self) -> float:
        """The nearest end along x."""
        return self.x_m - self.half_length_m

    @property
    def far_m(self) -> float:
        """The farthest end along x."""
        return self.x_m + self.half_length_m


def locate(box: Box, calibration: Calibration, *, max_range_m: float) -> Footprint | None:
    """The footprint of a box in the vehicle's frame.

    Returns None where the box's bottom is at or above the horizon or farther than `max_range_m`.
    The far end of a box that reaches above the horizon is held at `max_range_m`.
    """
    x1, y1, x2, y2 = box
    middle_u = (x1 + x2) / 2
    near = calibration.pixel_to_road(middle_u, y2)
    if near is None or near.x_m > max_range_m:
        return None
    far = calibration.pixel_to_road(middle_u, y1)
    far_x = max_range_m if far is None else min(far.x_m, max_range_m)
    centre_x = (near.x_m + far_x) / 2
    middle = calibration.road_to_pixel(centre_x, near.y_m)
    far_pixel = calibration.road_to_pixel(far_x, near.y_m)
    if middle is None or far_pixel is None:
        return None
    far_row = max(far_pixel[1], y1)
    left = _side(calibration, x1, near_row=y2, far_row=far_row, outward=1.0)
    right = _side(calibration, x2, near_row=y2, far_row=far_row, outward=-1.0)
    range_error = calibration.range_error_m(middle_u, min(max(middle[1], y1), y2))
    if left is None or right is None or range_error is None:
        return None
    half_width = max((left - right) / 2, 0.0)
    half_length = max((far_x - near.x_m) / 2, 0.0)
    margin = 2.0
    cut = x1 <= margin or y1 <= margin or x2 >= calibration.width - margin or y2 >= calibration.height - margin
    return Footprint(
        x_m=centre_x,
        y_m=(left + right) / 2,
        half_length_m=half_length,
        half_width_m=half_width,
        range_error_m=math.hypot(range_error, BOX_EDGE_SHARE * 2 * half_length),
        cross_error_m=math.hypot(0.02 * centre_x, BOX_EDGE_SHARE * 2 * half_width),
        cut=cut or far is None,
    )


def _side(calibration: Calibration, u: float, *, near_row: float, far_row: float, outward: float) -> float | None:
    """How far to the left one side of a box lies; `outward` is 1 for the left side, -1 for the right."""
    near = calibration.pixel_to_road(u, near_row)
    if near is None:
        return None
    if (near.y_m - calibration.left_m) * outward > 0:
        return near.y_m
    far = calibration.pixel_to_road(u, far_row)
    return near.y_m if far is None else far.y_m


def to_odom(footprint: Footprint, pose: Pose) -> Footprint:
    """The same footprint with its centre in the pose's odometry frame.

    The extents keep their meaning along and across the heading at that time: a defect is seen over a few tens of
    metres, in which a road turns by a few degrees.
    """
    yaw = math.radians(pose.odom_yaw_deg)
    return replace(
        footprint,
        x_m=pose.odom_x_m + footprint.x_m * math.cos(yaw) - footprint.y_m * math.sin(yaw),
        y_m=pose.odom_y_m + footprint.x_m * math.sin(yaw) + footprint.y_m * math.cos(yaw),
    )


def to_vehicle(x_m: float, y_m: float, pose: Pose) -> tuple[float, float]:
    """A point of the odometry frame as seen from the vehicle: metres ahead, metres to the left."""
    yaw = math.radians(pose.odom_yaw_deg)
    dx, dy = x_m - pose.odom_x_m, y_m - pose.odom_y_m
    return dx * math.cos(yaw) + dy * math.sin(yaw), -dx * math.sin(yaw) + dy * math.cos(yaw)
