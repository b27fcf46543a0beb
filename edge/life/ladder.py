# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is tried when a stage stalls, step by step, and never for ever. Decisions only.

1. A camera that gives no more frames is opened anew, `reopens` times within `well_s`.
2. The process ends, and systemd starts it anew.
3. The start after `restarts` failed runs in a row asks for a boot of the computer, at most `reboots` times a day of
   operation.
4. After that each start rests for `rest_s` first: with its link to the depot, saying what is wrong, before it tries
   again. Nobody has to come and reset anything; a camera that is plugged in again is found at the next try.

The day is 24 h of operation, not of any clock: so a wrong clock neither allows nor forbids a boot. In the first day of
a vehicle, or after its record was lost, there is none.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

DAY_S = 86_400.0


@dataclass(frozen=True)
class LadderSettings:
    """Bounds of the ladder. `well_s`: a run that lasted so long was well: the row of failures is over."""

    reopens: int = 2
    restarts: int = 5
    reboots: int = 2
    well_s: float = 600.0
    rest_s: float = 600.0


@dataclass(frozen=True)
class History:
    """What the record knows: failed runs in a row since the computer booted; when it was booted by us.

    `operating_s`: seconds of operation ever; `reboots`: such seconds.
    """

    row: int = 0
    operating_s: float = 0.0
    reboots: tuple[float, ...] = ()

    def reboots_today(self) -> int:
        """Boots that we asked for within the last day of operation."""
        return sum(self.operating_s - at_s < DAY_S for at_s in self.reboots)


@dataclass(frozen=True)
class Start:
    """What a start does first: have the computer boot anew, or rest so many seconds; usually neither."""

    reboot: bool = False
    rest_s: float = 0.0


def start(history: History, settings: LadderSettings) -> Start:
    """What the start of a run does first."""
    if history.row < settings.restarts:
        return Start()
    if history.reboots_today() < settings.reboots:
        return Start(reboot=True)
    return Start(rest_s=settings.rest_s)


class Reopening:
    """How often a camera may be opened anew in one run."""

    def __init__(self, settings: LadderSettings) -> None:
        self._settings = settings
        self._at_s: deque[float] = deque()
        self.count = 0

    def allowed(self, now_s: float) -> bool:
        """Whether to try it now; it counts when allowed. `now_s`: monotonic."""
        while self._at_s and now_s - self._at_s[0] >= self._settings.well_s:
            self._at_s.popleft()
        if len(self._at_s) >= self._settings.reopens:
            return False
        self._at_s.append(now_s)
        self.count += 1
        return True
