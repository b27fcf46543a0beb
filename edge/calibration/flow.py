# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What moves between two frames of a straight drive, and the pixel that it moves away from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.lens import Points
from edge.types import Picture

#: Places (n x 2, pixels) and descriptors (n x 128, None without any).
_Features: TypeAlias = tuple[Points, Any]

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
    """Two frames, the way between them in metres, straight ahead, and how far the vehicle turned left meanwhile."""

    before: Picture
    after: Picture
    way_m: float
    turn_deg: float = 0.0


@dataclass(frozen=True)
class Flow:
    """Points before and after (n x 2, pixels) and the way between them (n, metres)."""

    before: Points
    after: Points
    way_m: NDArray[np.float64]


def follow(steps: Iterable[Step]) -> Iterator[tuple[Step, Flow]]:
    """Points that move down the picture between the two frames of each step."""
    sift = cv2.SIFT.create(_FEATURES, enable_precise_upscale=True)  # else all places lean by a quarter pixel
    last: tuple[Picture, _Features] | None = None
    for step in steps:
        before = last[1] if last is not None and last[0] is step.before else _features(sift, step.before)
        after = _features(sift, step.after)
        last = (step.after, after)
        yield step, _matched(before, after, step)


def _features(sift: cv2.SIFT, picture: Picture) -> _Features:
    keys, marks = sift.detectAndCompute(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), None)
    return np.array([key.pt for key in keys], dtype=np.float64).reshape(-1, 2), marks


def _matched(before: _Features, after: _Features, step: Step) -> Flow:
    (at_a, marks_a), (at_b, marks_b) = before, after
    pairs = []
    if marks_a is not None and marks_b is not None and len(at_b) > 1:
        found = cv2.BFMatcher().knnMatch(marks_a, marks_b, k=2)
        pairs = [
            (p[0].queryIdx, p[0].trainIdx) for p in found if len(p) == 2 and p[0].distance < _RATIO * p[1].distance
        ]
    a, b = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    moved = at_b[b, 1] > at_a[a, 1] + _MIN_FLOW_SHARE * step.after.shape[0]
    return Flow(at_a[a[moved]], at_b[b[moved]], np.full(int(moved.sum()), step.way_m))


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
