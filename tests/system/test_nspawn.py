# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The units under the real systemd: it boots as process 1 of a container, starts them, watches them, ends them.

The camera is a rendered drive whose last picture is a pipe that nobody writes to: the daemon drives, sees and stores,
and then its camera hangs for ever in the kernel, as a real one does. What each test would not survive is named in it.
"""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import sqlite3
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from messages.types import Health, Status
from tests.delivery.little_depot import LittleDepot
from tests.delivery.samples import VEHICLE
from tests.servers import Mosquitto, free_port, mosquitto, wait_until
from tests.system.container import ROOT, Container, container, install

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="systemd is a matter of Linux"),
]

EDGE = "wegewart-edge.service"
DEPOT = "wegewart-depot.service"
DEVICE = ROOT / "firmware_config/raspberry_pi/etc/systemd/system"
#: Everything that a vehicle does after a start, on a busy machine.
DEADLINE_S = 60.0


class Vehicle:
    """A container with the daemon's unit as delivered, and a depot that listens and answers nothing."""

    def __init__(self, made: Container, depot: LittleDepot) -> None:
        self.container = made
        self._depot = depot
        self._states: list[str] = []

    def may_reboot(self, start_limit: int | None = None) -> None:
        """Give it the device's files for boots; the limit is the delivered one unless told."""
        for name in (f"{EDGE}.d/reboot.conf", "wegewart-reboot.service"):
            text = (DEVICE / name).read_text(encoding="utf-8")
            if start_limit is not None:
                text = re.sub("(?m)^StartLimitBurst=.*", f"StartLimitBurst={start_limit}", text)
            self.container.put(f"/etc/systemd/system/{name}", text)

    def start(self, *, pace: float, dropin: str = "", awaited: bool = True) -> None:
        """Boot it; systemd starts the daemon. `dropin` stands for what a technician would add to the unit."""
        self.container.put(
            "/etc/wegewart/vehicle.toml",
            f'vehicle = "{VEHICLE}"\n'
            f'[camera]\nkind = "replay"\nsource = "/opt/drive"\npace = {pace}\n'
            f'[position]\nkind = "replay"\n'
            f'[delivery]\nhost = "{self._depot.host}"\nport = {self._depot.port}\ndrain_s = 0.5\n',
        )
        self.container.put(f"/etc/systemd/system/{EDGE}.d/test.conf", dropin)
        self.container.boot(awaited=awaited)

    def pid(self) -> int:
        """The daemon's process, once systemd has heard READY=1 from it; as the container counts."""
        wait_until(self._active, timeout_s=DEADLINE_S, what="READY of the daemon")
        return int(self.show("MainPID"))

    def _active(self) -> bool:
        return self.show("ActiveState") == "active"

    def show(self, name: str) -> str:
        """A property of the daemon's unit."""
        return self.container.show(EDGE, name)

    def kill(self, signal: str, pid: int) -> None:
        """A signal to the daemon."""
        assert self.container.run("kill", f"-{signal}", str(pid)).returncode == 0

    def wait_restarts(self, number: int) -> None:
        """Wait until systemd has started the daemon anew so many times."""
        wait_until(lambda: int(self.show("NRestarts")) >= number, timeout_s=DEADLINE_S, what=f"restart {number}")

    def events(self) -> set[str]:
        """The ids in the outbox, which nobody has acknowledged."""
        outbox = self.container.root / "var/lib/wegewart/outbox.db"
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as store:
            return {row[0] for row in store.execute("SELECT id FROM event WHERE state = 'pending'")}
        return set()

    def wait_events(self) -> set[str]:
        """Wait until something has been found and stored."""
        wait_until(self.events, timeout_s=DEADLINE_S, what="an event in the outbox")
        return self.events()

    def states(self) -> list[str]:
        """What the depot has heard of the vehicle: online, offline, stopped."""
        with suppress(queue.Empty):
            while True:
                data = self._depot.seen.get_nowait()[1]
                if isinstance(data, Status):
                    self._states.append(data.state)
        return self._states

    def faults(self) -> list[str]:
        """What the depot has heard of faults."""
        found: list[str] = []
        with suppress(queue.Empty):
            while True:
                data = self._depot.seen.get(timeout=5)[1]
                if isinstance(data, Health):
                    found += data.faults
                    if found:
                        return found
        return found


@pytest.fixture(scope="module")
def drive(small_drive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small drive, after which the camera hangs."""
    folder = tmp_path_factory.mktemp("hanging") / "drive"
    shutil.copytree(small_drive, folder)
    last = max((folder / "frames").iterdir())
    last.unlink()
    os.mkfifo(last)
    return folder


@pytest.fixture
def computer(tmp_path: Path) -> Iterator[Container]:
    """An installed computer with our units, not booted yet."""
    with container(tmp_path) as made:
        install(made)
        made.put("/etc/sysusers.d/wegewart.conf", (ROOT / "systemd/sysusers.d/wegewart.conf").read_text())
        for unit in (ROOT / "systemd").glob("*.service"):
            made.put(f"/etc/systemd/system/{unit.name}", unit.read_text(encoding="utf-8"))
        yield made


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def vehicle(computer: Container, broker: Mosquitto, drive: Path) -> Iterator[Vehicle]:
    computer.lend(drive, "/opt/drive")
    computer.enable(EDGE)
    with LittleDepot(broker.host, broker.port, answering=False) as depot:
        yield Vehicle(computer, depot)


def test_the_daemon_starts_says_ready_and_stops_cleanly(vehicle: Vehicle) -> None:
    # Red without `liveness.ready` in edge/daemon.py: systemd waits for READY=1 in vain.
    # As on a device: with what a vehicle's sensors need, and the group that Raspberry Pi OS gives their chips to.
    sensors = (DEVICE / f"{EDGE}.d/sensors.conf").read_text(encoding="utf-8")
    vehicle.container.put(f"/etc/systemd/system/{EDGE}.d/sensors.conf", sensors)
    vehicle.container.put("/etc/sysusers.d/device.conf", "g gpio -\n")
    vehicle.start(pace=0.2)
    pid = vehicle.pid()
    assert (vehicle.show("StatusText"), vehicle.show("NRestarts")) == (f"looking at the road for {VEHICLE}", "0")
    process = Path("/proc", str(pid), "status")
    status = dict(
        line.split(":\t", 1) for line in vehicle.container.run("cat", str(process)).stdout.splitlines() if ":\t" in line
    )
    assert (int(status["CapEff"], 16), int(status["CapBnd"], 16), status["NoNewPrivs"], status["Seccomp"]) == (
        0,
        0,
        "1",
        "2",
    )
    assert int(status["Uid"].split()[0]) > 0
    wait_until(lambda: vehicle.states() == ["online"], what="the birth message")

    assert vehicle.container.run("systemctl", "stop", EDGE).returncode == 0
    # Red without the handler of SIGTERM in edge/cli_drive.py: exit by signal, no last line, no goodbye.
    assert (vehicle.show("Result"), vehicle.show("ExecMainStatus")) == ("success", "0")
    assert json.loads(vehicle.container.journal(EDGE)[-1])["frames_seen"] > 0
    wait_until(lambda: vehicle.states() == ["online", "stopped"], what="the goodbye")


def test_a_killed_daemon_is_started_again_and_its_outbox_is_whole(vehicle: Vehicle) -> None:
    # Red without Restart=always.
    vehicle.start(pace=4)
    pid = vehicle.pid()
    before = vehicle.wait_events()
    vehicle.kill("KILL", pid)
    vehicle.wait_restarts(1)
    assert vehicle.pid() != pid
    assert vehicle.events() >= before
    # The depot sees a new start, no "offline": the vehicle was back before its last will was due.
    wait_until(lambda: vehicle.states() == ["online", "online"], what="the second birth message")


def test_a_camera_that_hangs_ends_the_daemon_and_the_journal_says_where(vehicle: Vehicle) -> None:
    # Red without WatchdogSec (the process is alive, and nothing would ever happen again), and without the watcher.
    vehicle.start(pace=4, dropin="[Service]\nWatchdogSec=6\n")
    pid = vehicle.pid()
    vehicle.wait_restarts(1)
    assert vehicle.pid() != pid
    said = vehicle.container.journal(EDGE, pid)
    # The daemon's own last words, before systemd's watchdog would have ended it.
    assert "stage camera has not moved" in said[-1], said


def test_a_frozen_daemon_is_ended_by_the_watchdog(vehicle: Vehicle) -> None:
    # Nothing in a process that gets no time can notice it: only systemd can. Red without WatchdogSec.
    vehicle.start(pace=0.2, dropin="[Service]\nWatchdogSec=6\n")
    pid = vehicle.pid()
    vehicle.kill("STOP", pid)
    vehicle.wait_restarts(1)
    assert vehicle.pid() != pid
    assert any("Watchdog timeout" in line for line in vehicle.container.journal_of_systemd(EDGE))


def test_too_many_starts_boot_the_computer_anew_but_not_for_ever(vehicle: Vehicle) -> None:
    # Red without OnFailure= (silent for ever) and without the count of boots (booting for ever).
    vehicle.may_reboot(start_limit=1)
    vehicle.container.put("/var/lib/wegewart-reboot/boots", "boot\nboot\n")
    vehicle.start(pace=4, dropin="[Service]\nRestartSec=1\n")
    pid = vehicle.pid()
    before = vehicle.wait_events()
    vehicle.kill("KILL", pid)
    vehicle.container.wait_reboot(DEADLINE_S)

    pid = vehicle.pid()
    assert vehicle.events() >= before
    vehicle.kill("KILL", pid)
    wait_until(lambda: vehicle.show("MainPID") not in ("0", str(pid)), timeout_s=DEADLINE_S, what="a start after all")
    assert "three boots have not helped, going on without" in vehicle.container.journal("wegewart-reboot.service")


def test_after_a_reboot_on_purpose_the_daemon_runs_and_the_outbox_is_whole(vehicle: Vehicle) -> None:
    vehicle.start(pace=0.5)
    vehicle.pid()
    before = vehicle.wait_events()
    vehicle.container.run("systemctl", "reboot")
    vehicle.container.wait_reboot(DEADLINE_S)
    vehicle.pid()
    assert vehicle.events() >= before
    assert vehicle.states()[:2] == ["online", "stopped"], "the daemon was ended before it could say goodbye"


@pytest.mark.parametrize("code", [20, 21])
def test_the_daemon_asks_for_a_boot_or_for_the_end_by_its_exit_code(vehicle: Vehicle, code: int) -> None:
    # Red without RestartPreventExitStatus=20 21 or the cases of both in wegewart-reboot.service.
    vehicle.may_reboot()
    program = "/opt/wegewart/current/bin/wegewart-edge run --config /etc/wegewart/vehicle.toml"
    asked = "/var/lib/wegewart/asked"
    once = f"/bin/sh -c 'if [ -e {asked} ]; then exec {program}; else touch {asked}; exit {code}; fi'"
    vehicle.start(pace=0.2, dropin=f"[Service]\nExecStart=\nExecStart={once}\n", awaited=False)
    if code == 20:
        vehicle.container.wait_reboot(DEADLINE_S)
        assert vehicle.pid() > 0
        assert not (vehicle.container.root / "var/lib/wegewart-reboot/boots").exists(), "the daemon counts this one"
    else:
        vehicle.container.wait_off(DEADLINE_S)


def test_a_wrong_configuration_is_said_in_one_line_and_not_tried_again(vehicle: Vehicle) -> None:
    # Red without RestartPreventExitStatus=2; it would be booted for without the case of 2 in wegewart-reboot.service.
    vehicle.may_reboot()
    vehicle.start(pace=-1)
    wait_until(
        lambda: vehicle.container.show("wegewart-reboot.service", "ExecMainExitTimestampMonotonic") not in ("", "0"),
        timeout_s=DEADLINE_S,
        what="the question whether to boot",
    )
    state = [vehicle.show(name) for name in ("ActiveState", "ExecMainStatus", "NRestarts")]
    assert (state, vehicle.container.boots) == (["failed", "2", "0"], 1)
    said = vehicle.container.journal(EDGE)
    assert len(said) == 1, said
    assert "camera.pace" in said[0]


def test_a_daemon_that_failed_for_good_is_told_to_the_depot_by_the_health_unit(vehicle: Vehicle) -> None:
    vehicle.start(pace=1.0)
    vehicle.pid()
    toml = vehicle.container.root / "etc/wegewart/vehicle.toml"
    vehicle.container.put("/etc/wegewart/vehicle.toml", toml.read_text().replace("pace = 1.0", "pace = -1.0"))
    vehicle.container.run("systemctl", "restart", EDGE)
    wait_until(lambda: vehicle.show("ActiveState") == "failed", timeout_s=DEADLINE_S, what="the failure")
    done = vehicle.container.run("systemctl", "start", "wegewart-health.service")
    assert done.returncode == 0, vehicle.container.journal("wegewart-health.service")
    assert any("camera.pace" in fault for fault in vehicle.faults()), vehicle.container.journal(
        "wegewart-health.service"
    )


def test_the_depot_runs_in_its_cage_shows_its_page_and_judges_a_photo(
    computer: Container, broker: Mosquitto, small_drive: Path
) -> None:
    # Its unit forbids more than the vehicle's: memory that can be written and run, devices, other users.
    port = free_port()
    computer.put(
        "/etc/wegewart/depot.toml",
        f'[broker]\nhost = "{broker.host}"\nport = {broker.port}\n'
        f'[data]\nfolder = "/var/lib/wegewart-depot"\n[people]\nlogin = "off"\n[http]\nport = {port}\n',
    )
    computer.enable(DEPOT)
    computer.boot()

    def shows() -> bool:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
            return bool(page.status == 200)
        return False

    wait_until(shows, timeout_s=DEADLINE_S, what="the depot's page")
    photo = next(iter(sorted((small_drive / "frames").glob("*.jpg"))))
    answer = httpx.post(
        f"http://127.0.0.1:{port}/api/reports",
        data={"id": "report-1", "lon": "6.76", "lat": "51.43"},
        files={"picture": ("photo.jpg", photo.read_bytes(), "image/jpeg")},
        timeout=120,
    )
    assert answer.status_code == 201, (answer.text, computer.journal(DEPOT))
    assert computer.run("systemctl", "stop", DEPOT).returncode == 0
    assert (computer.show(DEPOT, "Result"), computer.show(DEPOT, "NRestarts")) == ("success", "0")
