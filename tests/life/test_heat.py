# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The pace gives way before the chip does, in a box that gets hot as a real one would; and it does not swing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.life.heat import HeatGovernor, HeatSettings, Pace

SETTINGS = HeatSettings()
TICK_S = 2.0


@dataclass
class Box:
    """A chip in a closed housing on a vehicle: two masses, as measurements of such boards are commonly fitted.

    `idle_w`, `full_w`: power without and with looks at full pace; the chip follows in seconds, the housing in minutes.
    """

    outside_c: float
    idle_w: float = 3.0
    full_w: float = 8.0
    chip_k_per_w: float = 2.0
    housing_k_per_w: float = 5.0
    chip_s: float = 6.0
    housing_s: float = 400.0
    housing_c: float = 20.0
    chip_c: float = 20.0

    def pass_s(self, seconds: float, share: float) -> None:
        power_w = self.idle_w + share * (self.full_w - self.idle_w)
        self.housing_c += (self.outside_c + self.housing_k_per_w * power_w - self.housing_c) * seconds / self.housing_s
        self.chip_c += (self.housing_c + self.chip_k_per_w * power_w - self.chip_c) * min(1.0, seconds / self.chip_s)


def drive(box: Box, hours: float, outside=None) -> tuple[list[float], list[float], list[float]]:
    """Hottest temperature, share and the moments of steps up of a drive."""
    governor, temperatures, shares, ups = HeatGovernor(SETTINGS), [], [], []
    for tick in range(int(hours * 3600 / TICK_S)):
        now_s = tick * TICK_S
        if outside is not None:
            box.outside_c = outside(now_s)
        before = governor.share
        share = governor.update(now_s, box.chip_c)
        if share > before:
            ups.append(now_s)
        box.pass_s(TICK_S, share)
        temperatures.append(box.chip_c)
        shares.append(share)
    return temperatures, shares, ups


@pytest.mark.parametrize("outside_c", range(-20, 56, 5))
def test_the_chip_stays_below_its_limit_at_any_weather_it_could_idle_in(outside_c):
    temperatures, shares, ups = drive(Box(float(outside_c)), hours=6)
    assert max(temperatures) < SETTINGS.limit_c
    assert all(later - first >= SETTINGS.recover_s for first, later in pairwise(ups))
    # It settles: in the last two hours at most two tries.
    assert sum(at_s > 4 * 3600 for at_s in ups) <= 2
    if outside_c <= 15:  # at 56 K above outside with full pace
        assert set(shares) == {1.0}


def test_without_the_governor_that_box_would_have_been_too_hot():
    box = Box(35.0)
    for _ in range(3600):
        box.pass_s(TICK_S, 1.0)
    assert box.chip_c > SETTINGS.limit_c


def test_after_a_hot_noon_the_full_pace_comes_back():
    temperatures, shares, _ = drive(Box(45.0), hours=6, outside=lambda now_s: 45.0 if now_s < 3 * 3600 else 10.0)
    assert max(temperatures) < SETTINGS.limit_c
    assert min(shares) < 1.0
    assert shares[-1] == 1.0


def test_a_box_with_the_sun_on_it_that_idles_too_hot_ends_at_the_last_step_and_stays():
    _, shares, ups = drive(Box(75.0), hours=3)
    assert shares[-1] == SETTINGS.shares[-1]
    assert ups == []


def test_a_chip_that_throttles_below_our_limit_is_believed():
    governor = HeatGovernor(SETTINGS)
    assert governor.update(0.0, 60.0) == 1.0
    assert governor.update(2.0, 60.0, slowed=True) < 1.0
    # No step up while it goes on, however cool our sensors say it is.
    share = governor.share
    for second in range(4, 2000, 2):
        assert governor.update(float(second), 40.0, slowed=True) <= share


def test_without_a_sensor_the_pace_stays():
    governor = HeatGovernor(SETTINGS)
    governor.update(0.0, 79.0)
    share = governor.share
    assert share < 1
    assert {governor.update(float(second), None) for second in range(1, 5000, 10)} == {share}


@given(st.lists(st.tuples(st.floats(0.1, 400), st.one_of(st.none(), st.floats(-60, 150)), st.booleans()), max_size=400))
def test_whatever_the_sensors_say_steps_are_bounded_in_size_and_in_time(looks):
    governor, now_s, steps = HeatGovernor(SETTINGS), 0.0, []
    for wait_s, hottest_c, slowed in looks:
        now_s += wait_s
        before = SETTINGS.shares.index(governor.share)
        share = governor.update(now_s, hottest_c, slowed=slowed)
        step = SETTINGS.shares.index(share)
        assert abs(step - before) <= 1
        if step != before:
            steps.append((now_s, step - before))
    assert governor.steps == len(steps)
    for (first_s, _), (later_s, by) in pairwise(steps):
        assert later_s - first_s >= (SETTINGS.settle_s / 3 if by > 0 else SETTINGS.recover_s)


@given(st.floats(0.1, 1.0), st.floats(0.005, 0.8), st.floats(0.02, 0.2))
def test_looks_take_no_more_than_their_share_of_the_time(share, look_s, frame_s):
    pace, now_s, at_work_s = Pace(), 0.0, 0.0
    for _ in range(2000):
        if pace.allows(now_s):
            pace.looked(now_s, now_s + look_s, share)
            now_s += look_s
            at_work_s += look_s
        now_s += frame_s
    assert at_work_s / now_s <= share + 0.02
    assert at_work_s / now_s >= look_s / (look_s / share + 2 * frame_s) - 0.02  # and wait no longer than they must


def test_at_full_pace_every_frame_may_be_looked_at():
    pace = Pace()
    for second in range(100):
        assert pace.allows(float(second))
        pace.looked(float(second), second + 1.0, 1.0)
