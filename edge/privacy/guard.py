# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Who and what must not be recognised in a picture that is kept: the privacy model's word beside the street model's.

The privacy model looks only at frames of which a picture is kept, not at every judged frame. It can only take away:
what either model reports becomes a mosaic. It runs before anything of the picture is encoded; where it fails, so does
the picture.

With one exception: it is asked for a person at the slightest doubt, and takes many a pothole for one. A box that it
doubts and that is nearly the box of the defect itself is the defect, or nobody could judge it. What it is surer of,
what reaches beyond the defect, and what the street model calls a person or a vehicle is hidden all the same. The two
limits were chosen on marked pictures (models/privacy/CARD.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.boxes import iou
from edge.ports import Detector
from edge.types import Box, Detection, Picture

#: Below this score the privacy model doubts; boxes that overlap (intersection over union) so much are of one thing.
DOUBT, SAME = 0.2, 0.4


class Guard:
    """Looks once at each picture, for however many crops of it are kept.

    Args:
        detector: the privacy model; None: the vehicle has none, and the other model's word has to do.
    """

    def __init__(self, detector: Detector | None) -> None:
        self._detector = detector
        self._picture: Picture | None = None
        self._found: tuple[Detection, ...] = ()
        #: Pictures that the privacy model has looked at.
        self.looked = 0

    def private(self, picture: Picture, known: Sequence[Detection], defect: Box | None = None) -> tuple[Detection, ...]:
        """People and vehicles in this picture: `known` ones and what the privacy model finds.

        `defect`: the box of the one that is to be seen, which the model may have taken for a person or a vehicle.
        """
        if self._detector is None:
            return tuple(known)
        if picture is not self._picture:
            self._picture, self._found = picture, tuple(self._detector.detect(picture))
            self.looked += 1
        return (*known, *besides(self._found, defect))


def besides(found: Sequence[Detection], defect: Box | None) -> tuple[Detection, ...]:
    """What of these is not just the defect itself."""
    if defect is None:
        return tuple(found)
    return tuple(one for one in found if one.score >= DOUBT or iou(one.box, defect) < SAME)
