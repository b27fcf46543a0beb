# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Mounting of a camera from a drive straight ahead: where the road flows out of, and how fast.

Between two frames of a straight drive every point of the road moves away from one pixel, the focus of expansion
(Hartley & Zisserman, ch. 9.5): it gives pitch and yaw. For a level road the distance ahead of a pixel row v is

    x = K / (v - v0) - const,   K = h f / cos^2(pitch),   tan(pitch) = (cy - v0) / f

(v0: row of the focus of expansion, h: height above the road, f: focal length in pixels), so the known way between
the frames gives K from each point. Height and focal length cannot be told apart by moving straight ahead: the height
has to be given, and lengths across the road are as wrong as it is; lengths along the road are not.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry import Calibration
from edge.types import Picture

_log = logging.getLogger(__name__)

Points = NDArray[np.float64]

#: Features looked for in each frame; the road gives few.
_FEATURES = 1500
#: Lowe's ratio between best and second best match.
_RATIO = 0.75
#: Flow lines pass the focus of expansion within this share of the picture's width.
_LINE_SHARE = 0.004
_TRIALS = 2000
_MIN_INLIERS = 80
#: Flow shorter than this share of the picture's height says nothing.
_MIN_FLOW_SHARE = 0.008
#: Spread (quartile distance by median) of K above which the result is not used.
_MAX_SPREAD = 0.6
#: Only points less than this times the camera's height to the side count: there is road, not cars and house fronts.
_LANE = 1.0
#: Points on the road that K is taken from.
_MIN_ON_ROAD = 40


@dataclass(frozen=True)
class Step:
    """Two frames and the way between them in metres, straight ahead."""

    before: Picture
    after: Picture
    way_m: float


@dataclass(frozen=True)
class Flow:
    """Points before and after (n x 2, pixels) and the way between them (n, metres)."""

    before: Points
    after: Points
    way_m: Points


def calibrate_mount(steps: Iterable[Step], *, height_m: float, calibration_id: str) -> Calibration | None:
    """Find focal length, pitch and yaw.

    Args:
        steps: 20 or more pairs of frames of one size on a straight, level road, 0.5 to 6 m apart.
        height_m: of the camera above the road.
        calibration_id: name of the result.

    Returns:
        The calibration, or None where the drive does not show enough (a log line says what is missing).
    """
    flows: list[Flow] = []
    shape = (0, 0)
    for step in steps:
        shape = (step.after.shape[0], step.after.shape[1])
        flows.append(_flow(step))
    if not flows:
        return None
    flow = Flow(*(np.concatenate([getattr(f, name) for f in flows]) for name in ("before", "after", "way_m")))
    return solve(flow, width=shape[1], height=shape[0], height_m=height_m, calibration_id=calibration_id)


def solve(flow: Flow, *, width: int, height: int, height_m: float, calibration_id: str) -> Calibration | None:
    """The geometry of `calibrate_mount`, without pictures."""
    found = _focus_of_expansion(flow, _LINE_SHARE * width)
    if found is None:
        _log.warning("mount: %d moving points are too few or do not flow from one place", len(flow.before))
        return None
    (u0, v0), inliers = found
    above_before, above_after = flow.before[inliers, 1] - v0, flow.after[inliers, 1] - v0
    aside = np.abs(flow.after[inliers, 0] - u0)
    road = (above_before > 0.05 * height) & (above_after > above_before) & (aside < _LANE * above_after)
    if road.sum() < _MIN_ON_ROAD:
        _log.warning("mount: only %d points on the road could be followed", int(road.sum()))
        return None
    k = flow.way_m[inliers][road] / (1 / above_before[road] - 1 / above_after[road])
    low, middle, high = (float(v) for v in np.percentile(k, [25, 50, 75]))
    if (high - low) / middle > _MAX_SPREAD:
        _log.warning("mount: the points disagree about distances by %.0f %%", 100 * (high - low) / middle)
        return None
    return _mount((u0, v0), middle, width=width, height=height, height_m=height_m, calibration_id=calibration_id)


def _mount(
    focus: tuple[float, float], k: float, *, width: int, height: int, height_m: float, calibration_id: str
) -> Calibration | None:
    (u0, v0), cx, cy = focus, width / 2, height / 2
    drop = cy - v0
    # f + drop^2 / f = k / h; of the two solutions the longer focal length has the smaller pitch.
    half = k / height_m / 2
    if half < abs(drop):
        _log.warning("mount: a camera %.1f m above the road cannot see the road like this; check the height", height_m)
        return None
    focal = half + math.sqrt(half * half - drop * drop)
    pitch = math.atan(drop / focal)
    yaw = math.atan((u0 - cx) / focal * math.cos(pitch))
    if not 0.4 * width <= focal <= 4 * width:
        _log.warning("mount: a focal length of %.0f pixels is not believable for %d pixels' width", focal, width)
        return None
    return Calibration(
        id=calibration_id,
        width=width,
        height=height,
        fx=focal,
        fy=focal,
        cx=cx,
        cy=cy,
        height_m=height_m,
        pitch_deg=math.degrees(pitch),
        yaw_deg=math.degrees(yaw),
        pitch_error_deg=0.5,
    )


def _flow(step: Step) -> Flow:
    """Points that move down the picture between two frames."""
    sift = cv2.SIFT.create(_FEATURES)
    (keys_a, marks_a), (keys_b, marks_b) = (
        sift.detectAndCompute(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), None) for picture in (step.before, step.after)
    )
    if marks_a is None or marks_b is None or len(keys_a) < 2 or len(keys_b) < 2:
        return Flow(np.empty((0, 2)), np.empty((0, 2)), np.empty(0))
    found = [
        (keys_a[pair[0].queryIdx].pt, keys_b[pair[0].trainIdx].pt)
        for pair in cv2.BFMatcher().knnMatch(marks_a, marks_b, k=2)
        if len(pair) == 2 and pair[0].distance < _RATIO * pair[1].distance
    ]
    least = _MIN_FLOW_SHARE * step.after.shape[0]
    moved = [(a, b) for a, b in found if b[1] > a[1] + least]
    before, after = (np.array([pair[i] for pair in moved], dtype=np.float64).reshape(-1, 2) for i in (0, 1))
    return Flow(before, after, np.full(len(moved), step.way_m))


def _focus_of_expansion(flow: Flow, tolerance: float) -> tuple[tuple[float, float], NDArray[np.bool_]] | None:
    """The pixel that most flow lines pass (RANSAC with a fixed seed), refined by least squares."""
    if len(flow.before) < _MIN_INLIERS:
        return None
    along = flow.after - flow.before
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.linalg.norm(along, axis=1)[:, None]
    offset = (normal * flow.before).sum(axis=1)
    pairs = np.random.default_rng(0).integers(0, len(offset), (_TRIALS, 2))
    (a, b), (c, d) = normal[pairs[:, 0]].T, normal[pairs[:, 1]].T
    steep = a * d - b * c  # of two lines that are nearly parallel nothing is asked
    pairs, a, b, c, d, steep = (v[np.abs(steep) > 1e-2] for v in (pairs, a, b, c, d, steep))
    right = offset[pairs]
    points = np.stack([d * right[:, 0] - b * right[:, 1], a * right[:, 1] - c * right[:, 0]]) / steep
    near = np.abs(normal @ points - offset[:, None]) < tolerance
    if near.shape[1] == 0:
        return None
    best: NDArray[np.bool_] = near[:, near.sum(axis=0).argmax()]
    if best.sum() < _MIN_INLIERS:
        return None
    point = np.linalg.lstsq(normal[best], offset[best], rcond=None)[0]
    return (float(point[0]), float(point[1])), best
