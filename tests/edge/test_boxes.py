# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.boxes import iou

SIDE = 12
boxes = st.tuples(*[st.integers(0, SIDE)] * 4).map(
    lambda box: (min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]) + 1, max(box[1], box[3]) + 1)
)


def pixels(box: tuple[int, int, int, int]) -> np.ndarray:
    canvas = np.zeros((SIDE + 2, SIDE + 2), bool)
    canvas[box[1] : box[3], box[0] : box[2]] = True
    return canvas


@given(one=boxes, other=boxes)
def test_boxes_share_what_their_pixels_share(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> None:
    a, b = pixels(one), pixels(other)
    assert iou(one, other) == pytest.approx((a & b).sum() / (a | b).sum())
