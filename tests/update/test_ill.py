# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Releases that pass their self-test and are ill all the same: they are given back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge import heartbeat
from edge.errors import WegewartError
from edge.heartbeat import Heartbeat
from edge.update.layout import Layout
from edge.update.ports import Unit
from tests.update.world import Depot, Vehicle, app_wheels

KINDS = {
    "crashes": "trial: it ended 3 times (exit-code, exit status 1)",
    "never ready": "trial: it did not look at a first frame within 120 s",
    "hangs": "trial: it has not said anything for",
    "looks at nothing": "trial: the vehicle moved",
    "no frames": "trial: no frame has come for",
}


def assert_given_back(vehicle: Vehicle, reason: str) -> None:
    assert vehicle.current == "2026.1.1"
    assert vehicle.layout.updater.resolve().name == "2026.1.1"
    said = vehicle.said
    assert (said.state, said.release, said.running) == ("failed", "2026.2.1", "2026.1.1")
    assert said.reason.startswith(reason)
    assert "2026.2.1" in vehicle.refused
    assert not vehicle.layout.journal.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_an_ill_release_is_given_back_with_the_reason(vehicle: Vehicle, depot: Depot, kind: str) -> None:
    vehicle.daemon.bad["2026.2.1"] = kind
    bundle = depot.publish("2026.2.1", 2)
    if kind == "looks at nothing":
        vehicle.daemon.standing = False
    assert vehicle.install(bundle, now=True) == 4
    assert_given_back(vehicle, KINDS[kind])
    assert vehicle.daemon.release() == "2026.1.1"
    assert vehicle.lines[-1].startswith("BACK from 2026.2.1: trial: ")
    vehicle.wish("2026.2.1")
    assert vehicle.install() == 4, "not again by itself"
    assert vehicle.daemon.release() == "2026.1.1"


def test_power_that_goes_before_the_first_frame_three_times_gives_it_back(vehicle: Vehicle, depot: Depot) -> None:
    vehicle.daemon.bad["2026.2.1"] = "never ready"

    def cut(seconds: float) -> None:
        raise KeyboardInterrupt

    vehicle.daemon.pause, pause = cut, vehicle.daemon.pause  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        vehicle.install(depot.publish("2026.2.1", 2))
    vehicle.daemon.pause = pause  # type: ignore[method-assign]
    for attempt in range(1, 3):
        vehicle.boot()
        assert (vehicle.current, vehicle.said.state, vehicle.said.attempts) == ("2026.2.1", "pending", attempt)
    vehicle.boot()
    assert_given_back(vehicle, "trial: the computer went off 3 times before the release looked at a first frame")
    assert vehicle.said.attempts == 3


def test_power_that_goes_after_the_first_frame_does_not(vehicle: Vehicle, depot: Depot) -> None:
    def cut(seconds: float) -> None:
        vehicle.daemon.now_s += seconds
        if vehicle.daemon.now_s > until_s:
            raise KeyboardInterrupt

    vehicle.daemon.pause, pause = cut, vehicle.daemon.pause  # type: ignore[method-assign]
    bundle = depot.publish("2026.2.1", 2)
    for _ in range(6):
        until_s = vehicle.daemon.now_s + 30
        with pytest.raises(KeyboardInterrupt):
            vehicle.install(bundle)
        vehicle.daemon.pause = pause  # type: ignore[method-assign]
        vehicle.boot()
        vehicle.daemon.pause = cut  # type: ignore[method-assign]
        assert vehicle.current == "2026.2.1"
    vehicle.daemon.pause = pause  # type: ignore[method-assign]
    assert vehicle.updater().watch() == 0
    assert vehicle.said.state == "active"


def test_a_trial_is_gone_on_with_before_anything_else(vehicle: Vehicle, depot: Depot) -> None:
    vehicle.daemon.pause, pause = (lambda seconds: 1 / 0), vehicle.daemon.pause  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        vehicle.install(depot.publish("2026.2.1", 2))
    vehicle.daemon.pause = pause  # type: ignore[method-assign]
    depot.publish("2026.3.1", 3)
    vehicle.wish("2026.3.1")
    assert vehicle.install() == 0
    assert vehicle.current == "2026.2.1"
    assert vehicle.install() == 0
    assert vehicle.current == "2026.3.1"


def test_a_service_that_cannot_be_restarted_is_a_failed_trial(vehicle: Vehicle, depot: Depot) -> None:
    def refuse() -> None:
        raise WegewartError("systemctl restart: no")

    vehicle.daemon.restart = refuse  # type: ignore[method-assign]
    assert vehicle.install(depot.publish("2026.2.1", 2)) == 4
    assert_given_back(vehicle, "trial: 2026.1.1 runs instead of it")


# ---- real processes; time runs 60 times as fast for the updater and for the daemons

SPEED = 60.0
LITTLE = """
import json, os, pathlib, sys, time

KIND = {kind!r}


def main():
    if sys.argv[1] != "run":
        print('{{"ok": true}}')
        return 0
    if KIND == "crashes":
        return 1
    release = pathlib.Path(sys.argv[2]).resolve().name
    file = pathlib.Path(sys.argv[3]) / "daemon.json"
    began, frames, looked = time.monotonic(), 0, 0
    while True:
        age = (time.monotonic() - began) * {speed}
        if KIND == "hangs" and age > 30:
            time.sleep(3600)
        frames += 1 if KIND != "no frames" or age < 20 else 0
        looked += 1 if KIND != "looks at nothing" or not looked else 0
        ready = KIND != "never ready"
        beat = {{
            "monotonic_s": time.monotonic() * {speed}, "pid": os.getpid(), "release": release, "ready": ready,
            "frames": frames, "looked": looked if ready else 0, "moved_m": age * 8,
        }}
        file.with_suffix(".new").write_text(json.dumps(beat))
        file.with_suffix(".new").replace(file)
        time.sleep(0.02)
"""


@dataclass
class Processes:
    """What systemd does with the daemon: starts it, starts it again when it ends, counts that."""

    layout: Layout
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    status: int = 0
    was: list[int] = field(default_factory=list)

    def restart(self) -> None:
        self.stop()
        self.restarts = 0
        self._start()

    def _start(self) -> None:
        program = self.layout.current / "bin" / "wegewart-edge"
        command = [str(program), "run", str(self.layout.current), str(self.layout.runtime)]
        self.process = subprocess.Popen(command)

    def state(self) -> Unit:
        if self.process is None:
            return Unit()
        if self.process.poll() is None:
            return Unit("active", "running", self.restarts)
        self.status = self.process.returncode
        self.restarts += 1
        self._start()
        return Unit("activating", "auto-restart", self.restarts, "exit-code", self.status)

    def beat(self) -> Heartbeat | None:
        return heartbeat.read(self.layout.runtime)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=30)
            self.process = None


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    home = tmp_path / "vehicle"
    (home / "run").mkdir(parents=True)
    made = Processes(Layout(home / "opt", home / "incoming", home / "run"))
    yield made
    made.stop()


def little(depot: Depot, name: str, number: int, kind: str) -> Path:
    from tests.update.world import make_wheel

    code = LITTLE.format(kind=kind, speed=SPEED).encode()
    wheels = app_wheels(name) | dict([make_wheel("wegewart", name, {"little.py": code}, "wegewart-edge = little:main")])
    return depot.publish(name, number, wheels=wheels)


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["", *KINDS])
def test_real_daemons_on_trial(tmp_path: Path, depot: Depot, processes: Processes, kind: str) -> None:
    vehicle = Vehicle(tmp_path / "vehicle", depot)
    vehicle.daemon = processes  # type: ignore[assignment]
    processes.clock = lambda: time.monotonic() * SPEED  # type: ignore[attr-defined]
    processes.pause = lambda seconds: time.sleep(seconds / SPEED)  # type: ignore[attr-defined]
    assert vehicle.install(little(depot, "2026.1.1", 1, "")) == 0
    processes.restart()
    code = vehicle.install(little(depot, "2026.2.1", 2, kind), now=True)
    said = processes.beat()
    if kind:
        assert code == 4
        assert_given_back(vehicle, KINDS[kind])
        assert processes.process is not None
        assert processes.process.poll() is None, "the old one runs again"
    else:
        assert (code, vehicle.current, vehicle.said.state) == (0, "2026.2.1", "active")
        assert said is not None
        assert said.release == "2026.2.1"
