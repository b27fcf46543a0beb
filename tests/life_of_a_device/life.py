# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""All who take part in a device's life, and its chapters; each waits for what it is about, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.delivery.samples import VEHICLE
from tests.life_of_a_device.depot import Broker, Depot, broker, served
from tests.life_of_a_device.device import DEADLINE_S, EDGE, FETCH, UPDATE, Device, device
from tests.life_of_a_device.drive import parked_at_its_end
from tests.life_of_a_device.ssh import Cable
from tests.life_of_a_device.workshop_computer import BOARD, WorkshopComputer
from tests.servers import HOST, wait_until

#: What the camera sees. `ROLLS_ON`: the same, then farther than a release on trial may go without a look.
DRIVE, ROLLS_ON = "/opt/drive", "/opt/rolls_on"
_ROLLS_S = 30


def vehicle_toml(port: int, repository: str) -> str:
    """The template for the site; the windows are as short as they may be."""
    return f"""\
vehicle = "{{vehicle}}"
[camera]
kind = "replay"
source = "{DRIVE}"
pace = 1.0
[position]
kind = "replay"
[delivery]
host = "{HOST}"
port = {port}
ca = "/etc/wegewart/ca.pem"
certificate = "/etc/wegewart/vehicle.pem"
key = "/etc/wegewart/vehicle.key"
drain_s = 0.5
health_s = 1.0
[update]
repository = "{repository}"
board = "{BOARD}"
bytes_per_s = 0.0
parked_s = 0
start_s = 120
window_s = 5
"""


class Life:
    """`first`: the release on the card; `seconds`: how long each chapter took."""

    def __init__(self, desk: WorkshopComputer, city: Broker, depot: Depot, vehicle: Device, first: str) -> None:
        self.desk, self.city, self.depot, self.vehicle, self.first = desk, city, depot, vehicle, first
        self.seconds: dict[str, float] = {}
        self.cable: Cable | None = None

    @contextmanager
    def timed(self, chapter: str) -> Iterator[None]:
        """Note how long something took."""
        began_s = time.monotonic()
        yield
        self.seconds[chapter] = time.monotonic() - began_s

    def is_born(self) -> None:
        """Flashed, started, at work."""
        first = self.first
        self.vehicle.first_boot()
        boot = self.vehicle.root / "boot/firmware"
        assert not list((boot / "wegewart/keys").iterdir()), "the key is still on the card"
        assert (boot / "wegewart/firstboot.done").is_file()
        told = ("user-data", "network-config", "wegewart/flash.json")
        assert not [name for name in told if (boot / name).exists()], "PIN and Wi-Fi key are still on the card"
        self.depot.wait_online(first, DEADLINE_S)
        assert self.vehicle.current() == first
        self.depot.wait_update(first, "active", DEADLINE_S)
        wait_until(lambda: self.depot.events, timeout_s=DEADLINE_S, what="observations")

    def is_fit(self) -> None:
        """Fitting's last step, typed as docs/technician.md says: the doctor finds nothing that is broken."""
        self.vehicle.run("systemctl", "stop", EDGE, timeout_s=DEADLINE_S)
        # What sudo -u does; the machine that lends its /usr need not have that.
        user = ("setpriv", "--reuid=wegewart", "--regid=wegewart", "--init-groups")
        doctor = ("/opt/wegewart/current/bin/wegewart-edge", "doctor", "--config", "/etc/wegewart/vehicle.toml")
        done = self.vehicle.run(*user, *doctor, timeout_s=DEADLINE_S)
        assert done.returncode == 0, done.stdout + done.stderr
        self.vehicle.run("systemctl", "start", EDGE, timeout_s=DEADLINE_S)

    def takes_from_a_stick(self, wanted: str, base: str) -> None:
        """A technician's update."""
        self.vehicle.wait_parked()
        code, said = self.vehicle.update("install", "--bundle", self.desk.stick(wanted, base=base))
        assert code == 0, said
        assert f"{wanted} runs and is confirmed" in said
        self.depot.wait_online(wanted, DEADLINE_S)
        self.depot.wait_update(wanted, "active", DEADLINE_S)
        assert "pending" in self.depot.updates_of(wanted)

    def takes_over_ssh(self, wanted: str, base: str) -> float:
        """A technician's update from the workshop's computer. Returns the seconds until that says: it is healthy."""
        self.desk.stick(wanted, base=base)
        if self.cable is None:
            self.cable = Cable(self.vehicle, self.desk.folder / "ssh")
        self.vehicle.wait_parked()
        began_s = time.monotonic()
        code, said = self.cable.update(self.desk.media / wanted)
        took_s = time.monotonic() - began_s
        assert code == 0, said
        assert f"{wanted} runs and is healthy" in said
        assert self.vehicle.current() == wanted
        self.depot.wait_update(wanted, "active", DEADLINE_S)
        return took_s

    def takes_from_the_depot(self, wanted: str) -> None:
        """A roll-out's update: fetched, staged, taken once the vehicle is parked."""
        self.is_ordered(wanted, parked_s=86_400)
        self.depot.wait_update(wanted, "staged", 2 * DEADLINE_S)
        assert self.vehicle.current() != wanted
        self.vehicle.configure("parked_s", 0)
        self.vehicle.wait_parked()
        # Twice: its timer may have started it just before, with the old configuration.
        for _ in range(2):
            self.vehicle.run("systemctl", "start", UPDATE, timeout_s=2 * DEADLINE_S)
        self.depot.wait_update(wanted, "active", DEADLINE_S)
        assert self.depot.updates_of(wanted) == ["staged", "pending", "active"]
        assert self.vehicle.current() == wanted

    def refuses(self, spoilt: str, base: str) -> str:
        """From a stick: nothing is switched, or switched back by itself. Returns the reason as the depot is told it."""
        self.vehicle.wait_parked()
        code, said = self.vehicle.update("install", "--bundle", self.desk.stick(spoilt, base=base))
        assert code == 4, said
        return self.lives_on(spoilt, base)

    def gives_back_on_the_road(self, spoilt: str, base: str) -> str:
        """As `refuses`; the vehicle drives as soon as it has switched. Returns the reason."""
        self.vehicle.wait_parked()
        self.vehicle.configure("source", ROLLS_ON)
        reason = self.refuses(spoilt, base)
        self.vehicle.configure("source", DRIVE)
        return reason

    def goes_back(self, spoilt: str, base: str) -> str:
        """From the depot, by the services alone. Returns the reason as the depot is told it."""
        self.vehicle.wait_parked()
        self.is_ordered(spoilt, parked_s=0)
        return self.lives_on(spoilt, base)

    def lives_on(self, spoilt: str, base: str) -> str:
        """The release before runs, is online and looks."""
        reason = self.depot.wait_update(spoilt, "failed", 2 * DEADLINE_S).reason
        wait_until(lambda: self.vehicle.daemon().get("release") == base, timeout_s=DEADLINE_S, what=f"{base} again")
        self.depot.wait_online(base, DEADLINE_S)
        assert self.vehicle.current() == base
        return reason

    def is_stolen(self) -> None:
        """Its certificate is taken back: it may not say anything any more, and loses nothing."""
        self.desk.provision("revoke", VEHICLE, "--reason", "stolen")
        self.city.stop()
        self.city.start()
        wait_until(lambda: "certificate verify failed" in self.city.log(), timeout_s=DEADLINE_S, what="a refusal")
        stored = set(self.depot.events)
        self.vehicle.run("systemctl", "restart", EDGE, timeout_s=DEADLINE_S)
        self.vehicle.wait_parked()
        waiting = self.vehicle.waiting()
        assert waiting, "nothing was found on the drive"
        assert not self.vehicle.daemon()["online"]
        self.vehicle.run("systemctl", "reboot")
        self.vehicle.wait_reboot(DEADLINE_S)
        self.vehicle.wait_parked()
        assert self.vehicle.waiting() > waiting
        assert set(self.depot.events) == stored

    def is_ordered(self, wanted: str, *, parked_s: int) -> None:
        """The command reaches the vehicle; then the timer's next look is not waited for."""
        self.vehicle.configure("parked_s", parked_s)
        reply = self.depot.order(wanted)
        assert reply.ok, reply
        done = self.vehicle.run("systemctl", "start", FETCH, timeout_s=DEADLINE_S)
        assert done.returncode == 0, self.vehicle.journal(FETCH)


@contextmanager
def begun(folder: Path, small_drive: Path) -> Iterator[Life]:
    """Up to the moment at which the card is put in."""
    with device(folder / "computer") as vehicle:
        desk = WorkshopComputer(folder / "workshop")
        desk.new_fleet()
        desk.new_repository()
        with broker(desk.fleet, folder / "broker") as city, served(desk.repository) as repository:
            first = desk.release(desk.street)
            desk.stick(first)
            vehicle.insert(desk.flash(vehicle_toml(city.port, repository), first))
            vehicle.lend(parked_at_its_end(small_drive, folder / "drive"), DRIVE)
            vehicle.lend(parked_at_its_end(small_drive, folder / "rolls_on", rolls_s=_ROLLS_S), ROLLS_ON)
            vehicle.lend(desk.media, "/media")
            with Depot(city, desk.fleet) as depot:
                yield Life(desk, city, depot, vehicle, first)
