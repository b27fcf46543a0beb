# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Fit a picture of any size into the model's input and bring boxes back.

The picture keeps its shape, lies at the top left, and grey fills the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Picture

GREY = 114

Boxes = NDArray[np.float32]


@dataclass(frozen=True)
class Letterbox:
    """How one picture lies in the input: pixel in the input = pixel in the picture * scale, per axis."""

    scale_x: float
    scale_y: float
    width: int
    height: int

    def back(self, boxes: Boxes) -> Boxes:
        """Boxes in pixels of the input -> boxes in pixels of the picture, cut at its edges."""
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        limit = np.array([self.width, self.height] * 2, np.float32)
        return np.asarray(np.clip(boxes / scale, 0, limit), np.float32)


def fit(picture: Picture, width: int, height: int) -> tuple[Picture, Letterbox]:
    """Scale the picture into a canvas of width x height.

    The two scales differ by rounding alone: a side becomes a whole number of pixels, at least one.
    """
    rows, columns = picture.shape[:2]
    scale = min(width / columns, height / rows)
    inner = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    box = Letterbox(inner[0] / columns, inner[1] / rows, columns, rows)
    canvas = np.full((height, width, 3), GREY, np.uint8)
    # INTER_AREA averages all pixels (no moire of the asphalt) and costs more; it only pays below half size.
    method = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    canvas[: inner[1], : inner[0]] = (
        picture if inner == (columns, rows) else cv2.resize(picture, inner, interpolation=method)
    )
    return canvas, box
