# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of `val` that a model got most wrong, to look at and to describe: `scripts/gallery street`.

    scripts/gallery NAME [--view VIEW] [--most 10] [--out DIR]

A picture's badness is what its wrong and missed boxes cost by `thresholds.cost_s`. The pictures are written with what
is true (green: found, red: missed) and what was found (blue: right, yellow: wrong), into a folder that git ignores:
they are not ours to publish. Never `test`: who looks at its failures tunes to them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.types import Detection, Picture
from edge.vision.decode import decode
from edge.vision.detector import Detector
from edge.vision.manifest import Manifest
from edge.vision.package import load_package
from models.training.classes import MODELS, Classes
from models.training.dataset import Sample, load
from models.training.evaluate import look_all
from models.training.metric import OVERLAP, Count, judge, overlaps
from models.training.thresholds import Look, cost_s

GREEN, RED, BLUE, YELLOW = (80, 200, 80), (60, 60, 230), (230, 140, 40), (40, 220, 240)
#: No more than this many from one sequence while there are others: neighbours fail alike.
PER_SEQUENCE = 2


@dataclass(frozen=True)
class Failure:
    """A picture, what was found in it, and what that costs (seconds), by class."""

    sample: Sample
    found: tuple[Detection, ...]
    counts: dict[str, Count]
    cost_s: float


def worst(looks: Sequence[Look], manifest: Manifest, most: int) -> list[Failure]:
    """The costliest pictures, worst first."""
    failures = sorted(
        (_failure(sample, decode(boxes, scores, manifest)) for sample, boxes, scores in looks),
        key=lambda failure: -failure.cost_s,
    )
    taken: list[Failure] = []
    alike: list[Failure] = []
    for failure in (one for one in failures if one.cost_s > 0):
        of_place = [one for one in taken if _place(one.sample) == _place(failure.sample)]
        (taken if len(of_place) < PER_SEQUENCE else alike).append(failure)
    return sorted([*taken, *alike][:most], key=lambda failure: -failure.cost_s)


def _place(sample: Sample) -> tuple[str, str]:
    return sample.source, sample.sequence or sample.path.name


def _failure(sample: Sample, found: tuple[Detection, ...]) -> Failure:
    counts = {sample.classes.names[label]: judge(sample, found, label).count() for label in _labels(sample)}
    return Failure(sample, found, counts, sum(cost_s(count, name) for name, count in counts.items()))


def _labels(sample: Sample) -> list[int]:
    """Damage alone, and a crack of any type once."""
    left_out = {*sample.classes.taught, *sample.classes.typed}
    return [label for label in range(len(sample.classes)) if sample.scored[label] and label not in left_out]


def draw(failure: Failure) -> Picture:
    """The picture with all boxes."""
    sample = failure.sample
    picture = np.asarray(cv2.imread(str(sample.path)), np.uint8)
    damage = [label for label in range(len(sample.classes)) if label not in sample.classes.taught]
    found = [one for one in failure.found if sample.classes.index(one.label) in damage]
    boxes = np.array([one.box for one in found], np.float32).reshape(-1, 4)
    alike = [
        [label in sample.classes.group(sample.classes.index(one.label)) for label in sample.labels] for one in found
    ]
    fits = (overlaps(boxes, sample.boxes) >= OVERLAP) & np.array(alike, bool).reshape(len(found), len(sample.labels))
    for index, one in enumerate(found):
        _box(picture, one.box, BLUE if fits[index].any() else YELLOW, f"{one.label} {one.score:.2f}")
    for index, (box, label) in enumerate(zip(sample.boxes, sample.labels, strict=True)):
        if label in damage:
            _box(picture, box, GREEN if fits[:, index].any() else RED, sample.classes.names[label], below=True)
    return picture


def _box(
    picture: Picture, box: Sequence[float], colour: tuple[int, int, int], text: str, *, below: bool = False
) -> None:
    x1, y1, x2, y2 = (round(float(value)) for value in box)
    cv2.rectangle(picture, (x1, y1), (x2, y2), colour, 1)
    at = (x1, min(y2 + 11, picture.shape[0] - 2) if below else max(y1 - 3, 9))
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.38, colour, 1, cv2.LINE_AA)


def told(failure: Failure, classes: Classes) -> str:
    """One line about a failure."""
    parts = [
        f"{name}: {count.right} right, {count.wrong} wrong, {count.missed} missed"
        for name, count in failure.counts.items()
        if count.wrong or count.missed
    ]
    sample = failure.sample
    return f"{failure.cost_s:.0f} s, {classes.model} {sample.view}, {sample.path.name}: {'; '.join(parts)}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write the worst pictures of val, to be looked at.")
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--package", type=Path, help="default: models/MODEL")
    parser.add_argument("--out", type=Path, help="default: runs/gallery/MODEL; git must ignore it")
    parser.add_argument("--view", help="only pictures of this view")
    parser.add_argument("--most", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    classes = MODELS[arguments.model]
    package = load_package(arguments.package or Path(__file__).resolve().parents[1] / arguments.model)
    out = arguments.out or Path("runs") / "gallery" / arguments.model
    out.mkdir(parents=True, exist_ok=True)
    pictures = [one for one in load(classes, "val") if arguments.view in (None, one.view)]
    looks = look_all(Detector(package, arguments.threads), pictures)
    for number, failure in enumerate(worst(looks, package.manifest, arguments.most), 1):
        path = out / f"{number:02d}.jpg"
        cv2.imwrite(str(path), draw(failure))
        print(f"{path}: {told(failure, classes)}")


if __name__ == "__main__":
    main()
