# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The filter along a line against the same thing written with matrices, and against all measurements at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.positioning.line_filter import SCALE_Q, SLIP_Q, Along, measured, moved, smoothed

START = Along(100.0, 4.0)


@dataclass(frozen=True)
class Step:
    way_m: float
    dt_s: float
    state: Along


runs = st.lists(
    st.tuples(st.floats(-30, 30), st.floats(0, 5), st.none() | st.tuples(st.floats(0, 500), st.floats(0.5, 30))),
    min_size=1,
    max_size=12,
)


def run(run: list[tuple[float, float, tuple[float, float] | None]]) -> list[Step]:
    steps = [Step(0.0, 0.0, START)]
    for way, dt, seen in run:
        state = moved(steps[-1].state, way, dt)
        if seen:
            state = measured(state, *seen)
        steps.append(Step(way, dt, state))
    return steps


def all_at_once(
    run: list[tuple[float, float, tuple[float, float] | None]],
) -> tuple[list[float], list[float]]:
    """Chainages and variances by one weighted least-squares problem over all steps."""
    n = len(run) + 1
    rows, values, weights = [], [], []

    def equation(entries: dict[int, float], value: float, variance: float) -> None:
        row = np.zeros(2 * n)
        for index, entry in entries.items():
            row[index] = entry
        rows.append(row)
        values.append(value)
        weights.append(1 / max(variance, 1e-12))

    equation({0: 1}, START.chainage_m, START.cc)
    equation({1: 1}, START.scale, START.kk)
    for i, (way, dt, seen) in enumerate(run):
        equation({2 * i + 2: 1, 2 * i: -1, 2 * i + 1: -way}, 0, SLIP_Q * abs(way))
        equation({2 * i + 3: 1, 2 * i + 1: -1}, 0, SCALE_Q * dt)
        if seen:
            equation({2 * i + 2: 1}, seen[0], seen[1] ** 2)
    a, w = np.array(rows), np.array(weights)
    covariance = np.linalg.inv(a.T @ (a * w[:, None]))
    solution = covariance @ a.T @ (w * np.array(values))
    return solution[::2].tolist(), np.diag(covariance)[::2].tolist()


@given(runs)
@settings(deadline=None, max_examples=80)
def test_smoothing_equals_least_squares_over_everything(
    steps: list[tuple[float, float, tuple[float, float] | None]],
) -> None:
    # Steps without way or time have no noise: least squares cannot take them.
    steps = [(way if abs(way) > 0.1 else 0.1, dt + 0.1, seen) for way, dt, seen in steps]
    expected, variances = all_at_once(steps)
    found = smoothed(run(steps))
    assert [state.chainage_m for state in found] == pytest.approx(expected, abs=1e-2)
    assert [state.cc for state in found] == pytest.approx(variances, rel=1e-2, abs=1e-4)


@given(runs)
@settings(deadline=None)
def test_smoothing_never_knows_less_and_stays_possible(
    steps: list[tuple[float, float, tuple[float, float] | None]],
) -> None:
    filtered = run(steps)
    for before, after in zip(filtered, smoothed(filtered), strict=True):
        assert 0 <= after.cc <= before.state.cc * (1 + 1e-6) + 1e-9
        assert 0 <= after.kk <= before.state.kk * (1 + 1e-6) + 1e-12


def test_the_way_back_leads_to_where_it_began() -> None:
    there = moved(START, 50.0, 5.0)
    back = moved(there, -50.0, 5.0)
    assert there.chainage_m == 150.0
    assert back.chainage_m == 100.0
    # What the scale gets wrong on the way there, it gets wrong on the way back; slip stays.
    assert back.cc == pytest.approx(START.cc + 2 * 50 * SLIP_Q, rel=0.01)


def test_two_known_points_tell_the_scale_of_the_odometer() -> None:
    state = measured(moved(START, 1_000, 100), 1_110.0, 0.5)
    assert state.scale == pytest.approx(1.01, abs=0.002)
    assert state.kk < 0.006**2


def test_a_misfit_counts_in_standard_deviations() -> None:
    assert START.misfit(106.0, 0.0) == 3.0
    assert START.misfit(94.0, (36 - 4) ** 0.5) == pytest.approx(1.0)
