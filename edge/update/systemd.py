# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The daemon's service under systemd, and its heartbeat. On a computer without systemd nothing runs."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from edge import heartbeat
from edge.errors import WegewartError
from edge.heartbeat import Heartbeat
from edge.update.ports import Unit

DAEMON = "wegewart-edge.service"
_TIMEOUT_S = 60.0
_PROPERTIES = "ActiveState,SubState,NRestarts,ExecMainStatus,Result"


@dataclass(frozen=True)
class Systemd:
    """`runtime`: where the daemon's heartbeat lies."""

    runtime: Path
    unit: str = DAEMON

    def state(self) -> Unit:
        """How the service is; not running where systemd does not answer."""
        try:
            return parse(self._run("show", f"--property={_PROPERTIES}", self.unit))
        except WegewartError:
            return Unit()

    def restart(self) -> None:
        """Begin a restart. Not waited for: READY may take minutes, and may never come.

        Raises:
            WegewartError: systemd refuses.
        """
        # A unit that was tried too often would not be started again, whichever release it comes from.
        self._run("reset-failed", self.unit)
        self._run("restart", "--no-block", self.unit)

    def beat(self) -> Heartbeat | None:
        """The newest heartbeat."""
        return heartbeat.read(self.runtime)

    def _run(self, *arguments: str) -> str:
        program = shutil.which("systemctl")
        if program is None:
            raise WegewartError("systemctl is not installed; the daemon has to be started by hand")
        try:
            done = subprocess.run(  # noqa: S603 - our own words
                [program, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise WegewartError(f"systemctl {arguments[0]} did not answer within {_TIMEOUT_S:.0f} s") from None
        if done.returncode and arguments[0] != "reset-failed":
            raise WegewartError(f"systemctl {arguments[0]} {self.unit}: {done.stderr.strip() or done.returncode}")
        return done.stdout


def parse(shown: str) -> Unit:
    """What `systemctl show` printed."""
    said = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)

    def number(key: str) -> int:
        value = said.get(key, "")
        return int(value) if value.isdecimal() else 0

    return Unit(
        active=said.get("ActiveState") or "inactive",
        sub=said.get("SubState") or "dead",
        restarts=number("NRestarts"),
        result=said.get("Result") or "success",
        exit_status=number("ExecMainStatus"),
    )
