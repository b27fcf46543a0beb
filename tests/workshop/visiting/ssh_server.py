# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A vehicle to visit: a real sshd on a loopback port, a stand-in for its updater, and a line that can be cut."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.servers import HOST, free_port, listens, need, wait_until
from workshop.visiting.line import Address
from workshop.visiting.visit import Places

#: Looks at the bundle as far as a test needs it, then ends with the next line of `code`, else with 0.
UPDATER = """#!/bin/sh
echo "$@" >> "{folder}/calls"
[ "$1 $3 $4" = "--lang install --bundle" ] || exit 64
shift 3
[ -f "$2/bundle.json" ] && [ -f "$2/metadata/timestamp.json" ] || {{ echo "no bundle"; exit 65; }}
cp "$2"/targets/wheels/* "{folder}/arrived/"
echo "self-test passed"
echo '{{"release":"2026.11.7","state":"staged"}}' > "{folder}/state.json"
read -r code <"{folder}/code"
sed -i 1d "{folder}/code"
exit "${{code:-0}}"
"""


class Vehicle:
    """`port` is the one to call: it leads through the line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places = Places(
            str(folder / "opt visit" / "visit"), str(folder / "bin" / "wegewart-update"), str(folder / "state.json")
        )
        for name in ("bin", "arrived", "opt visit"):
            (folder / name).mkdir(parents=True)
        (folder / "code").write_text("")
        self._program("wegewart-update", UPDATER.format(folder=folder))
        self._program("sudo", '#!/bin/sh\nshift\nexec "$@"\n')
        keygen = need("ssh-keygen")
        for name in ("host", "technician"):
            command = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(command, check=True)
        self._program("systemctl", f'#!/bin/sh\necho "systemctl $*" >> "{folder}/calls"\n')
        self.sshd_port = free_port()
        self._config()
        self.port = self.sshd_port

    def _program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def _config(self) -> None:
        (self.folder / "sshd_config").write_text(
            f"Port {self.sshd_port}\nListenAddress {HOST}\nHostKey {self.folder / 'host'}\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {self.folder / 'technician.pub'}\nStrictModes no\nPasswordAuthentication no\n"
            f"PermitRootLogin prohibit-password\nSetEnv PATH={self.folder / 'bin'}:/usr/bin:/bin\n"
        )

    def address(self, *more: str) -> Address:
        """As a technician has it: the host's key is known."""
        public = " ".join((self.folder / "host.pub").read_text().split()[:2])
        known = self.folder / "known_hosts"
        known.write_text(f"[{HOST}]:{self.port} {public}\n")
        options = (*more, f"UserKnownHostsFile={known}", "GlobalKnownHostsFile=/dev/null")
        return Address(f"{getpass.getuser()}@{HOST}", self.port, self.folder / "technician", options)

    def calls(self) -> list[str]:
        """What the updater was called with, and systemctl."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@contextlib.contextmanager
def vehicle(folder: Path) -> Iterator[Vehicle]:
    """A vehicle that answers; skips without sshd, fails in CI."""
    program = need("sshd")
    if os.getuid() == 0:
        # As root it wants a folder to lock itself into.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    made = Vehicle(folder)
    with (folder / "sshd.log").open("wb") as log:
        command = [program, "-D", "-e", "-f", str(folder / "sshd_config")]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until(lambda: listens(HOST, made.sshd_port), timeout_s=20, what="sshd")
        yield made
    finally:
        process.terminate()
        process.wait(10)


class Cable:
    """Leads to a port. `cut_after`: so many bytes towards the vehicle, then it breaks once; `stall`: it only stops."""

    def __init__(self, port: int, cut_after: int, *, stall: bool = False) -> None:
        self._target, self._left, self._stall = port, cut_after, stall
        self._whole = False
        self.reached = threading.Event()
        self.sent = 0
        self._server = socket.create_server((HOST, 0))
        self.port: int = self._server.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def mend(self) -> None:
        """From now on it holds; what hung is dropped."""
        self._whole = True
        for each in self._open:
            _drop(each)

    def close(self) -> None:
        """No more calls."""
        self._server.close()
        self.mend()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection((HOST, self._target))
                self._open += [near, far]
                threading.Thread(target=self._up, args=(near, far), daemon=True).start()
                threading.Thread(target=self._down, args=(far, near), daemon=True).start()

    def _up(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := near.recv(16384):
                self._left -= len(chunk)
                if self._left < 0 and not self._whole:
                    self.reached.set()
                    if self._stall:
                        return
                    self._whole = True
                    break
                self.sent += len(chunk)
                far.sendall(chunk)
        _drop(near)
        _drop(far)

    def _down(self, far: socket.socket, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := far.recv(16384):
                near.sendall(chunk)
        _drop(near)


def _drop(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
