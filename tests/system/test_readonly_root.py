# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The root that is only read, under the real systemd: memory over it, data on a loop device, boots in between."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import need
from tests.system.container import Container, container
from tests.workshop.firmware.programs_of_the_device import PI, load

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts of Linux"),
]

SWITCH = "/var/lib/wegewart-root/readonly"
LINES = (PI / "usr/share/wegewart/data.fstab").read_text(encoding="utf-8")
PLACES = re.findall(r"(?m)^/data(/\S+)\s", LINES)


def run(*command: str, text: str = "") -> str:
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=True).stdout


class Vehicle(Container):
    """Its first program is ours, as on a Raspberry Pi (init=)."""

    def _command(self, *what: str) -> list[str]:
        command = super()._command(*what)
        return [*command[:-1], "/opt/readonly-root"] if what == ("--boot",) else command

    def read(self, path: str) -> str | None:
        done = self.run("cat", path)
        return done.stdout if done.returncode == 0 else None


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """The data partition: ext4 on a loop device, with the delivered options, mounted where the container is lent it."""
    if os.geteuid() != 0:
        pytest.skip("a loop device needs root")
    image, place = tmp_path / "data.img", tmp_path / "data"
    with image.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    run(need("mkfs.ext4"), "-q", "-L", "wegewart-data", str(image))
    place.mkdir()
    found = re.search(r"(?m)^LABEL=wegewart-data /data ext4 (\S+) 0 2$", LINES)
    assert found is not None
    try:
        run("mount", "-o", f"loop,{found[1]}", str(image), str(place))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no loop device can be mounted here: {error.stderr}")
    try:
        for name in PLACES:
            (place / name.lstrip("/")).mkdir(parents=True)
        yield place
    finally:
        run("umount", str(place))
        run(need("fsck.ext4"), "-f", "-n", str(image))


@pytest.fixture
def vehicle(tmp_path: Path) -> Iterator[Vehicle]:
    with container(tmp_path / "computer", Vehicle) as made:
        made.put("/opt/readonly-root", (PI / "usr/lib/wegewart/readonly-root").read_text()).chmod(0o755)
        for name in ("journald.conf.d/wegewart.conf", "system/local-fs.target"):
            made.put(f"/etc/systemd/{name}", (PI / "etc/systemd" / name).read_text())
        (made.root / "mnt").mkdir()
        for name in PLACES:
            (made.root / name.lstrip("/")).mkdir(parents=True, exist_ok=True)
        (made.root / "data").mkdir()
        # systemd passes over devices in a container: the partition itself is mounted outside and lent.
        binds = "\n".join(line for line in LINES.splitlines() if line.startswith("/data/"))
        made.put("/etc/fstab", f"PARTUUID=1-02 / ext4 defaults,noatime 0 1\n{binds}\n")
        yield made


def lend(vehicle: Vehicle, disk: Path) -> None:
    command = vehicle._command
    vehicle._command = (
        lambda *what: [  # type: ignore[method-assign]
            *command(*what)[:-1],
            f"--bind={disk}:/data",
            command(*what)[-1],
        ]
    )


def test_what_lies_on_the_data_partition_outlives_a_boot_and_nothing_else_does(vehicle: Vehicle, disk: Path) -> None:
    # Red without the switch (all is kept) and without the binds (nothing is).
    vehicle.put(SWITCH, "")
    lend(vehicle, disk)
    vehicle.boot()
    for name in (*PLACES, "/etc", "/var/lib", "/opt", "/root", "/usr/local"):
        vehicle.run("sh", "-c", f"echo kept >{name}/note")
    assert all(vehicle.read(f"{name}/note") == "kept\n" for name in (*PLACES, "/etc", "/var/lib", "/opt", "/root"))
    assert vehicle.run("findmnt", "-no", "FSTYPE", "/").stdout == "overlay\n"

    vehicle.run("systemctl", "reboot")
    vehicle.wait_reboot(60)
    assert [name for name in PLACES if vehicle.read(f"{name}/note") != "kept\n"] == []
    assert [name for name in ("/etc", "/var/lib", "/opt", "/root") if vehicle.read(f"{name}/note")] == []
    assert not list(vehicle.root.rglob("note")), "something was written to the root below the memory"
    assert vehicle.run("systemctl", "is-system-running").stdout.strip() == "running"


def test_the_journal_lies_in_memory(vehicle: Vehicle) -> None:
    vehicle.put(SWITCH, "")
    vehicle.boot()
    assert vehicle.run("journalctl", "--quiet", "--lines=1").stdout
    header = vehicle.run("journalctl", "--header").stdout
    assert re.findall(r"(?m)^File path: (\S+?)/[0-9a-f]+/", header) == ["/run/log/journal"]
    assert not list((vehicle.root / "var/log/journal").rglob("*.journal"))


def test_without_its_data_partition_the_computer_boots_and_nothing_waits_at_a_console(vehicle: Vehicle) -> None:
    # Red without our local-fs.target: systemd's own starts the emergency shell, and nothing else.
    vehicle.put(SWITCH, "")
    # systemd passes over a missing device in a container, so the data partition is a file that is not there.
    fstab = (vehicle.root / "etc/fstab").read_text()
    vehicle.put("/etc/fstab", f"{fstab}/nowhere.img /data ext4 loop 0 0\n")
    vehicle.put(
        "/etc/systemd/system/wants-disk.service",
        "[Unit]\nRequiresMountsFor=/var/lib/wegewart\n[Service]\nExecStart=/bin/sleep 1000\n"
        "[Install]\nWantedBy=multi-user.target\n",
    )
    vehicle.enable("wants-disk.service")
    vehicle.boot()
    assert vehicle.show("multi-user.target", "ActiveState") == "active"
    assert vehicle.show("emergency.service", "ActiveState") == "inactive"
    assert vehicle.show("wants-disk.service", "ActiveState") == "inactive", "the daemon would write into memory"


def test_without_the_switch_the_root_is_writable(vehicle: Vehicle) -> None:
    vehicle.boot()
    vehicle.run("sh", "-c", "echo kept >/opt/note")
    assert (vehicle.root / "opt/note").read_text() == "kept\n"


def test_security_fixes_get_one_boot_with_a_writable_root(vehicle: Vehicle) -> None:
    update = load(PI / "usr/lib/wegewart/security-update")
    vehicle.put(SWITCH, "")
    vehicle.boot()
    # What `ask` does; the container's old root is the machine's file system, which is not remounted here.
    vehicle.run("mv", f"/overlay{SWITCH}", "/overlay/var/lib/wegewart-root/writable-once")
    vehicle.run("systemctl", "reboot")
    vehicle.wait_reboot(60)
    assert vehicle.run("findmnt", "-no", "FSTYPE", "/").stdout != "overlay\n"
    vehicle.run("sh", "-c", "echo installed >/opt/package")
    # What `install` does, on the container's disk.
    said = update.install(update.Root(vehicle.root), lambda: True, steps=(("true",),))
    assert "are installed" in said
    vehicle.run("systemctl", "reboot")
    vehicle.wait_reboot(60)
    assert vehicle.run("findmnt", "-no", "FSTYPE", "/").stdout == "overlay\n"
    assert vehicle.read("/opt/package") == "installed\n"
