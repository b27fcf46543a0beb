# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Make scores mean something: of all boxes with a score of 0.6, six in ten are right. Fitted on `val` alone.

Per class two numbers, a line through the log odds (`edge.vision.confidence`), from the boxes that pass the threshold,
for no other score is ever told. Few boxes say little, so a class stays near the line of all classes together. Classes
that the teacher labelled get none: agreement with a teacher is no probability.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.vision.confidence import SUREST, confidence
from edge.vision.decode import decode
from edge.vision.manifest import Line, Manifest
from models.training.dataset import Sample
from models.training.metric import judge
from models.training.thresholds import Look

Floats = NDArray[np.float64]

#: Where lines are looked for.
SLOPES = np.exp(np.linspace(np.log(0.2), np.log(5.0), 65))
OFFSETS = np.linspace(-4.0, 4.0, 161)
#: How far (log slope, offset) the common line strays willingly from "leave it as it is", and a class from the common
#: line. For street 0.1 and 0.2 gave the likeliest scores on sequences of `val` that were left out (of five choices).
COMMON_STRAYS, CLASS_STRAYS = (0.5, 1.0), (0.1, 0.2)
BINS = 10
FOLDS = 5
NONE = Line(slope=1.0, offset=0.0)


@dataclass(frozen=True)
class Told:
    """The boxes of one class that pass its threshold: score, whether right, and the sequence of the picture."""

    scores: Floats
    right: NDArray[np.bool_]
    sequences: tuple[str, ...]

    def through(self, line: Line) -> Floats:
        """The scores after a line."""
        return np.array([confidence(float(score), line) for score in self.scores], np.float64)

    @property
    def fold(self) -> NDArray[np.int64]:
        """Pictures of one sequence are alike, so they are always left out together."""
        return np.array([zlib.crc32(sequence.encode()) % FOLDS for sequence in self.sequences], np.int64)

    def only(self, chosen: NDArray[np.bool_]) -> Told:
        """Some of them."""
        kept = tuple(one for one, yes in zip(self.sequences, chosen, strict=True) if yes)
        return Told(self.scores[chosen], self.right[chosen], kept)


def told(looks: Sequence[Look], manifest: Manifest, name: str) -> Told:
    """What the vehicle would tell by this name, in the pictures where it can be judged."""
    label = manifest.classes.index(name)
    found = [
        (match, _sequence(sample))
        for sample, boxes, scores in looks
        if sample.scored[label] and sample.view not in sample.classes.apart
        for match in judge(sample, [one for one in decode(boxes, scores, manifest) if one.label == name], label).matches
    ]
    return Told(
        np.array([match.score for match, _ in found], np.float64),
        np.array([match.right for match, _ in found], bool),
        tuple(sequence for _, sequence in found),
    )


def _sequence(sample: Sample) -> str:
    return f"{sample.source} {sample.sequence}" if sample.sequence else sample.path.name


def told_all(looks: Sequence[Look], manifest: Manifest) -> dict[str, Told]:
    """By class; without those that the teacher labelled."""
    taught = looks[0][0].classes.taught_names
    return {name: told(looks, manifest, name) for name in manifest.classes if name not in taught}


def fit_all(boxes: Mapping[str, Told]) -> dict[str, Line]:
    """A line for every class: near the line of all boxes together, for few boxes of few streets say little."""
    common = fit(joined(boxes.values()), NONE, COMMON_STRAYS)
    return {name: fit(one, common, CLASS_STRAYS) for name, one in boxes.items()}


def fit(boxes: Told, near: Line, strays: tuple[float, float]) -> Line:
    """The likeliest line, held near another."""
    scores = boxes.scores.clip(1 - SUREST, SUREST)
    odds = np.log(scores / (1 - scores))
    z = SLOPES[:, None, None] * odds + OFFSETS[:, None]
    unlikely = np.logaddexp(0, np.where(boxes.right, -z, z)).sum(2)
    strayed = np.log(SLOPES[:, None] / near.slope) / strays[0], (OFFSETS - near.offset) / strays[1]
    unlikely += (strayed[0] ** 2 + strayed[1] ** 2) / 2
    slope, offset = np.unravel_index(int(unlikely.argmin()), unlikely.shape)
    return Line(slope=round(float(SLOPES[slope]), 3), offset=round(float(OFFSETS[offset]), 3))


def joined(boxes: Iterable[Told]) -> Told:
    """Boxes of several classes together."""
    all_of = list(boxes)
    return Told(
        np.concatenate([one.scores for one in all_of]),
        np.concatenate([one.right for one in all_of]),
        tuple(sequence for one in all_of for sequence in one.sequences),
    )


def crossed(boxes: Mapping[str, Told]) -> dict[str, Floats]:
    """Every score after lines that were fitted without the box's sequence: what to expect on other streets."""
    scores = {name: one.scores.copy() for name, one in boxes.items()}
    for fold in range(FOLDS):
        lines = fit_all({name: one.only(one.fold != fold) for name, one in boxes.items()})
        for name, one in boxes.items():
            scores[name][one.fold == fold] = one.only(one.fold == fold).through(lines[name])
    return scores


def bins(scores: Floats, right: NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    """Per tenth with boxes in it: mean score, share that is right, boxes."""
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        (float(scores[place == one].mean()), float(right[place == one].mean()), int((place == one).sum()))
        for one in np.unique(place)
    ]


def error(scores: Floats, right: NDArray[np.bool_]) -> float:
    """Expected calibration error: how far a score is from the share that is right, on average over boxes."""
    return sum(abs(score - share) * count for score, share, count in bins(scores, right)) / max(1, len(scores))
