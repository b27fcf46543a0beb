# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The detector that the daemon uses: a picture in, detections in its pixels out.

A picture that is none (empty, grey, wrong type) is counted in `refused` and has no detections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.vision.confidence import calibrated
from edge.vision.decode import decode
from edge.vision.letterbox import fit

if TYPE_CHECKING:
    from edge.types import Detection, Picture
    from edge.vision.decode import Scores
    from edge.vision.letterbox import Boxes
    from edge.vision.manifest import Precision
    from edge.vision.package import ModelPackage


class Detector:
    """One model on one session.

    Args:
        package: from `load_package`.
        threads: cores that one picture may use.
        precision: int8 or fp32; without one, the package's first.
    """

    def __init__(self, package: ModelPackage, threads: int = 2, precision: Precision | None = None) -> None:
        self.refused = 0
        self.package = package
        self.precision = package.file(precision).precision
        self._manifest = package.manifest
        self._session = package.session(precision, threads)

    def detect(self, picture: Picture) -> tuple[Detection, ...]:
        """All boxes above their thresholds, best first, in pixels of the picture; scores are calibrated."""
        if not usable(picture):
            self.refused += 1
            return ()
        return calibrated(decode(*self.look(picture), self._manifest), self._manifest.calibration)

    def look(self, picture: Picture) -> tuple[Boxes, Scores]:
        """What the model says before any threshold: boxes in pixels of the picture, and scores."""
        canvas, letterbox = fit(picture, self._manifest.input.width, self._manifest.input.height)
        boxes, scores = self._session.run(canvas)
        return letterbox.back(boxes), scores


def usable(picture: object) -> bool:
    """Whether this is a colour picture with at least one pixel."""
    return (
        isinstance(picture, np.ndarray)
        and picture.dtype == np.uint8
        and picture.ndim == 3
        and picture.shape[2] == 3
        and picture.size > 0
    )
