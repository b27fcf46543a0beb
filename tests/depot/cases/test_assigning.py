# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The assignment is the cheapest there is."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from depot.cases.assigning import assign

ALONE = 4.0


def total(costs: list[dict[int, float]], chosen: tuple[int | None, ...]) -> float:
    return sum(ALONE if column is None else row[column] for row, column in zip(costs, chosen, strict=True))


def cheapest(costs: list[dict[int, float]]) -> float:
    options = [[None, *row] for row in costs]
    fair = [c for c in itertools.product(*options) if len([x for x in c if x is not None]) == len({*c} - {None})]
    return min(total(costs, chosen) for chosen in fair)


@given(st.lists(st.dictionaries(st.integers(0, 3), st.floats(-9, 9), max_size=4), max_size=4))
def test_no_other_assignment_is_cheaper(costs):
    chosen = tuple(assign(costs, ALONE))
    taken = [column for column in chosen if column is not None]
    assert len(taken) == len(set(taken))
    assert abs(total(costs, chosen) - cheapest(costs)) < 1e-6


def test_two_that_want_the_same_get_what_is_best_for_both_together():
    assert assign([{0: 1.0, 1: 2.0}, {0: 1.1, 1: 9.0}], ALONE) == [1, 0]


def test_what_costs_more_than_being_alone_is_left_alone():
    assert assign([{0: 4.5}, {}], ALONE) == [None, None]
