# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The picture of before and after in docs/depot.md: python -m tests.depot.page.mended

A rendered street is driven with the shipped model, its pothole ordered, mended, and driven past again.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

from depot.intake import Accepted, Intake, Picture
from depot.web import install
from edge import assembly
from edge.asked import AskedPlaces
from edge.config import VehicleConfig
from edge.delivery.jsonl import JsonlSink
from edge.simulator import Again, Day, simulate
from edge.simulator.truth import load
from messages import envelope
from messages.types import Look, Observation, Status
from tests.depot.page import pictures
from tests.depot.page.desk import Desk
from tests.depot.page.serving import PageDepot, page_depot
from tests.edge.driven import Drive
from tests.edge.test_looking_drive import HOLE, SEED


def main() -> int:
    """The picture."""
    install.install()
    with tempfile.TemporaryDirectory() as name, page_depot(Path(name)) as depot:
        depot.lay_out()
        number = mend(depot, Path(name))
        browser = pictures._browser(Path(name))
        try:
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", pictures.DESKTOP)
            desk = Desk(browser, depot)
            desk.open_whole(f"/?case={number}", ".compare figure image")
            desk.settle()
            assert browser.save_screenshot(str(pictures.PICTURES / "review-after.png"))
        finally:
            browser.quit()
    return 0


def mend(depot: PageDepot, folder: Path) -> int:
    """A pothole that is seen, ordered, mended, and passed again: the case's number."""
    detector = assembly.detectors(VehicleConfig(vehicle="kehr-3"))["road"]

    def drive(name: str, places: AskedPlaces, again: Again) -> None:
        simulate(folder / name, seed=SEED, km=0.08, scene="street", again=again)
        sink = JsonlSink(folder / f"{name}.jsonl", vehicle="kehr-3", boot=name)
        Drive(folder / name, sink, places, detector).run()
        sink.close()
        depot.take(_sent(folder / f"{name}.jsonl"))

    now = datetime.now(timezone.utc)
    drive("before", AskedPlaces(None), Again(Day(0, now - timedelta(days=9))))
    hole = next(defect for defect in load(folder / "before" / "truth.json").defects if defect.id == HOLE)
    box = (hole.lon - 5e-5, hole.lat - 3e-5, hole.lon + 5e-5, hole.lat + 3e-5)
    asked = depot.ask("GET", f"/api/cases?class=pothole&limit=1&bbox={','.join(f'{side:.6f}' for side in box)}")
    number = int(asked.json()["cases"][0]["number"])
    for action in ("confirm", "order"):
        changed = depot.ask("GET", f"/api/cases/{number}").json()["changed"]
        answer = depot.ask("POST", f"/api/cases/{number}/actions", json={"action": action, "changed": changed})
        assert answer.status_code == 200, answer.text
    online = envelope.Event(
        id="before-online", source=envelope.source_of("kehr-3"),
        data=Status(state="online", boot="before", session=1, software="0.9.0"),
    )  # fmt: skip
    depot.take([Accepted(online, envelope.encode(online))])
    told = depot.ask_vehicles()["kehr-3"]
    places = AskedPlaces(None)
    places.ask(told.id, told.command)
    drive("after", places, Again(Day(1, now + timedelta(minutes=5)), frozenset({HOLE})))
    return number


def _sent(path: Path) -> Iterator[Intake]:
    for line in path.read_bytes().splitlines():
        event = envelope.decode(line)
        yield Accepted(event, line)
        told = event.data.picture if isinstance(event.data, Observation | Look) else None
        if told is not None:
            content = (path.with_name(path.name + ".pictures") / f"{told.sha256}.jpg").read_bytes()
            yield Picture(event.vehicle, told.sha256, content, told.width, told.height)


if __name__ == "__main__":
    sys.exit(main())
