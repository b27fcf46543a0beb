# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From a model's score to how often a box with such a score is right.

A network's score orders boxes; it is no share of right ones. Per class, a line through the score's log odds, fitted on
pictures that the model was not trained on, makes it one. It rises with the score, so thresholds, which are compared
with the score itself, let in the same boxes as before. A class without a line keeps its score.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.types import Detection
    from edge.vision.manifest import Line

#: Log odds of 0 and 1 are infinite; no score says more than this.
SUREST = 1 - 1e-6


def calibrated(found: Sequence[Detection], lines: Mapping[str, Line]) -> tuple[Detection, ...]:
    """The same detections with calibrated scores, best first."""
    told = (replace(one, score=confidence(one.score, lines[one.label])) if one.label in lines else one for one in found)
    return tuple(sorted(told, key=lambda one: -one.score))


def confidence(score: float, line: Line) -> float:
    """The probability that a box with this score is right; both 0 to 1."""
    within = min(max(score, 1 - SUREST), SUREST)
    odds = line.slope * math.log(within / (1 - within)) + line.offset
    return 1 / (1 + math.exp(-odds))
