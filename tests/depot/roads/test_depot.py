# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Roads and fleet in the whole depot, as a process with a real Mosquitto."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from depot.roads import proof
from messages.types import Health
from tests.depot import samples
from tests.depot.roads.samples import CITY, geojson, looked_at
from tests.depot.samples import DepotProcess
from tests.servers import Mosquitto, mosquitto, wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    (tmp_path / "broker").mkdir()
    with mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def depot(tmp_path: Path, broker: Mosquitto) -> Iterator[DepotProcess]:
    with samples.depot_process(tmp_path, broker.port) as running:
        wait_until(lambda: running.get("/healthz")["broker"] == "connected", what="depot connects")
        yield running


def command(depot: DepotProcess, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "depot.cli", "roads", *arguments, "--config", str(depot.config)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_a_vehicle_looks_at_is_shown_by_road_and_sealed_while_the_depot_runs(
    depot: DepotProcess, broker: Mosquitto
) -> None:
    file = depot.folder / "roads.geojson"
    file.write_bytes(geojson(*CITY))
    assert command(depot, "import", str(file)).startswith("3 roads, 1.7 km")
    stretch = looked_at((0, 0), (200, 0))
    health = Health(time=samples.time_at(20.0), counters={"frames_seen": 80}, gauges={"temperature_c": 51.0})
    with samples.fake_vehicle(broker.host, broker.port) as vehicle:
        vehicle.send(samples.status())
        vehicle.acknowledged(
            {vehicle.send(stretch, 1), vehicle.send(msgspec.structs.replace(stretch, length_m=99.0), 2)}
        )
        vehicle.send(health)
        wait_until(
            lambda: depot.get("/api/coverage/proof")["rows"] >= 1, timeout_s=60, what="the day is laid and sealed"
        )
        (feature,) = depot.get("/api/vehicles")["features"]
        assert feature["properties"]["online"] is True
        assert feature["properties"]["temperature_c"] == 51.0
    roads = {road["name"]: road for road in depot.get("/api/coverage/roads?from=2026-05-01")["roads"]}
    assert roads["Langstraße"]["valid_share"] == 0.5
    assert depot.get("/api/sections?road=way/1")["total"] == 20
    found = proof.check(command(depot, "proof").splitlines())
    assert found.rows >= 1, "a stretch that was laid after the first sealing makes a revision"
    assert found.problem is None
    assert f"{found.rows} rows as they were written" in command(depot, "verify")
