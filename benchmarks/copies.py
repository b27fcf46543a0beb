# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of `val` or `test` of which a copy is in `train`, and what the street model scores without them.

    python -m benchmarks.copies --split {val,test}        (10 minutes)

The splits are by place as the sources name their files; a picture from the web can be in two sources, turned, mirrored
or in other colours. A copy: at least LEAST corners of the picture (ORB) lie in the other one by one affine map, and
span a tenth of it at least (a watermark does not count). Compared are VIEWS, whose pictures are not frames of one
drive, each as it is and mirrored. What is turned by much, or of which a small part was cut out, is not found.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.vision.package import load_package
from models.training.classes import ALL_VIEWS, STREET
from models.training.dataset import Sample, load
from models.training.gate import counts
from models.training.metric import Count

PACKAGE = Path(__file__).resolve().parents[1] / "models" / "street"
VIEWS = ("handheld_close", "web_close", "web_mixed", "forward_dashcam", "forward_gopro")
#: Corners in common, and the share of the picture that they have to span.
LEAST, SPREAD = 25, 0.1
_LONGEST_PX, _RATIO, _WITHIN_PX = 320, 0.7, 5.0


@dataclass(frozen=True)
class Look:
    """A picture's corners with what is around them, and its area in pixels."""

    corners: NDArray[np.float32]
    around: NDArray[np.uint8] | None
    area: float


@dataclass(frozen=True)
class Copy:
    """A picture with one of `train`; `common`: corners."""

    sample: Sample
    other: Sample
    common: int


def look(path: Path, orb: Any, *, mirrored: bool = False) -> Look:
    """Read a picture, small and grey."""
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise SystemExit(f"{path}: cannot be read")
    factor = _LONGEST_PX / max(grey.shape)
    grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    grey = cv2.flip(grey, 1) if mirrored else grey
    points, around = orb.detectAndCompute(grey, None)
    corners = np.array([point.pt for point in points], np.float32).reshape(-1, 2)
    return Look(corners, around, float(grey.size))


def in_common(one: Look, other: Look, matcher: Any) -> int:
    """How many corners of the one are in the other by one affine map; 0 where they lie in one corner."""
    if one.around is None or other.around is None or len(other.around) < 2:
        return 0
    pairs = (pair for pair in matcher.knnMatch(one.around, other.around, k=2) if len(pair) > 1)
    alike = [best for best, second in pairs if best.distance < _RATIO * second.distance]
    if len(alike) < LEAST:
        return 0
    here = one.corners[[match.queryIdx for match in alike]]
    there = other.corners[[match.trainIdx for match in alike]]
    _, mask = cv2.estimateAffine2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=_WITHIN_PX)
    inside = here[mask.ravel() > 0] if mask is not None else here[:0]
    if len(inside) < LEAST or cv2.contourArea(cv2.convexHull(inside)) < SPREAD * one.area:
        return 0
    return len(inside)


def copies(samples: Sequence[Sample], train: Sequence[Sample]) -> Iterator[Copy]:
    """Those of the samples of which a copy is in `train`, each with the surest one."""
    orb: Any = cv2.ORB_create(600)  # type: ignore[attr-defined]  # the stubs of OpenCV 5 lack it
    matcher = cv2.BFMatcher(cv2.NORM_HAMMING)
    known = [look(other.path, orb) for other in train]
    for sample in samples:
        found: list[tuple[int, int]] = []
        for mirrored in (False, True):
            one = look(sample.path, orb, mirrored=mirrored)
            found += [(in_common(one, other, matcher), index) for index, other in enumerate(known)]
        common, index = max(found)
        if common:
            yield Copy(sample, train[index], common)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=["val", "test"], required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    every = load(STREET, options.split)
    samples, train = ([one for one in of if one.view in VIEWS] for of in (every, load(STREET, "train")))
    found = sorted(copies(samples, train), key=lambda one: -one.common)
    for one in found:
        print(f"{one.sample.path.name} ({one.sample.view}) = {one.other.path.name} ({one.common} corners)")
    print(f"{len(found)} of {len(samples)} pictures have a copy in train")
    _scores(every, {one.sample.path for one in found})


def _scores(samples: Sequence[Sample], copied: set[Path]) -> None:
    """F1 of the shipped INT8 file with and without them."""
    package = load_package(PACKAGE)
    rest = [sample for sample in samples if sample.path not in copied]
    before, after = counts(package, samples), counts(package, rest)
    views = {ALL_VIEWS, *(sample.view for sample in samples if sample.path in copied)}
    print("| class | view | boxes | F1 | boxes without copies | F1 |\n| --- | --- | --- | --- | --- | --- |")
    for (view, label), every in before.items():
        left = after.get((view, label), every[:0])
        if view in views and every[:, [0, 2]].sum():
            cells = [f"{int(of[:, [0, 2]].sum())} | {Count(*map(int, of.sum(0))).f1:.3f}" for of in (every, left)]
            print(f"| {label} | {view} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
