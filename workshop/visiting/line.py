# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One SSH connection to a vehicle, by the system's OpenSSH client, over which several commands run.

The vehicle's host key is always checked: an unknown one is shown for confirmation where there is a terminal and refused
where there is none, a changed one is refused. No option can turn that off.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from workshop.errors import WorkshopError

#: What the client returns when it is the connection that failed.
LOST = 255


class LostError(WorkshopError):
    """The connection is gone or was never there."""

    exit_code = LOST


class Line(Protocol):
    """Commands on a vehicle. Each may raise LostError."""

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """A command and what it said."""

    def send(self, command: str, content: IO[bytes], said: Callable[[int], None]) -> subprocess.CompletedProcess[str]:
        """A command that reads; `said` is told the bytes of each piece."""

    def follow(self, command: str, said: Callable[[str], None]) -> int:
        """A command that says something line by line; returns its exit code."""

    def close(self) -> None:
        """Hang up."""


@dataclass(frozen=True)
class Address:
    """A vehicle. `host`: [user@]name; `options`: for the client's -o."""

    host: str
    port: int | None = None
    identity: Path | None = None
    options: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """For the client, where the first value of an option counts."""
        fixed = ["StrictHostKeyChecking=ask", "ServerAliveInterval=10", "ServerAliveCountMax=3", "ConnectTimeout=20"]
        some = [f"-o{option}" for option in (*fixed, *self.options)]
        some += ["-p", str(self.port)] if self.port is not None else []
        return some + (["-i", str(self.identity), "-oIdentitiesOnly=yes"] if self.identity is not None else [])


class OpenSsh:
    """A master connection of our own, over which the commands go."""

    def __init__(self, address: Address) -> None:
        """Connect; the client may ask on the terminal for a passphrase or about a host key.

        Raises:
            LostError: it does not come about; with the client's reason.
            WorkshopError: there is no client.
        """
        program = shutil.which("ssh")
        if program is None or address.host.startswith("-"):
            raise WorkshopError(f"{address.host}: ssh is missing (apt install openssh-client) or this is no host")
        self._folder = tempfile.TemporaryDirectory(prefix="ww-")
        socket = Path(self._folder.name) / "s"
        arguments = address.arguments()
        with (Path(self._folder.name) / "said").open("wb") as said:
            self._master = subprocess.Popen(  # noqa: S603  no shell
                [program, "-M", "-N", "-S", str(socket), "-oControlPersist=no", *arguments, "--", address.host],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
        # Over the master or not at all.
        only = ["-S", str(socket), "-oControlMaster=no", "-oProxyCommand=false", "-oBatchMode=yes", "-T"]
        self._command = [program, *only, *arguments, "--", address.host]
        while not socket.exists():
            if self._master.poll() is not None:
                why = self._why()
                self.close()
                raise LostError(f"{address.host}: {why}")
            time.sleep(0.02)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """See `Line`."""
        done = subprocess.run(  # noqa: S603
            [*self._command, command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode == LOST:
            raise LostError(self._why())
        return done

    def send(self, command: str, content: IO[bytes], said: Callable[[int], None]) -> subprocess.CompletedProcess[str]:
        """See `Line`."""
        with subprocess.Popen(  # noqa: S603
            [*self._command, command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stderr is not None
            # A command that ends early says why by its exit code.
            with contextlib.suppress(BrokenPipeError):
                while chunk := content.read(1 << 16):
                    process.stdin.write(chunk)
                    process.stdin.flush()
                    said(len(chunk))
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            reason = process.stderr.read().decode(errors="replace")
            code = process.wait()
        if code == LOST:
            raise LostError(self._why())
        return subprocess.CompletedProcess(command, code, "", reason)

    def follow(self, command: str, said: Callable[[str], None]) -> int:
        """See `Line`."""
        with subprocess.Popen(  # noqa: S603
            [*self._command, f"{command} 2>&1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said(line.rstrip("\n"))
            code = process.wait()
        if code == LOST:
            raise LostError(self._why())
        return code

    def close(self) -> None:
        """See `Line`."""
        self._master.terminate()
        self._master.wait()
        self._folder.cleanup()

    def _why(self) -> str:
        said = (Path(self._folder.name) / "said").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        lines = [line.strip() for line in said if line.strip(" @\r") and not line.startswith("Warning:")]
        return lines[-1] if lines else "the connection was lost"
