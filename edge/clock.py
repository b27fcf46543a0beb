# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""UTC for messages: trusted only from fixes that carry it, joined to the monotonic clock of capture."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Literal

from edge.types import Fix
from messages.types import Time


class UtcClock:
    """Turns capture times into message times.

    The newest fix with UTC gives the offset; receivers hand out `utc_s` only when they trust it themselves.
    Nothing here reads the wall clock, so a wrong one changes nothing.
    """

    def __init__(self, boot: str, *, quality: Literal["gnss", "replay"]) -> None:
        self._boot = boot
        self._quality = quality
        self._offset_s: float | None = None

    def observe(self, fix: Fix) -> None:
        """Learn from a fix."""
        if fix.utc_s is not None:
            self._offset_s = fix.utc_s - fix.time_s

    def at(self, time_s: float) -> Time:
        """The message time of a moment on the monotonic clock."""
        monotonic_s = round(time_s, 3)
        if self._offset_s is None:
            return Time(boot=self._boot, monotonic_s=monotonic_s, quality="unset")
        moment = datetime.fromtimestamp(self._offset_s + time_s, tz=timezone.utc)
        utc = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Time(boot=self._boot, monotonic_s=monotonic_s, quality=self._quality, utc=utc)
