# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a receiver's UTC can be true.

Receivers have said 1980, 2006 and 2046: GPS counts its weeks modulo 1,024 (19.6 years), and a weak first fix may carry
a date that was made up. Only the time is dropped; where the vehicle is does not depend on it.
"""

from __future__ import annotations

import math
from collections import Counter

#: 1 January 2024: this software is younger. One period of GPS weeks later a date cannot be told from a rolled-over one,
#: so a release of the 2030s moves this.
EARLIEST_UTC_S = 1_704_067_200.0
LATEST_UTC_S = EARLIEST_UTC_S + 1024 * 7 * 86_400.0
#: UTC and the monotonic clock run alike; what differs is how long a fix is on its way.
_AGREES_S = 1.0
#: gpsd_json(5) advises three fixes in a row before a time is believed; after a jump it takes more.
_AGREEING, _AGREEING_AFTER_JUMP = 3, 10


def implausible(utc_s: float) -> str | None:
    """The name of what is wrong with a date; None where it may be true."""
    if not math.isfinite(utc_s) or utc_s < EARLIEST_UTC_S:
        return "utc_past"
    return "utc_future" if utc_s > LATEST_UTC_S else None


class UtcGuard:
    """Believes a time that several fixes in a row tell alike, measured by the monotonic clock.

    Counts `utc_past`, `utc_future` and `utc_jump` in the counter it is given.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._believed: float | None = None  # UTC minus monotonic
        self._candidate: float | None = None
        self._agreeing = 0

    def believed(self, utc_s: float, now_s: float) -> float | None:
        """`utc_s` where it is believed; None while it is not, or not yet."""
        if (reason := implausible(utc_s)) is not None:
            self._counts[reason] += 1
            self.doubt()
            return None
        offset = utc_s - now_s
        if self._believed is not None and abs(offset - self._believed) <= _AGREES_S:
            self._believed, self._candidate = offset, None  # follows the slow drift of our own clock
            return utc_s
        if self._believed is not None:
            self._counts["utc_jump"] += 1
        if self._candidate is None or abs(offset - self._candidate) > _AGREES_S:
            self._candidate, self._agreeing = offset, 0
        self._agreeing += 1
        if self._agreeing < (_AGREEING if self._believed is None else _AGREEING_AFTER_JUMP):
            return None
        self._believed, self._candidate = offset, None
        return utc_s

    def doubt(self) -> None:
        """The receiver lost its footing: the fixes in a row are counted anew."""
        self._candidate = None
