# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the Raspberry Pi says of itself, and how it is booted anew. The boot loader itself is never touched."""

from __future__ import annotations

import re
import struct
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

from edge.os_update.deciding import Board
from edge.os_update.slots import Boot

#: What one trial is asked for by. The older way, a bit set over the mailbox, fails on boot loaders that know this one.
TRYBOOT = "0 tryboot"


class Machine(Protocol):
    """The computer."""

    def board(self) -> Board:
        """Which one it is."""

    def boot(self) -> Boot:
        """The boot we are in."""

    def reboot(self, argument: str | None = None) -> None:
        """Boot anew; `argument` is for the boot loader, which forgets it when the power is cut."""


class RaspberryPi:
    """The real one. `root`: where its /proc is, for tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._tree = root / "proc/device-tree"
        self._cmdline = root / "proc/cmdline"
        self._boot_id = root / "proc/sys/kernel/random/boot_id"

    def board(self) -> Board:
        """From the device tree."""
        model = _content(self._tree / "model").decode("ascii", "replace").strip("\0 ")
        built_s = self._number("build-timestamp") or self._number("build_timestamp")
        return Board(model, datetime.fromtimestamp(built_s, timezone.utc) if built_s else None)

    def boot(self) -> Boot:
        """From the device tree and the kernel's command line."""
        found = re.search(r"(?:^|\s)rauc\.slot=(\S+)", _content(self._cmdline).decode("utf-8", "replace"))
        return Boot(
            boot_id=_content(self._boot_id).decode("ascii", "replace").strip(),
            partition=self._number("partition"),
            trial=self._number("tryboot") == 1,
            root=found[1] if found else "",
        )

    def reboot(self, argument: str | None = None) -> None:
        """By systemd, in order.

        Raises:
            OSError: it was refused.
        """
        command = ["/usr/sbin/reboot", *([] if argument is None else [argument])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - fixed
        if done.returncode:
            raise OSError(f"{' '.join(command)}: {done.stderr.strip() or f'exit {done.returncode}'}")

    def _number(self, name: str) -> int:
        """A 32-bit number of the boot loader's; 0 where there is none."""
        content = _content(self._tree / "chosen/bootloader" / name)
        return int(struct.unpack(">I", content)[0]) if len(content) == 4 else 0


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
