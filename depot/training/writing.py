# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes the training set: COCO tables whose images say which classes were looked for, pictures, manifest.csv.

    FOLDER/instances_train.json, instances_val.json, manifest.csv, images/{train,val}/*.jpg

The folder appears under its name only when it is whole. Nobody's name, no vehicle and no time of day is in it.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from depot.cases.records import Case
from depot.errors import DepotError
from depot.services import Pictures
from depot.training.choosing import CLASSES, Lesson, Model, Split, digest, place
from depot.training.pictures import Taught, frame_widths, taught
from depot.training.reading import Sight

#: Pictures of a case in the set: more of them would teach the same thing again.
_MOST = 2
_MANIFEST = (
    "file", "sha256", "split", "case", "verdict", "class", "decided_on", "decided_by", "place", "picture", "model",
    "model_version",
)  # fmt: skip


class ExportError(DepotError):
    """The set could not be written."""

    exit_code = 8


@dataclass(frozen=True)
class Chosen:
    """A case of the set with its pictures."""

    case: Case
    lesson: Lesson
    split: Split
    sights: Sequence[Sight]


@dataclass
class Outcome:
    """What was written, and how many cases or pictures were left out, by reason."""

    written: Counter[tuple[Split, Literal["defect", "no defect"]]] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)


def write(folder: Path, chosen: Sequence[Chosen], pictures: Pictures, model: Model, left_out: Counter[str]) -> Outcome:
    """Write the set. `left_out`: cases that are not among the chosen ones, by reason.

    Raises:
        ExportError: there is something already, nothing to write, or the disk does not take it.
        StoreError: the pictures cannot be read now.
    """
    outcome = Outcome(left_out=left_out)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ExportError(f"{folder}: there is something already; name a new folder")
        whole = folder.absolute()  # "." has no name
        part = whole.with_name(f".{whole.name}.part")
        if part.exists():
            shutil.rmtree(part)
        part.mkdir(mode=0o700, parents=True)
        widths = frame_widths(sight for one in chosen for sight in one.sights)
        _Set(part, model, widths).write(chosen, pictures, outcome)
        if not outcome.written:
            shutil.rmtree(part)
            raise ExportError(f"{folder}: no case teaches anything; left out: {told(left_out)}")
        if whole.exists():
            whole.rmdir()
        part.replace(whole)
    except OSError as error:
        raise ExportError(f"{folder}: cannot be written: {error.strerror or error}") from None
    return outcome


def told(left_out: Counter[str]) -> str:
    """What was left out and why, in words."""
    return ", ".join(f"{count} {reason}" for reason, count in left_out.most_common()) or "nothing"


class _Set:
    """One set that is being written."""

    def __init__(self, folder: Path, model: Model, frame_widths: Mapping[str, int]) -> None:
        self._folder = folder
        self._model = model
        self._frame_widths = frame_widths
        self._numbers = {name: number for number, name in enumerate(CLASSES[model], 1)}
        self._images: dict[Split, list[dict[str, Any]]] = {split: [] for split in get_args(Split)}
        self._boxes: dict[Split, list[dict[str, Any]]] = {split: [] for split in get_args(Split)}
        self._rows: list[tuple[object, ...]] = []
        self._known: set[str] = set()

    def write(self, chosen: Sequence[Chosen], pictures: Pictures, outcome: Outcome) -> None:
        for one in chosen:
            if not one.sights:
                outcome.left_out["without a picture"] += 1
            kept = 0
            for sight in one.sights:
                reason = self._take(one, sight, pictures)
                if reason is not None:
                    outcome.left_out[reason] += 1
                    continue
                outcome.written[one.split, "no defect" if one.lesson.defect is None else "defect"] += 1
                kept += 1
                if kept == _MOST:
                    break
        self._write_tables()

    def _take(self, one: Chosen, sight: Sight, pictures: Pictures) -> str | None:
        """Add a picture, or say why not."""
        seen = sight.observation
        made = taught(seen, None if seen.picture is None else pictures.read(seen.picture.sha256))
        if isinstance(made, str):
            return made
        if made.sha256 in self._known:
            return "with a picture that another case has, too"
        self._add(one, sight, made)
        return None

    def _add(self, one: Chosen, sight: Sight, made: Taught) -> None:
        self._known.add(made.sha256)
        name = f"images/{one.split}/{made.sha256[:24]}.jpg"
        (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self._folder / name).write_bytes(made.jpeg)
        seen, key = sight.observation, digest(place(one.case) or "").hex()[:16]
        number = len(self._images[one.split]) + 1
        x1, y1, x2, y2 = made.sharp
        self._images[one.split].append(
            {
                "id": number, "file_name": name, "width": made.width, "height": made.height, "source": "depot",
                "seq": key, "view": "depot", "annotated_classes": list(one.lesson.annotated),
                "label_origin": "decided at the depot", "negative": one.lesson.defect is None,
                "redistributable": "no", "sharp": [x1, y1, x2 - x1, y2 - y1], "sha256": made.sha256,
                "frame_width": max(self._frame_widths[seen.calibration], made.width),
            }
        )  # fmt: skip
        if one.lesson.defect is not None:
            self._box(one.split, number, one.lesson.defect, made.box, crowd=False)
        for box in _around(made):
            for group in one.lesson.ignored:
                self._box(one.split, number, group, box, crowd=True)
        verdict = "rejected" if one.lesson.defect is None else "confirmed"
        decided_on = (one.case.decided_utc or "")[:10]
        picture = "" if seen.picture is None else seen.picture.sha256
        self._rows.append(
            (name, made.sha256, one.split, one.case.number, verdict, one.case.defect_class, decided_on, "person",
             key, picture, _plain(seen.model.name), _plain(seen.model.version))
        )  # fmt: skip

    def _box(self, split: Split, image: int, name: str, box: tuple[float, ...], *, crowd: bool) -> None:
        x1, y1, x2, y2 = box
        size = [x2 - x1, y2 - y1]
        self._boxes[split].append(
            {
                "id": len(self._boxes[split]) + 1, "image_id": image, "category_id": self._numbers[name],
                "bbox": [x1, y1, *size], "area": size[0] * size[1], "iscrowd": int(crowd),
            }
        )  # fmt: skip

    def _write_tables(self) -> None:
        categories = [{"id": number, "name": name} for name, number in self._numbers.items()]
        for split, images in self._images.items():
            table = {
                "info": {
                    "description": "cases decided at a depot; not for publication",
                    "model": self._model,
                    "split": split,
                },
                "categories": categories,
                "images": images,
                "annotations": self._boxes[split],
            }
            (self._folder / f"instances_{split}.json").write_text(json.dumps(table), encoding="utf-8")
        with (self._folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([_MANIFEST, *self._rows])


def _around(made: Taught) -> list[tuple[float, float, float, float]]:
    """What is a mosaic: nothing can be judged there."""
    x1, y1, x2, y2 = made.sharp
    strips = [(0, 0, made.width, y1), (0, y2, made.width, made.height), (0, y1, x1, y2), (x2, y1, made.width, y2)]
    return [strip for strip in strips if strip[0] < strip[2] and strip[1] < strip[3]]


def _plain(text: str) -> str:
    """A vehicle's word without what a spreadsheet would run as a formula."""
    return "".join(char if char.isalnum() or char in "._-" else "?" for char in text).lstrip("-")
