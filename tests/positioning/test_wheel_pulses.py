# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Wheel pulses with gpiod's own types; a request that plays edges stands in for the kernel's."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import pairwise

import gpiod
import pytest

from edge.errors import ConfigError
from edge.positioning.speed_odometer import Total
from edge.positioning.wheel_pulses import PulseLine, PulseReader, open_wheel_pulses, request_line
from edge.types import Odometry
from tests.servers import wait_until

LINE = PulseLine(chip="/dev/gpiochip0", line=22, metres_per_pulse=0.1)
WITH_DIRECTION = PulseLine(chip="/dev/gpiochip0", line=22, metres_per_pulse=0.1, direction_line=23)


class Playing:
    """Edges at given times; `clock` moves on to them, or by the whole wait where none comes."""

    def __init__(self, *times: float) -> None:
        self.now_s = 0.0
        self.times = list(times)
        self.number = 0
        self.backwards = False
        self.most = 1000
        self.released = 0

    def clock(self) -> float:
        return self.now_s

    def wait_edge_events(self, timeout: float) -> bool:
        if self.times and self.times[0] <= self.now_s + timeout:
            self.now_s = max(self.now_s, self.times[0])
            return True
        self.now_s += timeout
        return False

    def read_edge_events(self) -> list[gpiod.EdgeEvent]:
        ready = [t for t in self.times if t <= self.now_s]
        self.times = self.times[len(ready) :]
        events = []
        for time_s in ready:
            self.number += 1
            events.append(gpiod.EdgeEvent(1, round(time_s * 1e9), 22, self.number, self.number))
        return events[-self.most :]

    def get_value(self, line: int) -> gpiod.line.Value:
        assert line == 23
        return gpiod.line.Value.ACTIVE if self.backwards else gpiod.line.Value.INACTIVE

    def release(self) -> None:
        self.released += 1


def read(playing: Playing, line: PulseLine = LINE, *, times: int = 1) -> tuple[list[Odometry], Counter[str]]:
    counts: Counter[str] = Counter()
    reader = PulseReader(playing, line, counts, clock=playing.clock)
    found = [odometry for _ in range(times) for odometry in reader.read()]
    reader.close()
    return found, counts


def test_distance_is_said_at_the_last_edge() -> None:
    found, counts = read(Playing(0.01, 0.02, 0.03, 0.07), times=2)
    assert found == [Odometry(0.03, pytest.approx(0.3)), Odometry(0.07, pytest.approx(0.4))]
    assert counts == {}


def test_standing_still_is_said_as_well() -> None:
    found, _ = read(Playing(), times=3)
    assert [m.time_s for m in found] == pytest.approx([0.05, 0.10, 0.15])
    assert {m.distance_m for m in found} == {0.0}


def test_speed_from_two_words_is_true_at_an_even_pace() -> None:
    found, _ = read(Playing(*(i * 0.0072 for i in range(1, 500))), times=40)  # 13.9 m/s
    speeds = [(b.distance_m - a.distance_m) / (b.time_s - a.time_s) for a, b in pairwise(found)]
    assert speeds == pytest.approx([0.1 / 0.0072] * len(speeds))


def test_edges_that_the_kernel_lost_are_counted_into_the_distance() -> None:
    playing = Playing(*([0.04] * 300))
    playing.most = 100
    found, counts = read(playing)
    assert found[-1].distance_m == pytest.approx(30.0)
    assert counts == {"pulses_lost": 200}


def test_backwards_takes_way_off() -> None:
    playing = Playing(0.01, 0.02)
    counts: Counter[str] = Counter()
    reader = PulseReader(playing, WITH_DIRECTION, counts, clock=playing.clock)
    assert reader.read()[0].distance_m == pytest.approx(0.2)
    playing.backwards, playing.times = True, [0.06, 0.07, 0.08]
    assert reader.read()[0].distance_m == pytest.approx(-0.1)


def test_an_edge_that_reaches_us_late_does_not_turn_time_back() -> None:
    playing = Playing()
    reader = PulseReader(playing, LINE, Counter(), clock=playing.clock)
    first = reader.read()[0]
    playing.times = [first.time_s - 0.001]
    assert reader.read()[0] == Odometry(first.time_s, 0.1)


def test_the_lines_are_asked_of_libgpiod_with_the_monotonic_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict = {}
    monkeypatch.setattr(gpiod, "request_lines", lambda path, **rest: asked.update(path=path, **rest))
    request_line(
        PulseLine(
            "/dev/gpiochip4", 22, 0.1, edges="both", bias="pull_down", debounce_us=200, direction_line=23,
            direction_active_low=True,
        )
    )  # fmt: skip
    pulses, direction = asked["config"][22], asked["config"][23]
    assert (asked["path"], asked["consumer"], asked["event_buffer_size"]) == ("/dev/gpiochip4", "wegewart", 1024)
    assert pulses.edge_detection is gpiod.line.Edge.BOTH
    assert pulses.event_clock is gpiod.line.Clock.MONOTONIC
    assert (pulses.bias, pulses.debounce_period.microseconds) == (gpiod.line.Bias.PULL_DOWN, 200)
    assert direction.edge_detection is gpiod.line.Edge.NONE
    assert (direction.direction, direction.active_low) == (gpiod.line.Direction.INPUT, True)


def test_a_chip_that_is_not_there_is_waited_for() -> None:
    source = open_wheel_pulses(PulseLine("/dev/no-such-chip", 22, 0.1))
    wait_until(lambda: source.state.counts.get("connection_lost", 0) >= 1, what="the refusal")
    source.close()


def test_distance_goes_on_after_a_loss() -> None:
    total = Total()
    for expected in (0.2, 0.4):
        playing = Playing(0.01, 0.02)
        (odometry,) = PulseReader(playing, LINE, Counter(), total=total, clock=playing.clock).read()
        assert odometry.distance_m == pytest.approx(expected)


def test_without_gpiod_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(ConfigError, match=r"pip install 'wegewart\[gpio\]'"):
        open_wheel_pulses(LINE)
