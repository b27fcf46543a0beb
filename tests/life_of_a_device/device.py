# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle's computer: a container with a system as an image brings it, and a boot partition."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import wait_until
from tests.system.container import Container, container

EDGE = "wegewart-edge.service"
UPDATE = "wegewart-update.service"
FETCH = "wegewart-update-fetch.service"
#: They would ask the network, or change what the container shares with the machine.
_NOT_HERE = (
    *("nftables.service", "chrony.service", "chronyd.service", "NetworkManager.service", "ModemManager.service"),
    *("wegewart-lte.service", "wegewart-security-update.timer", "wegewart-security-install.service", "fstrim.timer"),
)
#: A busy machine with two cores; a Raspberry Pi 4 needs less for each step.
DEADLINE_S = 180.0


class Device(Container):
    """`changes`: a folder for what is written to /usr."""

    def __init__(self, folder: Path, changes: Path) -> None:
        super().__init__(folder)
        self._changes = changes / "usr"
        del self._lent["/usr"]
        self._lend_python()
        for unit in _NOT_HERE:
            place = self.root / "etc/systemd/system.control" / unit
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to("/dev/null")
        # Raspberry Pi OS has it.
        self.put("/etc/sysusers.d/raspberry.conf", "g gpio -\n")
        self.put("/etc/fstab", "PARTUUID=1-01 /boot/firmware vfat defaults 0 2\n")

    def _lend_python(self) -> None:
        """The system's Python is the one that runs the tests; a link would make it look for itself in /usr."""
        self.lend(Path(sys.base_prefix), "/opt/python")
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        for place in ("bin/python3", "local/bin/python3"):
            program = self._changes / place
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text(f'#!/bin/sh\nexec /opt/python/bin/{version} "$@"\n')
            program.chmod(0o755)
        # Before one of the machine's own that has the same name.
        for library in (Path(sys.base_prefix) / "lib").glob("libpython3*.so*"):
            for folder in ("lib", f"lib/{sysconfig.get_config_var('MULTIARCH')}"):
                link = self._changes / folder / library.name
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(f"/opt/python/lib/{library.name}")

    def _command(self, *what: str) -> list[str]:
        command = super()._command(*what)
        at = command.index("--console=read-only")
        return [*command[:at], f"--overlay=/usr:{self._changes}:/usr", *command[at:]]

    # ---- first boot

    def insert(self, boot: Path) -> None:
        """Put the card in. The packages of the system are those that this machine has."""
        place = self.root / "boot/firmware"
        shutil.copytree(boot, place)
        (place / "wegewart/packages").write_text("")

    def first_boot(self) -> None:
        """What cloud-init does with user-data at its end; then the computer boots by itself into what it has become.

        As cloud-init's own unit it is never given up on, starting or ending: who boots out of the middle of it, waits.
        """
        text = (self.root / "boot/firmware/user-data").read_text(encoding="utf-8")
        self.boot()
        # The commands before the last switch on SSH, which here would listen on the machine's own addresses.
        command = yaml.safe_load(text)["runcmd"][-1]
        started = self.run(
            "systemd-run",
            "--no-block",
            "--unit=cloud-final",
            "--property=Type=oneshot",
            "--property=TimeoutSec=infinity",
            *command,
        )
        assert started.returncode == 0, started.stderr
        self.wait_reboot(2 * DEADLINE_S)

    # ---- what it says

    def daemon(self) -> dict[str, Any]:
        """The daemon's heartbeat; empty where it has none."""
        said = self.run("cat", "/run/wegewart/daemon.json").stdout
        found: dict[str, Any] = json.loads(said) if said else {}
        return found

    def wait_parked(self) -> None:
        """Wait until the daemon says that the vehicle stands."""

        def stands() -> bool:
            return self.daemon().get("standing_since_s") is not None

        wait_until(stands, timeout_s=DEADLINE_S, what="the vehicle at rest")

    def current(self) -> str:
        """The release that `current` leads to."""
        return (self.root / "opt/wegewart/current").readlink().name

    def update(self, *words: str) -> tuple[int, str]:
        """`wegewart-update ...` as a technician types it: exit code and lines."""
        done = self.run("/opt/wegewart/updater/bin/wegewart-update", "--lang=en", *words, timeout_s=2 * DEADLINE_S)
        return done.returncode, done.stdout + done.stderr

    def configure(self, key: str, value: float | str) -> None:
        """Change a number or a text in vehicle.toml; the next daemon reads it."""
        path = self.root / "etc/wegewart/vehicle.toml"
        lines = [
            f"{key} = {json.dumps(value)}" if line.startswith(f"{key} =") else line
            for line in path.read_text().splitlines()
        ]
        path.write_text("\n".join(lines) + "\n")

    def waiting(self) -> set[str]:
        """The ids in the outbox that the depot has not acknowledged."""
        outbox = self.root / "var/lib/wegewart/outbox.db"
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as store:
            return {row[0] for row in store.execute("SELECT id FROM event WHERE state = 'pending'")}
        return set()


@contextmanager
def device(folder: Path) -> Iterator[Device]:
    """A computer that was never booted; skips without root. A release is some hundred megabytes: nothing is left."""
    if os.geteuid() != 0:
        pytest.skip("a container with its own systemd needs root")
    changes = folder / "changes"
    changes.mkdir(parents=True)
    # Not every file system can lie on top in an overlay; one in memory can.
    subprocess.run(["mount", "-t", "tmpfs", "changes", str(changes)], check=True)
    try:
        with container(folder, lambda place: Device(place, changes)) as made:
            yield made
    finally:
        subprocess.run(["umount", str(changes)], check=True)
        shutil.rmtree(folder / "root", ignore_errors=True)
