# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From raw boxes and scores to detections: thresholds, names, and one box per thing.

A model gives every cell a probability per class. Classes of one group (all kinds of crack) describe the same thing,
so they suppress each other; classes of different groups never do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge.types import Detection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.vision.letterbox import Boxes
    from edge.vision.manifest import Manifest

SMALLEST_PX = 1.0

Scores = NDArray[np.float32]


def decode(
    boxes: Boxes, scores: Scores, manifest: Manifest, thresholds: Mapping[str, float] | None = None
) -> tuple[Detection, ...]:
    """Detections, best first, in the pixels of `boxes`.

    Args:
        boxes: [N,4].
        scores: [N,classes].
        manifest: classes, groups, superclass, thresholds.
        thresholds: instead of the manifest's.
    """
    limits = manifest.thresholds if thresholds is None else thresholds
    column = {name: index for index, name in enumerate(manifest.classes)}
    found: list[Detection] = []
    for group, row in select(boxes, scores, manifest, limits):
        name = named(scores[row], group, column, manifest, limits)
        x1, y1, x2, y2 = (float(value) for value in boxes[row])
        found.append(Detection(name, float(scores[row, column[name]]), (x1, y1, x2, y2)))
    return tuple(sorted(found, key=lambda detection: -detection.score))


def select(
    boxes: Boxes, scores: Scores, manifest: Manifest, limits: Mapping[str, float]
) -> list[tuple[tuple[str, ...], int]]:
    """Per thing found: its group and its row in `boxes`; the best first within a group."""
    kept: list[tuple[tuple[str, ...], int]] = []
    real = (boxes[:, 2:] - boxes[:, :2] >= SMALLEST_PX).all(1)  # a box beside the picture was cut to nothing
    for group in manifest.nms.groups:
        columns = [manifest.classes.index(name) for name in group]
        within = scores[:, columns]
        passed = within >= np.array([limits[name] for name in group], np.float32)
        rows = np.flatnonzero(passed.any(1) & real)
        order = np.argsort(-within[rows].max(1), kind="stable")[: manifest.nms.most]
        rows = rows[order]
        kept += [(group, int(rows[index])) for index in suppress(boxes[rows], manifest.nms.overlap)]
    return kept


def named(
    scores: Scores,
    group: tuple[str, ...],
    column: Mapping[str, int],
    manifest: Manifest,
    limits: Mapping[str, float],
) -> str:
    """The best class of the group that passes; a member of the superclass goes before the superclass."""
    passed = [name for name in group if scores[column[name]] >= limits[name]]
    above = manifest.superclass
    members = [] if above is None else [name for name in passed if name in above.members]
    return max(members or passed, key=lambda name: float(scores[column[name]]))


def suppress(boxes: Boxes, overlap: float) -> list[int]:
    """Greedy non-maximum suppression: boxes come best first; the indices that stay."""
    area = (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(1)
    alive = np.ones(len(boxes), bool)
    kept = []
    for index in range(len(boxes)):
        if not alive[index]:
            continue
        kept.append(index)
        low = np.maximum(boxes[:, :2], boxes[index, :2])
        high = np.minimum(boxes[:, 2:], boxes[index, 2:])
        common = (high - low).clip(0).prod(1)
        union = np.maximum(area + area[index] - common, np.float32(1e-6))
        alive &= common <= overlap * union
    return kept
