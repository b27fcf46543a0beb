# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The real RAUC: signed bundles by scripts/os-bundle, written into loop devices, asked of our backend."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.os_update import fat
from edge.os_update.control import Control
from edge.os_update.record import Record
from edge.os_update.slots import Doubt
from tests.os_update.workshop import Device, Workshop, device, device_mapper, made, os_bundle
from tests.servers import need, wait_until

pytestmark = pytest.mark.integration

FORM = "verity" if device_mapper() else "plain"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture
def one(tmp_path: Path, workshop: Workshop) -> Iterator[Device]:
    with device(tmp_path / "device", workshop) as made_one:
        yield made_one


@pytest.fixture(scope="module")
def good(workshop: Workshop) -> Path:
    return workshop.bundle("2026.11.22", form=FORM)


def test_a_bundle_is_of_the_format_that_devices_demand_and_verifies(workshop: Workshop) -> None:
    bundle = workshop.bundle("2026.11.23", form="verity")
    said = subprocess.run(
        [need("rauc"), "info", f"--keyring={workshop.keys / 'ca.pem'}", bundle], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    assert "wegewart-raspberry-pi" in said.stdout
    assert "verity" in said.stdout.lower()


def test_a_good_bundle_is_written_addressed_tried_and_kept(one: Device, good: Path) -> None:
    record = one.control().install(good)
    assert (record.state, record.slot, record.version, record.complete) == ("installed", "B", "2026.11.22", ("A", "B"))
    assert one.version(6) == "2026.11.22"
    assert b"rauc.slot=B" in fat.read(one.folder / "p3", "cmdline.txt")
    assert b"rauc.slot=A" in fat.read(one.folder / "p2", "cmdline.txt")
    status = subprocess.check_output([need("rauc"), "status"], env=one.environment, text=True)
    assert "Activated: rootfs.1 (B)" in status

    asks: list[str | None] = []
    tried = Control(
        store=one.control()._store,
        machine=_Reboots(one, asks),
        installer=one.control()._installer,
        places=one.control()._places,
    )
    tried.attempt()
    assert asks == ["0 tryboot"]
    one.boots("B", 2, trial=True)
    assert one.control().at_boot().state == "pending"
    assert one.control().keep().state == "active"
    assert fat.read(one.folder / "p1", "autoboot.txt").splitlines()[2] == b"boot_partition=3"


def test_rauc_s_own_mark_good_keeps_the_system_on_trial(one: Device, good: Path) -> None:
    one.control().install(good)
    one.boots("B", 2, trial=True)
    one.control().at_boot()
    one.kill_rauc()
    one.start_rauc("B")
    subprocess.run([need("rauc"), "status", "mark-good"], env=one.environment, check=True, capture_output=True)
    assert one.control().record().state == "active"


def test_rauc_cannot_write_anything_while_a_system_is_on_trial(one: Device, good: Path) -> None:
    one.control().install(good)
    one.boots("B", 2, trial=True)
    one.control().at_boot()
    one.kill_rauc()
    one.start_rauc("B")
    done = subprocess.run([need("rauc"), "install", str(good)], env=one.environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert one.version(5) == "2026.01.01"
    assert one.control().record().state == "pending"


@pytest.fixture(scope="module")
def foreign(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    keys = tmp_path_factory.mktemp("foreign") / "thief"
    made("keys", keys)
    return workshop.bundle("2026.12.24", keys=keys, form=FORM)


def test_a_bundle_signed_by_another_key_is_refused(one: Device, foreign: Path) -> None:
    _refused(one, foreign, "signature|verif|certificate")


def test_a_bundle_of_which_one_byte_was_changed_is_refused(one: Device, good: Path, tmp_path: Path) -> None:
    content = bytearray(good.read_bytes())
    content[len(content) - 200] ^= 1
    changed = tmp_path / "changed.raucb"
    changed.write_bytes(content)
    _refused(one, changed, "rauc info")


def test_a_bundle_that_was_cut_short_is_refused(one: Device, good: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.raucb"
    short.write_bytes(good.read_bytes()[:-4096])
    _refused(one, short, "rauc info")


def test_a_bundle_for_another_device_is_refused_by_us_and_by_rauc(
    one: Device, workshop: Workshop, tmp_path: Path
) -> None:
    content = tmp_path / "content"
    content.mkdir()
    (content / "root.ext4").write_bytes(b"x" * 4096)
    (content / "manifest.raucm").write_text(
        f"[update]\ncompatible=toaster\nversion=2026.12.24\n[bundle]\nformat={FORM}\n[image.rootfs]\nfilename=root.ext4\n"
    )
    bundle = tmp_path / "toaster.raucb"
    keys = workshop.keys
    signing = [f"--cert={keys / 'signer.pem'}", f"--key={keys / 'signer.key'}"]
    subprocess.run([need("rauc"), "bundle", *signing, content, bundle], check=True, capture_output=True)
    _refused(one, bundle, "'toaster'")
    done = subprocess.run([need("rauc"), "install", str(bundle)], env=one.environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "toaster" in done.stderr
    assert one.control().record().state == "none"


def _refused(one: Device, bundle: Path, words: str) -> None:
    before = (one.folder / "p3").read_bytes()
    with pytest.raises(Doubt, match=f"(?i){words}"):
        one.control().install(bundle)
    assert (one.folder / "p3").read_bytes() == before
    assert one.control().record().state == "none"


def test_a_cut_while_rauc_writes_leaves_the_running_system_and_a_second_install_ends_well(
    one: Device, good: Path
) -> None:
    problems: list[Doubt] = []

    def install() -> None:
        try:
            one.control().install(good)
        except Doubt as doubt:
            problems.append(doubt)

    def begun() -> bool:
        return one.control().record().state == "writing"

    writer = threading.Thread(target=install)
    writer.start()
    wait_until(begun, timeout_s=60, what="RAUC writes")
    one.kill_rauc()
    writer.join(60)
    assert problems
    assert "B" not in one.control().record().complete
    one.boots("A", 2)
    record: Record = one.control().at_boot()
    assert record.state == "failed"
    with pytest.raises(Doubt, match="no installed update"):
        one.control().attempt()
    one.start_rauc()
    assert one.control().install(good).state == "installed"
    assert one.version(6) == "2026.11.22"


class _Reboots:
    """The device's machine, of which the reboot is only noted."""

    def __init__(self, one: Device, asks: list[str | None]) -> None:
        self._real, self._asks = one.control()._machine, asks
        self.board, self.boot = self._real.board, self._real.boot

    def reboot(self, argument: str | None = None) -> None:
        self._asks.append(argument)


def test_a_bundle_whose_kernel_line_is_not_ours_is_not_made(workshop: Workshop, tmp_path: Path) -> None:
    boot = tmp_path / "boot"
    boot.mkdir()
    (boot / "config.txt").write_text("x\n")
    (boot / "wegewart.txt").write_text("x\n")
    (boot / "cmdline.txt").write_text("root=/dev/mmcblk0p2\n")
    root = tmp_path / "root"
    root.mkdir()
    out = tmp_path / "out.raucb"
    arguments = ["--boot", boot, "--root", root, "--version", "2026.11.22", "--keys", workshop.keys, "--boot-mib", 4]
    done = os_bundle("bundle", out, *arguments)
    assert (done.returncode, out.exists()) == (1, False)
    assert "root=PARTUUID=57454745-05" in done.stderr
    assert "Traceback" not in done.stderr
