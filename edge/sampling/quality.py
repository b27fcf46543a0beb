# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Can this frame be judged? Pure measures of the picture's road part, and one decision with a named reason.

Sharpness: after Pech-Pacheco et al. (ICPR 2000) the variance of the second derivative, but taken for rows and columns
apart, of which the smaller counts: motion blur smears one direction and leaves the other crisp. Divided by the
variance of what is finer than about 20 pixels, it depends neither on exposure nor on hard shadows.
The defaults were chosen on real drives, by day and in a lamp-lit tunnel; `tests/sampling` judges those again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from edge.sampling import Reason
    from edge.types import Picture

#: Wider pictures are measured at this width, so that thresholds hold for every camera, pixels.
_WIDTH = 640
#: Detail coarser than this (Gaussian sigma) is light and shadow, pixels at `_WIDTH`.
_DETAIL_SIGMA = 6.0
_SECOND_DERIVATIVE = np.array([[1.0, -2.0, 1.0]], np.float32)


@dataclass(frozen=True)
class Limits:
    """What can still be judged.

    top, bottom: the part of the picture that counts, as shares of its height (the road; 0 and 1 in a tunnel).
    min_bright: the 90th percentile of grey must reach this: a lit tunnel has 35 to 53, road by day 50 to 250.
    max_saturated: share of pixels at 250 or above.
    min_contrast: standard deviation of grey; below it the lens is covered or sees fog or a wall.
    min_sharpness: see the module; real drives have 0.31 to 1.7, smeared over 1 % of the width 0.03 to 0.10.
    max_speed_mps: above it the model was never measured.
    """

    top: float = 0.5
    bottom: float = 1.0
    min_bright: float = 24.0
    max_saturated: float = 0.3
    min_contrast: float = 3.0
    min_sharpness: float = 0.1
    max_speed_mps: float = 33.4

    def __post_init__(self) -> None:
        if not 0 <= self.top < self.bottom <= 1:
            raise ValueError(f"top {self.top} and bottom {self.bottom} must be shares of the height, top above bottom")


@dataclass(frozen=True)
class Measures:
    """What was measured on one picture; see `Limits` for the meaning."""

    bright: float
    saturated: float
    contrast: float
    sharpness: float


def measure(picture: Picture, limits: Limits) -> Measures:
    """Measure the part of a picture (height x width x 3 BGR) that counts."""
    height, width = picture.shape[:2]
    part = picture[int(limits.top * height) : max(int(limits.bottom * height), int(limits.top * height) + 1)]
    # A smaller picture is not blown up: that would be blur made by ourselves.
    shrink = min(1.0, _WIDTH / width, 4 * _WIDTH / part.shape[0])
    size = (max(8, round(width * shrink)), max(8, round(part.shape[0] * shrink)))
    grey = cv2.cvtColor(cv2.resize(part, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    light = grey.astype(np.float32)
    return Measures(
        bright=float(np.percentile(grey, 90)),
        saturated=float(np.mean(grey >= 250)),
        contrast=float(light.std()),
        sharpness=_sharpness(light),
    )


def refuse(measures: Measures, limits: Limits, *, speed_mps: float | None = None) -> Reason | None:
    """Why a frame cannot be judged; None where it can."""
    if measures.bright < limits.min_bright:
        return "dark"
    if measures.saturated > limits.max_saturated:
        return "overexposed"
    if measures.contrast < limits.min_contrast:
        return "blocked"
    if measures.sharpness < limits.min_sharpness:
        return "blurred"
    if speed_mps is not None and speed_mps > limits.max_speed_mps:
        return "too_fast"
    return None


def _sharpness(light: np.ndarray) -> float:
    across = cv2.filter2D(light, cv2.CV_32F, _SECOND_DERIVATIVE)[:, 1:-1]
    down = cv2.filter2D(light, cv2.CV_32F, _SECOND_DERIVATIVE.T)[1:-1]
    detail = light - cv2.GaussianBlur(light, (0, 0), _DETAIL_SIGMA)
    return float(min(across.var(), down.var()) / (detail.var() + 1.0))
