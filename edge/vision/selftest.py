# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Does this file, on this board, with this runtime, find what it found when it was packed?

A hash proves that the file is the right one, not that the board computes it right. So a picture is drawn from a seed
(whole numbers only: the same on every machine and numpy version), and what the model finds in it is compared with
what model.toml expects. Boards differ in the last bits of eight-bit arithmetic, hence the tolerances:
every expected box needs one with the same label, an overlap of `least_overlap` and a score within `score_tolerance`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge.boxes import iou
from edge.types import Detection, Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.vision.manifest import Expected, SelfTest


Whole = NDArray[np.int64]


def draw(seed: int, width: int, height: int) -> Picture:
    """Grey asphalt with grain, a lane line, dark holes and a crack."""
    rows, columns = np.mgrid[:height, :width].astype(np.int64)
    grain = _noise(seed, rows, columns) % 41 + _noise(seed + 1, rows // 3, columns // 3) % 21
    picture = 80 + grain + rows * 30 // height
    line = np.abs(columns - width // 2 + (rows - height) // 6) * 90 < rows
    picture = np.where(line & (rows // 40 % 2 == 0), 215, picture)
    for index in range(4):
        middle_x = width * (1 + 2 * index) // 8 + _number(seed, index) % 40
        middle_y = height // 2 + _number(seed, index + 10) % max(1, height * 2 // 5)
        radius = 12 + _number(seed, index + 20) % 24
        distance = (columns - middle_x) ** 2 + 5 * (rows - middle_y) ** 2
        picture = np.where(distance < radius**2 * 2, picture // 2, picture)
        picture = np.where(distance < radius**2, picture * 2 // 3, picture)
    wander = np.cumsum(_noise(seed + 2, rows[:, :1], columns[:, :1]) % 5 - 2, 0)
    crack = np.abs(columns - width * 3 // 4 - wander) < 2
    picture = np.where(crack & (rows > height // 3), 35, picture)
    return np.repeat(picture.clip(0, 255).astype(np.uint8)[..., None], 3, 2)


def _noise(seed: int, rows: Whole, columns: Whole) -> Whole:
    """A whole number 0..65535 per place, by mixing bits."""
    value = (rows * 73856093 ^ columns * 19349663 ^ seed * 83492791) & 0xFFFFFFFF
    value = (value ^ value >> 16) * 73244475 & 0xFFFFFFFF
    value = (value ^ value >> 16) * 73244475 & 0xFFFFFFFF
    return np.asarray(value >> 16, np.int64)


def _number(seed: int, index: int) -> int:
    return int(_noise(seed, np.array(index), np.array(seed)))


def missing(expected: Sequence[Expected], found: Sequence[Detection], test: SelfTest) -> str | None:
    """What the self test misses, in words, or None."""
    for want in expected:
        same = [have for have in found if have.label == want.label]
        fits = [have for have in same if iou(have.box, want.box) >= test.least_overlap]
        if not fits:
            return f"{want.label} at {tuple(round(value) for value in want.box)} was not found"
        nearest = min(fits, key=lambda have: abs(have.score - want.score))
        if abs(nearest.score - want.score) > test.score_tolerance:
            return f"{want.label} scored {nearest.score:.3f} and not {want.score:.3f}"
    return None
