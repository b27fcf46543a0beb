# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""UTC only from fixes that carry it; the keep-alive only while every stage moves."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from edge.clock import UtcClock
from edge.liveness import Liveness, Notifier, watchdog_period_s
from edge.types import Fix


def test_before_a_fix_with_utc_a_time_is_unset_and_keeps_its_monotonic_stamp():
    clock = UtcClock("boot-1", quality="gnss")
    clock.observe(Fix(10.0, 6.7, 51.4, 2.0))
    time = clock.at(12.3456)
    assert (time.utc, time.quality, time.monotonic_s, time.boot) == (None, "unset", 12.346, "boot-1")


def test_a_fix_with_utc_dates_moments_before_and_after_it():
    clock = UtcClock("b", quality="gnss")
    clock.observe(Fix(100.0, 6.7, 51.4, 2.0, utc_s=1_790_000_000.0))
    assert clock.at(100.25).utc == "2026-09-21T14:13:20.250Z"
    assert clock.at(99.0).utc == "2026-09-21T14:13:19.000Z"
    assert clock.at(99.0).quality == "gnss"


def test_the_local_time_zone_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    clock = UtcClock("b", quality="gnss")
    clock.observe(Fix(0.0, 6.7, 51.4, 2.0, utc_s=1_774_746_000.0))  # an hour after the clocks changed in 2026
    assert clock.at(0.0).utc == "2026-03-29T01:00:00.000Z"


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Heard(Notifier):
    def __init__(self) -> None:
        super().__init__({})
        self.messages: list[str] = []

    def send(self, message: str) -> bool:
        self.messages.append(message)
        return True


def test_the_keep_alive_needs_every_stage_and_names_the_one_that_hangs():
    clock, heard = Clock(), Heard()
    liveness = Liveness(("camera", "pipeline"), notifier=heard, period_s=10.0, clock=clock)
    clock.now_s = 5.0
    liveness.moved("pipeline")
    for second in range(6, 60):
        clock.now_s = float(second)
        liveness.moved("camera")
    assert heard.messages == ["WATCHDOG=1"]  # once, with the pipeline's move at 5 s; never again
    assert liveness.stalled() == ("pipeline",)
    clock.now_s = 61.0
    liveness.moved("pipeline")
    assert heard.messages == ["WATCHDOG=1", "WATCHDOG=1"]


def test_ready_is_said_once():
    heard = Heard()
    liveness = Liveness((), notifier=heard, period_s=None, clock=Clock())
    liveness.ready("judging")
    liveness.ready("judging")
    assert heard.messages == ["READY=1\nSTATUS=judging"]


def test_the_notifier_reaches_a_real_socket(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.settimeout(5)
        assert Notifier({"NOTIFY_SOCKET": str(tmp_path / "s")}).send("READY=1")
        assert listener.recv(100) == b"READY=1"
    assert not Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).send("READY=1")
    assert not Notifier({}).send("READY=1")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 10.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 10.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdog_period_is_a_third_of_systemds_limit_and_only_for_us(environment, expected):
    assert watchdog_period_s(environment, pid=7) == expected
