# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The real programs that check: found, started, their words given back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Said:
    """How a program ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both together."""
        return f"{self.err}\n{self.out}".strip()


class Programs(Protocol):
    """Finds and starts programs."""

    def find(self, name: str) -> str | None:
        """Its path, or None."""

    def run(self, *command: str, text: str = "", extra: dict[str, str] | None = None) -> Said:
        """Run it to its end. Raises OSError or subprocess.TimeoutExpired."""


class RealPrograms:
    """Those of this machine."""

    def find(self, name: str) -> str | None:
        """Debian keeps some in sbin, which a normal user does not have in PATH."""
        own = Path(sys.executable).parent / name
        if own.exists():
            return str(own)
        return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/sbin")

    def run(self, *command: str, text: str = "", extra: dict[str, str] | None = None) -> Said:
        """At most a minute."""
        environment = os.environ | {"LC_ALL": "C"} | (extra or {})
        done = subprocess.run(  # noqa: S603 - a list of ours, no shell
            command, input=text, capture_output=True, text=True, timeout=60, check=False, env=environment
        )
        return Said(done.returncode, done.stdout, done.stderr)
