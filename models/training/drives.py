# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames of simulated drives (`wegewart-edge simulate`) as training pictures.

Only drives with seeds from 1000 on: those below are for tests and the demonstration. What they bring is measured on
real pictures and on drives apart, never mixed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.boxes import iou
from edge.types import Detection
from models.training.classes import STREET, TUNNEL, Classes
from models.training.dataset import Sample, read_coco

FIRST_SEED = 1000
SAME_PLACE = 0.3
VIEW = "simulated"


def load_drives(folder: Path, classes: Classes = STREET) -> list[Sample]:
    """Every frame of every drive below the folder, for training."""
    samples = []
    for labels in sorted(folder.glob("*/instances.json")):
        seed = json.loads(labels.read_text(encoding="utf-8"))["info"]["seed"]
        if seed < FIRST_SEED:
            raise ValueError(f"{labels}: seed {seed} is not for training")
        samples += load_drive(labels.parent, classes)
    if not samples:
        raise FileNotFoundError(f"no drive below {folder}")
    return samples


def load_drive(folder: Path, classes: Classes = STREET) -> list[Sample]:
    """Every frame of one drive: for the street model the road in it, for the tunnel model the lining."""
    coco: dict[str, Any] = json.loads((folder / "instances.json").read_text(encoding="utf-8"))
    for image in coco["images"]:
        image["view"] = VIEW
    return read_coco(folder, _lining(folder, coco) if classes is TUNNEL else _only(coco, classes), classes=classes)


def _only(coco: dict[str, Any], classes: Classes) -> dict[str, Any]:
    """The same frames with nothing but these classes."""
    kept = {one["id"] for one in coco["categories"] if one["name"] in classes.names}
    for image in coco["images"]:
        image["annotated_classes"] = [name for name in image["annotated_classes"] if name in classes.names]
    return {**coco, "annotations": [one for one in coco["annotations"] if one["category_id"] in kept]}


def _lining(folder: Path, coco: dict[str, Any]) -> dict[str, Any]:
    """The same frames with what is in the lining. What is in the road looks alike, so nothing is said about it."""
    numbers = {name: number for number, name in enumerate(TUNNEL.names, 1)}
    images = {Path(image["file_name"]).name: image for image in coco["images"]}
    annotations = []
    for defect in json.loads((folder / "truth.json").read_text(encoding="utf-8"))["defects"]:
        on_lining = defect["surface"] == "lining"
        alike = "spalling" if defect["class"] == "pothole" else "crack"
        for sight in defect.get("frames", []):
            x1, y1, x2, y2 = sight["box"]
            annotations.append(
                {
                    "image_id": images[sight["frame"]]["id"],
                    "category_id": numbers[defect["class"] if on_lining else alike],
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "iscrowd": int(not on_lining),
                }
            )
    categories = [{"id": number, "name": name} for name, number in numbers.items()]
    for image in coco["images"]:
        image["annotated_classes"] = list(TUNNEL.names)
    return {**coco, "categories": categories, "annotations": annotations}


def found_in_any_frame(folder: Path, frames: Mapping[str, Sequence[Detection]]) -> tuple[int, int, int, int]:
    """Road defects of a drive that at least one frame found: found and all of those in clear view, found and all.

    A detection finds a defect if both are potholes or both cracks and they overlap by SAME_PLACE: on a drive, the place
    counts and not the edge of a box that is three pixels high.
    """
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    defects = [defect for defect in truth["defects"] if defect["surface"] == "road"]
    found = [any(_finds(defect, sight, frames) for sight in defect["frames"]) for defect in defects]
    clear = [bool(defect.get("clear_view")) for defect in defects]
    both = sum(one and other for one, other in zip(found, clear, strict=True))
    return both, sum(clear), sum(found), len(defects)


def _finds(defect: dict[str, Any], sight: dict[str, Any], frames: Mapping[str, Sequence[Detection]]) -> bool:
    kind = "pothole" if defect["class"] == "pothole" else "crack"
    return any(
        detection.label.endswith(kind) and iou(detection.box, sight["box"]) >= SAME_PLACE
        for detection in frames[sight["frame"]]
    )
