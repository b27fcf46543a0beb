# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A workshop with keys and bundles by scripts/os-bundle, and a device with the real RAUC on loop devices."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.os_update.board import RaspberryPi
from edge.os_update.control import Control, Places
from edge.os_update.rauc import Rauc
from edge.os_update.record import Store
from tests.os_update.pi import CMDLINE
from tests.servers import need, wait_until

ROOT = Path(__file__).parents[2]
OWN = ROOT / "firmware_config/raspberry_pi/os_update"
OS_BUNDLE = ROOT / "scripts/os-bundle"
BOOT_MIB = 4
#: As the real layout, but small: in sectors of 512 bytes.
LAYOUT = """label: dos
label-id: 0x57454745
unit: sectors
start=2048, size=65536, type=c
start=67584, size=8192, type=c
start=75776, size=8192, type=c
start=83968, type=f
start=86016, size=131072, type=83
start=219136, size=131072, type=83
start=352256, type=83
"""


def os_bundle(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the script, as a technician does."""
    for program in ("rauc", "mksquashfs", "mkfs.vfat", "mcopy", "mkfs.ext4", "sfdisk", "openssl"):
        need(program)
    return subprocess.run([OS_BUNDLE, *map(str, arguments)], capture_output=True, text=True, timeout=120)


def made(*arguments: object) -> None:
    done = os_bundle(*arguments)
    assert done.returncode == 0, done.stderr


def boot_tree(folder: Path) -> Path:
    """What a Raspberry Pi's boot partition has, in small."""
    (folder / "overlays").mkdir(parents=True)
    files = {"config.txt": "arm_64bit=1\n[all]\ninclude wegewart.txt\n", "wegewart.txt": "", "cmdline.txt": CMDLINE}
    for name, content in (files | {"kernel_2712.img": "kernel"}).items():
        (folder / name).write_text(content)
    (folder / "overlays/disable-bt.dtbo").write_bytes(b"\xd0\x0d\xfe\xed")
    return folder


def root_tree(folder: Path, version: str) -> Path:
    """A root with a file that tells its version, and one that takes its time."""
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/os-release").write_text(f"VERSION={version}\n")
    (folder / "large").write_bytes(os.urandom(8 << 20))
    return folder


class Workshop:
    """Keys and bundles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = folder / "keys"
        made("keys", self.keys)
        self.boot = boot_tree(folder / "boot")
        (folder / "layout").write_text(LAYOUT)
        root = root_tree(folder / "root", "2026.01.01")
        self.card = folder / "card.img"
        made("card", self.card, "--boot", self.boot, "--root", root, "--layout", folder / "layout", "--data-mib", 8)

    def bundle(self, version: str, *, keys: Path | None = None, form: str = "plain") -> Path:
        out = self.folder / f"{version}-{form}-{(keys or self.keys).name}.raucb"
        root = self.folder / f"root-{version}"
        if not root.exists():
            root_tree(root, version)
        made(
            *("bundle", out, "--boot", self.boot, "--root", root, "--version", version),
            *("--keys", keys or self.keys, "--format", form, "--boot-mib", BOOT_MIB),
        )
        return out


class Device:
    """A card on loop devices, with a message bus and the RAUC service of its own."""

    def __init__(self, folder: Path, workshop: Workshop) -> None:
        self.folder, self.loops, self._processes = folder, [], []
        folder.mkdir()
        card = folder / "card.img"
        subprocess.run(["cp", "--sparse=always", workshop.card, card], check=True)
        table = json.loads(subprocess.check_output([need("sfdisk"), "--json", card]))["partitiontable"]["partitions"]
        for row in table:
            number = int(row["node"].removeprefix(str(card)))
            part = folder / f"p{number}"
            if number in (1, 2, 3, 5, 6):
                part.symlink_to(self._loop(card, row["start"] * 512, row["size"] * 512))
        for name in ("proc/device-tree/chosen/bootloader", "proc/sys/kernel/random"):
            (folder / name).mkdir(parents=True)
        (folder / "proc/device-tree/model").write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
        (folder / "proc/device-tree/chosen/bootloader/build-timestamp").write_bytes(struct.pack(">I", 1756700000))
        (folder / "proc/cmdline").write_text(CMDLINE)
        self.boots("A", 1)
        self._configure(workshop)
        self._serve()

    def _loop(self, card: Path, offset: int, size: int) -> str:
        command = [need("losetup"), "--find", "--show", f"--offset={offset}", f"--sizelimit={size}", str(card)]
        loop = subprocess.check_output(command, text=True).strip()
        self.loops.append(loop)
        return loop

    def boots(self, slot: str, number: int, *, trial: bool = False) -> None:
        """What the boot loader would say."""
        told = self.folder / "proc/device-tree/chosen/bootloader"
        (told / "partition").write_bytes(struct.pack(">I", 2 if slot == "A" else 3))
        (told / "tryboot").write_bytes(struct.pack(">I", int(trial)))
        (self.folder / "proc/cmdline").write_text(CMDLINE.replace("slot=A", f"slot={slot}"))
        (self.folder / "proc/sys/kernel/random/boot_id").write_text(f"boot-{number}\n")
        (self.folder / "over").unlink(missing_ok=True)

    def _configure(self, workshop: Workshop) -> None:
        text = (OWN / "etc/rauc/system.conf").read_text()
        for number in (2, 3, 5, 6):
            text = text.replace(
                f"/dev/disk/by-partuuid/57454745-0{number}", str((self.folder / f"p{number}").resolve())
            )
        handler = self.folder / "backend"
        handler.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path[:0] = [{str(ROOT)!r}]\n"
            "from pathlib import Path\nfrom edge.os_update.backend import answer\n"
            "from tests.os_update.workshop import control\n"
            f"sys.exit(answer(control(Path({str(self.folder)!r})), sys.argv[1:]))\n"
        )
        handler.chmod(0o755)
        (self.folder / "mnt").mkdir()
        for old, new in (
            ("/usr/lib/wegewart-os/rauc-backend", handler),
            ("/etc/rauc/wegewart-os-ca.pem", workshop.keys / "ca.pem"),
            ("/data/wegewart-os/rauc.status", self.folder / "rauc.status"),
            ("/run/rauc", self.folder / "mnt"),
        ):
            assert old in text
            text = text.replace(old, str(new))
        if not device_mapper():
            text = text.replace("bundle-formats=-plain", "bundle-formats=plain")
        (self.folder / "system.conf").write_text(text)

    def _serve(self) -> None:
        address = f"unix:path={self.folder / 'bus'}"
        (self.folder / "bus.conf").write_text(
            "<busconfig><type>system</type><auth>EXTERNAL</auth>"
            f"<listen>{address}</listen><policy context='default'><allow user='*'/><allow own='*'/>"
            "<allow send_destination='*'/><allow receive_sender='*'/></policy></busconfig>"
        )
        self.environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address, "LC_ALL": "C"}
        bus = [need("dbus-daemon"), f"--config-file={self.folder / 'bus.conf'}", "--nofork"]
        self._start(bus)
        wait_until((self.folder / "bus").exists, what="message bus")
        self.start_rauc()

    def start_rauc(self, slot: str = "A") -> None:
        """The service; again after it was killed, or in another system."""
        command = [need("rauc"), f"--conf={self.folder / 'system.conf'}", "service", f"--override-boot-slot={slot}"]
        with (self.folder / "rauc.log").open("ab") as log:
            self.rauc = self._start(command, log)
        ask = [need("rauc"), "status"]
        wait_until(
            lambda: subprocess.run(ask, env=self.environment, capture_output=True).returncode == 0, what="RAUC service"
        )

    def _start(self, command: list[str], log: object = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        self._processes.append(process)
        return process

    def kill_rauc(self) -> None:
        """As a power cut does it: the service with everything that it has started."""
        os.killpg(self.rauc.pid, signal.SIGKILL)
        self.rauc.wait(10)
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            if str(self.folder) in line:
                subprocess.run(["umount", "-l", line.split()[1]], check=True)

    def end(self) -> None:
        for process in reversed(self._processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            if str(self.folder) in line:
                subprocess.run(["umount", "-l", line.split()[1]], check=False)
        for loop in self.loops:
            subprocess.run([need("losetup"), "--detach", loop], check=False)

    def control(self) -> Control:
        return control(self.folder, self.environment)

    def version(self, root: int) -> str:
        """What is in a root partition, as e2fsprogs reads it."""
        command = [need("debugfs"), "-R", "cat /etc/os-release", str((self.folder / f"p{root}").resolve())]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stdout.strip().removeprefix("VERSION=")


def control(folder: Path, environment: dict[str, str] | None = None) -> Control:
    """The update of this device; also for the backend that RAUC starts."""
    command = (need("rauc"), f"--conf={folder / 'system.conf'}")
    if environment is not None:
        command = (need("env"), f"DBUS_SYSTEM_BUS_ADDRESS={environment['DBUS_SYSTEM_BUS_ADDRESS']}", *command)
    return Control(
        store=Store(folder / "data"),
        machine=RaspberryPi(folder),
        installer=Rauc(command),
        places=Places(str(folder / "p{}")),
        over=folder / "over",
    )


def device_mapper() -> bool:
    """Whether this kernel can open a bundle of the format that devices demand (dm-verity)."""
    return "device-mapper" in Path("/proc/devices").read_text()


@contextmanager
def device(folder: Path, workshop: Workshop) -> Iterator[Device]:
    """A device; skips without root."""
    if os.geteuid() != 0:
        pytest.skip("loop devices and mounts need root")
    one = Device.__new__(Device)
    one.loops, one._processes = [], []
    try:
        one.__init__(folder, workshop)  # type: ignore[misc]
        yield one
    finally:
        one.end()
