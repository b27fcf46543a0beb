# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Fetches the locked wheels for another computer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from workshop.errors import WorkshopError
from workshop.release.lock import Computer, pins


def download(lock: Path, computer: Computer, into: Path) -> list[Path]:
    """All wheels that the lock wants on that computer, by their hashes.

    Raises:
        WorkshopError: the index does not answer, or has no such wheel.
    """
    into.mkdir(parents=True)
    chosen = pins(lock.read_text(encoding="utf-8"), computer)
    wanted = into / "wanted.txt"
    wanted.write_text("".join(f"{pin.line()}\n" for pin in chosen), encoding="utf-8")
    platforms = [f"--platform={name}" for name in computer.platforms()]
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    command += ["--quiet", "--only-binary=:all:", "--implementation=cp", f"--python-version={computer.python}"]
    done = run([*command, *platforms, f"--dest={into}", f"--requirement={wanted}"])
    if done.returncode:
        raise WorkshopError(f"wheels for {computer}: {last_error(done.stderr)}")
    return sorted(into.glob("*.whl"))


def run(command: list[str], *, folder: Path | None = None, extra: dict[str, str] | None = None) -> _Done:
    """A program that asks nobody anything."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **(extra or {})}
    return subprocess.run(  # noqa: S603  programs and arguments are ours
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,
    )


_Done = subprocess.CompletedProcess[str]


def last_error(text: str) -> str:
    """The line of a program's output that says most."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "fatal"))]
    return (errors or lines or ["no reason given"])[-1][:300]
