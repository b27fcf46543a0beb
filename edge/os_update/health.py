# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether the application is well and the vehicle parked, by the heartbeat that the daemon leaves in memory.

Reads the file by itself: the format is `edge/heartbeat.py`'s, whose reader lives in the application's environment.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

HEARTBEAT = Path("/run/wegewart/daemon.json")
#: An older heartbeat says nothing.
FRESH_S = 15.0
#: A vehicle that stands for so long is parked: longer than any traffic light.
PARKED_S = 300.0
#: Frames must come within this time.
FRAMES_S = 30.0


@dataclass(frozen=True)
class Look:
    """One look at the daemon; all fields empty: it says nothing."""

    now_s: float
    pid: int = 0
    ready: bool = False
    frames: int = 0
    standing_since_s: float | None = None
    online: bool = False

    @property
    def parked(self) -> bool:
        """Has been standing for long enough; a daemon that says nothing does not know."""
        return self.standing_since_s is not None and self.now_s - self.standing_since_s >= PARKED_S


class HeartbeatFile:
    """The daemon's own word."""

    def __init__(self, path: Path = HEARTBEAT) -> None:
        self._path = path

    def look(self, now_s: float) -> Look:
        """What it said in the last seconds; an empty look without that."""
        try:
            return looked(self._path.read_bytes(), now_s)
        except (OSError, ValueError, RecursionError):
            return Look(now_s)


def looked(content: bytes, now_s: float) -> Look:
    """A look out of the heartbeat's file.

    Raises:
        ValueError: it is none.
    """
    found = json.loads(content)
    if not isinstance(found, dict):
        raise ValueError("no table")  # noqa: TRY004
    at_s, standing = _number(found.get("monotonic_s")), found.get("standing_since_s")
    if not 0 <= now_s - at_s <= FRESH_S:
        return Look(now_s)
    return Look(
        now_s,
        pid=int(_number(found.get("pid"))),
        ready=found.get("ready") is True,
        frames=int(_number(found.get("frames"))),
        standing_since_s=None if standing is None else _number(standing),
        online=found.get("online") is True,
    )


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


@dataclass(frozen=True)
class Course:
    """How the looks went on: since when the same daemon is well without a break."""

    pid: int = 0
    frames: int = 0
    #: When the last new frame was seen.
    moved_s: float = 0.0
    since_s: float | None = None

    def after(self, look: Look) -> Course:
        """The course with one more look. A new daemon, or no frames for a while, begins anew."""
        if not look.ready:
            return Course()
        if look.pid != self.pid:
            return Course(look.pid, look.frames, look.now_s, look.now_s)
        moved_s = look.now_s if look.frames > self.frames else self.moved_s
        well = look.now_s - moved_s <= FRAMES_S
        since_s = (look.now_s if self.since_s is None else self.since_s) if well else None
        return Course(look.pid, look.frames, moved_s, since_s)

    def healthy_s(self, now_s: float) -> float:
        """For how long all has been well."""
        return 0.0 if self.since_s is None else now_s - self.since_s
