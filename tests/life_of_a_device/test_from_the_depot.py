# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From the workshop's desk to what a vehicle believes: no part of the way is played.

`scripts/release` builds, signs and publishes; the depot's process serves the files and rolls the release out over
Mosquitto; the daemon's process notes the wish; `wegewart-update fetch` brings it, is ended by SIGTERM in the middle
and goes on; the trusted client verifies every file.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.update import recover
from edge.update.layout import COMPLETE, Layout
from edge.update.trusted import open_bundle
from edge.update.trusted.pace import STEP
from tests.delivery.samples import VEHICLE
from tests.depot.samples import DepotProcess, depot_process
from tests.life_of_a_device.drive import parked_at_its_end
from tests.life_of_a_device.workshop_computer import BOARD, ROOT, WorkshopComputer
from tests.servers import HOST, mosquitto, wait_until
from tests.workshop.release.test_building import index_answers

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

OLD = "2026.10.1"
_PROGRAMS = Path(sys.executable).parent
_SLOW_BYTES_PER_S, _ENDS_WITHIN_S = 3_000_000, 5.0


class Vehicle:
    """A computer with one release that was installed long ago; its programs are those of this environment."""

    def __init__(self, folder: Path, root_json: Path) -> None:
        self.folder = folder
        self.layout = Layout(folder / "opt", folder / "state" / "wegewart-update", folder / "run")
        release = self.layout.releases / OLD
        for made in (release, self.layout.trust, self.layout.incoming, self.layout.runtime):
            made.mkdir(parents=True)
        (release / COMPLETE).touch()
        (release / "models").symlink_to(ROOT / "models")
        self.layout.current.symlink_to(release)
        shutil.copy(root_json, self.layout.trust / "root.json")
        self.config = folder / "vehicle.toml"

    def configure(self, drive: Path, port: int, repository: str, bytes_per_s: int) -> None:
        """Write vehicle.toml."""
        self.config.write_text(
            f'vehicle = "{VEHICLE}"\n[camera]\nkind = "replay"\nsource = "{drive}"\npace = 1.0\n'
            f'[position]\nkind = "replay"\n[delivery]\ndata = "{self.folder}/outbox"\nhost = "{HOST}"\nport = {port}\n'
            f'health_s = 1.0\n[update]\nrepository = "{repository}"\nboard = "{BOARD}"\nbytes_per_s = {bytes_per_s}\n'
        )

    @contextmanager
    def drives(self) -> Iterator[None]:
        """The daemon, as systemd starts it."""
        environment = os.environ | {
            "WEGEWART_MODELS": str(self.layout.current / "models"),
            "STATE_DIRECTORY": f"{self.folder / 'outbox'}:{self.layout.incoming}",
            "RUNTIME_DIRECTORY": str(self.layout.runtime),
        }
        with (self.folder / "daemon.log").open("wb") as log:
            command = [str(_PROGRAMS / "wegewart-edge"), "run", "--config", str(self.config)]
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)

    def fetch(self) -> subprocess.Popen[str]:
        """`wegewart-update fetch`, as its service runs it."""
        places = ["--root", self.layout.root, "--incoming", self.layout.incoming, "--config", self.config]
        command = [_PROGRAMS / "wegewart-update", *places, "fetch"]
        return subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def kept(self) -> int:
        """Bytes that a run which is cut now need not fetch again: whole targets, whole steps of those under way."""
        whole = sum(path.stat().st_size for path in (self.layout.bundle / "targets").rglob("*") if path.is_file())
        parts = (path.stat().st_size for path in (self.layout.bundle / ".fetch" / "partial").glob("*"))
        return whole + sum(size // STEP * STEP for size in parts)


def test_a_release_of_the_desk_reaches_a_vehicle_by_the_depot_and_is_believed(
    tmp_path: Path, small_drive: Path
) -> None:
    index_answers(tmp_path)
    desk = WorkshopComputer(tmp_path / "workshop")
    desk.new_repository()
    made = desk.release(desk.street)
    vehicle = Vehicle(tmp_path / "vehicle", desk.keys / "root.json")
    drive = parked_at_its_end(small_drive, tmp_path / "drive")
    with (
        mosquitto(tmp_path) as broker,
        depot_process(tmp_path, broker.port, f'[updates]\nrepository = "{desk.repository}"') as depot,
    ):
        repository = f"{depot.url}/updates"
        vehicle.configure(drive, broker.port, repository, _SLOW_BYTES_PER_S)
        with vehicle.drives():
            is_wished(depot, vehicle, made)
        kept = is_ended_in_the_middle(vehicle)
        vehicle.configure(drive, broker.port, repository, 0)
        is_brought_to_its_end(vehicle, made, kept)
    is_believed(vehicle, made)


def is_wished(depot: DepotProcess, vehicle: Vehicle, made: str) -> None:
    """The depot rolls it out, and the daemon notes the wish."""

    def known() -> list[str]:
        return [feature["id"] for feature in depot.get("/api/vehicles")["features"]]

    wait_until(lambda: known() == [VEHICLE], timeout_s=60, what="the vehicle at the depot")
    words = ["rollout", "start", made, "--step", "100%:0", "--config", str(depot.config)]
    done = subprocess.run([sys.executable, "-m", "depot.cli", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    wished = vehicle.layout.wanted
    wait_until(lambda: recover.read(wished).get("release") == made, timeout_s=60, what="the wish on the vehicle")


def is_ended_in_the_middle(vehicle: Vehicle) -> int:
    """systemd ends it while a file comes; it does so at once and leaves no bundle. Returns the bytes it keeps."""
    process = vehicle.fetch()
    wait_until(lambda: vehicle.kept() >= 4 * STEP or process.poll() is not None, timeout_s=60, what="some of it")
    asked_s = time.monotonic()
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert time.monotonic() - asked_s < _ENDS_WITHIN_S
    assert (process.returncode, said) == (5, "")
    assert not (vehicle.layout.bundle / "bundle.json").exists()
    return vehicle.kept()


def is_brought_to_its_end(vehicle: Vehicle, made: str, kept: int) -> None:
    """The next run fetches what is missing, and nothing that was there."""
    said, _ = vehicle.fetch().communicate(timeout=300)
    found = re.fullmatch(rf"{re.escape(made)}: (\d+) bytes; complete\n", said)
    assert found is not None, said
    metadata = sum(path.stat().st_size for path in (vehicle.layout.bundle / "metadata").iterdir())
    all_of_it = sum(path.stat().st_size for path in (vehicle.layout.bundle / "targets").rglob("*") if path.is_file())
    assert all_of_it - kept <= int(found[1]) <= all_of_it - kept + metadata


def is_believed(vehicle: Vehicle, made: str) -> None:
    """What root would do with it: signatures, and the hash of every file."""
    opened = open_bundle(
        vehicle.layout.bundle, trust=vehicle.layout.trust, cache=vehicle.layout.cache, now=None, root=None
    )
    release = opened.release(made)
    files = [*release.variants[0].wheels, *(model.file for model in release.models)]
    assert {opened.fetch(file).name for file in files} == {file.sha256 for file in files}
    assert any(file.target.startswith("wheels/wegewart-") for file in files)
