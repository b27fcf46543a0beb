# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Score a model package with the runtime that the vehicle uses: `scripts/evaluate street --split val`.

The privacy model is scored by what it covers, see `covered.py`: `scripts/evaluate privacy --split val`, or on drives,
`scripts/evaluate privacy --drive DIR DIR`, which needs nothing but this repository.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.errors import WegewartError
from edge.types import Detection
from edge.vision.decode import decode
from edge.vision.detector import Detector
from edge.vision.manifest import Manifest
from edge.vision.package import load_package
from models.training import covered, marks
from models.training.classes import ALL_VIEWS, MODELS, PRIVACY, STREET, TRAINED, Classes
from models.training.dataset import Sample, load
from models.training.drives import found_in_any_frame, load_drive
from models.training.metric import Count, average_precision, is_large, is_small, judge
from models.training.teacher import teach
from models.training.thresholds import Look, judge_candidates

SIZES: dict[str, Callable[[float], bool]] = {"all": lambda _: True, "<32 px": is_small, ">=32 px": is_large}


@dataclass(frozen=True)
class Row:
    """One line of the score table."""

    view: str
    label: str
    size: str
    count: Count
    ap50: float | None = None


def look_all(detector: Detector, samples: Iterable[Sample]) -> list[Look]:
    """What the model says of pictures before any threshold."""
    return [(sample, *detector.look(np.asarray(cv2.imread(str(sample.path)), np.uint8))) for sample in samples]


def detect_all(detector: Detector, samples: Iterable[Sample]) -> list[tuple[Sample, tuple[Detection, ...]]]:
    """Run the detector over pictures."""
    return [(sample, detector.detect(np.asarray(cv2.imread(str(sample.path)), np.uint8))) for sample in samples]


def score(looks: Sequence[Look], manifest: Manifest) -> list[Row]:
    """The table with the thresholds of the manifest, and AP50, which needs none (scores from FLOOR on)."""
    classes = looks[0][0].classes
    rows = table([(sample, decode(boxes, scores, manifest)) for sample, boxes, scores in looks])
    judged = {label: judge_candidates(looks, manifest, label) for label in range(len(classes))}
    return [
        replace(
            row,
            ap50=average_precision(
                [one for sample, one in judged[classes.index(row.label)] if is_in(sample, row.view)], SIZES[row.size]
            ),
        )
        for row in rows
    ]


def table(results: Sequence[tuple[Sample, Sequence[Detection]]]) -> list[Row]:
    """Scores per view and class; for all views together also by size."""
    rows = []
    classes = results[0][0].classes
    views = [ALL_VIEWS, *(view for view, _ in Counter(sample.view for sample, _ in results).most_common())]
    for view in views:
        for label, name in enumerate(classes.names):
            judged = [
                judge(sample, found, label) for sample, found in results if sample.scored[label] and is_in(sample, view)
            ]
            whole = sum((one.count() for one in judged), Count())
            if whole.boxes == 0 and whole.wrong == 0:
                continue
            by_size = view in (ALL_VIEWS, classes.own_view) and label in classes.by_size
            rows += [
                Row(view, name, size, sum((one.count(size=SIZES[size]) for one in judged), Count()))
                for size in (SIZES if by_size else ("all",))
            ]
    return rows


def is_in(sample: Sample, view: str) -> bool:
    """Whether a picture counts for a view."""
    return sample.view == view or (view == ALL_VIEWS and sample.view not in sample.classes.apart)


def f1_of(rows: Sequence[Row], label: str, view: str = ALL_VIEWS) -> float:
    """The F1 of one class in one view."""
    return next(row.count.f1 for row in rows if (row.label, row.view, row.size) == (label, view, "all"))


def markdown(rows: Sequence[Row], classes: Classes = STREET, *, taught: bool = True) -> str:
    """The table for people. `taught`: the classes that the teacher labelled are told as what they are, agreement."""
    lines = ["| view | class | size | boxes | AP50 | precision | recall | F1 |", "| --- " * 8 + "|"]
    for row in rows:
        count = row.count
        ap50 = "" if row.ap50 is None else f"{row.ap50:.3f}"
        lines.append(
            f"| {row.view} | {title(row.label, classes, taught=taught)} | {row.size} | {count.boxes} | {ap50} "
            f"| {count.precision:.3f} | {count.recall:.3f} | {count.f1:.3f} |"
        )
    return "\n".join(lines)


def title(label: str, classes: Classes, *, taught: bool = True) -> str:
    """A class as tables call it."""
    if taught and label in classes.taught_names:
        return f"{label} (agreement)"
    return "crack (every type)" if classes.typed and label == "crack" else label


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The table for programs."""
    return [
        {
            "view": row.view,
            "label": row.label,
            "size": row.size,
            "boxes": row.count.boxes,
            "ap50": None if row.ap50 is None else round(row.ap50, 4),
            "precision": round(row.count.precision, 4),
            "recall": round(row.count.recall, 4),
            "f1": round(row.count.f1, 4),
        }
        for row in rows
    ]


def main() -> int:
    """Command line."""
    arguments = _arguments()
    folder = arguments.package or Path(__file__).resolve().parents[1] / arguments.model
    try:
        package = load_package(folder, precision=arguments.precision)
        detector = Detector(package, arguments.threads, arguments.precision)
        if arguments.model == PRIVACY.model:
            _evaluate_covered(detector, arguments)
        else:
            _evaluate_boxes(detector, arguments)
    except WegewartError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Score a model package on real pictures.")
    parser.add_argument("model", choices=sorted(TRAINED))
    pictures = parser.add_mutually_exclusive_group(required=True)
    pictures.add_argument("--split", choices=["val", "test"], help="real pictures")
    pictures.add_argument(
        "--drive", type=Path, nargs="+", metavar="DIR", help="simulated drives, or any folder with instances.json"
    )
    parser.add_argument("--precision", choices=["int8", "fp32"], help="default: int8, privacy fp32")
    parser.add_argument("--package", type=Path, help="default: models/MODEL")
    parser.add_argument(
        "--teacher", type=Path, default=Path("runs/teacher.json"), help="pseudo labels, made if missing"
    )
    parser.add_argument(
        "--marks",
        type=Path,
        default=marks.marks_folder(),
        metavar="FOLDER",
        help="who is to be seen on the real pictures, for privacy (WEGEWART_MARKS, else the project's marks)",
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _evaluate_covered(detector: Detector, arguments: argparse.Namespace) -> None:
    """Tell what the privacy model hides."""
    if arguments.drive:
        pictures = [one for drive in arguments.drive for one in marks.load_rendered(drive)]
    else:
        pictures = marks.load_marked(arguments.marks, arguments.split)
    rows = covered.score(covered.look_all(detector, pictures))
    print(json.dumps(covered.as_json(rows)) if arguments.json else covered.markdown(rows))


def _evaluate_boxes(detector: Detector, arguments: argparse.Namespace) -> None:
    """Tell how well boxes fit."""
    classes = MODELS[arguments.model]
    teacher = teach(arguments.teacher) if classes.taught and not arguments.drive else None
    if arguments.drive:
        samples = [one for drive in arguments.drive for one in load_drive(drive, classes)]
    else:
        samples = load(classes, arguments.split, teacher)
    manifest = detector.package.manifest
    started = time.monotonic()
    looks = look_all(detector, samples)
    spent_s = time.monotonic() - started
    rows = score(looks, manifest)
    if arguments.json:
        print(json.dumps(as_json(rows)))
        return
    print(markdown(rows, classes, taught=not arguments.drive))
    print(f"\n{len(samples)} pictures, {spent_s / len(samples) * 1000:.1f} ms each with decoding and reading")
    drives = arguments.drive if classes is STREET else None
    for drive in drives or ():
        found = {
            one.path.name: decode(boxes, scores, manifest)
            for one, boxes, scores in looks
            if one.path.is_relative_to(drive)
        }
        seen = found_in_any_frame(drive, found)
        print("found in any frame: {} of {} road defects in clear view, {} of {} in all".format(*seen))


if __name__ == "__main__":
    sys.exit(main())
