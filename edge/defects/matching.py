# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which detection belongs to which track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.boxes import iou
from edge.defects import nod
from edge.defects.assignment import assign
from edge.defects.nod import Nod
from edge.defects.place import GATE, Place
from edge.defects.surface_place import SurfacePlace
from edge.types import Detection

__all__ = ["Pairing", "family", "iou", "is_round", "one_per_place", "pair"]

_CRACKS = frozenset({"crack", "longitudinal_crack", "transverse_crack", "alligator_crack"})
#: Boxes of different families that overlap more are one thing with two names.
_SAME_BOX = 0.6


def family(label: str) -> str:
    """Classes that a detector confuses with each other share a family and may share a track."""
    return "crack" if label in _CRACKS else label


def is_round(label: str) -> bool:
    """Whether a class is a blob (or a field of lines that fills one) rather than a line."""
    return family(label) != "crack" or label == "alligator_crack"


def one_per_place(detections: Sequence[Detection]) -> list[Detection]:
    """Of detections of different families on nearly the same box, the surest: one place has one defect.

    A pothole inside a large crack stays: its box is much smaller.
    """
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: -d.score):
        kind = family(detection.label)
        if all(family(k.label) == kind or iou(k.box, detection.box) < _SAME_BOX for k in kept):
            kept.append(detection)
    return kept


@dataclass(frozen=True)
class Pairing:
    """Look index -> track index, and how far the body nodded in this frame."""

    matched: dict[int, int]
    nod: Nod


def pair(tracks: Sequence[tuple[str, Place]], looks: Sequence[tuple[str, Place]]) -> Pairing:
    """Pair looks with tracks of the same family so that the sum of their costs is least.

    Twice: with the nod that fits best before anything is paired, then with the one that the pairs tell.
    """
    first = nod.guess(tracks, looks)
    found = nod.refine(tracks, looks, _paired(tracks, looks, first))
    return Pairing(_paired(tracks, looks, found), found)


def _paired(tracks: Sequence[tuple[str, Place]], looks: Sequence[tuple[str, Place]], found: Nod) -> dict[int, int]:
    costs = np.full((len(looks), len(tracks)), np.inf)
    for row, (look_family, look) in enumerate(looks):
        place = look.levelled(found.value, found.sigma) if isinstance(look, SurfacePlace) else look
        for column, (track_family, track) in enumerate(tracks):
            if look_family == track_family and (cost := track.cost(place)) is not None:
                costs[row, column] = cost
    return assign(costs, alone=GATE)
