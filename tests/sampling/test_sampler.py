# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sampling.sampler import Sampler
from tests.sampling.poses import at


def taken(sampler: Sampler, distances: list[float]) -> list[float]:
    return [metres for metres in distances if sampler.take(at(metres))]


def test_the_first_frame_is_taken_and_standing_still_takes_no_other() -> None:
    sampler = Sampler(every_m=2.0)
    assert [sampler.take(at(5.0, time_s, speed_mps=0.0)) for time_s in range(1000)] == [True] + [False] * 999


@given(st.floats(0.5, 10), st.lists(st.floats(0, 1.5), min_size=50, max_size=300))
def test_frames_are_spaced_as_asked_at_any_speed(every_m: float, steps: list[float]) -> None:
    """No gap is longer than asked for plus one frame's step, and none shorter but for that and a quarter."""
    distances = [sum(steps[:n]) for n in range(len(steps))]
    kept = taken(Sampler(every_m=every_m), distances)
    longest = max(steps)
    for before, after in pairwise(kept):
        assert after - before <= every_m + longest + 1e-6
        assert after - before >= 0.75 * every_m - longest - 1e-6
    assert distances[-1] - kept[-1] <= every_m + 1e-6


@pytest.mark.parametrize("step_m", [0.07, 0.3, 0.7, 1.3])
def test_the_mean_spacing_is_what_was_asked_for_whatever_the_frame_rate(step_m: float) -> None:
    kept = taken(Sampler(every_m=2.0), [n * step_m for n in range(int(600 / step_m))])
    assert (kept[-1] - kept[0]) / (len(kept) - 1) == pytest.approx(2.0, rel=0.02)


def test_where_frames_are_further_apart_than_asked_each_one_is_taken() -> None:
    assert taken(Sampler(every_m=2.0), [0, 5, 10, 41, 46]) == [0, 5, 10, 41, 46]


def test_after_a_long_jump_frames_are_not_taken_in_a_row_to_catch_up() -> None:
    assert taken(Sampler(every_m=2.0), [0, 100, 100.4, 100.8, 101.2, 101.6, 102]) == [0, 100, 101.6]


def test_an_estimator_that_starts_anew_does_not_blind_the_sampler() -> None:
    assert taken(Sampler(every_m=2.0), [500, 502, 0, 1, 2, 3, 4]) == [500, 502, 0, 2, 4]


def test_without_any_word_of_motion_the_clock_decides_and_says_so() -> None:
    sampler = Sampler(every_m=2.0, fallback_s=0.5)
    times = [n / 30 for n in range(60)]
    kept = [time_s for time_s in times if sampler.take(at(0.0, time_s, speed_mps=None))]
    assert kept == pytest.approx([0, 0.5, 1.0, 1.5])
    assert not sampler.by_distance


def test_distance_takes_over_again_when_motion_is_known() -> None:
    sampler = Sampler(every_m=2.0, fallback_s=0.5)
    assert sampler.take(at(0.0, 0.0, speed_mps=None))
    assert sampler.take(at(10.0, 0.1))
    assert sampler.by_distance
    assert not sampler.take(at(10.5, 5.0))
    assert sampler.take(at(12.0, 6.0))


@pytest.mark.parametrize(("every_m", "fallback_s"), [(0.0, 1.0), (-1.0, 1.0), (2.0, 0.0), (float("nan"), 1.0)])
def test_a_spacing_that_cannot_be_is_a_programming_error(every_m: float, fallback_s: float) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        Sampler(every_m=every_m, fallback_s=fallback_s)
