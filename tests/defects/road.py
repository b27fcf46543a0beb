# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A flat road with rectangles on it, seen by a moving camera: truth for tracking tests, without pictures."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge.geometry import Calibration, offset_lonlat
from edge.types import Detection, Frame, Pose

CAMERA = Calibration(id="test", width=1280, height=720, fx=1000, fy=1000, cx=640, cy=360, height_m=2.0, pitch_deg=12.0)
EMPTY = np.zeros((720, 1280, 3), dtype=np.uint8)
LON0, LAT0 = 6.76, 51.43


@dataclass(frozen=True)
class Thing:
    """A flat rectangle on the road, metres in the odometry frame of a drive that starts at 0, 0."""

    label: str
    x_m: float
    y_m: float
    length_m: float
    width_m: float


def box_of(thing: Thing, pose: Pose, *, pixel_noise: float = 0.0, rng: random.Random | None = None):
    """The box of a thing in the picture, clipped; None where too little of it is in view."""
    yaw = math.radians(pose.odom_yaw_deg)
    pixels = []
    steps = [i / 30 - 0.5 for i in range(31)]
    for sx, sy in [(s, side) for s in steps for side in (-0.5, 0.5)] + [(end, s) for s in steps for end in (-0.5, 0.5)]:
        dx = thing.x_m + sx * thing.length_m - pose.odom_x_m
        dy = thing.y_m + sy * thing.width_m - pose.odom_y_m
        pixel = CAMERA.road_to_pixel(dx * math.cos(yaw) + dy * math.sin(yaw), -dx * math.sin(yaw) + dy * math.cos(yaw))
        if pixel is not None and 0 <= pixel[0] <= CAMERA.width and 0 <= pixel[1] <= CAMERA.height:
            pixels.append(pixel)
    if not pixels:
        return None
    noise = [rng.gauss(0, pixel_noise) if rng else 0.0 for _ in range(4)]
    x1 = max(min(u for u, _ in pixels) + noise[0], 0.0)
    y1 = max(min(v for _, v in pixels) + noise[1], 0.0)
    x2 = min(max(u for u, _ in pixels) + noise[2], 1280.0)
    y2 = min(max(v for _, v in pixels) + noise[3], 720.0)
    if x2 - x1 < 6 or y2 - y1 < 3:
        return None
    return x1, y1, x2, y2


def drive(
    things: Sequence[Thing],
    *,
    length_m: float,
    every_m: float = 2.0,
    yaw_rate_deg_per_m: float = 0.0,
    pixel_noise: float = 0.0,
    miss_every: int = 0,
    seed: int = 0,
) -> Iterator[tuple[Frame, Pose, list[Detection]]]:
    """Frames with poses and detections of a drive; every `miss_every`th look at each thing is missed."""
    rng = random.Random(seed)
    x = y = yaw = 0.0
    for index in range(int(length_m / every_m)):
        lon, lat = offset_lonlat(LON0, LAT0, -y, x)
        pose = Pose(
            time_s=index * every_m / 10,
            odom_x_m=x,
            odom_y_m=y,
            odom_yaw_deg=yaw,
            distance_m=index * every_m,
            speed_mps=10.0,
            lon=lon,
            lat=lat,
            error_m=1.0,
            heading_deg=-yaw % 360,
            method="gnss",
        )
        found = []
        for number, thing in enumerate(things):
            box = box_of(thing, pose, pixel_noise=pixel_noise, rng=rng)
            if box is not None and not (miss_every and (index + number) % miss_every == 0):
                found.append(Detection(thing.label, 0.7, box))
        yield Frame(EMPTY, pose.time_s, index, f"{index:06d}"), pose, found
        x += every_m * math.cos(math.radians(yaw))
        y += every_m * math.sin(math.radians(yaw))
        yaw += yaw_rate_deg_per_m * every_m
