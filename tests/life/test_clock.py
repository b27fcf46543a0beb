# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""UTC is trusted late, given afterwards, and no jump of any clock changes what was said or when."""

from __future__ import annotations

import itertools
import re
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import edge
from depot.dating import dated
from edge.clock import UtcClock
from edge.delivery.port import encode_record
from edge.life.ntp import NetworkTime, kernel_is_synchronized, timedate_is_synchronized
from edge.types import Fix
from messages.types import Clock

EDGE = Path(edge.__file__).parent
MAY_2026 = 1_777_624_200.0
#: Sunday, 24:00 GPS time of a week's end, the last one of a roll-over of 1,024 weeks, a night when the clocks change,
#: the second 23:59:60 of 2016, and the first of 1970.
EDGES = (1_778_371_182.0, 1_554_595_182.0, 1_792_890_000.0, 1_483_228_800.0, 0.0)


def fix(time_s: float, utc_s: float | None) -> Fix:
    return Fix(time_s, 6.7, 51.4, 2.0, utc_s=utc_s)


def test_what_went_out_undated_is_dated_by_what_the_clock_tells_later():
    clock = UtcClock("b", quality="gnss")
    early = clock.at(10.0)
    assert list(clock.news()) == []
    clock.observe(fix(100.0, MAY_2026))
    (told,) = clock.news()
    assert dated(early, told) == clock.at(10.0)
    assert early.utc is None
    assert list(clock.news()) == []  # once


def test_a_run_that_never_learnt_its_utc_is_dated_by_the_next_one_on_the_same_monotonic_clock():
    early = UtcClock("first", quality="gnss").at(10.0)
    clock = UtcClock("second", quality="gnss", earlier=("first",))
    clock.observe(fix(100.0, MAY_2026))
    assert [dated(early, told).utc for told in clock.news()] == [None, "2026-05-01T08:28:30.000Z"]


def test_an_hour_without_utc_is_a_fault_until_it_is_known():
    clock = UtcClock("b", quality="gnss")
    assert clock.fault(90_000.0) is None  # nothing was said yet
    clock.at(1000.0)
    assert clock.fault(4000.0) is None
    assert "not known after 2 h" in str(clock.fault(8300.0))
    clock.observe(fix(8300.0, MAY_2026))
    assert clock.fault(8300.0) is None


def test_the_clocks_news_is_a_record_that_delivery_takes():
    clock = UtcClock("b", quality="gnss")
    clock.observe(fix(100.0, MAY_2026))
    (told,) = clock.news()
    assert b'"type":"wegewart.clock.v1"' in encode_record("bus-1", "b-00000001", told)


def test_network_time_serves_until_the_receiver_knows_and_never_after():
    clock = UtcClock("b", quality="gnss")
    clock.observe_network(MAY_2026, 10.0)
    assert clock.at(10.0).quality == "ntp"
    clock.observe(fix(20.0, MAY_2026 + 10))
    clock.observe_network(MAY_2026 + 500, 20.0)
    assert (clock.at(20.0).quality, clock.at(20.0).utc) == ("gnss", "2026-05-01T08:30:10.000Z")
    assert clock.counts == {"clock_disagrees": 1}


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e15, 1e15), st.sampled_from(EDGES)), max_size=20),
    st.lists(st.floats(0, 1e7), min_size=1, max_size=20),
)
def test_whatever_a_receiver_says_times_stay_valid_and_monotonic_stamps_untouched(utc, moments):
    clock = UtcClock("b", quality="gnss")
    for index, (utc_s, time_s) in enumerate(itertools.zip_longest(utc, moments)):
        clock.observe(fix(float(index), utc_s))
        for told in clock.news():
            encode_record("bus-1", "b-00000001", told)
        if time_s is not None:
            stamped = clock.at(time_s)
            encode_record("bus-1", "b-00000001", Clock(number=1, time=stamped))
            assert stamped.monotonic_s == round(time_s, 3)
            assert (stamped.utc is None) == (stamped.quality == "unset")


@given(st.sampled_from(EDGES), st.floats(0, 3600), st.floats(0, 3600))
def test_across_the_edge_of_a_week_a_year_or_a_summer_time_grows_by_what_has_passed(edge, before_s, after_s):
    assume(edge > 0)
    clock = UtcClock("b", quality="gnss")
    clock.observe(fix(10_000.0, edge))
    first, second = (clock.at(10_000.0 + shift).utc for shift in (-before_s, after_s))
    assert first is not None
    assert second is not None
    passed = (_parsed(second) - _parsed(first)).total_seconds()
    assert passed == pytest.approx(before_s + after_s, abs=0.002)


def _parsed(utc: str) -> datetime:
    return datetime.strptime(utc, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(timezone.utc)


@given(st.lists(st.floats(-3e9, 3e9), min_size=1, max_size=300))
def test_a_clock_that_never_settles_tells_a_bounded_number_of_times(jumps):
    clock = UtcClock("b", quality="gnss")
    told = 0
    for index, jump_s in enumerate(jumps):
        clock.observe(fix(float(index), MAY_2026 + jump_s))
        told += len(list(clock.news()))
    assert 1 <= told <= 100


# -- network time


class Computer:
    """A computer whose two clocks and whose kernel's word a test sets."""

    def __init__(self) -> None:
        self.wall_s, self.monotonic_s = MAY_2026, 50.0
        self.answer: bool | None = True

    def time(self) -> NetworkTime:
        return NetworkTime(
            ask=(lambda: None, lambda: self.answer), wall=lambda: self.wall_s, monotonic=lambda: self.monotonic_s
        )

    def pass_s(self, seconds: float) -> None:
        self.wall_s += seconds
        self.monotonic_s += seconds


def looks(computer: Computer, network: NetworkTime, number: int) -> list[bool]:
    found = []
    for _ in range(number):
        computer.pass_s(10.0)
        network.look()
        found.append(network.newest is not None)
    return found


def test_network_time_is_believed_after_three_looks_that_agree():
    computer = Computer()
    network = computer.time()
    assert looks(computer, network, 4) == [False, False, True, True]
    assert network.newest == (computer.wall_s, computer.monotonic_s)


@pytest.mark.parametrize("answer", [False, None])
def test_a_clock_that_nothing_keeps_is_not_believed_and_once_lost_begins_anew(answer):
    computer = Computer()
    network = computer.time()
    looks(computer, network, 3)
    computer.answer = answer
    assert looks(computer, network, 5) == [False] * 5
    computer.answer = True
    assert looks(computer, network, 1) == [True]  # it agrees with what was believed before


@pytest.mark.parametrize(("wall_s", "name"), [(0.0, "utc_past"), (MAY_2026 + 56 * 365 * 86_400, "utc_future")])
def test_1970_and_2082_are_not_believed_even_when_the_kernel_vouches_for_them(wall_s, name):
    computer = Computer()
    computer.wall_s = wall_s
    network = computer.time()
    assert looks(computer, network, 20) == [False] * 20
    assert network.counters() == {f"clock_network_{name}": 20}


def test_a_step_between_the_two_readings_is_no_pair():
    computer = Computer()
    ticks = itertools.count(50.0, 0.5)  # half a second passes from one reading to the next
    network = NetworkTime(ask=(lambda: True,), wall=lambda: computer.wall_s, monotonic=lambda: next(ticks))
    for _ in range(5):
        network.look()
    assert network.newest is None


def test_this_computers_kernel_answers():
    answer = kernel_is_synchronized()
    assert answer in (True, False, None)
    assert timedate_is_synchronized() in (True, False, None)
    network = NetworkTime(ask=(lambda: True,))
    for _ in range(3):
        network.look()
    assert network.newest is not None
    utc_s, monotonic_s = network.newest
    assert utc_s - monotonic_s == pytest.approx(time.time() - time.monotonic(), abs=1.0)


# -- the wall clock


def test_nothing_on_the_vehicle_reads_the_wall_clock_but_network_time_updates_and_the_date_of_a_calibration():
    """A timeout that rests on it would be wrong after a jump; ids and files are not named by it either."""
    readers = re.compile(
        r"\btime\.(time|time_ns|localtime|gmtime|ctime|strftime)\b"
        r"|\bCLOCK_REALTIME|\bdatetime\.(now|utcnow|today)\b|\bdate\.today\b|\bst_[mca]time\b"
    )
    found = {
        str(path.relative_to(EDGE)) for path in EDGE.rglob("*.py") if readers.search(path.read_text(encoding="utf-8"))
    }
    # Signatures end on a date (the rule: clock.py), mobile data is counted by days, a failure is told with its date.
    updates = {"update/cli.py", "update/trusted/clock.py", "update/trusted/pace.py"}
    assert found == {"life/ntp.py", "cli_calibrate.py", *updates}
