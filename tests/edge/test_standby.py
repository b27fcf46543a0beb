# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A vehicle that cannot drive: the depot learns why, and what waits in the outbox still goes out."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

import edge.daemon
from edge.config import VehicleConfig
from edge.daemon import Daemon
from edge.delivery.outbox import Outbox
from edge.delivery.port import encode_record
from edge.errors import InputError, StoreError
from edge.keeper import Keeper
from edge.life.ladder import Start
from edge.ports import CameraStalledError
from edge.uplinks import open_uplink
from tests.delivery.little_depot import LittleDepot
from tests.delivery.samples import VEHICLE, observation
from tests.edge.test_keeper import Heard, config
from tests.servers import mosquitto


def with_broken_camera(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(edge.daemon, "open_sources", broken)


@pytest.mark.parametrize("error", [InputError("camera 0: not there"), CameraStalledError("camera 0: not there")])
def test_a_start_without_a_camera_tells_the_depot_why(
    small_drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with_broken_camera(monkeypatch, error)
    sink, of = Heard(tmp_path / "o.jsonl"), config(small_drive, tmp_path)
    with pytest.raises(type(error)):
        Daemon(of, lambda _m, _c: sink, keeper=Keeper(of)).run()
    assert sink.health[-1].faults[0] == "camera 0: not there"


def test_what_waits_in_the_outbox_goes_out_although_the_camera_is_broken(
    small_drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Outbox(tmp_path / "outbox.db")
    event_id = waiting.confirm("observation", lambda name: encode_record(VEHICLE, name, observation()))
    waiting.close()
    with_broken_camera(monkeypatch, InputError("camera 0: not there"))
    with mosquitto(tmp_path / "broker") as broker, LittleDepot(broker.host, broker.port) as depot:
        of = at_broker(config(small_drive, tmp_path), broker.host, broker.port)
        with pytest.raises(InputError):
            Daemon(of, lambda m, c: open_uplink(of, m, c), keeper=Keeper(of)).run()
        health, _ = depot.first("health")
    assert depot.events[event_id] == 1
    assert health.faults[0] == "camera 0: not there"


def at_broker(of: VehicleConfig, host: str, port: int) -> VehicleConfig:
    delivery = replace(of.delivery, host=host, port=port, drain_s=15.0)
    return replace(of, vehicle=VEHICLE, delivery=delivery)


def test_a_vehicle_that_rests_after_failures_says_so(small_drive: Path, tmp_path: Path) -> None:
    of = config(small_drive, tmp_path)
    keeper, sink, stop = Keeper(of), Heard(tmp_path / "o.jsonl"), threading.Event()
    keeper.life.start = Start(rest_s=3600.0)

    def publish(health: object, told=sink.publish_health) -> None:
        told(health)
        stop.set()

    sink.publish_health = publish  # type: ignore[method-assign]
    Daemon(of, lambda _m, _c: sink, keeper=keeper, stop=stop).run()
    assert any("tries again only every 3600 s" in fault for fault in sink.health[0].faults)


def test_where_the_outbox_cannot_be_opened_the_first_fault_is_what_is_raised(
    small_drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_broken_camera(monkeypatch, InputError("camera 0: not there"))
    of = config(small_drive, tmp_path)

    def broken(*_: object) -> Heard:
        raise StoreError("outbox: no rights")

    with pytest.raises(InputError):
        Daemon(of, broken, keeper=Keeper(of)).run()
