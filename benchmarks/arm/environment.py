# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""An aarch64 Python with the vehicle's locked wheels in a folder; no root, no container.

Debian's Python comes as arm64 packages through apt with lists of its own, so that this computer's apt notices nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from workshop.release.lock import Computer
from workshop.release.source import LOCK
from workshop.release.wheels import download, last_error

ROOT = Path(__file__).resolve().parents[2]
QEMU = "qemu-aarch64-static"
_PACKAGES = ("python3", "libstdc++6")
#: Part and features as /proc/cpuinfo tells them. ONNX Runtime reads that file, which qemu does not emulate, to choose
#: its kernels (and crashes on this computer's own).
_CPUINFO = {
    "cortex-a72": ("0xd08", "fp asimd evtstrm crc32 cpuid"),
    "cortex-a76": (
        "0xd0b",
        "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp",
    ),
}
CPUS = tuple(_CPUINFO)


@dataclass(frozen=True)
class Arm:
    """Runs Python as an aarch64 processor would."""

    folder: Path

    @property
    def python(self) -> str:
        """Its version, such as 3.11."""
        return (self.folder / "root" / "usr" / "bin" / "python3").readlink().name.removeprefix("python")

    def run(self, *arguments: str, cpu: str) -> subprocess.CompletedProcess[str]:
        """Python with these arguments, in the checkout, on one of CPUS."""
        root, site = self.folder / "root", self.folder / "site"
        self._pretend(cpu)
        environment = {**os.environ, "PYTHONPATH": f"{site}:{ROOT}", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}
        command = [QEMU, "-cpu", cpu, "-L", str(root), str(root / "usr" / "bin" / f"python{self.python}"), *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def _pretend(self, cpu: str) -> None:
        part, features = _CPUINFO[cpu]
        core = f"Features\t: {features}\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: {part}\n\n"
        told = self.folder / "root" / "proc" / "cpuinfo"  # below qemu's -L, so it stands before the real one
        told.parent.mkdir(exist_ok=True)
        told.write_text("".join(f"processor\t: {number}\n{core}" for number in range(4)), encoding="utf-8")


def make(folder: Path) -> Arm:
    """The environment, made if it is not there.

    Raises:
        SystemExit: a program is missing or a download failed; one line says which.
    """
    missing = [name for name in (QEMU, "apt-get", "dpkg") if shutil.which(name) is None]
    if missing:
        raise SystemExit(f"needed and not here: {', '.join(missing)} (Debian or Ubuntu: apt install qemu-user-static)")
    arm = Arm(folder)
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _system(folder)
        _wheels(folder, Computer("aarch64", arm.python))
        (folder / "complete").touch()
    return arm


def _system(folder: Path) -> None:
    state, cache = folder / "apt" / "state", folder / "apt" / "cache"
    for made in (state / "lists" / "partial", cache / "archives" / "partial", folder / "root"):
        made.mkdir(parents=True)
    (state / "status").touch()  # nothing is installed, so everything that is needed is fetched
    options = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "",
        "Debug::NoLocking": "1",
        "Dir::State": str(state),
        "Dir::State::status": str(state / "status"),
        "Dir::Cache": str(cache),
    }
    apt = ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in options.items())]
    _do([*apt, "update"])
    _do([*apt, "install", "--yes", "--download-only", "--no-install-recommends", *_PACKAGES])
    for package in sorted((cache / "archives").glob("*.deb")):
        _do(["dpkg", "-x", str(package), str(folder / "root")])


def _wheels(folder: Path, computer: Computer) -> None:
    for wheel in download(ROOT / LOCK, computer, folder / "wheels"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "site")


def _do(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:1] + command[-2:])}: {last_error(done.stderr)}")
