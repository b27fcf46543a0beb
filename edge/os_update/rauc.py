# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""RAUC, which verifies a bundle and writes it into the system that does not run."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.os_update.slots import Doubt

#: Of a system, as scripts/os-bundle demands it: year.month.day, and a number for more than one a day.
VERSION = re.compile(r"\d{4}\.\d{2}\.\d{2}(\.\d{1,3})?", re.ASCII)
_INFO_TIMEOUT_S = 600.0
_INSTALL_TIMEOUT_S = 3 * 3600.0


@dataclass(frozen=True)
class Bundle:
    """What a verified bundle says of itself."""

    compatible: str
    version: str


class Installer(Protocol):
    """Who verifies and writes."""

    def info(self, bundle: Path) -> Bundle:
        """Verify the signature.

        Raises:
            Doubt: it is not signed by a key that this device trusts, or is no bundle.
        """

    def install(self, bundle: Path) -> None:
        """Write it, and call the boot loader's backend before and after.

        Raises:
            Doubt: it was refused or broke off; one line why.
        """


class Rauc:
    """The real one, by its own command."""

    def __init__(self, command: tuple[str, ...] = ("/usr/bin/rauc",)) -> None:
        self._command = command

    def info(self, bundle: Path) -> Bundle:
        """See `Installer`."""
        said = self._run(_INFO_TIMEOUT_S, "info", "--output-format=json", str(bundle))
        try:
            found = json.loads(said)
            return Bundle(str(found["compatible"]), str(found["version"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Doubt(f"rauc says nothing that can be read about {bundle.name}: {error}") from error

    def install(self, bundle: Path) -> None:
        """See `Installer`."""
        self._run(_INSTALL_TIMEOUT_S, "install", str(bundle))

    def _run(self, timeout_s: float, *arguments: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - fixed program
                [*self._command, *arguments], capture_output=True, text=True, timeout=timeout_s, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Doubt(f"rauc {arguments[0]}: {error}") from error
        if done.returncode:
            raise Doubt(f"rauc {arguments[0]}: {_reason(done.stderr) or f'exit {done.returncode}'}")
        return done.stdout


def _reason(said: str) -> str:
    """Of what rauc says on the way, the line with its reason."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "LastError:" in line] or [line for line in lines if "failed" in line.lower()]
    return (telling or lines or [""])[-1]


def age(version: str) -> tuple[int, ...] | None:
    """To compare versions by; None: it is not one of ours."""
    return tuple(map(int, version.split("."))) if VERSION.fullmatch(version) else None
