# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""People, faces, plates and vehicles on real pictures, marked by people: what of them leaves the vehicle?

The form of the marks: `models/training/marks.py`. Thresholds are chosen on `val`; `test` is looked at once.

A mark is covered if nine tenths of it are, and readable if more than a tenth of it is in a sharp part. Sharp parts are
those of every defect that is annotated in the picture or that the street model finds: more than a vehicle would send.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edge.privacy.anonymise import PRIVATE_LABELS, PrivacySettings, sharp_part
from edge.types import Box, Detection, Picture
from edge.vision.decode import Scores, decode
from edge.vision.detector import Detector
from edge.vision.letterbox import Boxes
from edge.vision.package import load_package
from models.training.covered import LABELS, hidden_part, is_covered, outside_marks, part_of, read
from models.training.marks import FROM_VEHICLES, Marked, load_marked

READABLE = 0.1
#: A sharp part of which more is hidden without need shows the clerk no defect.
LOST = 0.5
MODELS = Path(__file__).resolve().parents[1] / "models"


@dataclass(frozen=True)
class Seen:
    """A marked picture with what the models say: raw boxes of the privacy model, the street model's, sharp boxes."""

    marked: Marked
    width: int
    height: int
    raw: tuple[Boxes, Scores]
    street: tuple[Detection, ...]
    defects: tuple[Box, ...]

    @property
    def own_view(self) -> bool:
        """From a vehicle that drives along, not a close-up or a picture from the web."""
        return FROM_VEHICLES in self.marked.views


@dataclass
class Sums:
    """Marks by label, and shares of area."""

    marks: Counter[str] = field(default_factory=Counter)
    covered: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    readable: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in ("bare", "street", "privacy")}
    )
    needless: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    needless_sharp: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    blocks: dict[str, float] = field(default_factory=dict)


class Part:
    """All pictures of one part, looked at once; then counted for any thresholds.

    Raises:
        InputError: no marks, or a picture is missing.
        ModelError: the package is refused.
    """

    def __init__(self, folder: Path, part: str, package: Path) -> None:
        self.detector = Detector(load_package(package, threads=2), 2)
        self._street = Detector(load_package(MODELS / "street", threads=2), 2)
        self.took_ms: dict[str, list[float]] = {"privacy": [], "street": []}
        self._seen = [self._look(marked) for marked in load_marked(folder, part)]

    def _look(self, marked: Marked) -> Seen:
        picture = read(marked)
        height, width = picture.shape[:2]
        raw = self._timed("privacy", self.detector.look, picture)
        found = self._timed("street", self._street.detect, picture)
        defects = (*marked.defects, *(d.box for d in found if d.label not in PRIVATE_LABELS))
        street = tuple(d for d in found if d.label in PRIVATE_LABELS)
        return Seen(marked, width, height, raw, street, defects)

    def _timed(self, name: str, judge: Any, picture: Picture) -> Any:
        began_s = time.perf_counter()
        answer = judge(picture)
        self.took_ms[name].append(1000 * (time.perf_counter() - began_s))
        return answer

    @property
    def thresholds(self) -> dict[str, float]:
        """Those of the package."""
        return dict(msgspec.to_builtins(self.detector.package.manifest.thresholds))

    def count(self, thresholds: dict[str, float]) -> Sums:
        """What these thresholds cover and what they cost."""
        sums = Sums()
        for seen in self._seen:
            found = decode(*seen.raw, self.detector.package.manifest, thresholds)
            _add(sums, seen, found)
        return sums


def _add(sums: Sums, seen: Seen, found: Sequence[Detection]) -> None:
    settings = PrivacySettings()
    hidden = hidden_part(seen.width, seen.height, found)
    needless = outside_marks(hidden, seen.marked)
    for label, box in seen.marked.marks:
        sums.marks[label] += 1
        sums.covered[label] += is_covered(hidden, box)
        blocks = (box[2] - box[0]) / max(8, round(settings.block_share * seen.width))
        sums.blocks[label] = max(sums.blocks.get(label, 0.0), blocks)
    sums.needless[seen.own_view].append(float(needless.mean()))
    if not seen.defects:
        return
    private = {"bare": (), "street": seen.street, "privacy": (*seen.street, *found)}
    sharp = {
        name: [sharp_part(seen.width, seen.height, box, taken, settings) for box in seen.defects]
        for name, taken in private.items()
    }
    for bare, left in zip(sharp["bare"], sharp["privacy"], strict=True):
        free = outside_marks(bare, seen.marked)
        if free.any():
            sums.needless_sharp[seen.own_view].append(float((free & ~left).sum() / free.sum()))
    for label, box in seen.marked.marks:
        sums.sent[label] += 1
        for name, parts in sharp.items():
            sums.readable[name][label] += any(part[part_of(box)].mean() > READABLE for part in parts)


def report(part: Part) -> Iterator[str]:
    """The figures of one part at the package's thresholds, line by line."""
    thresholds = part.thresholds
    sums = part.count(thresholds)
    yield f"thresholds {thresholds}, boxes grown by {PRIVATE_LABELS} of their size on each side"
    columns = ("", "marks", "covered by the model", "in pictures with a sharp part")
    yield f"| {' | '.join(columns)} | unreadable in what leaves | with the street model alone | without any model |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for label in (*LABELS, "all"):
        names = LABELS if label == "all" else (label,)
        marks, covered, sent = (sum(one[name] for name in names) for one in (sums.marks, sums.covered, sums.sent))
        left = [sum(sums.readable[kind][name] for name in names) for kind in ("privacy", "street", "bare")]
        shares = " | ".join(f"{1 - number / max(sent, 1):.3f} ({number} readable)" for number in left)
        yield f"| {label} | {marks} | {covered / max(marks, 1):.3f} | {sent} | {shares} |"
    yield needless(sums)
    yield "widest mark in mosaic blocks: " + ", ".join(f"{name} {sums.blocks[name]:.1f}" for name in sums.blocks)
    took = {name: f"{np.median(values):.1f} ms" for name, values in part.took_ms.items()}
    yield f"one picture, median, two threads: {took}"


def of_views(shares: dict[bool, list[float]], *, from_vehicles: bool) -> list[float]:
    """Shares of all pictures, or of those from vehicles alone."""
    return shares[True] if from_vehicles else [*shares[True], *shares[False]]


def mean(shares: Sequence[float]) -> float:
    """Zero of none."""
    return sum(shares) / max(len(shares), 1)


def needless(sums: Sums) -> str:
    """What the model hides though nobody is there, as text."""
    told = []
    for name, from_vehicles in (("all", False), ("from vehicles", True)):
        pictures, parts = (of_views(of, from_vehicles=from_vehicles) for of in (sums.needless, sums.needless_sharp))
        lost = mean([share > LOST for share in parts])
        told.append(f"{name}: {mean(pictures):.3f} of a picture, {mean(parts):.3f} of a sharp part")
        told.append(f"more than half of {lost:.3f} of {len(parts)} sharp parts")
    return f"hidden by the model without need, mean; {'; '.join(told)}"
