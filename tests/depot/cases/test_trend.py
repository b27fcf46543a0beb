# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A trend is told where the measurements bear it, and only there."""

from __future__ import annotations

import random

import pytest

from depot.cases.trend import Measured, trend


def sizes(slope_m_per_day: float, error_m: float, *, count: int = 8, every_days: float = 7.0, seed: int = 1):
    dice = random.Random(seed)
    return [
        Measured(n * every_days, 0.6 + slope_m_per_day * n * every_days + dice.gauss(0, error_m), error_m)
        for n in range(count)
    ]


@pytest.mark.parametrize(("slope", "said"), [(0.01, "growing"), (-0.006, "shrinking"), (0.0, "steady")])
def test_growth_is_told_by_its_sign(slope, said):
    assert trend(sizes(slope, 0.05)) == said


def test_of_defects_that_do_not_change_one_in_a_hundred_is_called_changing():
    said = [trend(sizes(0.0, 0.07, seed=seed)) for seed in range(1000)]
    assert said.count("steady") >= 980


def test_a_tiny_change_that_is_certain_is_no_growth():
    assert trend([Measured(7.0 * n, 0.6 + 0.0004 * n, 0.001) for n in range(30)]) == "steady"


def test_a_scatter_beyond_the_stated_errors_widens_them():
    jumps = [0.4, 1.0, 0.5, 1.1, 0.45, 1.2]
    assert trend([Measured(7.0 * n, size, 0.02) for n, size in enumerate(jumps)]) == "steady"


@pytest.mark.parametrize("few", [[], sizes(0.05, 0.01, count=3), sizes(0.5, 0.01, count=6, every_days=1.0)])
def test_too_few_or_too_short_says_nothing(few):
    assert trend(few) is None


def test_all_on_one_day_says_nothing():
    assert trend([Measured(3.0, 0.5, 0.1)] * 9) is None
