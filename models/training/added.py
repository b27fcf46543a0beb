# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A city's own cases as training pictures: what `wegewart-depot export-training` wrote.

Only the sharp part of such a picture may teach: the rest is a mosaic, and nobody looked for other defects in it. The
sharp part is a defect's box and a margin, so its edge would give the box away. Each time a picture is drawn, a window
inside the sharp part is chosen anew and what is outside becomes a mosaic, too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from edge.privacy.anonymise import mosaic
from edge.types import Box
from models.training.augment import Picture
from models.training.classes import STREET, Classes
from models.training.dataset import Boxes, Sample, read_coco

#: Beside a run: how many of a city's cases it was taught with; `scripts/package` says so.
NOTE = "added.txt"
#: Vehicles leave this share of the box sharp on each side; so much of the sharp part is margin, at most.
MARGIN = 0.15 / 1.3
#: Width by height of what the network sees.
ASPECT = 5 / 3
BLOCKS = 40


@dataclass(frozen=True)
class Added(Sample):
    """A picture of a case. `sharp`: x1, y1, x2, y2 of what is no mosaic; `block_px`: side of a mosaic block."""

    sharp: Box = (0.0, 0.0, 0.0, 0.0)
    block_px: int = 8


def load_added(folder: Path, split: str, classes: Classes = STREET) -> list[Sample]:
    """The cases of a split, each as it is; `cut` makes a training picture of it.

    Raises:
        SystemExit: the folder is no such set, is for another model, or a file is not what the table says.
    """
    table = folder / f"instances_{split}.json"
    try:
        coco: dict[str, Any] = json.loads(table.read_text(encoding="utf-8"))
        if coco["info"]["model"] != classes.model:
            raise SystemExit(f"{table}: is for the model {coco['info']['model']}, not {classes.model}")
        samples = read_coco(folder, coco, classes=classes)
        return [_added(sample, image) for sample, image in zip(samples, coco["images"], strict=True)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(
            f"{table}: {type(error).__name__} {error}; is it a folder that `wegewart-depot export-training` wrote?"
        ) from None


def _added(sample: Sample, image: dict[str, Any]) -> Added:
    if hashlib.sha256(sample.path.read_bytes()).hexdigest() != image["sha256"]:
        raise ValueError(f"{sample.path.name} is not the file of the table")
    x, y, width, height = image["sharp"]
    part = min(1.0, max(image["width"], image["height"] * ASPECT) / image["frame_width"])
    own = {name: getattr(sample, name) for name in Sample.__dataclass_fields__}
    block = max(8, round(image["frame_width"] / BLOCKS))
    return Added(**{**own, "part": part}, sharp=(x, y, x + width, y + height), block_px=block)


def cut(sample: Sample, picture: Picture, rng: Generator) -> tuple[Sample, Picture]:
    """A smaller window of the sharp part; outside it is a mosaic and nothing is known. Other samples stay."""
    if not isinstance(sample, Added):
        return sample, picture
    x1, y1, x2, y2 = sample.sharp
    less = rng.random(4) * MARGIN * np.array([x2 - x1, y2 - y1, x2 - x1, y2 - y1])
    left, top = np.ceil((x1 + less[0], y1 + less[1])).astype(int)
    right, bottom = np.floor((x2 - less[2], y2 - less[3])).astype(int)
    shown = mosaic(picture, sample.block_px)
    shown[top:bottom, left:right] = picture[top:bottom, left:right]
    height, width = picture.shape[:2]
    ignored = around((left, top, right, bottom), width, height)
    groups = sorted({sample.classes.group(int(label))[-1] for label in np.flatnonzero(sample.known)})
    return replace(
        sample,
        ignored=np.tile(ignored, (len(groups), 1)),
        ignored_labels=np.repeat(np.array(groups, np.int64), len(ignored)),
    ), shown


def around(window: tuple[float, float, float, float], width: int, height: int) -> Boxes:
    """Four boxes that cover a picture outside a window."""
    x1, y1, x2, y2 = window
    boxes = [(0, 0, width, y1), (0, y2, width, height), (0, y1, x1, y2), (x2, y1, width, y2)]
    return np.array(boxes, np.float32)
