# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A card with two systems: by scripts/os-bundle, scripts/flash, firstboot, and itself at every boot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge.os_update.slots import A, addressed
from tests.os_update.workshop import BOOT_MIB, LAYOUT, boot_tree, made, root_tree
from tests.servers import need
from tests.workshop.firmware.programs_of_the_device import FIRMWARE, PI, load
from tests.workshop.flash import making
from tests.workshop.flash.making import Boot
from tests.workshop.flash.test_cards import Shop, shop
from workshop.flash.bootfiles import words

__all__ = ["shop"]

firstboot = load(FIRMWARE / "first_boot/firstboot")
SECTOR = 512
#: Where LAYOUT has the boot partition of system A.
AT = 67584 * SECTOR
IDENTITY = PI / "os_update/usr/lib/wegewart-os/identity"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    boot = boot_tree(tmp_path / "boot")
    # What the overlay and the memory limits need is there already, and is not added twice.
    assert {*words((PI / "boot/firmware/cmdline_add.txt").read_text())} <= {*(boot / "cmdline.txt").read_text().split()}
    layout = tmp_path / "layout"
    layout.write_text(LAYOUT)
    root = root_tree(tmp_path / "root", "2026.11.22")
    out = tmp_path / "two.img"
    made("card", out, "--boot", boot, "--root", root, "--layout", layout, "--data-mib", 8)
    return out


@pytest.fixture
def card(shop: Shop, image: Path) -> Path:
    assert shop.flash("--serial", "card", image=image) == 0
    assert shop.flash("--verify-only", image=image) == 0
    return shop.card


def test_system_a_gets_the_vehicle_s_files_and_every_other_byte_is_the_image_s(
    shop: Shop, image: Path, card: Path, tmp_path: Path
) -> None:
    before, after = image.read_bytes(), card.read_bytes()
    end = AT + BOOT_MIB * making.MIB
    assert (after[:AT], after[end:]) == (before[:AT], before[end:])
    making.fsck(card, BOOT_MIB * making.MIB, tmp_path, start=AT)
    boot = Boot(card, AT)
    assert boot.names() == {
        *("config.txt", "cmdline.txt", "kernel_2712.img", "overlays/disable-bt.dtbo"),
        *("wegewart.txt", "user-data", "meta-data", "network-config"),
        *(f"wegewart/{name}" for name in ("firstboot", "device.tar", "packages", "vehicle.toml", "flash.json")),
        *(f"wegewart/keys/{name}" for name in ("ca.pem", "vehicle.pem", "vehicle.key")),
    }
    for name in ("ca.pem", "vehicle.pem", "vehicle.key"):
        assert boot.read(f"wegewart/keys/{name}") == (shop.fleet / "vehicles/wagen-7" / name).read_bytes()
    assert boot.read("config.txt") == b"arm_64bit=1\n[all]\ninclude wegewart.txt\n"
    line = boot.read("cmdline.txt").decode()
    assert addressed(line, A) == line
    assert len(line.split()) == len({*line.split()})


class Disk(firstboot.Computer):  # type: ignore[misc,name-defined]
    """A computer with this card, larger than its image, as /dev/sdz."""

    def __init__(self, root: Path, card: Path) -> None:
        super().__init__(root)
        self.card, self.calls = card, []

    def _call(self, command: tuple[str, ...], text: str | None, timeout_s: float, *, errors: int) -> tuple[int, str]:
        self.calls.append(command)
        if command[0] == "sfdisk":
            real = (need("sfdisk"), *(word.replace("/dev/sdz", str(self.card)) for word in command[1:]))
            code, said = super()._call(real, text, timeout_s, errors=errors)
            return code, said.replace(str(self.card), "/dev/sdz")
        return {"blkid": (0, "/dev/sdz7\n"), "blockdev": (0, str(self.card.stat().st_size))}.get(command[0], (0, ""))


def test_its_data_partition_grows_to_the_end_of_a_larger_card_once(card: Path, tmp_path: Path) -> None:
    with card.open("r+b") as file:
        file.truncate(card.stat().st_size + 100 * making.MIB)
    device = Disk(tmp_path, card)
    for _ in range(2):
        firstboot.FirstBoot(device, tmp_path / "boot/firmware/wegewart").grow()
    table = json.loads(subprocess.check_output([need("sfdisk"), "--json", card]))["partitiontable"]["partitions"]
    assert [row["start"] for row in table] == [2048, 67584, 75776, 83968, 86016, 219136, 352256]
    size = card.stat().st_size // SECTOR
    assert size - 2048 <= table[6]["start"] + table[6]["size"] <= table[3]["start"] + table[3]["size"] <= size
    assert len([call for call in device.calls if call[0] == "sfdisk" and "--partno" in call]) == 2
    assert len([call for call in device.calls if call == ("resize2fs", "/dev/sdz7")]) == 2, (
        "after a cut it is still due"
    )


class Root:
    """A system's tree at one boot, with programs that only note what they are asked. `data`: what outlives it."""

    def __init__(self, folder: Path, boot: Path, data: Path) -> None:
        self.folder, self.log = folder, folder / "asked"
        for name, text in (
            ("passwd", "root:x:0:0::/root:/bin/sh\n"),
            ("group", "root:x:0:\nsudo:x:27:\nvideo:x:44:\n"),
        ):
            (folder / "etc").mkdir(parents=True, exist_ok=True)
            (folder / "etc" / name).write_text(text)
        (folder / "boot").mkdir()
        (folder / "boot/firmware").symlink_to(boot)
        (folder / "data").symlink_to(data)
        programs = folder / "programs"
        programs.mkdir()
        for name in ("hostname", "ssh-keygen", "useradd", "chown", "netplan"):
            (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >>{self.log}\n')
            (programs / name).chmod(0o755)
        self.environment = {"PATH": str(programs), "WEGEWART_ROOT": str(folder)}

    def boot(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", str(IDENTITY)], capture_output=True, text=True, env=self.environment, timeout=60
        )

    def read(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")


def mounted(card: Path, folder: Path) -> Path:
    """System A's boot partition as a folder."""
    folder.mkdir()
    making.run("mcopy", "-s", "-n", "-i", f"{card}@@{AT}", "::/*", str(folder))
    return folder


def test_at_every_boot_it_is_this_vehicle_s_before_and_after_the_first_one_has_ended(
    card: Path, tmp_path: Path
) -> None:
    boot, data = mounted(card, tmp_path / "fat"), tmp_path / "data"
    data.mkdir()
    first = Root(tmp_path / "first", boot, data)
    assert first.boot().returncode == 0
    (first.folder / "etc/ssh").mkdir()
    (first.folder / "etc/ssh/ssh_host_ed25519_key").write_text("the host's\n")
    keeping = firstboot.FirstBoot(firstboot.Computer(first.folder), boot / "wegewart")
    keeping.identity()
    keeping.secrets()
    assert not {"user-data", "network-config", "wegewart/flash.json"} & {
        str(path.relative_to(boot)) for path in boot.rglob("*")
    }
    # System B, written by an update: its boot partition holds nothing of the vehicle.
    (tmp_path / "fat B").mkdir()
    other = Root(tmp_path / "other", tmp_path / "fat B", data)
    lte = "etc/NetworkManager/system-connections/wegewart-lte.nmconnection"
    (other.folder / lte).parent.mkdir(parents=True)
    (other.folder / lte).write_text("changed by a technician\n")
    said = other.boot()
    assert said.returncode == 0, said.stderr
    for root in (first, other):
        assert root.read("etc/hostname") == "wagen-7\n"
        assert root.read("home/technik/.ssh/authorized_keys") == f"{making.SSH_KEY}\n"
        assert root.read("etc/sudoers.d/90-technik") == "technik ALL=(ALL) NOPASSWD:ALL\n"
        assert (root.folder / "etc/localtime").readlink() == Path("/usr/share/zoneinfo/Europe/Berlin")
        network = json.loads(root.read("etc/netplan/50-cloud-init.yaml"))["network"]
        assert len(network["wifis"]["wlan0"]["access-points"]) == 1
        assert (root.folder / "etc/netplan/50-cloud-init.yaml").stat().st_mode & 0o777 == 0o600
        asked = root.log.read_text()
        assert "useradd --create-home --shell /bin/bash --groups sudo,video technik\n" in asked, "only groups that are"
        assert asked.endswith("netplan generate\n")
    assert "pin=1234" in first.read(lte)
    assert other.read(lte) == "changed by a technician\n"
    assert other.read("etc/ssh/ssh_host_ed25519_key") == "the host's\n"
    assert (other.folder / "etc/ssh/ssh_host_ed25519_key").stat().st_mode & 0o777 == 0o600


def test_what_fails_is_a_line_and_the_rest_is_done(card: Path, tmp_path: Path) -> None:
    boot = mounted(card, tmp_path / "fat")
    root = Root(tmp_path / "root", boot, tmp_path / "nothing")
    (tmp_path / "root/programs/useradd").write_text("#!/bin/sh\necho full >&2\nexit 1\n")
    done = root.boot()
    assert done.returncode == 1
    assert done.stderr.startswith("identity: users: ")
    assert len(done.stderr.splitlines()) == 1
    assert root.read("etc/netplan/50-cloud-init.yaml")


@pytest.mark.parametrize("content", [None, b"", b"#cloud-config\n[]", b"#cloud-config\n{", b"\0" * 500])
def test_a_vehicle_s_file_that_is_none_is_no_traceback(content: bytes | None, tmp_path: Path) -> None:
    (tmp_path / "fat").mkdir()
    if content is not None:
        (tmp_path / "fat/user-data").write_bytes(content)
    done = Root(tmp_path / "root", tmp_path / "fat", tmp_path / "nothing").boot()
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("identity: ")
