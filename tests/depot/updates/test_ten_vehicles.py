# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A roll-out over ten vehicles: a real broker, the real ingest, both databases, and the depot as a process."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from depot.config import BrokerConfig, Config
from depot.fleet.choices import choose
from depot.fleet.config import FleetConfig
from depot.fleet.watching import FleetWatch
from depot.ingest import Ingest
from depot.mqtt import Link
from depot.services import Services
from depot.store.appending import IntakeDatabase
from depot.store.database import Database
from depot.store.pictures import PictureFolder
from depot.updates import keeping, rolling, showing
from depot.updates.records import Step
from depot.updates.repository import Repository
from tests.depot.samples import DepotProcess, depot_process
from tests.depot.updates.made import repository
from tests.depot.updates.standins import StandIn
from tests.servers import Mosquitto, mosquitto, wait_until

pytestmark = pytest.mark.integration

R1, R2 = "2026.11.1", "2026.11.2"
STEPS = (Step(group="canary", hold_h=0.0), Step(share=0.2, hold_h=0.0), Step(share=1.0, hold_h=0.0))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as running:
        yield running


class Depot:
    """Takes in from the broker and rolls out, without a page."""

    def __init__(self, database: Database, broker: Mosquitto, folder: Path) -> None:
        self.database = database
        repository(folder / "repository", R1, R2)
        settings = BrokerConfig(host=broker.host, port=broker.port)
        self.offer = Repository(folder / "repository")
        self.ingest = Ingest(IntakeDatabase(database, PictureFolder(folder / "pictures")))
        self.link = Link(settings, put=self.ingest.put, refused=lambda: None)
        self.rolling = rolling.worker(database, self.offer, FleetConfig(), settings)
        self.watch = FleetWatch(database, aims=rolling.aims(self.offer))
        self.services = Services(Config(), database, None, lambda: "connected", lambda: False)  # type: ignore[arg-type]

    def start(self) -> None:
        self.ingest.start(reply=self.link.reply)
        self.link.start()
        wait_until(lambda: self.link.connected, what="connected")

    def close(self) -> None:
        self.ingest.stop()
        self.link.stop()

    def roll_out(self, *steps: Step) -> int:
        with self.database.changing() as change:
            choose(change, "bus-0", who="test", group="canary")
            number = keeping.make(change, self.offer.offer(), release=R2, steps=steps, who="test")
            keeping.act(change, number, "start", who="test", offer=self.offer.offer(), config=FleetConfig())
        return number

    def shown(self, number: int) -> dict[str, object]:
        with self.database.reading() as connection:
            return showing.one_rollout(connection, number, self.offer.offer(), FleetConfig(), self.database.now_utc())

    def rolls_until(self, number: int, state: str) -> list[int]:
        """Look until it is in this state; gives at how many vehicles it had come at each look."""
        reached: list[int] = []

        def look() -> bool:
            self.rolling.run_once()
            self.watch.run_once()
            shown = self.shown(number)
            reached.append(len(shown["vehicles"]))  # type: ignore[arg-type]
            return shown["state"] == state

        wait_until(look, timeout_s=60, what=f"roll-out {state}: {self.shown(number)}")
        return reached


@pytest.fixture
def depot(database: Database, broker: Mosquitto, tmp_path: Path) -> Iterator[Depot]:
    made = Depot(database, broker, tmp_path)
    made.start()
    with closing(made):
        yield made


@pytest.fixture
def fleet(depot: Depot, broker: Mosquitto) -> Iterator[dict[str, StandIn]]:
    """Ten vehicles that the depot has heard of."""
    with ExitStack() as stack:
        made = {
            name: stack.enter_context(closing(StandIn(broker.host, broker.port, name, runs=R1)))
            for name in (f"bus-{number}" for number in range(10))
        }
        for vehicle in made.values():
            vehicle.speak()

        def known() -> bool:
            with depot.database.reading() as connection:
                return (
                    showing.releases(connection, depot.offer.offer(), FleetConfig(), depot.database.now_utc())[1][
                        "vehicles"
                    ]
                    == 10
                )

        wait_until(known, timeout_s=20, what="ten vehicles")
        yield made


def test_all_ten_get_it_the_canary_first_and_each_is_told_once(depot: Depot, fleet: dict[str, StandIn]) -> None:
    number = depot.roll_out(*STEPS)
    reached = depot.rolls_until(number, "done")
    assert sorted(set(reached)) == [1, 2, 10]
    assert {name: vehicle.wishes for name, vehicle in fleet.items()} == {name: [R2] for name in fleet}
    assert depot.shown(number)["counts"] == {"active": 10}
    assert {vehicle.runs for vehicle in fleet.values()} == {R2}


def test_one_of_the_first_fifth_fails_and_the_others_never_hear_of_it(depot: Depot, fleet: dict[str, StandIn]) -> None:
    number = depot.roll_out(*STEPS)
    second = depot.shown(number)["plan"][1][0]  # type: ignore[index]
    fleet[second].fails = "self-test: 2 of 9 pictures judged otherwise"
    depot.rolls_until(number, "paused")
    for _ in range(5):
        depot.rolling.run_once()
    told = {name for name, vehicle in fleet.items() if vehicle.wishes}
    assert told == {"bus-0", second}
    assert {name for name, vehicle in fleet.items() if vehicle.runs == R2} == {"bus-0"}
    why = depot.shown(number)["why"]
    assert why.vehicles == {second: "self-test: 2 of 9 pictures judged otherwise"}  # type: ignore[attr-defined]
    with depot.database.changing() as change:
        keeping.act(change, number, "resume", who="test", offer=depot.offer.offer(), config=FleetConfig())
    depot.rolls_until(number, "done")
    assert depot.shown(number)["counts"] == {"active": 9, "excused": 1}


def test_the_depot_as_a_process_brings_a_release_to_a_vehicle(broker: Mosquitto, tmp_path: Path) -> None:
    repository(tmp_path / "repository", R1, R2)
    with (
        depot_process(tmp_path, broker.port, '[updates]\nrepository = "repository"') as depot,
        closing(StandIn(broker.host, broker.port, "bus-1", runs=R1)) as vehicle,
    ):
        vehicle.speak()
        wait_until(lambda: _features(depot) == ["bus-1"], timeout_s=20, what="the vehicle")
        assert "no roll-out" in _command(depot, "rollout", "show", "1", status=8)
        assert "canary" in _command(depot, "rollout", "start", R2, status=8)
        started = _command(depot, "rollout", "start", R2, "--step", "50%:0", "--step", "100%:0:10%")
        number = re.match(r"(\d+)\t", started)
        assert number is not None, started
        wait_until(lambda: "done" in _command(depot, "rollout", "list"), timeout_s=60, what="done")
        assert vehicle.wishes == [R2]
        assert "bus-1\tactive" in _command(depot, "rollout", "show", number[1])
        assert "is done" in _command(depot, "rollout", "pause", number[1], status=8)


def _features(depot: DepotProcess) -> list[str]:
    return [feature["id"] for feature in httpx.get(f"{depot.url}/api/vehicles").json()["features"]]


def _command(depot: DepotProcess, *words: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "depot.cli", *words, "--config", str(depot.config)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr
