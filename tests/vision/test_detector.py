# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.vision.detector import Detector
from edge.vision.package import load_package
from edge.vision.selftest import draw
from tests.vision.packages import STREET


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(load_package(STREET), threads=1)


@settings(max_examples=25, deadline=None)
@given(columns=st.integers(1, 900), rows=st.integers(1, 900), seed=st.integers(0, 9))
def test_boxes_lie_inside_any_picture(detector: Detector, columns: int, rows: int, seed: int) -> None:
    picture = draw(seed, columns, rows)
    for detection in detector.detect(picture):
        x1, y1, x2, y2 = detection.box
        assert 0 <= x1 <= x2 <= columns
        assert 0 <= y1 <= y2 <= rows
        assert 0 < detection.score <= 1
        assert detection.label in detector.package.manifest.classes


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((384, 640), np.uint8),
        np.zeros((384, 640, 4), np.uint8),
        np.zeros((384, 640, 3), np.float32),
        np.zeros((0, 640, 3), np.uint8),
        None,
    ],
    ids=["grey", "four channels", "float", "empty", "none"],
)
def test_what_is_no_colour_picture_is_counted_and_finds_nothing(detector: Detector, picture: object) -> None:
    before = detector.refused
    assert detector.detect(picture) == ()  # type: ignore[arg-type]
    assert detector.refused == before + 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (4000, 6000, 3), (1, 9000, 3)], ids=["pixel", "huge", "line"])
def test_extreme_pictures_are_looked_at(detector: Detector, shape: tuple[int, int, int]) -> None:
    before = detector.refused
    detector.detect(np.full(shape, 90, np.uint8))
    assert detector.refused == before


def test_a_picture_that_is_a_view_of_another_is_looked_at(detector: Detector) -> None:
    whole = draw(detector.package.manifest.selftest.seed, 640, 384)
    assert detector.detect(whole[:, ::-1][:, ::-1]) == detector.detect(whole)


def test_the_same_picture_at_twice_the_size_has_the_same_boxes_at_twice_the_size(detector: Detector) -> None:
    small = draw(detector.package.manifest.selftest.seed, 640, 384)
    boxes, scores = detector.look(small)
    large_boxes, large_scores = detector.look(np.repeat(np.repeat(small, 2, 0), 2, 1))
    best = int(scores.max(1).argmax())
    assert np.allclose(large_scores[best], scores[best], atol=0.1)
    assert np.allclose(large_boxes[best] / 2, boxes[best], atol=12)


def test_every_precision_runs() -> None:
    package = load_package(STREET)
    picture = draw(1, 640, 384)
    for precision in package.precisions:
        assert Detector(package, 1, precision).precision == precision
        Detector(package, 1, precision).detect(picture)
