# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The SIM card's budget: never more than it over any crash and any clock."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.delivery.budget import DAY_S, OVERHEAD_BYTES, Budget, BudgetLimits

DAY = BudgetLimits(bytes_per_day=1_000_000)
TODAY, TOMORROW = "2026-11-22", "2026-11-23"


@pytest.fixture
def account(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db.budget"


def spend_all(budget: Budget, size: int = 10_000) -> int:
    """Send pictures' parts until none may go; returns how many bytes."""
    sent = 0
    while budget.allows(size) and sent < 1e8:
        budget.spend(size, 0.0)
        sent += size + OVERHEAD_BYTES
    return sent


def test_without_limits_everything_may_go() -> None:
    budget = Budget(BudgetLimits(), None, 0.0)
    assert spend_all(budget) > 9e7
    assert budget.fault() is None


def test_the_day_is_kept_to_the_byte_and_said_when_it_is_used_up(account: Path) -> None:
    """Red when `allows` forgets the size that is still to be sent."""
    budget = Budget(DAY, account, 0.0)
    assert budget.fault() is None
    assert 980_000 < spend_all(budget) <= 1_000_000
    assert "1 MB of mobile data are used up" in (budget.fault() or "")


def test_facts_count_too(account: Path) -> None:
    budget = Budget(DAY, account, 0.0)
    budget.spend(999_000, 0.0)
    assert not budget.allows(10_000)


def test_a_restart_does_not_begin_a_new_day(account: Path) -> None:
    """Red without `close`, or when `_read` is not used."""
    budget = Budget(DAY, account, 0.0)
    budget.now(0.0, TODAY)
    budget.spend(600_000, 0.0)
    budget.close()
    again = Budget(DAY, account, 0.0)
    again.now(0.0, TODAY)
    assert again.spent == 600_000 + OVERHEAD_BYTES


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60_000), st.booleans()), max_size=60))
def test_whenever_it_is_killed_it_never_spends_more_than_the_day(
    tmp_path_factory: pytest.TempPathFactory, sends: list[tuple[int, bool]]
) -> None:
    """Red when the file says what was spent instead of what is booked ahead."""
    account = tmp_path_factory.mktemp("b") / "budget"
    budget, truly = Budget(DAY, account, 0.0), 0
    for size, is_killed in sends:
        if budget.allows(size):
            budget.spend(size, 0.0)
            truly += size + OVERHEAD_BYTES
        if is_killed:
            budget = Budget(DAY, account, 0.0)  # no close
        assert truly <= budget.spent
    assert truly <= 1_000_000


def test_a_day_costs_the_card_about_fifty_writes(account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []
    monkeypatch.setattr("edge.delivery.budget.write_durably", lambda _path, content: writes.append(content))
    spend_all(Budget(DAY, account, 0.0), 1_000)
    assert 20 <= len(writes) <= 70


def test_a_later_date_begins_a_new_day_and_an_earlier_one_does_not(account: Path) -> None:
    """Red with `!=` instead of `>`: a GPS week edge or a dead clock would give a second day."""
    budget = Budget(DAY, account, 0.0)
    budget.now(0.0, TODAY)
    spend_all(budget)
    for wrong in ("1970-01-01", "2007-04-08", TODAY, None):
        budget.now(1.0, wrong)
        assert not budget.allows(10_000)
    budget.now(2.0, TOMORROW)
    assert budget.allows(10_000)
    assert budget.fault() is None


def test_without_utc_a_day_is_a_day_of_operation_over_restarts(account: Path) -> None:
    """Red when the age of the day is not in the file."""
    budget = Budget(DAY, account, 0.0)
    spend_all(budget)
    budget.now(DAY_S * 0.6, None)
    budget.spend(1, DAY_S * 0.6)
    budget.close()
    again = Budget(DAY, account, 5.0)
    again.now(5.0 + DAY_S * 0.3, None)
    assert not again.allows(10_000)
    again.now(5.0 + DAY_S * 0.5, None)
    assert again.allows(10_000)


def test_a_clock_that_had_jumped_years_ahead_is_left_behind_after_a_day_of_operation(account: Path) -> None:
    budget = Budget(DAY, account, 0.0)
    budget.now(0.0, "2046-07-09")
    spend_all(budget)
    budget.now(DAY_S, TODAY)
    assert budget.allows(10_000)
    spend_all(budget)
    budget.now(DAY_S + 1, TOMORROW)
    assert budget.allows(10_000)


def test_the_date_becoming_known_does_not_begin_a_day(account: Path) -> None:
    budget = Budget(DAY, account, 0.0)
    spend_all(budget)
    budget.now(1.0, TODAY)
    assert not budget.allows(10_000)


@given(st.lists(st.floats(0.01, 5.0), min_size=5, max_size=80))
def test_the_rate_is_kept_over_any_time(steps: list[float]) -> None:
    budget, now_s, sent = Budget(BudgetLimits(bytes_per_s=20_000.0), None, 0.0), 0.0, 0
    for step in steps:
        now_s += step
        budget.now(now_s, None)
        while budget.allows(30_000):
            budget.spend(30_000, now_s)
            sent += 30_000 + OVERHEAD_BYTES
    assert sent <= 20_000 * now_s + 2 * 30_160


def test_a_quiet_hour_is_not_followed_by_a_flood() -> None:
    """Red without `min(...)` in `_move`."""
    budget, sent = Budget(BudgetLimits(bytes_per_s=20_000.0), None, 0.0), 0
    budget.now(3600.0, None)
    while budget.allows(30_000):
        budget.spend(30_000, 3600.0)
        sent += 30_000
    assert sent <= 60_000


def test_a_rate_that_is_set_later_does_not_reckon_with_what_went_before() -> None:
    """Red when the balance is drawn on without a rate; a day's load of facts costs pictures a minute, not hours."""
    budget = Budget(BudgetLimits(), None, 0.0)
    for _ in range(10_000):
        budget.spend(1_000, 0.0)
    budget.limits = BudgetLimits(bytes_per_s=20_000.0)
    budget.now(1.0, None)
    assert budget.allows(30_000)
    for _ in range(10_000):
        budget.spend(1_000, 1.0)
    assert not budget.allows(30_000)
    budget.now(62.0, None)
    assert budget.allows(30_000)


def test_the_rate_is_reached() -> None:
    budget, sent = Budget(BudgetLimits(bytes_per_s=20_000.0), None, 0.0), 0
    for tick in range(600):
        budget.now(tick * 1.0, None)
        while budget.allows(30_000):
            budget.spend(30_000, tick * 1.0)
            sent += 30_160
    assert sent > 0.98 * 20_000 * 600


@pytest.mark.parametrize("content", [b"", b"\0" * 80, b"[]", b'{"spent": -5}', b'{"spent": "x"}', b"\xff"])
def test_a_damaged_account_is_begun_anew(account: Path, content: bytes) -> None:
    """Red without `except` in `_read`: a damaged file would keep the daemon from starting."""
    account.write_bytes(content)
    budget = Budget(DAY, account, 0.0)
    assert budget.allows(10_000)
    budget.spend(1, 0.0)
    assert budget.fault() is None, "written again, well again"


def test_an_account_that_cannot_be_written_is_said_and_kept_in_memory(tmp_path: Path) -> None:
    """Red without `except OSError` in `_write`."""
    budget = Budget(DAY, tmp_path / "no such folder" / "budget", 0.0)
    assert 980_000 < spend_all(budget) <= 1_000_000
    assert "cannot be written" in (budget.file_fault or "")
