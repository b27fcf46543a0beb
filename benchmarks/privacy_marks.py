# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""People, faces, plates and vehicles on real pictures, marked by people: what of them leaves the vehicle?

The marks are no part of the project, nor are the pictures: FOLDER/marks.json is {"format": 1, "pictures": [{"picture":
path below WEGEWART_SHARED/data/road, "part": "val" | "test", "boxes": [{"label": "person" | "face" | "plate" |
"vehicle", "box": [x1, y1, x2, y2]}]}]}. Thresholds are chosen on `val`; `test` is looked at once.

A mark is covered if nine tenths of it are, and readable if more than a tenth of it is in a sharp part. Sharp parts are
those of every defect that is annotated in the picture or that the street model finds: more than a vehicle would send.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from edge.errors import InputError
from edge.privacy.anonymise import PRIVATE_LABELS, PrivacySettings, sharp_part
from edge.types import Box, Detection, Picture
from edge.vision.decode import Scores, decode
from edge.vision.detector import Detector
from edge.vision.letterbox import Boxes
from edge.vision.package import load_package
from models.training.dataset import shared_folder

COVERED = 0.9
READABLE = 0.1
OWN_VIEWS = ("forward", "vehicle")
LABELS = ("person", "face", "plate", "vehicle")
MODELS = Path(__file__).resolve().parents[1] / "models"


@dataclass(frozen=True)
class Seen:
    """A marked picture with what the models say: raw boxes of the privacy model, the street model's, sharp boxes.

    own_view: from a vehicle that drives along, not a close-up or a picture from the web.
    """

    own_view: bool
    width: int
    height: int
    marks: tuple[tuple[str, Box], ...]
    raw: tuple[Boxes, Scores]
    street: tuple[Detection, ...]
    defects: tuple[Box, ...]


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


class Marked:
    """All pictures of one part, looked at once; then counted for any thresholds."""

    def __init__(self, folder: Path, part: str, package: Path) -> None:
        self.detector = Detector(load_package(package, threads=2), 2)
        self._street = Detector(load_package(MODELS / "street", threads=2), 2)
        self.took_ms: dict[str, list[float]] = {"privacy": [], "street": []}
        self._seen = [self._look(entry) for entry in _entries(folder) if entry["part"] == part]

    def _look(self, entry: dict[str, Any]) -> Seen:
        path = shared_folder() / "data" / "road" / entry["picture"]
        read = cv2.imread(str(path))
        if read is None:
            raise InputError(f"{path}: cannot be read, but marks.json names it")
        picture = np.asarray(read, np.uint8)
        height, width = picture.shape[:2]
        raw = self._timed("privacy", self.detector.look, picture)
        found = self._timed("street", self._street.detect, picture)
        marks = tuple((one["label"], tuple(one["box"])) for one in entry["boxes"])
        own_view, annotated = _known(entry["picture"])
        defects = (*annotated, *(d.box for d in found if d.label not in PRIVATE_LABELS))
        street = tuple(d for d in found if d.label in PRIVATE_LABELS)
        return Seen(own_view, width, height, marks, raw, street, defects)

    def _timed(self, name: str, judge: Any, picture: Picture) -> Any:
        began_s = time.perf_counter()
        answer = judge(picture)
        self.took_ms[name].append(1000 * (time.perf_counter() - began_s))
        return answer

    def count(self, thresholds: dict[str, float]) -> Sums:
        """What these thresholds cover and what they cost."""
        sums = Sums()
        for seen in self._seen:
            found = decode(*seen.raw, self.detector.package.manifest, thresholds)
            _add(sums, seen, found)
        return sums


def _add(sums: Sums, seen: Seen, found: Sequence[Detection]) -> None:
    everything = (-1e9, -1e9, 1e9, 1e9)
    settings = PrivacySettings()
    hidden = ~sharp_part(seen.width, seen.height, everything, found, settings)
    marked = np.zeros_like(hidden)
    for label, box in seen.marks:
        inside = _slices(box)
        marked[inside] = True
        sums.marks[label] += 1
        sums.covered[label] += bool(hidden[inside].mean() >= COVERED)
        blocks = (box[2] - box[0]) / max(8, round(settings.block_share * seen.width))
        sums.blocks[label] = max(sums.blocks.get(label, 0.0), blocks)
    sums.needless[seen.own_view].append(float((hidden & ~marked).mean()))
    if not seen.defects:
        return
    private = {"bare": (), "street": seen.street, "privacy": (*seen.street, *found)}
    sharp = {
        name: [sharp_part(seen.width, seen.height, box, taken, settings) for box in seen.defects]
        for name, taken in private.items()
    }
    for bare, left in zip(sharp["bare"], sharp["privacy"], strict=True):
        if (free := bare & ~marked).any():
            sums.needless_sharp[seen.own_view].append(float((free & ~left).sum() / free.sum()))
    for label, box in seen.marks:
        sums.sent[label] += 1
        for name, parts in sharp.items():
            sums.readable[name][label] += any(part[_slices(box)].mean() > READABLE for part in parts)


def _slices(box: Box) -> tuple[slice, slice]:
    x1, y1, x2, y2 = (round(value) for value in box)
    return slice(y1, max(y2, y1 + 1)), slice(x1, max(x2, x1 + 1))


def _entries(folder: Path) -> list[dict[str, Any]]:
    path = folder / "marks.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != 1:
            raise InputError(f"{path}: format {told['format']}, 1 is wanted")
        entries: list[dict[str, Any]] = told["pictures"]
    except OSError:
        raise InputError(
            f"{path}: is missing: people have to mark pictures first (form: benchmarks/privacy_marks.py)"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: {type(error).__name__} {error}: is no file of marks") from None
    return entries


_COCO: dict[str, dict[str, tuple[bool, list[Box]]]] = {}


def _known(name: str) -> tuple[bool, list[Box]]:
    """Whether a vehicle took this picture of the road set, and the defects in it. `name`: below the set's folder."""
    split = name.split("/")[1]
    if split not in _COCO:
        coco = json.loads((shared_folder() / "data" / "road" / f"instances_{split}.json").read_text(encoding="utf-8"))
        names = {image["id"]: image["file_name"] for image in coco["images"]}
        _COCO[split] = {image["file_name"]: (image["view"].startswith(OWN_VIEWS), []) for image in coco["images"]}
        for one in coco["annotations"]:
            x, y, w, h = one["bbox"]
            if not one["iscrowd"]:
                _COCO[split][names[one["image_id"]]][1].append((x, y, x + w, y + h))
    return _COCO[split][name]


def report(marked: Marked, thresholds: dict[str, float]) -> Iterator[str]:
    """The figures of one part, line by line."""
    sums = marked.count(thresholds)
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
    yield _needless(sums)
    yield "widest mark in mosaic blocks: " + ", ".join(f"{name} {sums.blocks[name]:.1f}" for name in sums.blocks)
    took = {name: f"{np.median(values):.1f} ms" for name, values in marked.took_ms.items()}
    yield f"one picture, median, two threads: {took}"


def curve(marked: Marked, steps: Sequence[float]) -> Iterator[str]:
    """Covered and needless by threshold, the same for both classes: to choose on `val`."""
    for step in steps:
        sums = marked.count({"person": step, "vehicle": step})
        shares = ", ".join(f"{name} {sums.covered[name] / max(sums.marks[name], 1):.3f}" for name in LABELS)
        readable = sum(sums.readable["privacy"].values())
        yield f"{step:.3f}: covered {shares}; readable {readable}; {_needless(sums)}"


def _needless(sums: Sums) -> str:
    told = []
    for name, views in (("all", (True, False)), ("from vehicles", (True,))):
        of_picture, of_sharp = (
            np.mean([share for view in views for share in of[view]] or [0.0])
            for of in (sums.needless, sums.needless_sharp)
        )
        told.append(f"{name}: {of_picture:.3f} of a picture, {of_sharp:.3f} of a sharp part")
    return f"hidden by the model without need, mean; {'; '.join(told)}"


def run(folder: Path, part: str, package: Path, steps: Sequence[float]) -> Iterator[str]:
    """Look at all pictures of a part and tell.

    Raises:
        InputError: no marks, or a picture is missing.
        ModelError: the package is refused.
    """
    marked = Marked(folder, part, package)
    if steps:
        yield from curve(marked, steps)
    else:
        yield from report(marked, dict(msgspec.to_builtins(marked.detector.package.manifest.thresholds)))
