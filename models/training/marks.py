# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures on which is known where people, faces, plates and vehicles are: marked by people, or rendered.

The marks of real pictures lie beside this file in marks.json, boxes without a single pixel; the pictures are no part of
the project (WEGEWART_SHARED). A city's own go into a folder of theirs, FOLDER/marks.json: {"format": 1, "pictures":
[{"picture": path below WEGEWART_SHARED/data/road, "part": "val" | "test", "boxes": [{"label": "person" | "face" |
"plate" | "vehicle" | "unsure", "box": [x1, y1, x2, y2]}]}]}. Thresholds are chosen on `val`; `test` is looked at once.

The rendered ones are streets of seeds that nothing was trained or chosen on. Anybody can make them again.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import InputError
from edge.simulator import simulate
from edge.simulator.recording import SURE_PX, SURE_SHARE
from edge.simulator.truth import Sighting
from edge.simulator.truth import load as load_truth
from edge.types import Box
from models.training.classes import ALL_VIEWS
from models.training.dataset import shared_folder

FROM_VEHICLES = "from vehicles"
RENDERED = "rendered"
UNSURE = "unsure"
OWN_VIEWS = ("forward", "vehicle")
#: The rendered set of the stated score.
SEEDS, KM, EVERY_M = (41, 42), 0.1, 3.3


@dataclass(frozen=True)
class Marked:
    """One picture; boxes are x1, y1, x2, y2 in its pixels.

    views: those that it counts for. marks: label and box. unsure: hiding them is neither asked for nor needless.
    defects: annotated ones.
    """

    path: Path
    views: tuple[str, ...]
    marks: tuple[tuple[str, Box], ...]
    unsure: tuple[Box, ...] = ()
    defects: tuple[Box, ...] = ()


def marks_folder() -> Path:
    """Where the marks are: WEGEWART_MARKS, else those of the project."""
    return Path(os.environ.get("WEGEWART_MARKS", Path(__file__).resolve().parent))


def load_marked(folder: Path, part: str) -> list[Marked]:
    """The real pictures of one part, `val` or `test`.

    Raises:
        InputError: there are no marks, or the pictures they name are not there.
    """
    road = shared_folder() / "data" / "road"
    known: dict[str, tuple[bool, tuple[Box, ...]]] = {}
    marked = []
    for entry in entries(folder):
        if entry["part"] != part:
            continue
        name = entry["picture"]
        if name not in known:
            known |= _known(road, name.split("/")[1])
        own_view, defects = known[name]
        boxes = [(one["label"], tuple(one["box"])) for one in entry["boxes"]]
        marks = tuple(one for one in boxes if one[0] != UNSURE)
        unsure = tuple(box for label, box in boxes if label == UNSURE)
        views = (ALL_VIEWS, FROM_VEHICLES) if own_view else (ALL_VIEWS,)
        marked.append(Marked(road / name, views, marks, unsure, defects))
    return marked


def entries(folder: Path) -> list[dict[str, Any]]:
    """What marks.json holds. Raises InputError: it is missing, or no file of marks."""
    path = folder / "marks.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != 1:
            raise InputError(f"{path}: format {told['format']}, 1 is wanted")
        found: list[dict[str, Any]] = told["pictures"]
    except OSError:
        raise InputError(
            f"{path}: is missing: people have to mark pictures first (form: models/training/marks.py)"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: {type(error).__name__} {error}: is no file of marks") from None
    return found


def _known(road: Path, split: str) -> dict[str, tuple[bool, tuple[Box, ...]]]:
    """By picture of a split: whether a vehicle took it, and the defects in it."""
    path = road / f"instances_{split}.json"
    try:
        coco = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise InputError(f"{path}: is missing, but marks.json names its pictures: set WEGEWART_SHARED") from None
    defects: dict[int, list[Box]] = {}
    for one in coco["annotations"]:
        x, y, w, h = one["bbox"]
        if not one["iscrowd"]:
            defects.setdefault(one["image_id"], []).append((x, y, x + w, y + h))
    return {
        image["file_name"]: (image["view"].startswith(OWN_VIEWS), tuple(defects.get(image["id"], ())))
        for image in coco["images"]
    }


def load_rendered(drive: Path) -> list[Marked]:
    """Every frame of a drive of `wegewart-edge simulate`. Raises InputError: it is none."""
    truth = load_truth(drive / "truth.json")
    marks: dict[str, list[tuple[str, Box]]] = {}
    unsure: dict[str, list[Box]] = {}
    for thing in truth.objects:
        for seen in thing.frames:
            if _is_sure(seen):
                marks.setdefault(seen.frame, []).append((thing.label, seen.box))
            else:
                unsure.setdefault(seen.frame, []).append(seen.box)
    return [
        Marked(
            drive / "frames" / one.frame,
            (RENDERED,),
            tuple(marks.get(one.frame, ())),
            tuple(unsure.get(one.frame, ())),
        )
        for one in truth.frames
    ]


def _is_sure(seen: Sighting) -> bool:
    """Whether enough of it is seen, and large enough: as for the boxes that the simulator writes for training."""
    x1, y1, x2, y2 = seen.box
    return seen.visible_share >= SURE_SHARE and max(x2 - x1, y2 - y1) >= SURE_PX


def render(folder: Path) -> list[Path]:
    """Draw the rendered set of the stated score below a folder; its drives."""
    drives = [folder / str(seed) for seed in SEEDS]
    for seed, drive in zip(SEEDS, drives, strict=True):
        simulate(drive, seed=seed, km=KM, frame_every_m=EVERY_M, scene="street")
    return drives
