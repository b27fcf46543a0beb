# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the daemon tells other programs of the same computer: does it move, does it look, which release is it.

A small file on a memory file system (systemd's `RuntimeDirectory`), written whole every few seconds. `monotonic_s` is
the system's own clock since its boot, the same for all processes. Who reads it believes it only while it is fresh.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

FRESH_S = 15.0
EVERY_S = 2.0
_NAME = "daemon.json"


class Heartbeat(Struct, frozen=True, kw_only=True):
    """One look at the daemon. Counts are of this process (`pid`), times in seconds of the monotonic clock."""

    monotonic_s: float
    pid: int
    #: The release it was started from; None where the updater did not put it there.
    release: str | None = None
    #: READY was said: a first frame has been looked at.
    ready: bool = False
    #: Frames that came from the camera, and those that were looked at.
    frames: int = 0
    looked: int = 0
    moved_m: float = 0.0
    speed_mps: float | None = None
    #: Since when the vehicle has been standing; None: it moves, or nobody knows.
    standing_since_s: float | None = None
    #: The broker's link stands.
    online: bool = False

    def is_fresh(self, now_s: float) -> bool:
        """Whether it was written in the last seconds."""
        return 0 <= now_s - self.monotonic_s <= FRESH_S


def folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Folder that systemd made for the daemon at run time; None where there is none."""
    name = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(name) if name else None


def write(beat: Heartbeat, runtime: Path) -> None:
    """Replace the file. One that cannot be written must not stop the daemon: whoever reads sees that it is old."""
    fresh = runtime / f"{_NAME}.new"
    with contextlib.suppress(OSError):
        fresh.write_bytes(msgspec.json.encode(beat))
        fresh.chmod(0o644)
        fresh.replace(runtime / _NAME)


def read(runtime: Path) -> Heartbeat | None:
    """The newest one, fresh or not; None where there is none that can be read."""
    try:
        return msgspec.json.decode((runtime / _NAME).read_bytes(), type=Heartbeat)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
