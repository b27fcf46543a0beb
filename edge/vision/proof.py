# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Does a model find what is there? It judges the package's stored pictures, whose answers are known.

The drawn picture of `edge.vision.selftest` asks whether this board computes as the packer's did; a model that never
finds anything can pass that. What a stored picture shows was told by whoever drew it, and every miss counts.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.boxes import iou
from edge.vision.detector import Detector
from edge.vision.manifest import ModelPackageError, Precision, StoredPicture
from edge.vision.package import MANIFEST, ModelPackage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.types import Detection, Picture


def prove(package: ModelPackage, *, precision: Precision | None = None, threads: int = 2) -> int:
    """Let one file of a package judge all stored pictures; how many they were.

    Raises:
        ModelPackageError: it misses something, finds far too much, or a picture is not the one that belongs there.
    """
    pictures = package.manifest.selftest.pictures
    if not any(picture.known for picture in pictures):
        raise ModelPackageError(
            package.folder / MANIFEST, "selftest.pictures", "has none that shows something: they would prove nothing"
        )
    detector = Detector(package, threads, precision)
    for picture in pictures:
        problem = missed(picture, detector.detect(_read(package, picture)), package.manifest.selftest.least_overlap)
        if problem is not None:
            file = package.file(precision).file
            raise ModelPackageError(package.folder / file, f"selftest {picture.file}", problem)
    return len(pictures)


def missed(picture: StoredPicture, found: Sequence[Detection], least_overlap: float) -> str | None:
    """What is wrong with these detections in a stored picture, in words, or None."""
    for known in picture.known:
        if not any(one.label == known.label and iou(one.box, known.box) >= least_overlap for one in found):
            return f"{known.label} at {tuple(round(value) for value in known.box)} was not found"
    return f"{len(found)} things found, at most {picture.most} can be there" if len(found) > picture.most else None


def _read(package: ModelPackage, stored: StoredPicture) -> Picture:
    path = package.folder / stored.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelPackageError(path, "file", error.strerror or str(error)) from error
    actual = hashlib.sha256(content).hexdigest()
    if actual != stored.sha256:
        raise ModelPackageError(path, "sha256", f"is {actual}, model.toml says {stored.sha256}")
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ModelPackageError(path, "file", "is no picture")
    return np.asarray(picture, np.uint8)
