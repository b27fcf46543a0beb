# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Defects of one picture on the undamaged road of another: `pasted` in a phase of a recipe.

A defect keeps its height in the picture and comes from a picture of the same view, so that its size fits the
perspective. It is taken with a margin, in which it fades into the road, and gets the brightness of the place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.training.augment import Picture
from models.training.dataset import Boxes, Sample

MARGIN = 0.25
LARGEST, SMALLEST_PX = 0.4, 8.0
#: How far to the side, as a share of the picture's width: farther there is no road.
ASIDE = 0.25
TRIES = 5

Place = tuple[int, int, int, int]


class Donors:
    """Every labelled defect, by view. `read` gives the picture of a path."""

    def __init__(self, samples: Sequence[Sample], read: Callable[[Path], Picture]) -> None:
        self._read = read
        self._by_view: dict[str, list[tuple[Sample, int]]] = {}
        for sample in samples:
            for number, label in enumerate(sample.labels):
                if int(label) not in sample.classes.taught:
                    self._by_view.setdefault(sample.view, []).append((sample, number))

    def onto(self, sample: Sample, picture: Picture, rng: Generator) -> tuple[Sample, Picture]:
        """The picture with one defect more; as it was where none of the drawn ones has a free place."""
        pool = self._by_view.get(sample.view, [])
        for _ in range(TRIES if pool else 0):
            donor, number = pool[int(rng.integers(len(pool)))]
            shift, mirrored = rng.uniform(-ASIDE, ASIDE), rng.random() < 0.5
            if not sample.known[donor.labels[number]]:
                continue
            source = self._read(donor.path)
            height, width = picture.shape[:2]
            scale = np.array([width / source.shape[1], height / source.shape[0]] * 2)
            box = donor.boxes[number] * scale
            size = box[2:] - box[:2]
            if size.min() < SMALLEST_PX or (size / (width, height)).max() > LARGEST:
                continue
            aside = np.array([shift * width, 0.0] * 2)
            place = _whole(_grown(box + aside))
            inside = 0 <= place[0] < place[2] <= width and 0 <= place[1] < place[3] <= height
            if not inside or _meets(place, np.concatenate((sample.boxes, sample.ignored))):
                continue
            patch = _patch(source, _grown(donor.boxes[number]), place)
            if patch is None:
                continue
            patch = patch[:, ::-1] if mirrored else patch
            return _with(sample, donor, number, box + aside), blend(picture, patch, place)
        return sample, picture


def blend(picture: Picture, patch: Picture, place: Place) -> Picture:
    """The patch at its place, as bright as the road around it, fading out towards its edge."""
    x1, y1, x2, y2 = place
    under = picture[y1:y2, x1:x2].astype(np.float32)
    share = MARGIN / (1 + 2 * MARGIN)
    rows, columns = max(1, round((y2 - y1) * share)), max(1, round((x2 - x1) * share))
    ring = np.ones(patch.shape[:2], bool)
    ring[rows:-rows, columns:-columns] = False
    tone = np.median(under[ring], 0) - np.median(patch[ring], 0)
    ramps = (_ramp(length, edge) for length, edge in ((y2 - y1, rows), (x2 - x1, columns)))
    alpha = np.minimum(*np.meshgrid(*ramps, indexing="ij"))[..., None]
    result = picture.copy()
    result[y1:y2, x1:x2] = (under + alpha * (patch + tone - under)).clip(0, 255)
    return result


def _ramp(length: int, edge: int) -> NDArray[np.float32]:
    """From almost 0 at both ends to 1 where the margin ends."""
    distance = np.minimum(np.arange(length), np.arange(length)[::-1])
    return np.minimum((distance + 1) / (edge + 1), 1).astype(np.float32)


def _patch(source: Picture, box: NDArray[np.float64], place: Place) -> Picture | None:
    x1, y1, x2, y2 = _whole(box)
    if not (0 <= x1 < x2 <= source.shape[1] and 0 <= y1 < y2 <= source.shape[0]):
        return None
    size = (place[2] - place[0], place[3] - place[1])
    return np.asarray(cv2.resize(source[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA), np.uint8)


def _with(sample: Sample, donor: Sample, number: int, box: NDArray[np.float64]) -> Sample:
    boxes = np.concatenate((sample.boxes, box[None].astype(np.float32)))
    return replace(sample, boxes=boxes, labels=np.append(sample.labels, donor.labels[number]))


def _grown(box: NDArray[np.float64] | NDArray[np.float32]) -> NDArray[np.float64]:
    """With the margin on each side."""
    width, height = box[2] - box[0], box[3] - box[1]
    return np.asarray(box + MARGIN * np.array([-width, -height, width, height]), np.float64)


def _whole(box: NDArray[np.float64]) -> Place:
    x1, y1, x2, y2 = (round(float(value)) for value in box)
    return x1, y1, x2, y2


def _meets(place: Place, boxes: Boxes) -> bool:
    x1, y1, x2, y2 = place
    return bool(((boxes[:, 0] < x2) & (boxes[:, 2] > x1) & (boxes[:, 1] < y2) & (boxes[:, 3] > y1)).any())
