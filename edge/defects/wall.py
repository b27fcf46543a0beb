# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a detection lies on a tunnel's lining: the rectangle on the unrolled wall whose picture has this box.

A wall is seen at a grazing angle: the box's side towards the vanishing point is the far end, its height is that of the
near end, and overhead top and bottom change roles. So instead of cases: four unknowns (centre and half extents along
and around), four measurements (the box's sides), solved by Newton's method (Hartley & Zisserman, app. 6) with the
outline's points projected as a camera does it. Starts at what the box's corners and middles meet.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.defects.footprint import BOX_EDGE_PX, BOX_EDGE_SHARE, Footprint, is_cut
from edge.geometry import Calibration
from edge.lining import Lining, pixel_to_lining, pixel_to_lining_error
from edge.types import Box

Matrix = NDArray[np.float64]

_STEPS = 8
#: Good enough, in units of the focal length: a tenth of a pixel.
_DONE = 1e-4
_SMALLEST_M = 0.01
_TURN = np.linspace(0, 2 * math.pi, 48, endpoint=False)
#: An outline between rectangle and ellipse: a spalling is neither.
_POWER = 2 / 3.0
_OUTLINE = np.stack(
    [np.sign(np.cos(_TURN)) * np.abs(np.cos(_TURN)) ** _POWER, np.sign(np.sin(_TURN)) * np.abs(np.sin(_TURN)) ** _POWER]
)


def locate_on_lining(box: Box, calibration: Calibration, lining: Lining, *, max_range_m: float) -> Footprint | None:
    """The footprint of a box on the unrolled lining: x along it, y to the left (`-around_m`), in the vehicle's frame.

    Returns None where the box's middle meets the road rather than the lining, or farther than `max_range_m`.
    """
    x1, y1, x2, y2 = box
    u, v = (x1 + x2) / 2, (y1 + y2) / 2
    middle = pixel_to_lining(calibration, lining, u, v)
    if middle is None or middle.x_m > max_range_m:
        return None
    error = pixel_to_lining_error(calibration, lining, u, v, pixel_px=BOX_EDGE_PX / math.sqrt(2))
    guess = _guess(box, calibration, lining, max_range_m)
    if error is None or guess is None:
        return None
    x, around, half_length, half_around = _solve(box, calibration, lining, guess).tolist()
    fit = np.diag([(BOX_EDGE_SHARE * 2 * half_length) ** 2, (BOX_EDGE_SHARE * 2 * half_around) ** 2])
    mirror = np.diag([1.0, -1.0])
    return Footprint(
        x_m=x,
        y_m=-around,
        half_length_m=half_length,
        half_width_m=half_around,
        spread=mirror @ error.random @ mirror + fit + 1e-4 * np.eye(2),
        nod=np.zeros(2),
        systematic=mirror @ error.systematic @ mirror,
        cut=is_cut(box, calibration),
    )


def _guess(box: Box, calibration: Calibration, lining: Lining, max_range_m: float) -> Matrix | None:
    x1, y1, x2, y2 = box
    rows, columns = (y1, (y1 + y2) / 2, y2), (x1, (x1 + x2) / 2, x2)
    points = [pixel_to_lining(calibration, lining, u, v) for u in columns for v in rows]
    met = np.array([[min(p.x_m, max_range_m), p.around_m] for p in points if p is not None])
    if not len(met):
        return None
    low, high = met.min(axis=0), met.max(axis=0)
    guess: Matrix = np.concatenate([(low + high) / 2, np.maximum((high - low) / 2, _SMALLEST_M)])
    return guess


def _solve(box: Box, calibration: Calibration, lining: Lining, guess: Matrix) -> Matrix:
    """The guess where Newton's method does not come to an end."""
    wanted = _sides(box, calibration)
    steps = np.array([1e-3, 1e-3, 1e-3, 1e-3])
    at = guess
    best, best_off = guess, math.inf
    for _ in range(_STEPS):
        seen = _box_of(at, calibration, lining)
        if seen is None:
            break
        off = seen - wanted
        long = float(np.abs(off).max())
        if long < best_off:
            best, best_off = at, long
        if long < _DONE:
            break
        moved = [_box_of(at + step, calibration, lining) for step in np.diag(steps)]
        slopes = [(m - seen) / step for m, step in zip(moved, steps, strict=True) if m is not None]
        if len(slopes) < 4:
            break
        change = np.linalg.lstsq(np.array(slopes).T, off, rcond=1e-6)[0]
        # No step longer than half of the way to the camera, or than the extents allow.
        change = np.clip(change, -0.5 * max(float(at[0]), 1.0), 0.5 * max(float(at[0]), 1.0))
        at = at - change
        at[2:] = np.maximum(at[2:], _SMALLEST_M)
    return best


def _sides(box: Box, calibration: Calibration) -> Matrix:
    """The box's sides without lens distortion in units of the focal length: left, top, right, bottom."""
    x1, y1, x2, y2 = box
    u, v = (x1 + x2) / 2, (y1 + y2) / 2
    rays = [calibration.rotation.T @ calibration.ray(*pixel) for pixel in ((x1, v), (u, y1), (x2, v), (u, y2))]
    return np.array([ray[axis] / ray[2] for ray, axis in zip(rays, (0, 1, 0, 1), strict=True)])


def _box_of(at: Matrix, calibration: Calibration, lining: Lining) -> Matrix | None:
    """The box, as `_sides` gives it, of an outline on the lining; None where a part lies behind the camera."""
    x = at[0] + at[2] * _OUTLINE[0]
    y, z = lining.profile(at[1] + at[3] * _OUTLINE[1])
    offset = np.stack([x - calibration.forward_m, y - calibration.left_m, z - calibration.height_m])
    right, down, ahead = calibration.rotation.T @ offset
    if not (ahead > 0.05).all():
        return None
    u, v = right / ahead, down / ahead
    return np.array([u.min(), v.min(), u.max(), v.max()])
