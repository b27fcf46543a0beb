# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.roads import looked
from depot.roads.importing import Mapping, build
from depot.roads.network import RoadNetwork
from tests.depot.roads.samples import CITY, at

NETWORK = RoadNetwork(build(CITY, Mapping()).roads)


def laid(*places: tuple[float, float]) -> dict[str, list[int]]:
    """Numbers of the sections that a path lies along, by the road's name."""
    found = looked.lay(NETWORK, [at(*place) for place in places], within_m=25.0)
    return {NETWORK.roads[number].name or "": np.flatnonzero(seen).tolist() for number, seen in found.items()}


def test_a_path_is_laid_on_the_sections_that_it_runs_along() -> None:
    assert laid((5, 3), (100, 3)) == {"Langstraße": [0, 1, 2, 3, 4]}


def test_less_than_half_of_a_section_is_not_looked_at() -> None:
    assert laid((0, 0), (48, 0)) == {"Langstraße": [0, 1]}
    assert laid((0, 0), (52, 0)) == {"Langstraße": [0, 1, 2]}


def test_the_way_back_lies_on_the_same_sections() -> None:
    assert laid((100, -3), (5, -3)) == laid((5, 3), (100, 3))


def test_crossing_a_road_is_no_look_at_it() -> None:
    assert set(laid((150, 2), (250, 2))) == {"Langstraße"}


def test_a_turn_is_laid_on_both_roads() -> None:
    assert laid((140, 0), (200, 0), (200, 60)) == {"Langstraße": [7, 8, 9], "Querweg": [5, 6, 7]}


def test_a_path_beside_all_roads_is_laid_on_none() -> None:
    assert laid((0, 60), (100, 60)) == {}


def test_a_jump_of_the_position_is_no_way() -> None:
    assert laid((0, 0), (400, 0)) == {}


@pytest.mark.parametrize("path", [[], [at(0, 0)], [at(0, 0), at(0, 0)]])
def test_a_path_without_length_is_laid_on_none(path: list[tuple[float, float]]) -> None:
    assert looked.lay(NETWORK, path, within_m=25.0) == {}


_looks = st.lists(
    st.tuples(
        st.lists(st.integers(0, 1), min_size=6, max_size=6),
        st.integers(1, len(looked.REASONS) + 1),
        st.integers(1, 1000),
    ),
    min_size=1,
    max_size=4,
)


@given(looks=_looks)
def test_looks_give_the_same_in_any_order(looks: list[tuple[list[int], int, int]]) -> None:
    days, states = set(), set()
    for order in itertools.permutations(looks):
        day = state = None
        for seen, code, utc_s in order:
            sections = np.array(seen, dtype=np.uint8)
            day = looked.join_day(day, sections, code)
            state = looked.join_state(state, sections, code, utc_s)
        days.add(day)
        states.add(state)
    assert len(days) == 1
    assert len(states) == 1


@given(looks=_looks)
def test_a_section_is_valid_on_a_day_if_and_only_if_one_look_at_it_was(looks: list[tuple[list[int], int, int]]) -> None:
    day = None
    for seen, code, _ in looks:
        day = looked.join_day(day, np.array(seen, dtype=np.uint8), code)
    assert day is not None
    for section, code in enumerate(day):
        of_it = [its for seen, its, _ in looks if seen[section]]
        assert (code == looked.VALID) == (looked.VALID in of_it)
        assert (code == looked.UNSEEN) == (not of_it)


def test_what_was_before_the_time_does_not_count_in_it() -> None:
    both = np.array([1, 1, 0], dtype=np.uint8)
    state = looked.join_state(None, both, looked.VALID, 100)
    state = looked.join_state(state, np.array([0, 1, 1], dtype=np.uint8), looked.code_of("dark", valid=False), 200)
    early, late = looked.since(state, 50), looked.since(state, 150)
    assert looked.valid_share(early) == pytest.approx(2 / 3)
    assert looked.not_judged_m(early, 60.0) == {"dark": 20.0}
    assert looked.valid_share(late) == 0
    assert looked.not_judged_m(late, 60.0) == {"dark": 40.0}
    assert looked.valid_times(state).tolist() == [100, 100, 0]


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=5))
def test_many_roads_at_once_say_what_each_says_alone(roads: list[list[int]]) -> None:
    first = np.concatenate(([0], np.cumsum([len(road) for road in roads])))
    valid, reasons = looked.by_road(np.concatenate([np.array(road, dtype=np.uint8) for road in roads]), first)
    for number, road in enumerate(roads):
        codes = np.array(road, dtype=np.uint8)
        assert valid[number] / len(road) == looked.valid_share(codes)
        alone = looked.not_judged_m(codes, float(len(road)))
        assert {name: n[number] for name, n in reasons.items() if n[number]} == alone


def test_days_together_say_the_best_of_each_section() -> None:
    dark, blocked = looked.code_of("dark", valid=False), looked.code_of("blocked", valid=False)
    joined = looked.days([bytes([0, 1, dark, blocked]), bytes([0, blocked, 1, dark])])
    assert joined is not None
    assert joined.tolist() == [0, 1, 1, dark]
    assert looked.days([]) is None


def test_a_reason_that_nobody_knows_is_counted_as_unknown() -> None:
    assert looked.REASONS[looked.code_of("fog", valid=False) - 2] == "unknown"
