# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From a pothole to the picture of the mended place: two drives, a real broker, a real depot, one wish in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from depot.asking.config import AskingConfig
from depot.asking.worker import Asking, worker
from depot.config import BrokerConfig
from depot.store.database import Database
from edge.asked import AskedPlaces
from edge.asked_view import Eye
from edge.config import VehicleConfig
from edge.delivery.outbox import Outbox
from edge.delivery.settings import BrokerSettings
from edge.delivery.uplink import Birth, Uplink
from edge.geometry import east_north
from edge.looking import Looking
from edge.orders import Orders
from edge.sampling.sampler import Sampler
from edge.simulator import Again, Day, default_camera, simulate
from edge.simulator.truth import TrueDefect, load
from tests.depot.samples import DepotProcess, depot_process
from tests.edge.driven import Drive
from tests.edge.test_looking_drive import HOLE, SEED
from tests.postgres import _postgres_template, database_url, postgres_server
from tests.servers import Mosquitto, mosquitto, wait_until

__all__ = ["_postgres_template", "database_url", "postgres_server"]

pytestmark = pytest.mark.integration

KM = 0.08


class Vehicle:
    """One vehicle over several starts; what it was asked to see lies beside its outbox.

    The depot asks only vehicles that it knows to be online: each start and end waits until it has written that down.
    """

    def __init__(self, folder: Path, broker: Mosquitto, depot: DepotProcess) -> None:
        self._folder, self._broker, self._depot = folder, broker, depot
        folder.mkdir()

    @contextmanager
    def online(self) -> Iterator[Uplink]:
        settings = BrokerSettings(host=self._broker.host, port=self._broker.port, vehicle="kehr-3")
        uplink = Uplink(Outbox(self._folder / "outbox.db"), settings, Birth("wegewart-edge test", (), "simulated"))
        try:
            uplink.wait_online(20)
            self._known_to_be("online")
            yield uplink
        finally:
            assert uplink.close(30), "all that was seen is at the depot"
            self._known_to_be("stopped")

    def _known_to_be(self, state: str) -> None:
        def known() -> bool:
            found = httpx.get(f"{self._depot.url}/api/vehicles", timeout=10).json()["features"]
            return [one["properties"]["state"] for one in found if one["properties"]["vehicle"] == "kehr-3"] == [state]

        wait_until(known, timeout_s=30, what=f"the depot to know that the vehicle is {state}")

    def places(self) -> AskedPlaces:
        return AskedPlaces(self._folder / "asked.json")

    def drive(self, folder: Path) -> None:
        with self.online() as uplink:
            Drive(folder, uplink, self.places()).run()

    def listen(self, asking: Asking) -> AskedPlaces:
        """Online for as long as the depot needs to tell what it wants."""
        places = self.places()
        looking = Looking(places, Eye(default_camera()))
        with self.online() as uplink:
            orders = Orders(
                VehicleConfig(vehicle="kehr-3"), uplink, Sampler(every_m=2.0), restart=print, looking=looking
            )
            told = threading.Thread(target=asking.run_once)
            told.start()
            wait_until(lambda: orders.carry_out() or not told.is_alive(), timeout_s=40, what="the depot's round")
            told.join()
        return places


def at_the_hole(depot: DepotProcess, hole: TrueDefect) -> dict[str, Any]:
    """The case of the hole, with all that the page shows of it."""

    def away_m(case: dict[str, Any]) -> float:
        return float(np.hypot(*east_north(case["lon"], case["lat"], hole.lon, hole.lat)))

    return min(depot.cases(), key=away_m)


def decide(depot: DepotProcess, case: dict[str, Any], **decision: Any) -> dict[str, Any]:
    answer = httpx.post(
        f"{depot.url}/api/cases/{case['number']}/actions", json={"changed": case["changed"], **decision}, timeout=10
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_pothole_is_ordered_a_later_pass_shows_the_mended_place_and_a_person_confirms(
    tmp_path: Path, database_url: str
):
    before, after = tmp_path / "before", tmp_path / "after"
    simulate(before, seed=SEED, km=KM, scene="street")
    hole = next(defect for defect in load(before / "truth.json").defects if defect.id == HOLE)
    soon = datetime.now(timezone.utc) + timedelta(hours=1)
    again = Again(Day(number=1, start_utc=soon), mended=frozenset({HOLE}))
    simulate(after, seed=SEED, km=KM, scene="street", again=again)

    store = f'[database]\nurl = "{database_url}"'
    with mosquitto(tmp_path) as broker, depot_process(tmp_path, broker.port, store) as depot:
        vehicle = Vehicle(tmp_path / "vehicle", broker, depot)
        with closing(Database(database_url)) as database:
            asking = worker(database, AskingConfig(), BrokerConfig(port=broker.port, client_id="test"))
            vehicle.drive(before)
            case = at_the_hole(depot, hole)
            assert (case["class"], case["state"], case["after"]) == ("pothole", "new", [])
            assert len(vehicle.listen(asking)) == 0, "nobody asks for anything before the order"
            case = decide(depot, decide(depot, case, action="confirm"), action="order")

            places = vehicle.listen(asking)
            assert [asked.case for asked in places.now("2026-11-01T00:00:00Z")] == [str(case["number"])]
            case = at_the_hole(depot, hole)
            assert [(one["vehicle"], one["told"]) for one in case["asked"]] == [("kehr-3", True)]

            vehicle.drive(after)
            assert len(vehicle.places()) == 0
            case = at_the_hole(depot, hole)
            (later,) = case["after"]
            assert (later["vehicle"], later["found"], later["seen"]) == ("kehr-3", [], False)
            assert (later["picture_stored"], later["anonymised_by"]) == (True, "mosaic-outside-place-1")
            assert (case["state"], case["proposes"], case["asked"]) == ("ordered", "repaired", [])
            jpeg = httpx.get(f"{depot.url}/pictures/{later['picture']}.jpg", timeout=10).content
            picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert picture.shape[:2] == (later["height"], later["width"])

            case = decide(depot, case, action="repaired", picture=later["picture"])
            assert case["state"] == "repaired"
            assert case["history"][-1]["after"]["picture"] == later["picture"]
            assert len(vehicle.listen(asking)) == 0, "the picture after the repair is there: nobody is asked any more"
