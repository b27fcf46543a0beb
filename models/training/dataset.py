# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Labelled pictures, with what is NOT known about each of them.

No source labels every class. So a sample says which classes somebody looked for (`known`) and where
not even those can be judged (`ignored`); loss and score leave out everything else.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.boxes import iou
from models.training.classes import PRIVACY, STREET, TUNNEL, Classes

Boxes = NDArray[np.float32]
Labels = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: A box of a teacher's doubt that overlaps an annotated defect so much is of the defect.
SAME = 0.4


@dataclass(frozen=True)
class Sample:
    """One picture: boxes are x1,y1,x2,y2 in its pixels; labels are indices into `classes`.

    `known` and `scored` hold a flag per class. They differ where cracks have no type: away from every crack there is
    no typed crack either, which a loss can learn from; but types cannot be scored there.
    `part`: how much of a frame's width the picture shows, so that a defect is taught at the size that vehicles see.
    """

    path: Path
    view: str
    source: str
    sequence: str
    known: Flags
    scored: Flags
    boxes: Boxes
    labels: Labels
    ignored: Boxes
    ignored_labels: Labels
    classes: Classes = STREET
    part: float = 1.0


def shared_folder() -> Path:
    """The folder with data and start weights: WEGEWART_SHARED, else `shared` beside the repository."""
    default = Path(__file__).resolve().parents[3] / "shared"
    return Path(os.environ.get("WEGEWART_SHARED", default))


def load(
    classes: Classes, split: str, teacher: dict[str, Any] | None = None, *, open_only: bool = False
) -> list[Sample]:
    """Read one split of the pictures of a model.

    Args:
        classes: of which model.
        split: train, val or test.
        teacher: see `load_road`; a model that has nothing to do with people needs none.
        open_only: leave out pictures that nobody says may be redistributed.
    """
    if classes is TUNNEL:
        return load_tunnel(split, open_only=open_only)
    if classes is PRIVACY:
        return load_private(split, teacher or {}, open_only=open_only)
    return load_road(split, teacher, open_only=open_only)


def load_tunnel(split: str, *, open_only: bool = False) -> list[Sample]:
    """Read one split of the tunnel set. A view is a source; tiles are a view of their own.

    `open_only`: pictures with a stated open licence alone.
    """
    folder = shared_folder() / "data" / "tunnel"
    coco = json.loads((folder / f"instances_{split}.json").read_text(encoding="utf-8"))
    names = {category["id"]: category["name"] for category in coco["categories"]}
    images = [image for image in coco["images"] if not open_only or image["license_tier"] == "A"]
    for image in images:
        unknown = {names[number] for number in image["not_exhaustive_category_ids"]}
        image["annotated_classes"] = [name for name in names.values() if name not in unknown]
        image["view"] = f"{image['source']}_tile" if image["is_tile"] else image["source"]
        image["seq"] = image["group"]
    return read_coco(folder, {**coco, "images": images}, classes=TUNNEL)


def load_road(split: str, teacher: dict[str, Any] | None = None, *, open_only: bool = False) -> list[Sample]:
    """Read one split of the road set.

    Args:
        split: train, val or test.
        teacher: pseudo labels for people and vehicles by file name (see `teacher.py`), or None:
            then these two classes are unknown.
        open_only: leave out pictures that nobody says may be redistributed.
    """
    folder = shared_folder() / "data" / "road"
    coco = json.loads((folder / f"instances_{split}.json").read_text(encoding="utf-8"))
    images = [image for image in coco["images"] if not open_only or image["redistributable"].startswith("yes")]
    return read_coco(folder, {**coco, "images": images}, teacher)


def load_private(split: str, teacher: dict[str, Any], *, open_only: bool = False) -> list[Sample]:
    """The road set again, with nothing but the teacher's people and vehicles.

    What it doubts is ignored, but where an annotated defect lies: that is none.
    """
    samples = []
    both = np.ones(len(PRIVACY), bool)
    for road in load_road(split, open_only=open_only):
        seen = teacher[road.path.relative_to(shared_folder() / "data" / "road").as_posix()]
        doubtful = [one for one in seen["doubtful"] if not any(iou(one[1], box) >= SAME for box in road.boxes)]
        boxes, labels, ignored, ignored_labels = (
            [one[column] for one in kind] for kind in (seen["sure"], doubtful) for column in (1, 0)
        )
        samples.append(
            Sample(
                road.path,
                road.view,
                road.source,
                road.sequence,
                known=both,
                scored=both,
                boxes=_boxes(boxes),
                labels=np.array([PRIVACY.index(name) for name in labels], np.int64),
                ignored=_boxes(ignored),
                ignored_labels=np.array([PRIVACY.index(name) for name in ignored_labels], np.int64),
                classes=PRIVACY,
            )
        )
    return samples


def read_coco(
    folder: Path, coco: dict[str, Any], teacher: dict[str, Any] | None = None, *, classes: Classes = STREET
) -> list[Sample]:
    """Samples of a COCO table whose images say which classes were annotated; file names are relative to the folder."""
    names = {category["id"]: category["name"] for category in coco["categories"]}
    by_image: dict[int, list[dict[str, Any]]] = {}
    for annotation in coco["annotations"]:
        by_image.setdefault(annotation["image_id"], []).append(annotation)
    return [
        _sample(folder, image, by_image.get(image["id"], []), names, teacher, classes=classes)
        for image in coco["images"]
    ]


def _sample(
    folder: Path,
    image: dict[str, Any],
    annotations: list[dict[str, Any]],
    names: dict[int, str],
    teacher: dict[str, Any] | None,
    *,
    classes: Classes,
) -> Sample:
    known = np.zeros(len(classes), bool)
    for name in image["annotated_classes"]:
        known[classes.index(name)] = True
    if classes.typed:
        known[classes.crack] |= bool(known[list(classes.typed)].all())
    if teacher is not None:
        known[list(classes.taught)] = True
    scored = known.copy()
    if classes.typed and known[classes.crack]:
        known[list(classes.typed)] = True  # no crack here is no crack of any type; see `augment`
    found: list[tuple[list[float], int]] = []
    ignored: list[tuple[list[float], int]] = []
    for annotation in annotations:
        x, y, w, h = annotation["bbox"]
        target = ignored if annotation["iscrowd"] else found
        target.append(([x, y, x + w, y + h], classes.index(names[annotation["category_id"]])))
    if teacher is not None:
        seen = teacher[image["file_name"]]
        found += [(box, classes.index(name)) for name, box in seen["sure"]]
        ignored += [(box, classes.index(name)) for name, box in seen["doubtful"]]
    return Sample(
        path=folder / image["file_name"],
        view=image["view"],
        source=image["source"],
        sequence=image["seq"] or "",
        known=known,
        scored=scored,
        boxes=_boxes([box for box, _ in found]),
        labels=np.array([label for _, label in found], np.int64),
        ignored=_boxes([box for box, _ in ignored]),
        ignored_labels=np.array([label for _, label in ignored], np.int64),
        classes=classes,
    )


def _boxes(boxes: list[list[float]]) -> Boxes:
    return np.array(boxes, np.float32).reshape(-1, 4)


class PictureCache:
    """Decoded pictures in memory: 2800 of them take about 2 GB and save most of the loading time."""

    def __init__(self) -> None:
        self._pictures: dict[Path, NDArray[np.uint8]] = {}

    def __call__(self, path: Path) -> NDArray[np.uint8]:
        """The decoded picture."""
        picture = self._pictures.get(path)
        if picture is None:
            read = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if read is None:
                raise FileNotFoundError(path)
            picture = self._pictures[path] = np.asarray(read, np.uint8)
        return picture
