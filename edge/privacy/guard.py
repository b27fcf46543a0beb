# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Who and what must not be recognised in a picture that is kept: the privacy model's word beside the street model's.

The privacy model looks only at frames of which a picture is kept, not at every judged frame. It can only take away:
what either model reports becomes a mosaic. It runs before anything of the picture is encoded; where it fails, so does
the picture.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.ports import Detector
from edge.types import Detection, Picture


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

    def private(self, picture: Picture, known: Sequence[Detection]) -> tuple[Detection, ...]:
        """People and vehicles in this picture: `known` ones and what the privacy model finds."""
        if self._detector is None:
            return tuple(known)
        if picture is not self._picture:
            self._picture, self._found = picture, tuple(self._detector.detect(picture))
            self.looked += 1
        return (*known, *self._found)
