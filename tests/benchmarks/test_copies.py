# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What counts as a copy of a picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.copies import LEAST, in_common, look

SIDE = 400
MATCHER = cv2.BFMatcher(cv2.NORM_HAMMING)


def stones(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    picture = np.full((SIDE, SIDE, 3), 120, np.uint8)
    for _ in range(400):
        centre = (int(rng.integers(SIDE)), int(rng.integers(SIDE)))
        cv2.circle(picture, centre, int(rng.integers(3, 18)), rng.integers(30, 220, 3).tolist(), -1)
    return picture


def turned(picture: np.ndarray) -> np.ndarray:
    turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), 9, 0.9)
    return cv2.convertScaleAbs(cv2.warpAffine(picture, turn, (SIDE, SIDE)), alpha=0.8, beta=30)


def common(tmp_path: Path, one: np.ndarray, other: np.ndarray, *, mirrored: bool = False) -> int:
    orb = cv2.ORB_create(600)
    for name, picture in (("one.png", one), ("other.png", other)):
        cv2.imwrite(str(tmp_path / name), picture)
    return in_common(look(tmp_path / "one.png", orb, mirrored=mirrored), look(tmp_path / "other.png", orb), MATCHER)


@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_mirrored_and_in_other_light_it_is_a_copy(tmp_path: Path, mirrored: bool) -> None:
    copy = turned(stones(1)[:, ::-1] if mirrored else stones(1))
    assert common(tmp_path, stones(1), copy, mirrored=mirrored) >= LEAST


def test_another_picture_and_a_grey_one_are_none(tmp_path: Path) -> None:
    assert common(tmp_path, stones(1), stones(2)) == 0
    assert common(tmp_path, stones(1), np.full((SIDE, SIDE, 3), 90, np.uint8)) == 0


def test_the_same_mark_in_one_corner_makes_no_copy(tmp_path: Path) -> None:
    one, other = stones(1), stones(2)
    one[:110, :110] = other[:110, :110] = cv2.resize(stones(3), (110, 110), interpolation=cv2.INTER_AREA)
    assert common(tmp_path, one, other) == 0
