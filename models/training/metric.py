# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""F1 and average precision at an overlap of one half, per class, counting only what can be judged.

A class counts in a picture only if somebody looked for it there. A box in a region to ignore is neither right nor
wrong. `crack` is scored as the superclass: every crack, whatever its name; typed cracks are scored where types were
written down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.types import Detection
from models.training.classes import Classes
from models.training.dataset import Boxes, Sample

Floats = NDArray[np.float64]

OVERLAP = 0.5
SMALL_PX = 32.0


@dataclass(frozen=True)
class Count:
    """Right, wrong and missed boxes."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def boxes(self) -> int:
        """True boxes."""
        return self.right + self.missed

    @property
    def precision(self) -> float:
        """Share of what was found that is right."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Share of the true boxes that was found."""
        return self.right / max(1, self.boxes)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return self.f(1.0)

    def f(self, beta: float) -> float:
        """F-beta: recall counts beta times as much as precision."""
        weighted = (1 + beta**2) * self.right
        return weighted / max(1.0, weighted + beta**2 * self.missed + self.wrong)


@dataclass(frozen=True)
class Match:
    """One box that was found: its score, whether it is right, and its size (of the true box where right)."""

    score: float
    right: bool
    size_px: float


@dataclass(frozen=True)
class Judged:
    """One picture, one class: what was found, the sizes of all true boxes."""

    matches: tuple[Match, ...]
    true_sizes_px: tuple[float, ...]

    def count(self, threshold: float = 0.0, size: Callable[[float], bool] = lambda _: True) -> Count:
        """Right, wrong and missed above a threshold, of boxes whose size passes."""
        taken = [match for match in self.matches if match.score >= threshold and size(match.size_px)]
        right = sum(match.right for match in taken)
        return Count(right, len(taken) - right, sum(map(size, self.true_sizes_px)) - right)


def average_precision(judged: Sequence[Judged], size: Callable[[float], bool] = lambda _: True) -> float:
    """AP50: the area below precision over recall, each precision the best at this recall or a higher one; 0 to 1."""
    _, recall, precision = curve(judged, size)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * best).sum())


def curve(judged: Sequence[Judged], size: Callable[[float], bool] = lambda _: True) -> tuple[Floats, Floats, Floats]:
    """Scores, best first, and what a threshold there would give: recall and precision. One entry for each score."""
    matches = [match for one in judged for match in one.matches if size(match.size_px)]
    boxes = sum(size(true_px) for one in judged for true_px in one.true_sizes_px)
    scores = np.array([match.score for match in matches], np.float64)
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], np.cumsum(np.array([match.right for match in matches], bool)[order])
    last = np.flatnonzero(np.diff(scores, append=-1.0))  # equal scores pass a threshold together
    return scores[last], right[last] / max(1, boxes), right[last] / (last + 1.0)


def is_small(size_px: float) -> bool:
    """Square root of the area below 32 pixels of the picture (at most 640 wide)."""
    return size_px < SMALL_PX


def is_large(size_px: float) -> bool:
    """The others."""
    return not is_small(size_px)


def belongs(found: str, label: int, classes: Classes) -> bool:
    """Whether a detection of this name counts for the class."""
    return classes.index(found) in classes.members(label)


def judge(sample: Sample, detections: Sequence[Detection], label: int) -> Judged:
    """Match the detections of one class, best first, with the true boxes of one picture."""
    classes = sample.classes
    truth = sample.boxes[np.isin(sample.labels, classes.members(label))]
    ignored = sample.ignored[np.isin(sample.ignored_labels, classes.group(label))]
    free = np.ones(len(truth), bool)
    matches = []
    found = [detection for detection in detections if belongs(detection.label, label, classes)]
    for detection in sorted(found, key=lambda detection: -detection.score):
        box = np.array([detection.box], np.float32)
        fit = np.where(free, overlaps(box, truth)[0], 0)
        if len(truth) and fit.max() >= OVERLAP:
            best = int(fit.argmax())
            free[best] = False
            matches.append(Match(detection.score, right=True, size_px=_size(truth[best])))
        elif not (len(ignored) and (_common(box, ignored)[0] / max(_area(box)[0], 1e-6)).max() >= OVERLAP):
            matches.append(Match(detection.score, right=False, size_px=_size(box[0])))
    return Judged(tuple(matches), tuple(_size(box) for box in truth))


def overlaps(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Intersection over union of every a with every b."""
    common = _common(a, b)
    union = _area(a)[:, None] + _area(b)[None] - common
    return np.asarray(common / np.maximum(union, 1e-6), np.float32)


def _common(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.asarray((high - low).clip(0).prod(2), np.float32)


def _area(boxes: Boxes) -> NDArray[np.float32]:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).clip(0).prod(1), np.float32)


def _size(box: NDArray[np.float32]) -> float:
    return float(np.sqrt(_area(box[None])[0]))
