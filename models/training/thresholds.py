# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Choose the thresholds, on `val` alone.

Damage: the threshold with the best F1, or the one that costs the depot least; in both cases all pictures together and
the forward view, which is what vehicles see, count alike. People and vehicles: the best F2, and never above GENEROUS,
because a face that is not blurred costs more than a blurred tree.

What things cost is a decision of the city and stands here alone: FALSE_S and MISSED_S.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from edge.types import Detection
from edge.vision.decode import Scores, select
from edge.vision.letterbox import Boxes
from edge.vision.manifest import Manifest
from models.training.classes import Classes
from models.training.dataset import Sample
from models.training.metric import Count, Judged, judge

Goal = Literal["f1", "cost"]

#: Seconds of a clerk's time for a false case: open it, look at the picture, reject it.
FALSE_S = 5.0
#: Seconds of looking that a city would spend to find one more: potholes and loose concrete hurt people, a crack waits.
#: The tracker's certainty was chosen with the same 30 s (`edge.defects.tracker`).
MISSED_S = {"pothole": 30.0, "spalling": 30.0}
MISSED_OTHER_S = 15.0

FLOOR = 0.03
GENEROUS = 0.25
STEPS = np.round(np.arange(0.05, 0.801, 0.01), 2)

Look = tuple[Sample, Boxes, Scores]


def choose(looks: Sequence[Look], manifest: Manifest, goal: Goal = "f1") -> dict[str, float]:
    """A threshold for every class."""
    chosen: dict[str, float] = {}
    classes = looks[0][0].classes
    for label in (*(index for index in range(len(classes)) if index not in classes.typed), *classes.typed):
        judged = judge_candidates(looks, manifest, label)
        whole = [one for _, one in judged]
        own = [one for sample, one in judged if sample.view == classes.own_view]
        worth = _worth(classes, label, goal)
        goals = [sum(worth(counted(part, step)) for part in (whole, own) if _boxes(part)) for step in STEPS]
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


def counted(judged: Sequence[Judged], threshold: float) -> Count:
    """Right, wrong and missed at a threshold."""
    return sum((one.count(float(threshold)) for one in judged), Count())


def cost_s(count: Count, name: str) -> float:
    """What wrong and missed boxes of a class cost, seconds."""
    return FALSE_S * count.wrong + MISSED_S.get(name, MISSED_OTHER_S) * count.missed


def _worth(classes: Classes, label: int, goal: Goal) -> Callable[[Count], float]:
    if label in classes.taught:
        return lambda count: count.f(2.0)
    if goal == "f1":
        return lambda count: count.f1
    return lambda count: -cost_s(count, classes.names[label]) / count.boxes


def _boxes(judged: Sequence[Judged]) -> int:
    return sum(len(one.true_sizes_px) for one in judged)
