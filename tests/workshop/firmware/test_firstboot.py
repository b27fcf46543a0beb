# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""firstboot on a folder that stands for a computer: cut at every change, started again, it ends in the same vehicle."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from contextlib import suppress
from pathlib import Path
from unittest import mock

import pytest

from tests.workshop.firmware.programs_of_the_device import FIRMWARE, PI, load

firstboot = load(FIRMWARE / "first_boot/firstboot")

SECRET = b"-----BEGIN PRIVATE KEY-----"
RELEASE = "2026.11.1"
UNITS = ["wegewart-edge.service", "wegewart-health.timer", "apt-daily.timer", "gpsd.socket", "getty@.service"]


class Cut(BaseException):
    """The power is gone."""


class Device(firstboot.Computer):  # type: ignore[misc,name-defined]
    """A computer whose programs are played, and whose power goes at the change number `cut`."""

    def __init__(self, root: Path, *, cut: int = 0, dry: bool = False) -> None:
        super().__init__(root, dry=dry)
        self.calls: list[tuple[str, ...]] = []
        self.changes = 0
        self._cut = cut
        self.labelled = (root / "labelled").exists()
        self.fails: str | None = None
        self.data_partition = 3
        self.boot_read_only = False
        self._boot_mounts()

    def step(self, what: str) -> bool:
        assert not (self.boot_read_only and "boot/firmware" in what and "remount" not in what), what
        self.change()
        return bool(super().step(what))

    def change(self) -> None:
        self.changes += 1
        if self.changes == self._cut:
            raise Cut

    def say(self, line: str) -> None:
        self.calls.append(("say", line))

    # ---- mounts: a link stands for a bind mount; a boot knows only fstab

    def _boot_mounts(self) -> None:
        text = (self.root / "etc/fstab").read_text() if (self.root / "etc/fstab").exists() else ""
        for path in self.root.rglob("*.below"):
            place = path.with_name(path.name.removesuffix(".below"))
            place.unlink()
            path.rename(place)
        for line in text.splitlines():
            # A mount whose source is not there yet fails, and the boot goes on.
            if line.startswith("/data/") and (self.root / line.split()[0].lstrip("/")).is_dir():
                self._bind(line.split()[1])

    def _bind(self, place: str) -> None:
        here = self.root / place.lstrip("/")
        here.mkdir(parents=True, exist_ok=True)
        here.rename(here.with_name(f"{here.name}.below"))
        here.symlink_to(self.root / f"data{place}")

    # ---- programs

    def _call(self, command: tuple[str, ...], text: str | None, timeout_s: float, *, errors: int) -> tuple[int, str]:
        self.calls.append(command)
        if self.fails is not None and self.fails in " ".join(command):
            return 100, "something\nE: Unable to fetch some archives"
        match list(command):
            case ["blkid", "--label", _]:
                return (0, f"/dev/mmcblk0p{self.data_partition}\n") if self.labelled else (2, "")
            case ["findmnt", "--noheadings", "--output", "OPTIONS", *_]:
                return 0, f"{'ro' if self.boot_read_only else 'rw'},relatime\n"
            case ["mount", "-o", "remount,rw", _]:
                self.boot_read_only = False
            case ["findmnt", "--noheadings", "--output", "SOURCE", _]:
                return 0, "/dev/mmcblk0p2\n"
            case ["findmnt", *_, place]:
                return (0 if Path(place).is_symlink() or Path(place).name == "data" else 1), ""
            case ["sfdisk", "--json", disk]:
                return 0, json.dumps(self._table(disk))
            case ["blockdev", *_]:
                return 0, str(64 * 1024**3)
            case ["mkfs.ext4", *_]:
                self.labelled = True
                (self.root / "labelled").touch()
            case ["mount", "--bind", _, place]:
                self._bind("/" + str(Path(place).relative_to(self.root)))
            case ["dpkg-query", *_, name]:
                return (0, "installed") if name == "chrony" else (1, "")
            case ["systemctl", "list-unit-files", *_]:
                return 0, "".join(f"{unit} enabled enabled\n" for unit in UNITS) + "nftables.service masked enabled\n"
            case ["cp", "-a", here, there]:
                shutil.copytree(here, there, symlinks=True)
            case ["python3", "-m", "venv", *_, place]:
                (Path(place) / "bin").mkdir(parents=True)
            case [program, "install", "--bundle", bundle, "--root-json", root_json]:
                assert program.endswith("opt/wegewart/bootstrap/bin/wegewart-update")
                assert (Path(bundle) / "bundle.json").exists()
                assert Path(root_json).read_bytes() == b'{"root": 1}'
                opt = self.root / "opt/wegewart"
                (opt / "releases" / RELEASE).mkdir(parents=True, exist_ok=True)
                (opt / "current").symlink_to(f"releases/{RELEASE}")
        return 0, ""

    def _table(self, disk: str) -> dict[str, object]:
        rows = [
            {"node": f"{disk}p1", "start": 16384, "size": 1048576},
            {"node": f"{disk}p2", "start": 1064960, "size": 5242880},
        ]
        return {"partitiontable": {"label": "dos", "sectorsize": 512, "partitions": rows}}


def make_card(folder: Path) -> tuple[Path, Path]:
    """The boot partition's own folder and the root, as after flashing."""
    root, boot = folder / "root", folder / "root/boot/firmware"
    source = boot / "wegewart"
    for path, content in {
        boot / "cmdline.txt": b"console=tty1 root=PARTUUID=1-02 init=/usr/lib/wegewart/readonly-root\n",
        boot / "user-data": b"#cloud-config\nsecret of the mobile link",
        boot / "network-config": b"secret of the Wi-Fi",
        source / "flash.json": b"their checksums",
        source / "packages": (PI / "packages").read_bytes(),
        source / "vehicle.toml": b'vehicle = "wagen-7"\n',
        source / "root.json": b'{"root": 1}',
        source / "keys/ca.pem": b"ca",
        source / "keys/vehicle.pem": b"certificate",
        source / "keys/vehicle.key": SECRET,
        source / "bundle/bundle.json": json.dumps({"release": RELEASE}).encode(),
        root
        / "etc/fstab": b"PARTUUID=1-01 /boot/firmware vfat defaults 0 2\nPARTUUID=1-02 / ext4 defaults,noatime 0 1\n",
        root / "etc/os-release": b'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n',
        root / "etc/machine-id": b"0123\n",
        root / "etc/ssh/ssh_host_ed25519_key": b"host",
        root / "etc/NetworkManager/system-connections/wegewart-lte.nmconnection": b"[gsm]\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    make_bundle(source / "bundle")
    (source / "device.tar").write_bytes(device_tar())
    return root, source


def make_bundle(bundle: Path) -> None:
    wheel = b"a wheel"
    sha256 = hashlib.sha256(wheel).hexdigest()
    name = "wegewart-0.1.0-py3-none-any.whl"
    variant = {
        "machine": os.uname().machine,
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "wheels": [{"target": f"wheels/{name}", "sha256": sha256, "bytes": len(wheel)}],
    }
    (bundle / "targets/wheels").mkdir(parents=True)
    (bundle / "targets/releases").mkdir()
    (bundle / f"targets/wheels/{sha256}.{name}").write_bytes(wheel)
    (bundle / f"targets/releases/abc.{RELEASE}.json").write_text(json.dumps({"variants": [variant]}))


def device_tar() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name in ("etc/systemd/system-preset/50-wegewart.preset", "usr/share/wegewart/data.fstab"):
            add(tar, name, (PI / name).read_bytes())
        add(tar, "usr/lib/wegewart/readonly-root", b"#!/bin/sh\n", mode=0o755)
    return made.getvalue()


def add(tar: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def go(root: Path, source: Path, *, cut: int = 0, kind: type[Device] = Device) -> Device:
    """One boot. Also every rename and removal is a moment at which the power can go."""
    device = kind(root, cut=cut)

    def counted(original: object) -> object:
        def change(path: Path, *arguments: object, **options: object) -> object:
            device.change()
            return original(path, *arguments, **options)  # type: ignore[operator]

        return change

    # Nothing here is on a disk that could lose it.
    with mock.patch.object(Path, "replace", counted(Path.replace)), mock.patch.object(os, "fsync"):
        firstboot.FirstBoot(device, source).run()
    return device


def tree(root: Path) -> dict[str, object]:
    """Everything that is there, without the times."""
    found: dict[str, object] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = str(path.readlink()).replace(str(root), "")
        elif path.is_file():
            content = path.read_bytes()
            found[name] = (path.stat().st_mode & 0o777, b"" if name.endswith("firstboot.done") else content)
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Device, dict[str, object], int]:
    root, source = make_card(tmp_path_factory.mktemp("uncut"))
    device = go(root, source)
    return device, tree(root), device.changes


def test_a_fresh_card_becomes_a_vehicle(finished: tuple[Device, dict[str, object], int]) -> None:
    device, made, _ = finished
    data = {name: value for name, value in made.items() if name.startswith("data/")}
    assert data["data/etc/wegewart/vehicle.key"] == (0o640, SECRET)
    assert data["data/etc/wegewart/vehicle.toml"] == (0o640, b'vehicle = "wagen-7"\n')
    assert data["data/opt/wegewart/current"] == f"releases/{RELEASE}"
    assert not any(name.startswith("data/identity") for name in data), "nobody reads it where there is one system"
    assert "data/etc/NetworkManager/system-connections/wegewart-lte.nmconnection" in data
    assert made["var/lib/wegewart-root/readonly"] == (0o644, b"")
    for gone in (
        "boot/firmware/wegewart/keys/vehicle.key",
        "boot/firmware/user-data",
        "boot/firmware/network-config",
        "boot/firmware/wegewart/flash.json",
        "opt/wegewart/bootstrap/COMPLETE",
    ):
        assert gone not in made
    assert ("systemctl", "enable", "wegewart-firstboot.service") in device.calls
    assert ("systemctl", "disable", "apt-daily.timer") in device.calls
    assert not any("nftables.service" in call for call in device.calls), "somebody has masked it"
    for unit in ("gpsd.socket", "wegewart-edge.service", "wegewart-health.timer"):
        assert ("systemctl", "enable", unit) in device.calls
    installed = next(call for call in device.calls if call[0] == "apt-get" and "install" in call)
    assert "gpsd" in installed
    assert "chrony" not in installed, "it is there already"
    assert device.calls[-1] == ("systemctl", "--no-block", "reboot")
    done = json.loads((device.root / "boot/firmware/wegewart/firstboot.done").read_text())
    assert (done["release"], done["readonly"], done["system"]) == (RELEASE, True, "Debian GNU/Linux 13 (trixie)")


def test_the_boot_partition_is_read_only_from_now_on_and_data_is_mounted(
    finished: tuple[Device, dict[str, object], int],
) -> None:
    _, text = finished[1]["etc/fstab"]  # type: ignore[misc]
    lines = text.decode().splitlines()  # type: ignore[has-type]
    assert "PARTUUID=1-01 /boot/firmware vfat defaults,ro 0 2" in lines
    assert sum(line.startswith("LABEL=wegewart-data /data ext4 ") for line in lines) == 1


def test_a_cut_at_any_change_ends_in_the_same_vehicle(
    finished: tuple[Device, dict[str, object], int], tmp_path: Path
) -> None:
    # Red for each of: a write in place; a stamp before its step; keys wiped before the copy.
    _, wanted, changes = finished
    assert changes > 80
    for cut in range(1, changes + 1):
        root, source = make_card(tmp_path / str(cut))
        with pytest.raises(Cut):
            go(root, source, cut=cut)
        whole = any(
            place.exists() and place.read_bytes() == SECRET
            for place in (
                source / "keys/vehicle.key",
                root / "etc/wegewart/vehicle.key",
                root / "data/etc/wegewart/vehicle.key",
            )
        )
        assert whole, f"the key is lost after a cut at change {cut}"
        if (root / "var/lib/wegewart-root/readonly").exists():
            assert (root / "opt/wegewart/current").is_symlink(), "read-only before all is there"
        go(root, source)
        assert tree(root) == wanted, f"another vehicle after a cut at change {cut}"


def test_two_cuts_one_after_the_other_end_in_the_same_vehicle(
    finished: tuple[Device, dict[str, object], int], tmp_path: Path
) -> None:
    _, wanted, changes = finished
    for cut in range(1, changes + 1, 7):
        root, source = make_card(tmp_path / str(cut))
        for again in (cut, 3):
            with suppress(Cut):
                go(root, source, cut=again)
        go(root, source)
        assert tree(root) == wanted, f"another vehicle after cuts at {cut} and 3"


def test_it_does_nothing_a_second_time(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    go(root, source)
    again = go(root, source)
    assert again.calls == [("say", "was done before, nothing to do")]


@pytest.mark.parametrize(
    ("fails", "word"),
    [
        (
            "apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3",
            "connect the cable to a network with internet",
        ),
        ("pip install", "the bundle does not fit this computer"),
        ("wegewart-update install", "the bundle does not fit this computer"),
        ("mkfs.ext4", "take another card"),
        ("systemd-sysusers", "journalctl"),
    ],
)
def test_a_step_that_fails_says_what_to_do_and_is_done_again(fails: str, word: str, tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    device = Device(root)
    device.fails = fails
    with pytest.raises(firstboot.Failed, match=word) as caught:
        firstboot.FirstBoot(device, source).run()
    assert "\n" not in str(caught.value)
    assert not (root / "var/lib/wegewart-root/readonly").exists()
    go(root, source)
    assert (source / "firstboot.done").exists()


@pytest.mark.parametrize(
    ("name", "link"),
    [("../etc/passwd", ""), ("/etc/passwd", ""), ("etc/chrony/chrony.conf", "../../../raspberry_pi/x")],
)
def test_a_tree_that_leads_out_of_the_root_is_refused(name: str, link: str, tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    with tarfile.open(source / "device.tar", "w") as tar:
        entry = tarfile.TarInfo("placeholder")
        entry.name = name
        if link:
            entry.type, entry.linkname = tarfile.SYMTYPE, link
        tar.addfile(entry)
    with pytest.raises(firstboot.Failed, match=r"device\.tar"):
        go(root, source)
    assert not (tmp_path / "etc").exists()


def test_a_mask_in_the_tree_is_a_link_on_the_device(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    with tarfile.open(source / "device.tar", "a") as tar:
        entry = tarfile.TarInfo("etc/systemd/system/rpi-swap.service")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/dev/null"
        tar.addfile(entry)
    go(root, source)
    assert (root / "etc/systemd/system/rpi-swap.service").readlink() == Path("/dev/null")


def test_without_a_data_partition_the_vehicle_works_with_a_writable_root(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    device = Device(root)
    with mock.patch.object(device, "_table", return_value={"partitiontable": {"label": "dos", "partitions": [
        {"node": "/dev/mmcblk0p2", "start": 1064960, "size": 64 * 1024**3 // 512 - 1064960 - 4096}]}}):  # fmt: skip
        firstboot.FirstBoot(device, source).run()
    said = [call[1] for call in device.calls if call[0] == "say"]
    assert any("less than 2048 MiB left behind the root" in line for line in said)
    assert not (root / "var/lib/wegewart-root/readonly").exists()
    assert (root / "etc/wegewart/vehicle.key").read_bytes() == SECRET
    assert json.loads((source / "firstboot.done").read_text())["readonly"] is False


def test_a_partition_behind_the_root_that_holds_something_is_never_formatted(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    device = Device(root)
    table = device._table("/dev/mmcblk0")
    rows = table["partitiontable"]["partitions"]  # type: ignore[index]
    rows.append({"node": "/dev/mmcblk0p3", "start": 99999999, "size": 5242880})
    with mock.patch.object(device, "_table", return_value=table):
        firstboot.FirstBoot(device, source).disk()
    assert not any(call[0] == "mkfs.ext4" for call in device.calls)


def test_on_a_jetson_the_first_program_is_replaced_by_one_rename(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    (source.parent / "cmdline.txt").unlink()
    (root / "etc/fstab").write_text("/dev/root / ext4 defaults 0 1\nUUID=A /boot/efi vfat defaults 0 1\n")
    (root / "sbin").mkdir()
    (root / "sbin/init").symlink_to("/lib/systemd/systemd")
    device = go(root, source)
    assert any(call[0] == "dpkg-divert" and call[-1] == "/sbin/init" for call in device.calls)
    assert (root / "sbin/init").readlink() == Path("/usr/lib/wegewart/readonly-root")
    lines = (root / "etc/fstab").read_text().splitlines()
    assert "UUID=A /boot/efi vfat defaults,ro 0 1" in lines
    assert any(line.startswith("LABEL=CIDATA /boot/firmware vfat defaults,nofail") for line in lines)


def test_a_dry_run_says_everything_and_changes_nothing(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    program = shutil.copy(FIRMWARE / "first_boot/firstboot", source / "firstboot")
    before = tree(root)
    result = subprocess.run(
        [sys.executable, "-B", str(program), "--dry-run"],
        capture_output=True, text=True, timeout=60, env=os.environ | {"FIRSTBOOT_ROOT": str(root)},
    )  # fmt: skip
    assert tree(root) == before
    for words in (
        "would run systemctl enable wegewart-firstboot.service",
        "would wipe",
        "would run apt-get",
        "users ...",
    ):
        assert words in result.stdout, result.stdout + result.stderr


def test_its_failure_is_one_line_and_an_exit_code(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    program = shutil.copy(FIRMWARE / "first_boot/firstboot", source / "firstboot")
    (source / "device.tar").write_bytes(b"not a tar")
    result = subprocess.run(
        [sys.executable, "-B", str(program)],
        capture_output=True, text=True, timeout=60, env=os.environ | {"FIRSTBOOT_ROOT": str(root)},
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.splitlines()[-1].startswith("firstboot: FAILED: device.tar: ")


# ---- who starts it, and what becomes of a failure


def test_cloud_init_only_puts_the_service_there_and_starts_it(tmp_path: Path) -> None:
    # It would wait for cloud-init, which waits for it: a boot, or anything long, is the service's.
    root, source = make_card(tmp_path)
    device = Device(root)
    for _ in range(2):
        assert firstboot.attempt(device, source, begin=True) is None
    assert (root / "usr/lib/wegewart/readonly-root").exists()
    assert device.calls.count(("systemctl", "--no-block", "start", "wegewart-firstboot.service")) == 2
    assert {call[0] for call in device.calls} == {"say", "systemctl"}
    assert not any("reboot" in call for call in device.calls)
    assert (source.parent / "user-data").exists(), "cloud-init may still read it"
    go(root, source)
    assert (source / "firstboot.done").exists()


def test_what_would_begin_it_does_not_wait_for_what_goes_on_already(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    device = Device(root)
    with (source / "packages").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert firstboot.attempt(device, source, begin=True) is None
    assert device.calls == [("say", "goes on already: journalctl -fu wegewart-firstboot")]


class Technician:
    """Waits, and does something after so many seconds; gives up after a day."""

    def __init__(self, after_s: float, what: object) -> None:
        self.now_s, self._after_s, self._what = 0.0, after_s, what

    def __call__(self, seconds: float) -> None:
        assert self.now_s < 86_400, "is not tried again"
        before, self.now_s = self.now_s, self.now_s + seconds
        if before < self._after_s <= self.now_s:
            self._what()  # type: ignore[operator]


def pauses(device: Device) -> list[str]:
    lines = [call[1] for call in device.calls if call[0] == "say" and "FAILED" in call[1]]
    return [line.rpartition("tried again in ")[2].partition(" min")[0] for line in lines]


def test_a_bundle_that_is_refused_is_tried_less_and_less_often_and_a_good_one_at_once(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    device = Device(root)
    device.fails = "wegewart-update install"

    def brings_a_good_one() -> None:
        device.fails = None
        (source / "bundle/bundle.json").write_text(json.dumps({"release": RELEASE, "again": 1}))

    technician = Technician(30_000, brings_a_good_one)
    firstboot.until_done(device, source, technician)
    assert pauses(device)[:8] == ["1", "2", "4", "8", "16", "32", "60", "60"]
    assert technician.now_s - 30_000 <= 2 * firstboot.LOOK_S
    refusals = [call[1] for call in device.calls if call[0] == "say" and "FAILED" in call[1]]
    assert all("scripts/release REPO bundle" in line and "\n" not in line for line in refusals)
    made = [call for call in device.calls if call[:3] == ("python3", "-m", "venv")]
    assert len(made) == len(refusals) + 1, "its updater came out of the bad bundle"
    assert (source / "firstboot.done").exists()


def test_while_a_bundle_is_refused_no_secret_lies_on_the_boot_partition(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    device = Device(root)
    device.fails = "wegewart-update install"
    assert firstboot.attempt(device, source) is not None
    left = b"".join(path.read_bytes() for path in source.parent.rglob("*") if path.is_file())
    for secret in (SECRET, b"secret of the mobile link", b"secret of the Wi-Fi", b"their checksums"):
        assert secret not in left


def test_a_card_without_a_bundle_is_ended_when_a_technician_has_brought_a_release(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    shutil.rmtree(source / "bundle")
    (source / "root.json").unlink()
    device = Device(root)

    def brings() -> None:
        (root / "opt/wegewart/releases/r2").mkdir(parents=True)
        (root / "opt/wegewart/current").symlink_to("releases/r2")

    technician = Technician(30_000, brings)
    firstboot.until_done(device, source, technician)
    assert technician.now_s - 30_000 <= 2 * firstboot.LOOK_S
    assert not any("root.json" in " ".join(call) for call in device.calls)


def test_without_a_network_it_is_tried_every_minute(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    device = Device(root)
    device.fails = "apt-get"
    technician = Technician(600, lambda: setattr(device, "fails", None))
    firstboot.until_done(device, source, technician)
    assert set(pauses(device)) == {"1"}
    assert technician.now_s <= 660


def test_a_bundle_that_is_just_being_copied_is_not_tried(tmp_path: Path) -> None:
    root, source = make_card(tmp_path)
    device = Device(root)
    device.fails = "wegewart-update install"
    tries: list[float] = []
    now = [0.0]

    def copies(seconds: float) -> None:
        now[0] += seconds
        if device.calls.count(("say", "release ...")) > len(tries):
            tries.append(now[0])
        if 200 <= now[0] < 400:
            (source / "bundle/part").write_bytes(b"x" * int(now[0]))
        if now[0] >= 400:
            device.fails = None

    # Since the try at 180 s the pause is 4 minutes; only when the file has stopped growing comes the next.
    firstboot.until_done(device, source, copies)
    assert [at for at in tries if 190 < at < 400] == []
    assert now[0] <= 430


# ---- a card with two systems


class TwoSystems(Device):
    """Its root is memory: at a boot it is again what os-bundle made, but for the data and the boot partition."""

    def __init__(self, root: Path, **options: object) -> None:
        for path in root.iterdir():
            if path.name not in ("data", "boot"):
                shutil.rmtree(path)
        shutil.copytree(root.with_name("system"), root, dirs_exist_ok=True)
        super().__init__(root, **options)  # type: ignore[arg-type]
        self.labelled, self.boot_read_only, self.data_partition = True, True, 7

    def _table(self, disk: str) -> dict[str, object]:
        rows = [
            *({"node": f"{disk}p{n}", "start": 8192 * n, "size": 8192, "type": "c"} for n in (1, 2, 3)),
            {"node": f"{disk}p4", "start": 40960, "size": 90112, "type": "f"},
            *({"node": f"{disk}p{n}", "start": 8192 * n, "size": 8192, "type": "83"} for n in (5, 6, 7)),
        ]
        return {"partitiontable": {"label": "dos", "sectorsize": 512, "partitions": rows}}

    def _call(self, command: tuple[str, ...], text: str | None, timeout_s: float, *, errors: int) -> tuple[int, str]:
        if command[0] == "dpkg-query":
            self.calls.append(command)
            return 0, "installed"
        return super()._call(command, text, timeout_s, errors=errors)


def make_two_systems(folder: Path) -> tuple[Path, Path]:
    root, source = make_card(folder)
    system = folder / "system"
    system.mkdir()
    for name in ("etc", "usr"):
        (root / name).rename(system / name) if (root / name).exists() else None
    (source.parent / "cmdline.txt").write_bytes((PI / "os_update/boot/cmdline_add.txt").read_bytes())
    (root / "data").mkdir()
    (system / "usr/lib/wegewart-os").mkdir(parents=True)
    (system / "var/lib/wegewart-root").mkdir(parents=True)
    (system / "var/lib/wegewart-root/readonly").touch()
    fstab = (PI / "usr/share/wegewart/data.fstab").read_text()
    (system / "usr/share/wegewart").mkdir(parents=True)
    (system / "usr/share/wegewart/data.fstab").write_text(fstab)
    (system / "etc/fstab").write_text(f"proc /proc proc defaults 0 0\n{fstab}")
    (system / "var/lib/chrony").mkdir()
    return root, source


def kept(root: Path) -> dict[str, object]:
    """What a boot leaves."""
    return {name: value for name, value in tree(root).items() if name.startswith(("data/", "boot/"))}


@pytest.fixture(scope="module")
def finished_two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Device, dict[str, object], int]:
    root, source = make_two_systems(tmp_path_factory.mktemp("two"))
    device = go(root, source, kind=TwoSystems)
    return device, kept(root), device.changes


def test_of_a_card_with_two_systems_all_that_is_the_vehicle_s_is_data(
    finished_two: tuple[Device, dict[str, object], int],
) -> None:
    device, made, _ = finished_two
    assert made["data/etc/wegewart/vehicle.key"] == (0o640, SECRET)
    assert made["data/opt/wegewart/current"] == f"releases/{RELEASE}"
    assert made["data/identity/user-data"] == (0o600, b"#cloud-config\nsecret of the mobile link")
    assert made["data/identity/network-config"] == (0o600, b"secret of the Wi-Fi")
    assert made["data/identity/ssh_host_ed25519_key"] == (0o600, b"host")
    assert "data/etc/NetworkManager/system-connections/wegewart-lte.nmconnection" in made
    for gone in ("user-data", "network-config", "wegewart/keys/vehicle.key", "wegewart/flash.json"):
        assert f"boot/firmware/{gone}" not in made
    assert device.calls[-1] == ("systemctl", "--no-block", "reboot")
    programs = {call[0] for call in device.calls}
    assert not programs & {"mkfs.ext4", "apt-get", "dpkg-divert", "systemd-sysusers"}, "it lasts one boot, or is there"
    grown = [call[-2] for call in device.calls if call[0] == "sfdisk" and "--partno" in call]
    assert grown == ["4", "7"]
    assert ("resize2fs", "/dev/mmcblk0p7") in device.calls


def test_a_card_with_two_systems_cut_at_any_change_ends_in_the_same_vehicle(
    finished_two: tuple[Device, dict[str, object], int], tmp_path: Path
) -> None:
    _, wanted, changes = finished_two
    for cut in range(1, changes + 1):
        root, source = make_two_systems(tmp_path / str(cut))
        with pytest.raises(Cut):
            go(root, source, cut=cut, kind=TwoSystems)
        go(root, source, kind=TwoSystems)
        assert kept(root) == wanted, f"another vehicle after a cut at change {cut}"


def test_a_system_that_lacks_a_package_says_so_and_installs_nothing(tmp_path: Path) -> None:
    root, source = make_two_systems(tmp_path)
    device = TwoSystems(root)
    with (
        mock.patch.object(firstboot.FirstBoot, "_missing", return_value=["gpsd"]),
        pytest.raises(firstboot.Failed, match="lacks gpsd; put them into it"),
    ):
        firstboot.FirstBoot(device, source).run()
    assert not (root / "data/identity").exists()
