# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What moves between two frames of a straight drive, and the pixel that it moves away from."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.lens import Points
from edge.types import Picture

#: Features looked for in each frame; the road gives few.
_FEATURES = 1500
#: Lowe's ratio between best and second best match.
_RATIO = 0.75
#: Flow lines pass the focus of expansion within this share of the picture's width.
LINE_SHARE = 0.004
_TRIALS = 2000
_MIN_INLIERS = 80
#: Flow shorter than this share of the picture's height says nothing.
_MIN_FLOW_SHARE = 0.008


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
    way_m: NDArray[np.float64]


def flow_between(step: Step) -> Flow:
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


def focus_of_expansion(flow: Flow, tolerance: float) -> tuple[tuple[float, float], NDArray[np.bool_]] | None:
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
