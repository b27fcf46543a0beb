# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge.geometry import offset_lonlat
from edge.positioning.estimator import Estimator
from edge.sampling.sampler import Sampler
from edge.sampling.view import View, view
from edge.simulator.drive import default_camera
from edge.types import Fix
from tests.sampling.poses import VIEW, Car, at, looks_per_metre


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


# ---- looks per metre


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(st.floats(0.03, 2.5), st.floats(0, 0.02)),
    st.tuples(st.floats(0.5, 8), st.floats(4, 20)),
    st.floats(1.0, 8.0),
    st.integers(1, 4),
)
def test_every_metre_is_judged_as_often_as_asked_where_the_camera_is_fast_enough(
    step: tuple[float, float], ahead: tuple[float, float], every_m: float, looks: int
) -> None:
    (step_m, uneven_m), (near_m, length_m) = step, ahead
    assume((length_m - uneven_m) / (step_m + uneven_m) >= looks and (length_m - step_m - uneven_m) / looks >= 0.5)
    seen = View(near_m, near_m + length_m)
    distances = [n * step_m + uneven_m * (n % 2) for n in range(int(100 / step_m))]
    kept = taken(Sampler(every_m=every_m, looks=looks, view_m=seen), distances)
    assert looks_per_metre(kept, seen.far_m + 5, 97.0, seen) >= looks


@pytest.mark.parametrize(("kmh", "looks"), [(10, 4), (30, 4), (50, 4), (80, 4)])
def test_a_bus_camera_judges_500_frames_per_km_at_any_speed_and_no_metre_less_than_four_times(
    kmh: float, looks: int
) -> None:
    seen = view(default_camera())
    assert seen is not None
    distances = [n * kmh / 3.6 / 15 for n in range(int(1000 / (kmh / 3.6 / 15)))]
    kept = taken(Sampler(every_m=2.0, view_m=seen), distances)
    assert len(kept) == pytest.approx(500, rel=0.01)
    assert looks_per_metre(kept, seen.far_m, 990.0, seen) >= looks


def test_a_short_view_is_sampled_more_densely_than_the_bound_and_never_below_half_a_metre() -> None:
    for length_m, mean in ((3.0, 1.0), (0.6, 0.5)):
        kept = taken(Sampler(every_m=2.0, looks=3, view_m=View(4, 4 + length_m)), [n * 0.02 for n in range(2000)])
        assert (kept[-1] - kept[0]) / (len(kept) - 1) == pytest.approx(mean, rel=0.05)


def test_a_single_hiccup_of_the_camera_does_not_make_the_next_frames_dense() -> None:
    distances = [n * 0.5 for n in range(40)] + [40 + n * 0.5 for n in range(20)]
    kept = [way for way in taken(Sampler(every_m=2.0, view_m=View(5, 14)), distances) if way > 41]
    assert {round(after - before, 3) for before, after in pairwise(kept)} == {2.0}


# ---- turning, standing, reversing


def test_a_turn_takes_a_frame_before_the_way_asks_for_one_but_standing_never_does() -> None:
    sampler, car = Sampler(every_m=5.0), Car()
    kept = [sampler.take(car.roll(0.25, 2.5)) for _ in range(19)]  # 47 degrees on less than 5 m
    assert 4 <= sum(kept) <= 5
    # A gyro's bias turns a vehicle that stands.
    assert not any(sampler.take(car.roll(0.0, 0.5)) for _ in range(1000))


def test_standing_costs_nothing_although_fixes_wander() -> None:
    estimator, sampler = Estimator(), Sampler(every_m=2.0)
    rng, judged = random.Random(4), 0
    for n in range(600):
        lon, lat = offset_lonlat(13.4, 52.5, rng.gauss(0, 2), rng.gauss(0, 2))
        estimator.add(Fix(float(n), lon, lat, 2.0, None, abs(rng.gauss(0, 0.15))))
        for k in range(1, 5):
            judged += sampler.take(estimator.pose_at(n + k / 5))
    assert judged == 1


def test_an_odometer_that_creeps_to_and_fro_costs_nothing() -> None:
    sampler, car = Sampler(every_m=2.0), Car()
    sampler.take(car.pose())
    assert not any(sampler.take(car.roll(0.1 if n % 2 else -0.1)) for n in range(1000))


def test_reversing_over_judged_road_and_driving_it_again_costs_nothing() -> None:
    sampler, car = Sampler(every_m=2.0, view_m=VIEW), Car()
    assert sum(sampler.take(car.roll(0.5)) for _ in range(80)) >= 19
    front_m = car.x_m
    assert not any(sampler.take(car.roll(-0.5)) for _ in range(50))
    assert not any(sampler.take(car.roll(0.5)) for _ in range(49))
    kept = [car.x_m for _ in range(20) if sampler.take(car.roll(0.5))]
    assert front_m < kept[0] <= front_m + 2.0
    assert {after - before for before, after in pairwise(kept[1:])} == {2.0}


def test_after_a_hundred_metres_the_same_road_is_looked_at_again() -> None:
    sampler, car = Sampler(every_m=2.0), Car()
    ways = [sampler.take(car.roll(0.5)) for _ in range(20)]
    car.distance_m += 110
    assert any(ways)
    car.x_m = 0.0
    assert sum(sampler.take(car.roll(0.5)) for _ in range(20)) >= 4


# ---- frames that could not be judged


def test_after_a_refused_frame_the_next_one_is_tried_at_once_and_the_grid_stays() -> None:
    sampler, tried, blurred = Sampler(every_m=2.0), [], {4.0, 4.25}
    for n in range(100):
        if sampler.take(at(n * 0.25)):
            tried.append(n * 0.25)
            if tried[-1] in blurred:
                sampler.refused()
    assert tried[:6] == [0.0, 1.5, 3.5, 5.5, 7.5, 9.5]


def test_of_a_grid_point_no_more_than_four_frames_are_tried_and_none_where_the_vehicle_stands() -> None:
    sampler, tried = Sampler(every_m=2.0), []
    for n in range(400):
        if sampler.take(at(n * 0.05)):
            tried.append(n * 0.05)
            sampler.refused()
    assert 36 <= len(tried) <= 44
    assert tried[:4] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    standing = [sampler.take(at(30.0, n)) for n in range(100) if sampler.refused() is None]
    assert sum(standing) == 1
