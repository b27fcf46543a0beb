# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.training import curves
from models.training.gallery import GREEN, PER_SEQUENCE, RED, YELLOW, draw, worst
from models.training.metric import Count
from tests.models.test_calibration import MANIFEST, boxes, look
from tests.models.test_metric import HERE, THERE
from tests.models.test_report import judged

GREY = 90


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((picture == colour).all(2).any())


def test_the_costliest_pictures_come_first_and_no_place_fills_the_gallery() -> None:
    looks = [look(0.9, right=True, sequence="fine"), *(look(0.9, right=False, sequence="bad") for _ in range(5))]
    missed = look(0.01, right=True, sequence="missed")
    found = worst([*looks, missed], MANIFEST, most=PER_SEQUENCE + 1)
    assert [one.sample.sequence for one in found] == ["bad"] * PER_SEQUENCE + ["missed"]
    assert [one.cost_s for one in found] == [35.0, 35.0, 30.0]
    assert found[0].counts["pothole"] == Count(0, 1, 1)
    assert len(worst([*looks, missed], MANIFEST, most=1)) == 1


def test_where_there_are_too_few_places_one_place_fills_the_rest() -> None:
    looks = [look(0.9, right=True, sequence="fine"), *(look(0.9, right=False, sequence="bad") for _ in range(5))]
    missed = look(0.01, right=True, sequence="missed")
    found = worst([*looks, missed], MANIFEST, most=5)
    assert [one.sample.sequence for one in found] == ["bad"] * 4 + ["missed"]
    assert len(worst([*looks, missed], MANIFEST, most=10)) == 6


def test_a_picture_shows_what_was_found_missed_and_made_up(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), np.full((240, 320, 3), GREY, np.uint8))
    sample, where, scores = look(0.9, right=False)
    (wrong,) = worst([(replace(sample, path=path), where, scores)], MANIFEST, most=1)
    picture = draw(wrong)
    assert has(picture, RED)
    assert has(picture, YELLOW)
    assert not has(picture, GREEN)
    both = np.array([HERE, THERE], np.float32)
    (half,) = worst([(replace(sample, path=path), both, np.vstack([scores, scores]))], MANIFEST, most=1)
    assert has(draw(half), GREEN)


def test_the_curves_are_small_pictures(tmp_path: Path) -> None:
    try:
        import matplotlib as mpl
    except ImportError:
        if os.environ.get("CI") == "true":
            pytest.fail("matplotlib is missing, so no card can be drawn")
        pytest.skip("matplotlib is missing")
    assert mpl
    trade = curves.Trade("pothole", judged([(0.9, True), (0.8, False)], 2), {"shipped": Count(1, 1, 1)})
    curves.draw_trades(tmp_path / "curves.png", [trade] * 4)
    told = boxes(50, seed=1)
    panel = curves.Reliability("pothole", told.scores, told.scores, told.right)
    curves.draw_reliability(tmp_path / "reliability.png", [panel])
    for name in ("curves.png", "reliability.png"):
        assert cv2.imread(str(tmp_path / name)).shape[1] == round(curves.COLUMNS * curves.SIDE_IN * curves.DPI)
        assert (tmp_path / name).stat().st_size < 100_000
