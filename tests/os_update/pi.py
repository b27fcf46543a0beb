# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A Raspberry Pi without the board: a card of real FAT images, and a boot loader that follows the documented rules.

The rules are Raspberry Pi's own words on autoboot.txt and PARTITION_WALK, read with mtools and with nothing of
`edge.os_update`. Its power can be cut before, after and within every write.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from edge.os_update import backend, fat
from edge.os_update.control import COMPATIBLE, Control, Places
from edge.os_update.deciding import Board
from edge.os_update.health import Look
from edge.os_update.rauc import Bundle
from edge.os_update.record import Record, Store
from edge.os_update.slots import Boot, Doubt
from edge.os_update.watch import watch
from tests.servers import need

FIRST = "[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n"
CMDLINE = (
    "console=tty1 root=PARTUUID=57454745-05 rootfstype=ext4 ro rootwait panic=10 rauc.slot=A "
    "systemd.mount-extra=PARTUUID=57454745-02:/boot/firmware:vfat:ro,nofail "
    "init=/usr/lib/wegewart/readonly-root cloud-init=disabled cgroup_enable=memory fsck.repair=yes\n"
)
NEW_EEPROM = Board("Raspberry Pi 5 Model B Rev 1.0", datetime(2025, 9, 1, tzinfo=timezone.utc))
#: How a system behaves: its kernel never starts; the daemon never gets ready; no broker is ever reached.
KINDS = ("good", "hangs", "ill", "lonely")


class Cut(BaseException):
    """The power was cut."""


class Rebooting(BaseException):
    """The system asked for a reboot and went down."""


def fat_image(path: Path, *, kib: int, bits: int, **files: str | bytes) -> Path:
    """A file with a FAT file system; names with "_" for the dot."""
    path.write_bytes(b"")
    with path.open("r+b") as file:
        file.truncate(kib * 1024)
    quiet = {"check": True, "capture_output": True}
    subprocess.run([need("mkfs.vfat"), "-F", str(bits), str(path)], **quiet)
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        target = f"::{name.replace('_', '.')}"
        subprocess.run([need("mcopy"), "-o", "-i", str(path), "-", target], input=data, **quiet)
    return path


def fat_file(path: Path, name: str) -> bytes | None:
    """A file's content as mtools read it; None: there is none, or no FAT."""
    done = subprocess.run([need("mtype"), "-i", str(path), f"::{name}"], capture_output=True)
    return done.stdout if done.returncode == 0 else None


@cache
def system_image(version: str, kind: str) -> tuple[bytes, bytes]:
    """Boot partition and root of a system, as its bundle carries them."""
    with TemporaryDirectory() as folder:
        boot = fat_image(
            Path(folder) / "boot",
            kib=64,
            bits=12,
            config_txt="arm_64bit=1\n",
            cmdline_txt=CMDLINE,
            kernel=f"{version} {kind}",
        )
        return boot.read_bytes(), f"root {version} {kind} ".encode() * 100


def chosen_partition(p1: Path, *, tryboot: bool) -> int | None:
    """What autoboot.txt makes the boot loader take; None: nothing that it understands."""
    content = fat_file(p1, "autoboot.txt")
    if content is None or len(content) > 512:
        return None
    taken, applies = None, True
    for line in content.decode("ascii", "replace").splitlines():
        text = line.strip()
        if text.startswith("["):
            applies = text == "[all]" or (text == "[tryboot]" and tryboot)
        elif applies and text.startswith("boot_partition=") and text[15:].isdigit():
            taken = int(text[15:])
    return taken


@dataclass
class Plan:
    """When the power is cut: at the so many-th write from now, and how that write is left."""

    after: int = -1
    how: str = "before"  # before, after, garbage, or the number of bytes that came through

    def hit(self) -> bool:
        self.after -= 1
        return self.after == -1


@dataclass
class Pi:
    """The device. It is up (`control` is there) or off."""

    folder: Path
    board_now: Board = NEW_EEPROM
    plan: Plan = field(default_factory=Plan)
    now_s: float = 1000.0
    boots: int = 0
    flag: bool = False
    boot_now: Boot | None = None
    offers: dict[str, tuple[str, str]] = field(default_factory=dict)
    parked: bool = True

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        fat_image(self.folder / "p1", kib=4096, bits=12, autoboot_txt=FIRST)
        boot, root = system_image("2026.01.01", "good")
        for number, content in ((2, boot), (3, b"\0" * len(boot)), (5, root), (6, b"\0" * len(root))):
            (self.folder / f"p{number}").write_bytes(content)
        self.control = self._control()
        self.power_on()

    def _control(self) -> Control:
        return Control(
            store=_Store(self),
            machine=self,
            installer=self,
            places=Places(str(self.folder / "p{}")),
            over=self.folder / "over",
        )

    # ---- the boot loader

    def power_on(self) -> None:
        """Boot until a system is up and has judged its boot; a system that hangs is reset by the watchdog."""
        for _ in range(10):
            partition = self._take()
            self.boots += 1
            tryboot, self.flag = self.flag, False
            (self.folder / "over").unlink(missing_ok=True)
            root_slot = self._start(partition)
            if root_slot is None:
                assert tryboot, f"BRICK: boots partition {partition} by default, which does not start"
                continue
            self.boot_now = Boot(f"boot-{self.boots}", partition, tryboot, root_slot)
            self.control = self._control()
            try:
                self.control.at_boot()
            except Rebooting:
                continue
            except Cut:
                self.plan, self.flag = Plan(), False
                continue
            return
        pytest.fail("BRICK: boots for ever")

    def _take(self) -> int:
        wanted = chosen_partition(self.folder / "p1", tryboot=self.flag)
        first = 1 if wanted is None else wanted
        # PARTITION_WALK: from there on the next one that looks bootable.
        walk = [first, *range(1, 9)]
        return next((n for n in walk if n in (2, 3) and fat_file(self.folder / f"p{n}", "config.txt")), first)

    def _start(self, partition: int) -> str | None:
        """The slot whose root comes up; None: the kernel hangs, or finds no root."""
        system = self.system(partition)
        if system is None or system[1] == "hangs":
            return None
        return "A" if partition == 2 else "B"

    def system(self, partition: int) -> tuple[str, str] | None:
        """Version and kind of a system that is complete and starts its own root; None: it is not."""
        boot, root = ((self.folder / f"p{number}").read_bytes() for number in (partition, partition + 3))
        for version, kind in {("2026.01.01", "good"), *self.offers.values()}:
            wanted_boot, wanted_root = system_image(version, kind)
            if partition == 3:
                for old, new in ((b"45-05", b"45-06"), (b"45-02:", b"45-03:"), (b"slot=A", b"slot=B")):
                    wanted_boot = wanted_boot.replace(old, new)
            if (boot, root) == (wanted_boot, wanted_root):
                return version, kind
        return None

    # ---- the power

    def cut(self) -> None:
        """Off and on again: a tryboot that was asked for is forgotten."""
        self.flag = False
        self.power_on()

    def doing(self, action: object) -> str:
        """Do something that may end in a reboot or, by the plan, in a cut; the reason where it was refused."""
        try:
            action()  # type: ignore[operator]
        except Cut:
            self.plan = Plan()
            self.cut()
            return "cut"
        except Rebooting:
            self.power_on()
            return "rebooted"
        except Doubt as doubt:
            return str(doubt)
        return ""

    # ---- Machine

    def board(self) -> Board:
        return self.board_now

    def boot(self) -> Boot:
        assert self.boot_now is not None
        return self.boot_now

    def reboot(self, argument: str | None = None) -> None:
        if self.plan.hit():
            raise Cut
        assert argument in (None, "0 tryboot")
        self.flag = argument is not None
        raise Rebooting

    # ---- Installer, in RAUC's order

    def info(self, bundle: Path) -> Bundle:
        return Bundle(COMPATIBLE, self.offers[bundle.name][0])

    def install(self, bundle: Path) -> None:
        target = "B" if self.boot().partition == 2 else "A"
        self.ask("set-state", target, "bad")
        first = 3 if target == "B" else 2
        for number, content in zip((first, first + 3), system_image(*self.offers[bundle.name]), strict=True):
            assert number not in (self.boot().partition, self.boot().partition + 3), "the running system is overwritten"
            path = self.folder / f"p{number}"
            half = len(content) // 2
            path.write_bytes(content[:half] + path.read_bytes()[half:])
            if self.plan.hit():
                raise Cut
            path.write_bytes(content)
        self.ask("set-primary", target)

    def ask(self, *question: str) -> None:
        if backend.answer(self.control, question):
            raise Doubt(f"the boot loader's backend refused {' '.join(question)}")

    # ---- a life

    def offer(self, version: str, kind: str) -> Path:
        """A bundle with such a system."""
        self.offers[version] = (version, kind)
        return Path(version)

    def look(self) -> Look:
        """The daemon of the system that runs, by its kind; a minute later than before."""
        self.now_s += 60
        system = self.system(self.boot().partition)
        kind = "ill" if system is None else system[1]
        return Look(self.now_s, 7, kind != "ill", int(self.now_s), 0.0, online=kind == "good")

    def watch(self) -> str:
        return watch(self.control, self.look, lambda _: None)

    def record(self) -> Record:
        return self.control.record()

    @property
    def runs(self) -> str:
        """The version that runs; the device must be up in a complete system."""
        found = self.system(self.boot().partition)
        assert found is not None, "runs a system that is not complete"
        return found[0]


class _Store(Store):
    """The record's file, with the cut before and after its atomic replacement."""

    def __init__(self, pi: Pi) -> None:
        super().__init__(pi.folder / "data")
        self._pi = pi

    def save(self, record: Record) -> None:
        if self._pi.plan.hit():
            if self._pi.plan.how != "before":
                super().save(record)
            raise Cut
        super().save(record)


def torn_writes(pi_of: list[Pi], monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the power within the writes to FAT partitions too, as the plan of the newest device says."""
    real = fat._write

    def write(descriptor: int, content: bytes, offset: int) -> None:
        plan = pi_of[-1].plan
        if not plan.hit():
            real(descriptor, content, offset)
            return
        if plan.how == "garbage":
            real(descriptor, b"\xff" * len(content), offset)
        elif plan.how == "after":
            real(descriptor, content, offset)
        elif plan.how.isdigit():
            import os

            old = os.pread(descriptor, len(content), offset)
            through = int(plan.how)
            real(descriptor, content[:through] + old[through:], offset)
        raise Cut

    monkeypatch.setattr(fat, "_write", write)
