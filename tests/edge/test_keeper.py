# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A vehicle's run among its runs: what the daemon writes down, what the next run says of it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

import edge.assembly
import edge.daemon
from benchmarks.simulated_drive import config_for
from edge.config import VehicleConfig
from edge.daemon import Daemon
from edge.delivery.jsonl import JsonlSink
from edge.keeper import Keeper
from edge.life.board import Board
from edge.ports import CameraStalledError
from edge.sources import Sources, open_sources
from messages.envelope import decode
from messages.types import Clock, Health
from tests.edge.test_daemon import DyingCamera


def config(drive: Path, data: Path) -> VehicleConfig:
    found = config_for(drive)
    return replace(found, delivery=replace(found.delivery, data=data, drain_s=0.0))


def board(folder: Path, celsius: float) -> Board:
    zone = folder / "class" / "thermal" / "thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text(f"{celsius * 1000:.0f}\n")
    return Board(folder, vcgencmd=lambda: None)


class Heard(JsonlSink):
    """A file that notes the health messages."""

    def __init__(self, out: Path) -> None:
        super().__init__(out, vehicle="v")
        self.health: list[Health] = []

    def publish_health(self, health: Health) -> None:
        self.health.append(health)


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge.assembly.Detector, "detect", lambda _self, _picture: ())


def drive(keeper: Keeper, small_drive: Path, tmp_path: Path) -> Heard:
    sink = Heard(tmp_path / "o.jsonl")
    Daemon(config(small_drive, tmp_path), lambda _m, _c: sink, keeper=keeper).run()
    return sink


def test_the_next_run_tells_the_depot_that_the_camera_stalled(
    small_drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def dying(of, _may_reopen=None) -> Sources:
        sources = open_sources(of)
        return Sources(DyingCamera(sources.camera), sources.positions, sources.calibration, is_replay=True)

    with monkeypatch.context() as patch:
        patch.setattr(edge.daemon, "open_sources", dying)
        keeper = Keeper(config(small_drive, tmp_path))
        with pytest.raises(CameraStalledError) as stalled:
            drive(keeper, small_drive, tmp_path)
        assert keeper.life.stalled("camera", str(stalled.value)) == 7
    sink = drive(Keeper(config(small_drive, tmp_path)), small_drive, tmp_path)
    assert sink.health[-1].counters["stalls_camera"] == 1
    assert any("no frame for 10 s" in fault for fault in sink.health[-1].faults)


def test_health_tells_the_heat_and_the_depot_is_told_the_clock(small_drive: Path, tmp_path: Path):
    looked = threading.Event()
    keeper = Keeper(config(small_drive, tmp_path), board=board(tmp_path / "sys", 61.0))
    sink = Heard(tmp_path / "o.jsonl")
    daemon = Daemon(config(small_drive, tmp_path), lambda _m, _c: sink, keeper=keeper)
    # The looks at the computer come from a thread of their own.
    daemon.progress = lambda _p, _d: looked.wait(0.05) if "temperature_c" not in keeper.gauges() else looked.set()
    daemon.run()
    assert sink.health[-1].gauges["temperature_c"] == 61.0
    assert sink.health[-1].gauges["pace_share"] == 1.0
    clocks = [decode(line).data for line in (tmp_path / "o.jsonl").read_bytes().splitlines()]
    (clock,) = [record for record in clocks if isinstance(record, Clock)]
    assert clock.time.utc is not None


def test_after_a_look_in_the_heat_comes_a_pause(small_drive: Path, tmp_path: Path):
    now = [0.0]
    keeper = Keeper(config(small_drive, tmp_path), board=board(tmp_path / "sys", 85.0), clock=lambda: now[0])
    keeper.pace.looked(0.0, 1.0, 0.1)
    assert not keeper.may_look()
    now[0] = 10.1
    assert keeper.may_look()
