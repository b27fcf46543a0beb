# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.vision.letterbox import GREY, fit

SIDES = st.integers(1, 700)


@given(columns=SIDES, rows=SIDES)
def test_a_box_that_goes_into_the_input_and_back_is_the_same_box(columns: int, rows: int) -> None:
    _, letterbox = fit(np.zeros((rows, columns, 3), np.uint8), 640, 384)
    box = np.array([[columns * 0.2, rows * 0.3, columns * 0.7, rows * 0.9]], np.float32)
    inside = box * np.array([letterbox.scale_x, letterbox.scale_y] * 2, np.float32)
    assert (inside <= [640.01, 384.01, 640.01, 384.01]).all()
    assert np.allclose(letterbox.back(inside), box, atol=1e-3)


@given(columns=SIDES, rows=SIDES)
def test_boxes_come_back_inside_the_picture(columns: int, rows: int) -> None:
    _, letterbox = fit(np.zeros((rows, columns, 3), np.uint8), 640, 384)
    boxes = letterbox.back(np.array([[-50, -60, 900, 800], [630, 380, 650, 390]], np.float32))
    assert (boxes >= 0).all()
    assert (boxes <= [columns, rows, columns, rows]).all()


def test_the_picture_keeps_its_shape_and_lies_at_the_top_left() -> None:
    canvas, letterbox = fit(np.full((1080, 1920, 3), 200, np.uint8), 640, 384)
    assert (canvas[:360] == 200).all()
    assert (canvas[360:] == GREY).all()
    assert letterbox.scale_x == letterbox.scale_y == 1 / 3


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (384, 640, 3), np.uint8)
    canvas, _ = fit(picture, 640, 384)
    assert (canvas == picture).all()


def test_a_line_of_one_pixel_still_has_a_pixel_in_the_input() -> None:
    canvas, _ = fit(np.full((1, 20000, 3), 7, np.uint8), 640, 384)
    assert (canvas[0] == 7).all()
