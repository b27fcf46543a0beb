# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""UTC for messages: from fixes that carry it or from network time, joined to the monotonic clock of capture."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Literal, TypeAlias

from edge.types import Fix
from messages.types import Clock, Time

Quality: TypeAlias = Literal["gnss", "ntp", "replay"]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: How far the offset may wander before the depot is told anew: more than fixes are late or a leap second.
_TELL_AGAIN_S = 1.5
#: A clock that will not settle is told so often and no more; the depot keeps what it was told last.
_MOST_TOLD = 100
#: A receiver that has not told the time after so long never will: an antenna under a coated windscreen.
_FAULT_AFTER_S = 3600.0


class UtcClock:
    """Turns capture times into message times.

    The newest fix with UTC gives the offset; receivers hand out `utc_s` only once several fixes in a row agreed
    (`edge.positioning.utc`). Network time serves until the first such fix and never after it: it may come from a
    network that nobody vouches for. Nothing here reads the wall clock, so a wrong one changes nothing.

    Counts `clock_disagrees`: network time that is more than 1.5 s away from the receiver's.
    """

    def __init__(self, boot: str, *, quality: Literal["gnss", "replay"], earlier: tuple[str, ...] = ()) -> None:
        """Start without UTC.

        Args:
            boot: this run's name.
            quality: what fixes are.
            earlier: runs on the same monotonic clock (the computer has not booted since) that never learnt their UTC.
        """
        self._boots = (boot, *earlier)
        self._quality: Quality = quality
        self._offset_s: float | None = None  # UTC minus monotonic
        self._source: Quality | None = None
        self._told_s: float | None = None
        self._newest_s = 0.0
        self._began_s: float | None = None
        self._number = 0
        self.counts: Counter[str] = Counter()

    def observe(self, fix: Fix) -> None:
        """Learn from a fix."""
        if fix.utc_s is not None:
            self._learn(fix.utc_s, fix.time_s, self._quality)

    def observe_network(self, utc_s: float, time_s: float) -> None:
        """Learn from network time that is trusted (`edge.life.ntp`): at `time_s` on the monotonic clock it was UTC."""
        if self._source in (None, "ntp"):
            self._learn(utc_s, time_s, "ntp")
        elif self._offset_s is not None and abs(utc_s - time_s - self._offset_s) > _TELL_AGAIN_S:
            self.counts["clock_disagrees"] += 1

    def _learn(self, utc_s: float, time_s: float, source: Quality) -> None:
        if math.isfinite(utc_s - time_s):
            self._offset_s, self._source, self._newest_s = utc_s - time_s, source, time_s

    def at(self, time_s: float) -> Time:
        """The message time of a moment on the monotonic clock."""
        if self._began_s is None:
            self._began_s = time_s
        return self._time(self._boots[0], time_s)

    def fault(self, now_s: float) -> str | None:
        """One line where the time is still not known an hour after the first message; `now_s`: monotonic."""
        if self._offset_s is not None or self._began_s is None or now_s - self._began_s < _FAULT_AFTER_S:
            return None
        hours = (now_s - self._began_s) / 3600
        return f"the time is not known after {hours:.0f} h: no fix with UTC, no network time; check the antenna"

    def news(self) -> Iterator[Clock]:
        """What the depot must be told so that it can date what went out without UTC; empty where it knows.

        Each is to be confirmed like an observation: once a run, again after a jump, and once for each earlier run.
        """
        offset_s = self._offset_s
        if offset_s is None or self._number >= _MOST_TOLD:
            return
        if self._told_s is not None and abs(offset_s - self._told_s) <= _TELL_AGAIN_S:
            return
        times = [self._time(boot, self._newest_s) for boot in self._boots]
        if times[0].utc is None:
            return
        self._told_s = offset_s
        self._number += 1
        for time in times:
            yield Clock(number=self._number, time=time)

    def _time(self, boot: str, time_s: float) -> Time:
        monotonic_s = round(time_s, 3)
        utc = None if self._offset_s is None else _utc(self._offset_s + time_s)
        if utc is None or self._source is None:
            return Time(boot=boot, monotonic_s=monotonic_s, quality="unset")
        return Time(boot=boot, monotonic_s=monotonic_s, quality=self._source, utc=utc)


def _utc(posix_s: float) -> str | None:
    """As messages write it; None where no calendar reaches."""
    try:
        moment = _EPOCH + timedelta(seconds=posix_s)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
