# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A card with two systems in a computer: the real systemd on a root that forgets, its data on a loop device."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.life_of_a_device import device as life_device
from tests.life_of_a_device.device import DEADLINE_S, EDGE, Device
from tests.os_update.workshop import LAYOUT, made
from tests.servers import wait_until
from tests.system.test_readonly_root import disk
from tests.workshop.flash import making
from workshop.flash import cli as flash

__all__ = ["disk"]

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

FIRSTBOOT, IDENTITY = "wegewart-firstboot.service", "wegewart-os-identity.service"
_ALL = {"node": "/dev/sdz7", "start": 1, "size": 31000, "type": "83"}
#: A container has neither the card's partitions nor a network; these say what a Raspberry Pi's would.
PLAYED = {
    "blkid": "echo /dev/sdz7",
    "blockdev": "echo 16000000",
    "sfdisk": f"echo '{json.dumps({'partitiontable': {'partitions': [_ALL]}})}'",
    "resize2fs": "exit 0",
    "netplan": "exit 0",
}


class TwoSystems(Device):
    """Boots by our first program, as the kernel's words ask; `binds`: folders that outlive a boot."""

    def __init__(self, folder: Path, changes: Path) -> None:
        super().__init__(folder, changes)
        self.binds: dict[Path, str] = {}
        for name, text in PLAYED.items():
            place = self._changes / "sbin" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"#!/bin/sh\n{text}\n")
            place.chmod(0o755)
        # The release here is none that starts.
        (self.root / "etc/systemd/system.control" / EDGE).symlink_to("/dev/null")

    def install(self, tree: Path) -> None:
        """Put in what os-bundle has prepared."""
        shutil.copytree(tree / "usr", self._changes, dirs_exist_ok=True, symlinks=True)
        for name in ("etc", "var"):
            for path in (tree / name).rglob("*"):
                place = self.root / path.relative_to(tree)
                if place.is_symlink() or (path.is_dir() and not path.is_symlink()):
                    continue  # masked here
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, place, follow_symlinks=False)
        for name in ("data", "mnt", "boot/firmware"):
            (self.root / name).mkdir(parents=True)

    def _command(self, *what: str) -> list[str]:
        command = super()._command(*what)
        if what != ("--boot",):
            return command
        lent = [
            f"--bind{'-ro' if place.startswith('/boot') else ''}={path}:{place}" for path, place in self.binds.items()
        ]
        return [*command[:-1], *lent, "/usr/lib/wegewart/readonly-root"]

    def said(self, path: str) -> str:
        done = self.run("cat", path)
        return done.stdout if done.returncode == 0 else ""


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoSystems]:
    monkeypatch.setattr(life_device, "Device", TwoSystems)
    with life_device.device(tmp_path / "computer") as made_one:
        assert isinstance(made_one, TwoSystems)
        yield made_one


def prepared(folder: Path) -> tuple[Path, Path]:
    """The trees of a system, and a card made of them and flashed."""
    root, boot, keys = folder / "tree", folder / "boot", folder / "keys"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=raspbian\n")
    boot.mkdir()
    (boot / "config.txt").write_text("dtparam=audio=on\n")
    (boot / "cmdline.txt").write_text("console=tty1 root=PARTUUID=1-02 rootwait resize ds=nocloud;i=rpios quiet\n")
    (folder / "layout").write_text(LAYOUT)
    made("keys", keys)
    made("prepare", root, "--boot", boot, "--ca", keys / "ca.pem")
    made("card", folder / "two.img", "--boot", boot, "--root", root, "--layout", folder / "layout", "--data-mib", 8)
    fleet = making.fleet(folder / "fleet", "wagen-7")
    words = ["--vehicle", "wagen-7", "--site", making.site(folder, making.RADIO), "--fleet", fleet, "--serial", "card"]
    assert flash.main([str(word) for word in (folder / "two.img", folder / "card", *words)]) == 0
    fat = folder / "fat"
    fat.mkdir()
    making.run("mcopy", "-s", "-n", "-i", f"{folder / 'card'}@@{67584 * 512}", "::/*", str(fat))
    # The packages of the system are those that this machine has.
    (fat / "wegewart/packages").write_text("")
    return root, fat


def test_a_flashed_card_with_two_systems_is_a_vehicle_and_stays_it_in_system_b(
    computer: TwoSystems, disk: Path, tmp_path: Path
) -> None:
    tree, fat = prepared(tmp_path)
    computer.install(tree)
    computer.binds = {disk: "/data", fat: "/boot/firmware"}
    for path in disk.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    # The release's installation is another test's (the life of a device).
    (disk / "opt/wegewart/releases/r1").mkdir(parents=True)
    (disk / "opt/wegewart/current").symlink_to("releases/r1")
    key = (fat / "wegewart/keys/vehicle.key").read_bytes()

    computer.boot(awaited=False)
    computer.wait_reboot(DEADLINE_S)
    facts = json.loads((fat / "wegewart/firstboot.done").read_text())
    assert (facts["release"], facts["readonly"]) == ("r1", True)
    left = {path.name for path in fat.rglob("*") if path.is_file()}
    assert not left & {"vehicle.key", "vehicle.pem", "user-data", "network-config", "flash.json"}
    assert (disk / "etc/wegewart/vehicle.key").read_bytes() == key
    lte = disk / "etc/NetworkManager/system-connections/wegewart-lte.nmconnection"
    assert "pin=1234" in lte.read_text()
    assert lte.stat().st_mode & 0o777 == 0o600
    host_key = (disk / "identity/ssh_host_ed25519_key").read_text()

    # Another system: of this vehicle its boot partition knows nothing.
    shutil.rmtree(fat / "wegewart")
    computer.run("systemctl", "reboot")
    computer.wait_reboot(DEADLINE_S)
    wait_until(lambda: computer.show(IDENTITY, "SubState") == "exited", what=str(computer.journal(IDENTITY)))
    assert computer.said("/etc/hostname") == "wagen-7\n"
    assert computer.run("hostname").stdout == "wagen-7\n"
    assert computer.said("/etc/ssh/ssh_host_ed25519_key") == host_key
    assert re.search(r"(?m)^technik:", computer.said("/etc/passwd"))
    assert computer.said("/home/technik/.ssh/authorized_keys") == f"{making.SSH_KEY}\n"
    assert computer.run("stat", "-c", "%U", "/home/technik/.ssh/authorized_keys").stdout == "technik\n"
    assert computer.said("/etc/wegewart/vehicle.key").encode() == key
    assert computer.run("findmnt", "-no", "FSTYPE", "/").stdout == "overlay\n"
    assert computer.run("systemctl", "is-enabled", FIRSTBOOT).stdout == "enabled\n"
    for name in ("etc/hostname", "home/technik", "etc/ssh/ssh_host_ed25519_key", "etc/wegewart/vehicle.key"):
        assert not (computer.root / name).exists(), "something was written to the root below the memory"
