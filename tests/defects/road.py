# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A flat road with rectangles on it, seen by a moving camera: truth for tracking tests, without pictures."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.geometry import Calibration, offset_lonlat
from edge.types import Detection, Frame, Pose

CAMERA = Calibration(id="test", width=1280, height=720, fx=1000, fy=1000, cx=640, cy=360, height_m=2.0, pitch_deg=12.0)
EMPTY = np.zeros((720, 1280, 3), dtype=np.uint8)
LON0, LAT0 = 6.76, 51.43


@dataclass(frozen=True)
class Thing:
    """A flat rectangle on the road, metres in the odometry frame of a drive that starts at 0, 0.

    `yaw_deg`: heading of its length; `is_round`: an ellipse.
    """

    label: str
    x_m: float
    y_m: float
    length_m: float
    width_m: float
    yaw_deg: float = 0.0
    is_round: bool = False

    def outline(self) -> np.ndarray:
        """N x 2."""
        if self.is_round:
            turn = np.linspace(0, 2 * math.pi, 60, endpoint=False)
            unit = np.column_stack([np.cos(turn), np.sin(turn)]) / 2
        else:
            run = np.linspace(-0.5, 0.5, 31)
            half = np.full_like(run, 0.5)
            unit = np.vstack([np.column_stack(side) for side in ((run, half), (run, -half), (half, run), (-half, run))])
        along, across = (unit * (self.length_m, self.width_m)).T
        c, s = math.cos(math.radians(self.yaw_deg)), math.sin(math.radians(self.yaw_deg))
        return np.column_stack([self.x_m + along * c - across * s, self.y_m + along * s + across * c])


def box_of(thing: Thing, pose: Pose, *, camera: Calibration = CAMERA):
    """The box of a thing in the picture, clipped; None where too little of it is in view."""
    yaw = math.radians(pose.odom_yaw_deg)
    dx, dy = (thing.outline() - (pose.odom_x_m, pose.odom_y_m)).T
    ahead, left = dx * math.cos(yaw) + dy * math.sin(yaw), -dx * math.sin(yaw) + dy * math.cos(yaw)
    right, down, deep = camera.rotation.T @ np.stack([ahead, left, np.full_like(ahead, -camera.height_m)])
    with np.errstate(divide="ignore", invalid="ignore"):
        u, v = camera.cx + camera.fx * right / deep, camera.cy + camera.fy * down / deep
    shown = (deep > 0.1) & (u >= 0) & (u <= camera.width) & (v >= 0) & (v <= camera.height)
    if not shown.any():
        return None
    box = u[shown].min(), v[shown].min(), u[shown].max(), v[shown].max()
    return tuple(float(edge) for edge in box) if box[2] - box[0] >= 6 and box[3] - box[1] >= 3 else None


def pose_at(index: int, x: float, y: float, yaw: float, distance: float, *, time_s: float | None = None) -> Pose:
    """A pose of a perfect receiver; the earth frame is the odometry frame with x to the north."""
    lon, lat = offset_lonlat(LON0, LAT0, -y, x)
    return Pose(
        time_s=index / 5 if time_s is None else time_s,
        odom_x_m=x,
        odom_y_m=y,
        odom_yaw_deg=yaw,
        distance_m=distance,
        speed_mps=10.0,
        lon=lon,
        lat=lat,
        error_m=1.0,
        heading_deg=-yaw % 360,
        method="gnss",
    )


def path(steps: Sequence[tuple[float, float]]) -> list[Pose]:
    """Poses of a vehicle that rolls (metres, below 0 backwards) and turns (degrees counter-clockwise) step by step."""
    x = y = yaw = distance = 0.0
    poses = [pose_at(0, x, y, yaw, distance)]
    for index, (way, turn) in enumerate(steps, start=1):
        middle = math.radians(yaw + turn / 2)
        x, y, yaw = x + way * math.cos(middle), y + way * math.sin(middle), yaw + turn
        distance += abs(way)
        poses.append(pose_at(index, x, y, yaw, distance))
    return poses


Step = tuple[Frame, Pose, list[Detection]]


def look(
    things: Sequence[Thing],
    poses: Sequence[Pose],
    *,
    pixel_noise: float = 0.0,
    miss_every: int = 0,
    seed: int = 0,
    nod_deg: Callable[[int], float] = lambda _: 0.0,
    hidden: Callable[[Thing, Pose], bool] = lambda _thing, _pose: False,
) -> Iterator[Step]:
    """What a perfect detector sees from these poses; every `miss_every`th look at each thing is missed."""
    rng = random.Random(seed)
    for index, pose in enumerate(poses):
        camera = replace(CAMERA, pitch_deg=CAMERA.pitch_deg + nod_deg(index))
        found = []
        for number, thing in enumerate(things):
            box = box_of(thing, pose, camera=camera)
            noise = [rng.gauss(0, pixel_noise) for _ in range(4)]
            if box is None or (miss_every and (index + number) % miss_every == 0) or hidden(thing, pose):
                continue
            x1, y1, x2, y2 = (edge + off for edge, off in zip(box, noise, strict=True))
            found.append(Detection(thing.label, 0.7, (max(x1, 0.0), max(y1, 0.0), min(x2, 1280.0), min(y2, 720.0))))
        yield Frame(EMPTY, pose.time_s, index, f"{index:06d}"), pose, found


def drive(
    things: Sequence[Thing],
    *,
    length_m: float,
    every_m: float = 2.0,
    yaw_rate_deg_per_m: float = 0.0,
    pixel_noise: float = 0.0,
    miss_every: int = 0,
    seed: int = 0,
) -> Iterator[Step]:
    """Frames with poses and detections of a drive of one curvature."""
    steps = [(every_m, yaw_rate_deg_per_m * every_m)] * (int(length_m / every_m) - 1)
    return look(things, path(steps), pixel_noise=pixel_noise, miss_every=miss_every, seed=seed)


def nodding(seed: int, *, sigma_deg: float = 0.3, every_s: float = 0.2) -> Callable[[int], float]:
    """A body that nods at about 1 Hz (a damped oscillator shaken at random), degrees by frame."""
    rng = np.random.default_rng(seed)
    step_s, omega, damping = 0.02, 2 * math.pi, 0.25
    values, value, speed = [], 0.0, 0.0
    for shake in rng.standard_normal(6000):
        speed += (-2 * damping * omega * speed - omega**2 * value) * step_s + shake * math.sqrt(step_s)
        value += speed * step_s
        values.append(value)
    scaled = np.array(values) / np.std(values) * sigma_deg
    return lambda index: float(scaled[200 + round(index * every_s / step_s)])
