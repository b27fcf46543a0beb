# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which of a receiver's times are believed."""

from __future__ import annotations

from collections import Counter

import pytest

from edge.positioning.utc import EARLIEST_UTC_S, LATEST_UTC_S, UtcGuard

MAY_2026 = 1_777_624_200.0
WEEKS_1024 = 1024 * 7 * 86_400.0


def told(*times: tuple[float, float]) -> tuple[list[float | None], Counter[str]]:
    counts: Counter[str] = Counter()
    guard = UtcGuard(counts)
    return [guard.believed(MAY_2026 + utc, 50.0 + now) for utc, now in times], counts


def test_a_time_is_believed_when_the_third_fix_in_a_row_agrees() -> None:
    believed, counts = told((0, 0), (1, 1.3), (2, 2.1), (3, 2.9))
    assert believed == [None, None, MAY_2026 + 2, MAY_2026 + 3]
    assert counts == {}


@pytest.mark.parametrize(("shift", "name"), [(-WEEKS_1024, "utc_past"), (WEEKS_1024, "utc_future")])
def test_a_roll_over_is_named_and_never_believed(shift: float, name: str) -> None:
    believed, counts = told(*((shift + s, s) for s in range(20)))
    assert believed == [None] * 20
    assert counts == {name: 20}


def test_a_jump_is_dropped_and_the_old_time_goes_on() -> None:
    believed, counts = told(*((s, s) for s in range(3)), (3 + 3600, 3), (4, 4))
    assert believed[-2:] == [None, MAY_2026 + 4]
    assert counts == {"utc_jump": 1}


def test_a_new_time_is_believed_once_ten_fixes_in_a_row_tell_it() -> None:
    leap = [(s + 18, s) for s in range(3, 15)]  # the leap seconds came with the almanac
    believed, counts = told(*((s, s) for s in range(3)), *leap)
    assert believed[3:] == [None] * 9 + [MAY_2026 + 18 + s for s in range(12, 15)]
    assert counts == {"utc_jump": 10}


def test_times_that_agree_with_nothing_are_never_believed() -> None:
    believed, _ = told(*((s * 3.0, s) for s in range(30)))
    assert believed == [None] * 30


def test_a_loss_of_footing_counts_anew() -> None:
    guard = UtcGuard(Counter())
    assert [guard.believed(MAY_2026 + s, s) for s in range(2)] == [None, None]
    guard.doubt()
    assert [guard.believed(MAY_2026 + s, s) for s in range(2, 5)] == [None, None, MAY_2026 + 4]


def test_the_window_is_one_period_of_gps_weeks() -> None:
    assert LATEST_UTC_S - EARLIEST_UTC_S == WEEKS_1024
