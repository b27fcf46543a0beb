# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Defects on other roads: where they may land, and that the label follows the pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.training.augment import photometric, rain, wet
from models.training.classes import STREET
from models.training.paste import Donors
from tests.models.test_metric import sample

HOLE = (140.0, 120.0, 180.0, 144.0)
ROAD = np.full((192, 320, 3), 150, np.uint8)
POTHOLE = STREET.index("pothole")


def with_hole() -> np.ndarray:
    picture = np.full((192, 320, 3), 110, np.uint8)
    picture[120:144, 140:180] = 20
    return picture


def donors(donor=None) -> Donors:
    one = replace(donor or sample([(HOLE, "pothole")], ["pothole", "crack"]), path=Path("donor"))
    return Donors([one], lambda _: with_hole())


@pytest.mark.parametrize("seed", range(20))
def test_a_pasted_defect_is_where_its_box_says_at_its_own_height_and_as_bright_as_the_road(seed: int) -> None:
    empty = sample([], ["pothole", "crack"])
    pasted, picture = donors().onto(empty, ROAD, np.random.default_rng(seed))
    assert pasted.labels.tolist() == [POTHOLE]
    x1, y1, x2, y2 = (round(float(value)) for value in pasted.boxes[0])
    assert (y1, y2, x2 - x1) == (120, 144, 40)
    assert picture[y1 + 3 : y2 - 3, x1 + 3 : x2 - 3].mean() == pytest.approx(150 - 90, abs=4)
    changed = np.argwhere((picture != ROAD).any(2))
    assert changed.min(0)[0] >= 120 - 7
    assert changed.max(0)[0] <= 144 + 7
    assert (ROAD == 150).all(), "the picture in memory is used again"
    assert empty.boxes.shape == (0, 4)


@pytest.mark.parametrize("seed", range(20))
def test_a_pasted_defect_touches_none_that_is_there_and_nothing_that_is_to_be_ignored(seed: int) -> None:
    there = [((0.0, 100.0, 120.0, 190.0), "pothole")]
    one = sample(there, ["pothole", "crack"], ignored=[((200.0, 100.0, 320.0, 190.0), "crack")])
    pasted, picture = donors().onto(one, ROAD, np.random.default_rng(seed))
    changed = np.argwhere((picture != ROAD).any(2))
    assert len(pasted.boxes) in (1, 2)
    if len(changed):
        assert changed[:, 1].min() >= 120
        assert changed[:, 1].max() < 200


def test_nothing_is_pasted_where_nobody_looked_for_it_or_from_another_view() -> None:
    rng = np.random.default_rng(1)
    cracks = sample([], ["crack"])
    assert donors().onto(cracks, ROAD, rng)[0] is cracks
    other = replace(sample([], ["pothole"]), view="elsewhere")
    assert donors().onto(other, ROAD, rng)[0] is other


def test_people_and_vehicles_are_never_pasted() -> None:
    walker = sample([(HOLE, "person")], ["person", "pothole"])
    empty = sample([], ["person", "pothole"])
    assert donors(walker).onto(empty, ROAD, np.random.default_rng(1))[0] is empty


def test_a_wet_road_is_darker_and_mirrors_what_is_above_it() -> None:
    picture = np.full((120, 160, 3), 120, np.uint8)
    picture[:30, 70:90] = 250
    seen = wet(picture, np.random.default_rng(2)).astype(int)
    assert seen[100, 10].mean() < 120
    assert seen[110, 80].mean() > seen[110, 10].mean() + 5


def test_rain_draws_streaks_higher_than_wide() -> None:
    picture = np.full((200, 200, 3), 80, np.uint8)
    seen = rain(picture, np.random.default_rng(4))[..., 0].astype(int)
    bright = seen > np.median(seen) + 15
    assert 0 < bright.mean() < 0.5
    along = (bright[1:] & bright[:-1]).sum()
    across = (bright[:, 1:] & bright[:, :-1]).sum()
    assert along > across


def test_without_weather_nothing_else_is_drawn_so_older_recipes_stay_what_they_were() -> None:
    one, other = np.random.default_rng(3), np.random.default_rng(3)
    assert np.array_equal(photometric(ROAD, one), photometric(ROAD, other, 0.0))
    assert one.random() == other.random()
