# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""UTC as far as delivery may believe it: what health messages said, carried on by the monotonic clock.

The computer's own clock is never asked: after a night without power it may say anything.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from messages.types import Time

#: What a recording or a buffered clock says is not believed here.
_TRUSTED = ("gnss", "ntp")


class TrustedUtc:
    """The newest UTC that the daemon trusted. `monotonic`: seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._known: tuple[datetime, float] | None = None

    def note(self, time: Time) -> None:
        """The time of a message that the daemon has just made."""
        if time.utc is None or time.quality not in _TRUSTED:
            return
        try:
            self._known = (parse_utc(time.utc), self._monotonic())
        except ValueError:  # 30 February has the right form, too
            return

    def now(self) -> datetime | None:
        """UTC now; None while none was ever trusted."""
        known = self._known  # another thread may note a newer one meanwhile
        return None if known is None else known[0] + timedelta(seconds=self._monotonic() - known[1])


def parse_utc(text: str) -> datetime:
    """A time as messages write it. Raises ValueError."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    # Python 3.10 reads 3 or 6 digits only.
    return datetime.fromisoformat(f"{seconds}.{fraction:0<6}+00:00")
