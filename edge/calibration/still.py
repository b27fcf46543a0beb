# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Mounting from one picture of a standing vehicle with a camera whose lens is known.

With marks on level ground at measured places: the pose of a plane (Zhang 2000, via OpenCV's solvePnP), refined by least
squares in the mounting's own numbers. With the two lines of a lane: the point where they meet gives pitch and yaw, the
lane's width gives the height (Hartley & Zisserman, ch. 8.6, vanishing points). Errors are carried over at first order
(ch. 5.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.calibration.mounting import mounted
from edge.errors import InputError
from edge.geometry import Calibration
from edge.lens import Intrinsics

Array = NDArray[np.float64]

Segment: TypeAlias = tuple[float, float, float, float]
"""u1, v1, u2, v2: two pixels of one line."""

LEAST_MARKS = 4
#: Marks are clicked to a pixel or two and measured to a centimetre; a smaller rest is luck.
_LEAST_PX = 1.0
#: Above this the marks cannot be what was measured.
_MOST_PX = 8.0
_CLICK_PX = 1.5
#: How well a lane's width is known; how well a vehicle stands along it and upright in it.
_WIDTH_M, _ALONG_DEG, _UPRIGHT_DEG = 0.03, 0.5, 0.7
#: Where a camera may sit and how it may look; anything else is a mistake in what was given.
_HEIGHTS_M, _MOST_DEG = (0.2, 10.0), 60.0
_AXES = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


def mount_from_points(marks: Array, intrinsics: Intrinsics, *, name: str) -> Calibration:
    """From marks on level ground.

    Args:
        marks: n x 4: u, v (pixels), x, y (metres before and to the left of the antenna); 4 or more, not in one line.
        intrinsics: of the camera.
        name: the calibration's id.

    Raises:
        InputError: they do not tell it, or contradict each other; one line says which and what to do.
    """
    if len(marks) < LEAST_MARKS:
        raise InputError(f"{len(marks)} marks, {LEAST_MARKS} or more are needed (columns u,v,x_m,y_m)")
    if np.linalg.svd(marks[:, 2:] - marks[:, 2:].mean(axis=0))[1][1] < 0.3:
        raise InputError("the marks lie in one line; lay some to the left and some to the right, near and far")
    numbers, rest_px = _fit_points(marks, intrinsics)
    if rest_px > _MOST_PX:
        raise InputError(_contradiction(marks, intrinsics, rest_px))
    slopes = _slopes(lambda n: _off(n, marks, intrinsics), numbers)
    spread = np.linalg.pinv(slopes.T @ slopes) * max(rest_px, _LEAST_PX) ** 2
    errors = np.sqrt(np.diag(spread))
    pitch, roll, yaw = (float(angle) for angle in numbers[:3])
    error_pitch, error_roll, error_yaw = (float(angle) for angle in errors[:3])
    return mounted(
        intrinsics,
        name,
        angles_deg=(pitch, roll, yaw),
        errors_deg=(error_pitch, error_roll, error_yaw),
        height_m=(float(numbers[3]), float(errors[3])),
        place_m=(float(numbers[4]), float(numbers[5])),
    )


def mount_from_lane(
    lines: Sequence[Segment],
    width_m: float,
    intrinsics: Intrinsics,
    *,
    name: str,
    roll_deg: float = 0.0,
    place_m: tuple[float, float] = (0.0, 0.0),
) -> Calibration:
    """From the left and the right line of a straight, level lane that the vehicle stands along.

    Args:
        lines: two, clicked in the picture.
        width_m: between them.
        intrinsics: of the camera.
        name: the calibration's id.
        roll_deg: of the camera, which two lines do not tell.
        place_m: where the camera sits before and to the left of the antenna.

    Raises:
        InputError: the lines do not meet where lanes meet.
    """
    clicks = np.array(lines, dtype=np.float64).ravel()
    numbers = _fit_lane(clicks, width_m, roll_deg, intrinsics)
    if numbers is None:
        raise InputError(
            "the two lines do not meet above the road; give the left and the right edge of one straight lane, each as"
            " two pixels far apart"
        )
    given = np.concatenate([clicks, [width_m, roll_deg]])
    slopes = _slopes(lambda g: _lane_numbers(g, intrinsics), given)
    deviations = np.concatenate([np.full(8, _CLICK_PX), [_WIDTH_M, _UPRIGHT_DEG]])
    errors = np.sqrt(((slopes * deviations) ** 2).sum(axis=1))
    focal = intrinsics.focal_error_share
    pitch, yaw, height = (float(value) for value in numbers)
    return mounted(
        intrinsics,
        name,
        angles_deg=(pitch, roll_deg, yaw),
        errors_deg=(
            math.hypot(float(errors[0]), abs(pitch) * focal),
            _UPRIGHT_DEG,
            math.hypot(float(errors[1]), abs(yaw) * focal, _ALONG_DEG),
        ),
        height_m=(height, math.hypot(float(errors[2]), height * focal)),
        place_m=place_m,
    )


def _camera(intrinsics: Intrinsics, numbers: Array) -> Calibration:
    """Of pitch, roll, yaw (degrees), height, forward, left (metres)."""
    pitch, roll, yaw, height, forward, left = (float(value) for value in numbers)
    start = mounted(
        intrinsics, "trial", angles_deg=(0, 0, 0), errors_deg=(0, 0, 0), height_m=(1.0, 0.0), place_m=(0.0, 0.0)
    )
    return replace(start, pitch_deg=pitch, roll_deg=roll, yaw_deg=yaw, height_m=height, forward_m=forward, left_m=left)


def _off(numbers: Array, marks: Array, intrinsics: Intrinsics) -> Array:
    """How far each mark (2 n, pixels) is from where this mounting would show it."""
    camera = _camera(intrinsics, numbers)
    off = []
    for u, v, x, y in marks:
        seen = camera.road_to_pixel(float(x), float(y))
        off += [1e3, 1e3] if seen is None else [seen[0] - u, seen[1] - v]
    return np.array(off)


def _fit_points(marks: Array, intrinsics: Intrinsics) -> tuple[Array, float]:
    """The mounting's six numbers, and the standard deviation of a clicked coordinate that is left, pixels."""
    straight = intrinsics.straight(marks[:, :2])
    ground = np.column_stack([marks[:, 2:], np.zeros(len(marks))])
    found = False
    if np.isfinite(straight).all():
        found, turn, move = cv2.solvePnP(ground, straight, np.eye(3), np.zeros(5))
    rotation = cv2.Rodrigues(turn)[0].T if found else np.eye(3)
    place = -rotation @ move.ravel() if found else np.zeros(3)
    if not _HEIGHTS_M[0] < place[2] < _HEIGHTS_M[1]:
        raise InputError(
            "no place of a camera 0.2 to 10 m above the ground explains the marks; x_m is ahead, y_m to the left,"
            " pixels count from the picture's upper left corner"
        )
    m = rotation @ _AXES.T
    angles = math.asin(min(1.0, max(-1.0, -m[2, 0]))), math.atan2(m[2, 1], m[2, 2]), math.atan2(m[1, 0], m[0, 0])
    numbers = np.array([*map(math.degrees, angles), place[2], place[0], place[1]])
    for _ in range(10):  # Gauss-Newton; the start is a few pixels off
        off, slopes = _off(numbers, marks, intrinsics), _slopes(lambda n: _off(n, marks, intrinsics), numbers)
        step = np.linalg.lstsq(slopes, -off, rcond=None)[0]
        tried = numbers + step
        if not tried[3] > 0.05 or np.square(_off(tried, marks, intrinsics)).sum() > np.square(off).sum():
            break
        numbers = tried
    off = _off(numbers, marks, intrinsics)
    return numbers, math.sqrt(float(np.square(off).sum()) / max(1, len(off) - 6))


def _contradiction(marks: Array, intrinsics: Intrinsics, rest_px: float) -> str:
    """Names the mark without which the others agree, where there is one."""
    text = f"the marks contradict each other by {rest_px:.0f} pixels"
    if len(marks) > LEAST_MARKS + 1:
        rests = [_fit_points(np.delete(marks, i, axis=0), intrinsics)[1] for i in range(len(marks))]
        worst = int(np.argmin(rests))
        if rests[worst] < _MOST_PX / 2:
            return f"{text}; without mark {worst + 1} they agree: check its pixel and its metres"
    return f"{text}; is the ground level, is x_m ahead and y_m to the left?"


def _lane_numbers(given: Array, intrinsics: Intrinsics) -> Array:
    numbers = _fit_lane(given[:8], float(given[8]), float(given[9]), intrinsics)
    return np.full(3, np.nan) if numbers is None else numbers


def _fit_lane(clicks: Array, width_m: float, roll_deg: float, intrinsics: Intrinsics) -> Array | None:
    """Pitch and yaw (degrees) and height (metres)."""
    straight = intrinsics.straight(clicks.reshape(4, 2))
    if not np.isfinite(straight).all():
        return None
    a, b, c, d = np.column_stack([straight, np.ones(4)])
    meet = np.cross(np.cross(a, b), np.cross(c, d))
    if not abs(meet[2]) > 1e-9 * float(np.linalg.norm(meet)):
        return None
    roll = math.radians(roll_deg)
    tilt = np.array([[1, 0, 0], [0, math.cos(roll), -math.sin(roll)], [0, math.sin(roll), math.cos(roll)]])
    # In axes that are level but for pitch and yaw, "ahead" is (cos pitch cos yaw, -sin yaw, sin pitch cos yaw).
    ahead = tilt @ _AXES @ (meet / meet[2])
    ahead = ahead / float(np.linalg.norm(ahead))
    pitch, yaw = math.degrees(math.atan2(ahead[2], ahead[0])), math.degrees(math.asin(-ahead[1]))
    camera = _camera(intrinsics, np.array([pitch, roll_deg, yaw, 1.0, 0.0, 0.0]))
    places = [camera.pixel_to_road(float(u), float(v)) for u, v in clicks.reshape(4, 2)]
    sides = [place.y_m for place in places if place is not None]
    apart = abs(sides[0] + sides[1] - sides[2] - sides[3]) / 2 if len(sides) == 4 else 0.0
    if not (apart * _HEIGHTS_M[0] < width_m < apart * _HEIGHTS_M[1] and max(abs(pitch), abs(yaw)) < _MOST_DEG):
        return None
    return np.array([pitch, yaw, width_m / apart])


def _slopes(of: Callable[[Array], Array], at: Array) -> Array:
    """Derivatives by central differences: one column a number."""
    small = 1e-5 * np.maximum(1.0, np.abs(at))
    columns = [(of(at + d) - of(at - d)) / (2 * step) for d, step in zip(np.diag(small), small, strict=True)]
    return np.stack(columns, axis=1)
