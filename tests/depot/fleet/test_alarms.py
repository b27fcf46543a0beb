# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.fleet.alarms import Rule, Signal, State, default_rule, problem, signals, step
from depot.fleet.config import FleetConfig

SIGNALS = {signal.name: signal for signal in signals(FleetConfig())}
HEAT = SIGNALS["temperature"]
RULE = Rule(name="temperature", enabled=True, raise_at=80.0, clear_at=75.0, for_s=60)


def at(second: float) -> str:
    moment = datetime(2026, 5, 4, 9, tzinfo=timezone.utc) + timedelta(seconds=second)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def run(values: list[float | None], rule: Rule = RULE, signal: Signal = HEAT, every_s: float = 30.0) -> list[bool]:
    """Whether the alarm is on after each look."""
    state, found = State(), []
    for number, value in enumerate(values):
        state = step(state, rule, signal, value, at(number * every_s))
        found.append(state.is_raised)
    return found


def test_an_alarm_begins_only_after_its_value_was_bad_for_long_enough() -> None:
    assert run([90, 90, 90]) == [False, False, True]
    assert run([90, 70, 90, 90]) == [False, False, False, False]


def test_it_ends_only_after_its_value_was_good_for_long_enough() -> None:
    assert run([90, 90, 90, 70, 90, 70, 70, 70]) == [False, False, True, True, True, True, True, False]


def test_it_tells_since_when_the_value_was_bad_not_when_it_was_believed() -> None:
    state = State()
    for second in (0, 30, 60):
        state = step(state, RULE, HEAT, 90.0, at(second))
    assert state == State("raised", at(0))


@given(st.lists(st.floats(75.01, 80.0), max_size=50))
def test_between_the_thresholds_nothing_changes(values: list[float]) -> None:
    assert not any(run(list(values)))
    assert all(run([90, 90, 90, *values])[2:])


@given(st.lists(st.sampled_from([70.0, 90.0]), min_size=10, max_size=80))
def test_it_changes_at_most_once_in_the_time_that_a_value_must_hold(values: list[float]) -> None:
    on = run(list(values), every_s=30.0)
    changes = [number for number in range(1, len(on)) if on[number] != on[number - 1]]
    assert all(later - earlier >= 2 for earlier, later in itertools.pairwise(changes))


@given(st.lists(st.one_of(st.none(), st.floats(0, 120)), max_size=40))
def test_what_is_not_known_changes_nothing(values: list[float | None]) -> None:
    state = State()
    for number, value in enumerate(values):
        after = step(state, RULE, HEAT, value, at(30.0 * number))
        if value is None:
            assert after == state
        state = after


def test_low_values_are_bad_where_the_rule_says_so() -> None:
    rule = Rule(name="disk", enabled=True, raise_at=1000, clear_at=2000, for_s=0)
    assert run([1500, 900, 1500, 2000], rule, SIGNALS["disk"]) == [False, True, True, False]


def test_a_rule_that_is_switched_off_ends_its_alarm() -> None:
    off = Rule(name="temperature", enabled=False, raise_at=80, clear_at=75, for_s=0)
    assert step(State("raised", at(0)), off, HEAT, 120.0, at(1)) == State()


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"name": "mood"}, "not known"),
        ({"clear_at": 81.0}, "must not lie above"),
        ({"name": "disk", "raise_at": 1000.0, "clear_at": 900.0}, "must not lie below"),
    ],
)
def test_rules_that_would_flap_or_name_nothing_are_refused(changed: dict[str, object], word: str) -> None:
    rule = Rule(**{"name": "temperature", "enabled": True, "raise_at": 80.0, "clear_at": 75.0, "for_s": 0, **changed})  # type: ignore[arg-type]
    assert word in str(problem([rule], SIGNALS))
    assert "twice" in str(problem([RULE, RULE], SIGNALS))


def test_the_defaults_are_rules_that_may_be_set() -> None:
    assert problem([default_rule(signal) for signal in SIGNALS.values()], SIGNALS) is None
