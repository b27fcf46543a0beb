# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The cable between workshop and vehicle: `scripts/update-vehicle` over the real OpenSSH into the container.

The vehicle shares the machine's network, so its sshd listens on a free port of the loopback. Root logs in, and `sudo`
is a word that does nothing: the machine that lends its /usr need not have it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.life_of_a_device.device import DEADLINE_S, Device
from tests.servers import HOST, free_port, listens, need, wait_until

_CONFIG = "/etc/ssh/workshop_config"


class Cable:
    """Plugged in once the vehicle runs. `folder`: the technician's key and known vehicles."""

    def __init__(self, vehicle: Device, folder: Path) -> None:
        folder.mkdir()
        self._folder, self._port = folder, free_port()
        for key in (folder / "technician", vehicle.root / "etc/ssh/workshop_key"):
            key.parent.mkdir(exist_ok=True)
            command = [need("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
            subprocess.run(command, check=True, timeout=60)
        public = (vehicle.root / "etc/ssh/workshop_key.pub").read_text().split()[:2]
        (folder / "known_hosts").write_text(f"[{HOST}]:{self._port} {' '.join(public)}\n")
        vehicle.put("/etc/ssh/technician.pub", (folder / "technician.pub").read_text())
        vehicle.put(
            _CONFIG,
            f"Port {self._port}\nListenAddress {HOST}\nHostKey /etc/ssh/workshop_key\nPidFile none\nUsePAM no\n"
            "AuthorizedKeysFile /etc/ssh/technician.pub\nStrictModes no\nPermitRootLogin prohibit-password\n"
            "SetEnv PATH=/opt/workshop:/usr/bin:/bin\n",
        )
        vehicle.put("/opt/workshop/sudo", '#!/bin/sh\nshift\nexec "$@"\n').chmod(0o755)
        self._listen(vehicle)

    def _listen(self, vehicle: Device) -> None:
        # Without PAM no key opens an account whose password is locked, and nobody has given root one.
        for command in (
            ("systemd-sysusers", "--inline", 'u sshd - "" /run/sshd'),
            (need("usermod"), "-p", "*", "root"),
        ):
            made = vehicle.run(*command)
            assert made.returncode == 0, made.stderr
        unit = ["systemd-run", "--unit=workshop-ssh", "--property=RuntimeDirectory=sshd"]
        started = vehicle.run(*unit, need("sshd"), "-D", "-e", "-f", _CONFIG)
        assert started.returncode == 0, started.stderr
        wait_until(lambda: listens(HOST, self._port), timeout_s=DEADLINE_S, what="the vehicle's sshd")

    def update(self, bundle: Path, *more: str) -> tuple[int, str]:
        """`scripts/update-vehicle root@HOST --bundle BUNDLE`: exit code and lines, once the vehicle has judged."""
        words = [f"root@{HOST}", "--bundle", bundle, "--port", self._port, "--identity", self._folder / "technician"]
        words += ["--ssh-option", f"UserKnownHostsFile={self._folder / 'known_hosts'}", "--lang", "en", *more]
        command = [sys.executable, "-m", "workshop.visiting.cli", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=3 * DEADLINE_S)
        return done.returncode, done.stdout + done.stderr
