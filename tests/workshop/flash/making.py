# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Small images, sites, fleets and cards to try with; and a loop device where there is root."""

from __future__ import annotations

import io
import os
import random
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.servers import need
from workshop.desk import Desk

NOW = datetime.now(timezone.utc).replace(microsecond=0)
MIB = 1024 * 1024
CONFIG = "# of the image\n[pi5]\ndtparam=nvme\n"
CMDLINE = "console=tty1 root=PARTUUID=1-02 rootwait resize ds=nocloud;i=rpios-image quiet\n"
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEhnZ3ZpQ2VydGFpbmx5Tm90UmVhbEtleUZvclRlc3Rz technik@werkstatt"


def only_root() -> None:
    """Skip a test that only root can run."""
    if os.geteuid():
        pytest.skip("needs root (loop devices)")


def raw_image(
    path: Path, *, boot_mib: int = 6, root_mib: int = 10, table: str = "dos", files: dict[str, bytes] | None = None
) -> Path:
    """A card's image as Raspberry Pi OS has it: table, FAT with boot files, something else behind it."""
    noise = random.Random(7)
    with path.open("wb") as file:
        file.truncate((1 + boot_mib + root_mib + 1) * MIB)
        file.seek((1 + boot_mib) * MIB)
        file.write(noise.randbytes(root_mib * MIB))
    kind = "c" if table == "dos" else "U"
    parts = (
        f"label: {table}\nstart=1MiB, size={boot_mib}MiB, type={kind}\n"
        f"start={1 + boot_mib}MiB, size={root_mib}MiB, type=L\n"
    )
    run("sfdisk", "--quiet", str(path), content=parts.encode())
    boot = path.with_suffix(".boot")
    boot.write_bytes(bytes(boot_mib * MIB))
    run("mkfs.vfat", "-n", "BOOTFS", str(boot))
    for name, content in (files if files is not None else pi_files()).items():
        run("mcopy", "-i", str(boot), "-", f"::{name}", content=content)
    with path.open("r+b") as file:
        file.seek(MIB)
        file.write(boot.read_bytes())
    boot.unlink()
    return path


def pi_files() -> dict[str, bytes]:
    """What the boot partition of an image holds."""
    return {
        "config.txt": CONFIG.encode(),
        "cmdline.txt": CMDLINE.encode(),
        "kernel8.img": random.Random(8).randbytes(300_000),
        "user-data": b"#cloud-config\n",
    }


def run(program: str, *arguments: str, content: bytes = b"") -> bytes:
    """Run a real tool."""
    done = subprocess.run(
        [need(program), *arguments], input=content, capture_output=True, env=os.environ | {"MTOOLS_SKIP_CHECK": "1"}
    )
    assert done.returncode == 0, (program, arguments, done.stderr)
    return done.stdout


def project(folder: Path) -> Path:
    """A checkout's folders that go onto a device, small and known."""
    board = folder / "firmware_config" / "raspberry_pi"
    jetson = folder / "firmware_config" / "jetson_orin_nano"
    for path, text in {
        board / "boot/firmware/config.txt": "[all]\ndtparam=watchdog=on\n",
        board / "boot/firmware/cmdline_add.txt": "# why\ncgroup_enable=memory quiet\n",
        board / "etc/chrony/chrony.conf": "refclock SHM 0\n",
        board / "usr/local/sbin/tool": "#!/bin/sh\n",
        board / "packages": "gpsd\nchrony\n",
        jetson / "etc/chrony/chrony.conf": "refclock SHM 1\n",
        folder / "firmware_config/first_boot/firstboot": "#!/bin/sh\necho first\n",
        folder / "systemd/wegewart-edge.service": "[Service]\n",
        folder / "systemd/wegewart-depot.service": "[Service]\n",
        folder / "systemd/sysusers.d/wegewart.conf": "u wegewart -\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (board / "usr/local/sbin/tool").chmod(0o755)
    return folder


def fleet(folder: Path, *vehicles: str, days: int = 365, now: datetime = NOW) -> Path:
    """A fleet's folder with certificates."""
    desk = Desk.make(folder, now, name="Test")
    for one in vehicles:
        desk.vehicle(one, days=days)
    return folder


def site(folder: Path, more: str = "") -> Path:
    """A site file and all that it names."""
    (folder / "wifi.txt").write_text("streng geheim\n")
    (folder / "pin.txt").write_text("1234\n")
    (folder / "vehicle.toml").write_text('vehicle = "{vehicle}"\n')
    path = folder / "site.toml"
    path.write_text(f'ssh_keys = ["{SSH_KEY}"]\nvehicle_config = "vehicle.toml"\n{more}', encoding="utf-8")
    return path


RADIO = """
[wifi]
ssid = "Bauhof: 'Süd' \\"1\\""
password_file = "wifi.txt"
[lte]
apn = "internet.t-d1.de"
pin_file = "pin.txt"
"""


def bundle(folder: Path) -> tuple[Path, Path]:
    """An update bundle and its root of trust."""
    for path, text in {
        "bundle.json": '{"release": "r1"}',
        "metadata/1.root.json": "{}",
        "targets/app.whl": "wheel",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    root = folder.with_name("root.json")
    root.write_text('{"signed": {"_type": "root"}}')
    return folder, root


@contextmanager
def loop(path: Path) -> Iterator[Path]:
    """A file as a real block device."""
    only_root()
    device = run("losetup", "--find", "--show", "--partscan", str(path)).decode().strip()
    try:
        yield Path(device)
    finally:
        run("losetup", "--detach", device)


@dataclass
class Boot:
    """The boot partition of a card, read by mtools with its own idea of where it lies."""

    card: Path
    start: int = MIB

    def read(self, name: str) -> bytes:
        """A file."""
        return run("mcopy", "-n", "-i", f"{self.card}@@{self.start}", f"::{name}", "-")

    def names(self) -> set[str]:
        """Every file."""
        listed = run("mdir", "-/", "-b", "-i", f"{self.card}@@{self.start}", "::").decode().splitlines()
        return {line[3:] for line in listed if not line.endswith("/")}

    def tar(self) -> dict[str, tarfile.TarInfo]:
        """What device.tar holds."""
        with tarfile.open(fileobj=io.BytesIO(self.read("wegewart/device.tar"))) as tar:
            return {one.name: one for one in tar}


def can_mount_fat() -> bool:
    """Root, and a kernel with vfat."""
    return os.geteuid() == 0 and "\tvfat\n" in Path("/proc/filesystems").read_text()


def fsck(card: Path, size: int, folder: Path, start: int = MIB) -> None:
    """The partition is sound, says fsck.fat."""
    part = folder / "part"
    with card.open("rb") as file:
        file.seek(start)
        part.write_bytes(file.read(size))
    done = subprocess.run([need("fsck.vfat"), "-n", str(part)], capture_output=True)
    assert done.returncode == 0, done.stdout
    assert shutil.which("mcopy")
