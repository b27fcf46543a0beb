# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The score of the privacy model: what of people, faces, plates and vehicles it hides, and what else it hides.

recall: the share of the marks that are covered, COVERED of each by the boxes as grown before a picture leaves.
precision: the share of the hidden area that lies in a mark, all pictures with the same weight. It is the same for all
labels of a view: what hides a face is the box of a person. f1: their harmonic mean.

An F1 of boxes at an overlap would ask the wrong thing: two boxes that hide one person together are as good as one, one
box around three people too, and no box is called a face.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.privacy.anonymise import PrivacySettings, sharp_part
from edge.types import Box, Detection, Picture
from edge.vision.detector import Detector
from edge.vision.manifest import Precision, Score
from models.training.marks import Marked

COVERED = 0.9
LABELS = ("person", "face", "plate", "vehicle")
EVERY_LABEL = "all"

Mask = NDArray[np.bool_]
#: A picture, its height and width, and what was found in it.
Look = tuple[Marked, tuple[int, int], Sequence[Detection]]


@dataclass(frozen=True)
class Row:
    """One line of the table; `needless`: the mean share of a picture that is hidden without need."""

    view: str
    label: str
    marks: int
    recall: float
    precision: float
    needless: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / max(self.precision + self.recall, 1e-9)


@dataclass
class _Sums:
    pictures: int = 0
    marks: Counter[str] = field(default_factory=Counter)
    covered: Counter[str] = field(default_factory=Counter)
    hidden: float = 0.0
    needless: float = 0.0


def hidden_part(width: int, height: int, found: Sequence[Detection]) -> Mask:
    """Height x width: True where these detections hide a picture that would be sharp everywhere."""
    return ~sharp_part(width, height, (-1e9, -1e9, 1e9, 1e9), found, PrivacySettings())


def part_of(box: Box) -> tuple[slice, slice]:
    """Rows and columns of a mark, at least one of each."""
    x1, y1, x2, y2 = (max(round(value), 0) for value in box)
    return slice(y1, max(y2, y1 + 1)), slice(x1, max(x2, x1 + 1))


def is_covered(hidden: Mask, box: Box) -> bool:
    """Whether a mark is."""
    return bool(hidden[part_of(box)].mean() >= COVERED)


def outside_marks(part: Mask, marked: Marked) -> Mask:
    """Height x width: what of a part of a picture nobody marked."""
    outside = part.copy()
    for box in (*(box for _, box in marked.marks), *marked.unsure):
        outside[part_of(box)] = False
    return outside


def look_all(detector: Detector, pictures: Iterable[Marked]) -> Iterator[Look]:
    """Run the detector over pictures. Raises InputError: one cannot be read."""
    for marked in pictures:
        picture = read(marked)
        yield marked, picture.shape[:2], detector.detect(picture)


def read(marked: Marked) -> Picture:
    """The picture itself. Raises InputError: it cannot be read."""
    found = cv2.imread(str(marked.path))
    if found is None:
        raise InputError(f"{marked.path}: cannot be read, but its marks are there")
    return np.asarray(found, np.uint8)


def score(looks: Iterable[Look]) -> list[Row]:
    """The table, by view and label."""
    by_view: dict[str, _Sums] = {}
    for marked, (height, width), found in looks:
        hidden = hidden_part(width, height, found)
        needless = outside_marks(hidden, marked)
        for view in marked.views:
            sums = by_view.setdefault(view, _Sums())
            sums.pictures += 1
            sums.hidden += float(hidden.mean())
            sums.needless += float(needless.mean())
            for label, box in marked.marks:
                sums.marks[label] += 1
                sums.covered[label] += is_covered(hidden, box)
    return [row for view, sums in by_view.items() for row in _rows(view, sums)]


def _rows(view: str, sums: _Sums) -> list[Row]:
    precision = 1 - sums.needless / sums.hidden if sums.hidden else 0.0
    rows = []
    for label in (EVERY_LABEL, *LABELS):
        names = LABELS if label == EVERY_LABEL else (label,)
        marks, covered = (sum(one[name] for name in names) for one in (sums.marks, sums.covered))
        if marks:
            rows.append(Row(view, label, marks, covered / marks, precision, sums.needless / sums.pictures))
    return rows


def markdown(rows: Sequence[Row]) -> str:
    """The table for people."""
    head = ["view", "label", "marks", "precision (of the hidden area)", "recall (marks covered)", "F1"]
    cells = [[*head, "of a picture hidden without need"], ["---"] * 7]
    cells += [
        [row.view, row.label, str(row.marks), *(f"{v:.3f}" for v in (row.precision, row.recall, row.f1, row.needless))]
        for row in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The table for programs."""
    return [
        {
            "view": row.view,
            "label": row.label,
            "boxes": row.marks,
            "precision": round(row.precision, 4),
            "recall": round(row.recall, 4),
            "f1": round(row.f1, 4),
            "needless": round(row.needless, 4),
        }
        for row in rows
    ]


def as_scores(rows: Sequence[Row], split: Literal["val", "test"], precision: Precision) -> tuple[Score, ...]:
    """The rows for model.toml."""
    return tuple(
        Score(
            onnx=precision,
            split=split,
            view=row.view,
            label=row.label,
            boxes=row.marks,
            precision=round(row.precision, 4),
            recall=round(row.recall, 4),
            f1=round(row.f1, 4),
        )
        for row in rows
    )
