# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A small computer for the tests: the real systemd as process 1, with our units and the installed application.

`systemd-nspawn` boots a folder that borrows the machine's own /usr read-only; everything that can be written is its
own: /etc begins empty as on a new device, /var outlives a reboot. Python and its packages are lent read-only too.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pytest

from tests.servers import need, wait_until

ROOT = Path(__file__).parents[2]
CGROUPS = Path("/sys/fs/cgroup")
BOOT_TIMEOUT_S = 60.0
#: How systemd-nspawn ends when the container wants to be booted again.
_WANTS_REBOOT = 133
#: What a computer in a box does not need; some of it would ask somebody at a keyboard.
_MASKED = (
    *("systemd-firstboot.service", "systemd-logind.service", "systemd-networkd.service", "systemd-resolved.service"),
    *("systemd-udevd.service", "systemd-timesyncd.service", "getty.target", "console-getty.service"),
    *("dbus.service", "dbus.socket", "gpsd.socket"),
)


class Container:
    """One computer; its disk is the folder `root`. Furnish it with `put` and `lend`, then `boot`."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.boots = 0
        self._log = folder / "console.log"
        self._program = need("systemd-nspawn")
        self._name = f"wegewart-test-{os.getpid()}"
        self._groups = [
            place / self._name for place in (CGROUPS, CGROUPS / "systemd", CGROUPS / "unified") if _is_group(place)
        ]
        self._lent: dict[str, Path] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._furnish()

    def put(self, path: str, text: str) -> Path:
        """Write a file onto its disk."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        return place

    def lend(self, path: Path, place: str) -> None:
        """Show a folder of this machine at a place there, to be read only. Before the boot."""
        self._lent[place] = path

    def enable(self, unit: str) -> None:
        """Have a unit started at every boot."""
        subprocess.run(["systemctl", "--quiet", f"--root={self.root}", "enable", unit], check=True, timeout=60)

    # ---- its life

    def boot(self, *, awaited: bool = True) -> None:
        """Boot and wait until systemd has started everything, unless it will not come so far."""
        assert self._process is None, "already runs"
        self.boots += 1
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command("--boot"), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        process = self._process
        if not awaited:
            return

        def answers() -> bool:
            if process.poll() is not None:
                pytest.fail(f"the container did not boot (exit {process.returncode}): {self.console()}")
            return self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

        wait_until(answers, timeout_s=BOOT_TIMEOUT_S, what="boot of the container")

    def wait_reboot(self, timeout_s: float) -> None:
        """Wait until the container asks to be booted again, and boot it, as its host's service would."""
        code = self._wait(timeout_s)
        assert code == _WANTS_REBOOT, f"ended with {code}, no reboot: {self.console()}"
        self.boot()

    def wait_off(self, timeout_s: float) -> None:
        """Wait until the container has switched itself off."""
        code = self._wait(timeout_s)
        assert code == 0, f"ended with {code}, was not switched off: {self.console()}"

    def _wait(self, timeout_s: float) -> int:
        assert self._process is not None, "does not run"
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still runs after {timeout_s:g} s: {self.console()}")
        self._process = None
        return code

    def end(self) -> None:
        """Power off, hard if it must be, and leave nothing behind."""
        if self._process is not None:
            # The first asks for an orderly halt, the second ends it at once.
            for how, wait_s in ((signal.SIGTERM, 0.2), (signal.SIGTERM, 10), (signal.SIGKILL, 10)):
                self._process.send_signal(how)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(wait_s)
            self._process = None
        wait_until(self._groups_gone, what="end of the container's processes")

    def _groups_gone(self) -> bool:
        """Remove its control groups; those with a process that is just ending stay for the next try."""
        for group in self._groups:
            for place in [*sorted(group.rglob("*/"), reverse=True), group]:
                with suppress(OSError):  # also for files, which go with their folder
                    place.rmdir()
        return not any(group.exists() for group in self._groups)

    # ---- looking into it

    def run(self, *command: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """A command inside, as root; its exit code is the caller's business."""
        inside = ["nsenter", f"--target={self._leader()}", "--all", "--wd=/", "env", "-i", f"PATH={os.defpath}"]
        return subprocess.run([*inside, *command], capture_output=True, text=True, timeout=timeout_s)

    def show(self, unit: str, name: str) -> str:
        """One property of a unit, as `systemctl show` tells it."""
        return self.run("systemctl", "show", f"--property={name}", "--value", unit).stdout.strip()

    def journal(self, unit: str, pid: int | None = None) -> list[str]:
        """What a unit's processes, or only one of them, have written, over all boots, oldest first."""
        return self._journal(f"_SYSTEMD_UNIT={unit}", *(() if pid is None else (f"_PID={pid}",)))

    def journal_of_systemd(self, unit: str) -> list[str]:
        """What systemd itself has written about a unit."""
        return self._journal(f"UNIT={unit}")

    def _journal(self, *matches: str) -> list[str]:
        return self.run("journalctl", "--quiet", "--no-pager", "--output=cat", *matches).stdout.splitlines()

    def console(self) -> str:
        """The end of what the computer printed."""
        return self._log.read_text(errors="replace")[-2000:]

    def problem(self) -> str | None:
        """Why no container can be made on this machine; None where one can."""
        found = subprocess.run(self._command("/usr/bin/true"), capture_output=True, text=True, timeout=60)
        return None if found.returncode == 0 else found.stderr.strip()

    # ---- how it is made

    def _furnish(self) -> None:
        for name in ("etc/systemd/system", "usr", "var/log/journal", "opt", "proc", "sys", "dev", "tmp", "run", "root"):
            (self.root / name).mkdir(parents=True)
        self.lend(Path("/usr"), "/usr")
        for path in (Path(f"/{name}") for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32")):
            if path.is_symlink():
                (self.root / path.name).symlink_to(path.readlink())
            elif path.is_dir():
                self.lend(path, str(path))
        for path in (Path("/etc") / name for name in ("nsswitch.conf", "ld.so.cache", "os-release")):
            if path.exists():
                shutil.copy(path, self.root / "etc")
        units = self.root / "etc/systemd/system"
        (units / "default.target").symlink_to("/usr/lib/systemd/system/multi-user.target")
        for name in _MASKED:
            (units / name).symlink_to("/dev/null")
        # With an empty /etc systemd would enable every service that the machine has.
        self.put("/etc/systemd/system-preset/00-none.preset", "disable *\n")

    def _command(self, *what: str) -> list[str]:
        lent = [f"--bind-ro={path}:{place}" for place, path in self._lent.items()]
        nspawn = [self._program, "--quiet", "--register=no", "--keep-unit", f"--machine={self._name}"]
        nspawn += [f"--directory={self.root}", "--link-journal=no", "--resolv-conf=off", "--timezone=off", *lent]
        # Without a manager to ask for a group of its own it takes over the one that it is started in.
        for group in self._groups:
            group.mkdir(exist_ok=True)
        joining = 'for group in $1; do echo 0 >"$group/cgroup.procs"; done; shift; exec "$@"'
        groups = " ".join(map(str, self._groups))
        return ["sh", "-euc", joining, "sh", groups, *nspawn, "--console=read-only", *what]

    def _leader(self) -> int:
        """The container's process 1, as the machine counts."""
        assert self._process is not None, "does not run"
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0]) if children else self._process.pid


C = TypeVar("C", bound=Container)


def _is_group(place: Path) -> bool:
    return (place / "cgroup.procs").is_file()


@contextmanager
def container(folder: Path, make: Callable[[Path], C] = Container) -> Iterator[C]:
    """A container that can be furnished and booted; skips where none can be made at all, with the reason."""
    if os.geteuid() != 0:
        pytest.skip("a container with its own systemd needs root")
    made = make(folder)
    try:
        problem = made.problem()
        if problem is not None:
            pytest.skip(f"systemd-nspawn cannot make a container on this machine: {problem}")
        yield made
    finally:
        made.end()


def install(made: Container) -> None:
    """An installation as `docs/technician.md` makes it, out of the one that runs the tests.

    At places of its own: the originals may lie in somebody's home, and the unit hides homes.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    made.lend(Path(sys.base_prefix), "/opt/python")
    made.lend(Path(sysconfig.get_path("purelib")), f"/opt/wegewart/current/lib/{version}/site-packages")
    made.lend(ROOT, "/opt/wegewart/src")
    made.put("/opt/wegewart/current/pyvenv.cfg", "home = /opt/python/bin\n")
    programs = made.root / "opt/wegewart/current/bin"
    programs.mkdir()
    (programs / version).symlink_to(f"/opt/python/bin/{version}")
    for name in ("wegewart-edge", "wegewart-depot"):
        script = Path(sys.executable).parent.joinpath(name).read_text(encoding="utf-8")
        script = re.sub(r"\A#!.*", f"#!/opt/wegewart/current/bin/{version}", script)
        made.put(f"/opt/wegewart/current/bin/{name}", script).chmod(0o755)
    for unit in (ROOT / "systemd").glob("*.service"):
        # The checkout is found by its place; Python's own library where it is a shared one.
        made.put(
            f"/etc/systemd/system/{unit.name}.d/installation.conf",
            "[Service]\nEnvironment=PYTHONPATH=/opt/wegewart/src LD_LIBRARY_PATH=/opt/python/lib\n",
        )
