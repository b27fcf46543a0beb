# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the lock asks for on a vehicle's computer, which is another one than this.

pip evaluates markers for the Python it runs in, also when it downloads for another. So they are evaluated here.
"""

from __future__ import annotations

import email
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from workshop.errors import WorkshopError

#: Python: the last part of its version and the C library's, as the oldest system has them that vehicles run with it:
#: Ubuntu 22.04 (Jetson), Debian 12, Ubuntu 24.04, Debian 13.
_SYSTEMS = {"3.10": (12, 35), "3.11": (2, 36), "3.12": (3, 39), "3.13": (5, 41)}
_OLDER = {"x86_64": ((17, "2014"), (12, "2010"), (5, "1")), "aarch64": ((17, "2014"),)}


@dataclass(frozen=True)
class Computer:
    """A kind of computer. `machine` as `platform.machine()`; `python` such as "3.13"."""

    machine: str
    python: str

    def __post_init__(self) -> None:
        if self.machine not in _OLDER or self.python not in _SYSTEMS:
            raise WorkshopError(
                f"{self.machine}, Python {self.python}: known are {', '.join(_OLDER)} and Python {', '.join(_SYSTEMS)}"
            )

    def __str__(self) -> str:
        return f"{self.machine}/{self.python}"

    def platforms(self) -> list[str]:
        """Platform tags of wheels that run there, the best first."""
        names = []
        for minor in range(_SYSTEMS[self.python][1], 4, -1):
            if minor < _OLDER[self.machine][-1][0]:
                break
            names.append(f"manylinux_2_{minor}_{self.machine}")
            names += [f"manylinux{name}_{self.machine}" for at, name in _OLDER[self.machine] if at == minor]
        return [*names, f"linux_{self.machine}"]

    def tags(self) -> set[Tag]:
        """All tags of wheels that run there."""
        major, minor = (int(part) for part in self.python.split("."))
        platforms = self.platforms()
        return {
            *cpython_tags((major, minor), platforms=platforms),
            *compatible_tags((major, minor), interpreter=f"cp{major}{minor}", platforms=platforms),
        }

    def applies(self, marker: Marker | None, extras: Iterable[str] = ("",)) -> bool:
        """Whether a requirement counts there."""
        return marker is None or any(marker.evaluate({**self._environment(), "extra": extra}) for extra in extras)

    @property
    def full_python(self) -> str:
        """Python's whole version, as the system has it."""
        return f"{self.python}.{_SYSTEMS[self.python][0]}"

    def _environment(self) -> dict[str, str]:
        return {
            "implementation_name": "cpython",
            "implementation_version": self.full_python,
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": self.full_python,
            "python_version": self.python,
            "sys_platform": "linux",
        }


@dataclass(frozen=True)
class Pin:
    """One entry of a lock."""

    requirement: Requirement
    hashes: tuple[str, ...]

    def line(self) -> str:
        """For pip, without the marker."""
        exact = f"{self.requirement.name}{self.requirement.specifier}"
        return " ".join((exact, *(f"--hash={each}" for each in self.hashes)))


def pins(text: str, computer: Computer) -> list[Pin]:
    """The entries of a lock (requirements.txt with hashes) that count for a computer.

    Raises:
        WorkshopError: an entry without hash or exact version, or two versions of one thing.
    """
    bare = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found: dict[str, Pin] = {}
    for line in bare.replace("\\\n", " ").splitlines():
        first, *hashes = line.split("--hash=")
        if not first.strip():
            continue
        try:
            requirement = Requirement(first.strip())
        except InvalidRequirement as error:
            raise WorkshopError(f"lock: {first.strip()[:80]!r}: {error}") from None
        if not hashes or not str(requirement.specifier).startswith("=="):
            raise WorkshopError(
                f"lock: {requirement.name}: needs an exact version and hashes; write it by scripts/lock"
            )
        if not computer.applies(requirement.marker):
            continue
        name = canonicalize_name(requirement.name)
        if name in found:
            raise WorkshopError(f"lock: {name}: two versions for {computer}")
        found[name] = Pin(requirement, tuple(each.strip() for each in hashes))
    return list(found.values())


def check_complete(wheels: Iterable[Path], computer: Computer, start: str) -> None:
    """Follow what every wheel asks for, beginning with `start`, on that computer.

    Raises:
        WorkshopError: something is missing, in the wrong version, or does not run there; all of it in one line.
    """
    there: dict[str, tuple[Path, Version]] = {}
    problems = []
    tags = computer.tags()
    for path in wheels:
        name, version, _, of_wheel = parse_wheel_filename(path.name)
        if name in there:
            problems.append(f"{name} twice")
        if not tags & of_wheel:
            problems.append(f"{path.name} does not run there")
        there[name] = (path, version)
    waiting, seen = [("", Requirement(start))], set()
    while waiting:
        asking, wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name not in there or not wanted.specifier.contains(there[name][1], prereleases=True):
            problems.append(f"{wanted.name}{wanted.specifier} for {asking or start}")
            continue
        for extra in ("", *sorted(wanted.extras)):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += [(name, each) for each in _asked(there[name][0], computer, extra, problems)]
    if problems:
        raise WorkshopError(f"the wheels for {computer} are not complete: {'; '.join(sorted(set(problems)))}")


def _asked(wheel: Path, computer: Computer, extra: str, problems: list[str]) -> list[Requirement]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    python = metadata.get("Requires-Python")
    if python and not SpecifierSet(python).contains(computer.full_python):
        problems.append(f"{wheel.name} asks for Python {python}")
    asked = [Requirement(each) for each in metadata.get_all("Requires-Dist", [])]
    return [each for each in asked if computer.applies(each.marker, (extra,))]
