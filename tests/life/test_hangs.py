# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Each stage blocked in turn, in a process of its own: it ends within the watchdog's time, and the right name is told.

Without `with self._liveness.working(...)` in `edge.life.watched` the wrong name is told; without the look at
`liveness.hang` in `edge.life.watcher` the process lives on until faulthandler ends it, with another code.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.life.life import Life
from edge.life.watcher import Watcher
from edge.liveness import Hang, Liveness, Notifier

WATCHDOG_S = 6.0


@dataclass
class Ended:
    code: int
    lines: list[str]
    ready: bool
    #: From the last keep-alive to the end.
    silent_s: float


def run(folder: Path, stage: str) -> Ended:
    path = folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(0.2)
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.life.stuck", str(folder), stage],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))},
        )
        heard: list[str] = []
        last_s = time.monotonic()
        try:
            while child.poll() is None:
                assert time.monotonic() - last_s < 60, "it does not end"
                with suppress(TimeoutError):
                    heard.append(systemd.recv(1000).decode())
                    last_s = time.monotonic()
            ended_s = time.monotonic()
        finally:
            child.kill()
            _, said = child.communicate()
    return Ended(child.returncode, said.splitlines(), heard[:1] == ["READY=1\nSTATUS=driving"], ended_s - last_s)


@pytest.mark.integration
@pytest.mark.parametrize(("stage", "code"), [("camera", 7), ("inference", 8), ("store", 9), ("loop", 11)], ids=str)
def test_a_stage_that_never_returns_ends_the_process_and_its_name_is_told(tmp_path, stage, code):
    ended = run(tmp_path, stage)
    assert ended.ready
    assert ended.code == code
    assert ended.lines[-1].startswith(f"CRITICAL edge.life.watcher: stage {stage} has not moved for ")
    assert ended.lines[-1].endswith(f"s: the process ends with code {code}")
    assert ended.silent_s < WATCHDOG_S  # before systemd would have
    life = Life(tmp_path)
    assert life.counters()[f"stalls_{stage}"] == 1
    (fault,) = life.faults()
    assert fault.startswith(f"1 runs in a row failed, the last one: stage {stage} has not moved for ")


@pytest.mark.integration
def test_code_that_never_gives_pythons_lock_back_ends_the_process_too_and_the_stack_names_it(tmp_path):
    ended = run(tmp_path, "python")
    assert ended.code == 1
    assert ended.silent_s < WATCHDOG_S
    assert any("stuck.py" in line and "in detect" in line for line in ended.lines)
    assert Life(tmp_path).counters()["ends_killed"] == 1


# -- the decision


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def liveness(clock: Clock) -> Liveness:
    return Liveness(("camera", "store"), notifier=Notifier({}), period_s=10.0, clock=clock)


def test_the_innermost_work_is_to_blame(clock, liveness):
    with liveness.working("loop"), liveness.working("pipeline"), liveness.working("inference"):
        clock.now_s = 15.5
        assert liveness.hang(15.0) == Hang("inference", 15.5)


def test_many_short_pieces_are_no_hang_of_the_one_around_them(clock, liveness):
    with liveness.working("pipeline"):
        for _ in range(30):
            with liveness.working("store"):
                clock.now_s += 1.0
            assert liveness.hang(15.0) is None
        clock.now_s += 15.5
        assert liveness.hang(15.0) == Hang("pipeline", 15.5)
    assert liveness.hang(0.0) is None


def test_a_stage_that_fails_has_not_moved(clock, liveness):
    clock.now_s = 1.0
    with pytest.raises(OSError, match="gone"), liveness.working("camera"):
        raise OSError("gone")
    assert liveness.stalled() == ("camera", "store")
    assert liveness.hang(0.0) is None


def test_who_rests_on_purpose_is_kept_alive(clock):
    heard: list[str] = []

    class Heard(Notifier):
        def send(self, message: str) -> bool:
            heard.append(message)
            return True

    liveness = Liveness(("camera", "store"), notifier=Heard({}), period_s=10.0, clock=clock)
    for second in range(1, 26):
        clock.now_s = float(second)
        liveness.resting("rests for 600 s")
    assert heard == ["READY=1\nSTATUS=rests for 600 s", "WATCHDOG=1", "WATCHDOG=1"]


def test_the_watcher_ends_nobody_who_moves_and_stops_when_told(clock, liveness):
    ends: list[Hang] = []
    watcher = Watcher(
        liveness, limit_s=0.05, stalled=lambda stage, line: 0, end=lambda hang, stalled: ends.append(hang)
    )
    watcher.close()
    watcher.close()
    assert ends == []
