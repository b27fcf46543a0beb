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
from models.training.classes import Classes
from models.training.dataset import Sample
from models.training.metric import Count, Judged, judge

FLOOR = 0.03
GENEROUS = 0.25
STEPS = np.round(np.arange(0.05, 0.801, 0.01), 2)

Look = tuple[Sample, Boxes, Scores]


def choose(looks: Sequence[Look], manifest: Manifest) -> dict[str, float]:
    """A threshold for every class."""
    chosen: dict[str, float] = {}
    classes = looks[0][0].classes
    for label in (*(index for index in range(len(classes)) if index not in classes.typed), *classes.typed):
        beta = 2.0 if label in classes.taught else 1.0
        judged = judge_candidates(looks, manifest, label)
        whole = [one for _, one in judged]
        own = [one for sample, one in judged if sample.view == classes.own_view]
        goals = [_f(whole, step, beta) + (_f(own, step, beta) if _boxes(own) else 0.0) for step in STEPS]
        best = float(STEPS[int(np.argmax(goals))])
        chosen[classes.names[label]] = min(best, GENEROUS) if label in classes.taught else best
    for label in classes.typed:  # a name never lets in what the superclass would not
        chosen[classes.names[label]] = max(chosen[classes.names[label]], chosen["crack"])
    return {name: chosen[name] for name in classes.names}


def judge_candidates(looks: Sequence[Look], manifest: Manifest, label: int) -> list[tuple[Sample, Judged]]:
    """The pictures in which a class can be judged, with everything that a threshold could let in."""
    return [
        (sample, judge(sample, candidates(boxes, scores, manifest, sample.classes, label), label))
        for sample, boxes, scores in looks
        if sample.scored[label]
    ]


def candidates(boxes: Boxes, scores: Scores, manifest: Manifest, classes: Classes, label: int) -> list[Detection]:
    """What would carry this class if its threshold were as low as FLOOR."""
    floor = dict.fromkeys(classes.names, FLOOR)
    found = []
    for group, row in select(boxes, scores, manifest, floor):
        if classes.names[label] not in group:
            continue
        if label == classes.crack:
            score = float(scores[row, list(classes.cracks)].max())
        elif label in classes.typed and int(scores[row, list(classes.typed)].argmax()) != classes.typed.index(label):
            continue
        else:
            score = float(scores[row, label])
        x1, y1, x2, y2 = (float(value) for value in boxes[row])
        found.append(Detection(classes.names[label], score, (x1, y1, x2, y2)))
    return found


def _f(judged: Sequence[Judged], threshold: float, beta: float) -> float:
    return sum((one.count(float(threshold)) for one in judged), Count()).f(beta)


def _boxes(judged: Sequence[Judged]) -> int:
    return sum(len(one.true_sizes_px) for one in judged)
