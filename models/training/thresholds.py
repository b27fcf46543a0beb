# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Choose the thresholds, on `val` alone.

Damage: the threshold with the best F1, the mean of all pictures and of the forward view, which is what vehicles see.
People and vehicles: the best F2, and never above GENEROUS, because a face that is not blurred costs more than a blurred
tree.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.types import Detection
from edge.vision.decode import Scores, select
from edge.vision.letterbox import Boxes
from edge.vision.manifest import Manifest
from models.training.classes import CLASSES, CRACK, CRACKS, PERSON, TYPED, VEHICLE
from models.training.dataset import Sample
from models.training.metric import Count, Judged, judge

FLOOR = 0.03
GENEROUS = 0.25
STEPS = np.round(np.arange(0.05, 0.801, 0.01), 2)
OWN_VIEW = "forward_high"

Look = tuple[Sample, Boxes, Scores]


def choose(looks: Sequence[Look], manifest: Manifest) -> dict[str, float]:
    """A threshold for every class."""
    chosen: dict[str, float] = {}
    for label in (*(index for index in range(len(CLASSES)) if index not in TYPED), *TYPED):
        beta = 2.0 if label in (PERSON, VEHICLE) else 1.0
        judged = [
            (sample, judge(sample, candidates(boxes, scores, manifest, label), label))
            for sample, boxes, scores in looks
            if sample.scored[label]
        ]
        whole = [one for _, one in judged]
        own = [one for sample, one in judged if sample.view == OWN_VIEW]
        goals = [_f(whole, step, beta) + (_f(own, step, beta) if _boxes(own) else 0.0) for step in STEPS]
        best = float(STEPS[int(np.argmax(goals))])
        chosen[CLASSES[label]] = min(best, GENEROUS) if label in (PERSON, VEHICLE) else best
    for label in TYPED:  # a name never lets in what the superclass would not
        chosen[CLASSES[label]] = max(chosen[CLASSES[label]], chosen[CLASSES[CRACK]])
    return {name: chosen[name] for name in CLASSES}


def candidates(boxes: Boxes, scores: Scores, manifest: Manifest, label: int) -> list[Detection]:
    """What would carry this class if its threshold were as low as FLOOR."""
    floor = dict.fromkeys(CLASSES, FLOOR)
    found = []
    for group, row in select(boxes, scores, manifest, floor):
        if CLASSES[label] not in group:
            continue
        if label == CRACK:
            score = float(scores[row, list(CRACKS)].max())
        elif label in TYPED and int(scores[row, list(TYPED)].argmax()) != TYPED.index(label):
            continue
        else:
            score = float(scores[row, label])
        x1, y1, x2, y2 = (float(value) for value in boxes[row])
        found.append(Detection(CLASSES[label], score, (x1, y1, x2, y2)))
    return found


def _f(judged: Sequence[Judged], threshold: float, beta: float) -> float:
    return sum((one.count(float(threshold)) for one in judged), Count()).f(beta)


def _boxes(judged: Sequence[Judged]) -> int:
    return sum(len(one.true_sizes_px) for one in judged)
