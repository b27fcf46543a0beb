# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Network time: the computer's clock, where the kernel says that something keeps it right, and only after a while.

The kernel's word is that of adjtimex(2): chrony (with `rtcsync`), systemd-timesyncd and ntpd clear STA_UNSYNC, and the
kernel sets it again 16 s of possible error later. A sandbox that forbids the call (systemd's ProtectClock=) leaves
timedatectl, which asks the same of the kernel. A clock that a receiver set through gpsd and chrony counts as well.
"""

from __future__ import annotations

import ctypes
import subprocess
import time
from collections import Counter
from collections.abc import Callable

from edge.positioning.utc import UtcGuard

#: How often `NetworkTime.look` should be called, seconds: three looks that agree are wanted.
LOOK_EVERY_S = 30.0
_UNSYNC = 0x40
_TIME_ERROR = 5
#: Largest error that the kernel admits, microseconds.
_MOST_ERROR_US = 1_000_000
#: The two clocks are read within this time, or the pair says nothing.
_PAIR_S = 0.01
_TIMEDATECTL = ("timedatectl", "show", "--property=NTPSynchronized", "--value")


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2)."""

    _fields_ = (
        ("modes", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("constant", "precision", "tolerance", "seconds", "fraction")),
        *((name, ctypes.c_long) for name in ("tick", "ppsfreq", "jitter")),
        ("shift", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("stabil", "jitcnt", "calcnt", "errcnt", "stbcnt")),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 16),
    )


def kernel_is_synchronized() -> bool | None:
    """What adjtimex says; None where it may not be asked. It asks only: `modes` is 0, which needs no rights."""
    try:
        call = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):  # no Linux
        return None
    answer = _Timex()
    state = call(ctypes.byref(answer))
    if state < 0:
        return None
    return state != _TIME_ERROR and not answer.status & _UNSYNC and answer.maxerror <= _MOST_ERROR_US


def timedate_is_synchronized() -> bool | None:
    """What timedatectl says; None where it does not answer."""
    try:
        done = subprocess.run(_TIMEDATECTL, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603 - fixed
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip())


class NetworkTime:
    """Whether the computer's clock is believed now: synchronized, plausible, and alike in three looks in a row.

    Counts `clock_network_*`: `utc_past`, `utc_future` (no date of our time), `utc_jump`.
    """

    def __init__(
        self,
        *,
        ask: tuple[Callable[[], bool | None], ...] = (kernel_is_synchronized, timedate_is_synchronized),
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._wall = wall
        self._monotonic = monotonic
        self._counts: Counter[str] = Counter()
        self._guard = UtcGuard(self._counts)
        self._newest: tuple[float, float] | None = None

    @property
    def newest(self) -> tuple[float, float] | None:
        """UTC (POSIX seconds) and the moment on the monotonic clock when it was so; None while it is not believed."""
        return self._newest

    def look(self) -> None:
        """Ask the kernel and read both clocks; may take seconds, so it belongs on a thread of its own."""
        if not next((answer for ask in self._ask if (answer := ask()) is not None), False):
            self._guard.doubt()
            self._newest = None
            return
        before_s = self._monotonic()
        utc_s = self._wall()
        if self._monotonic() - before_s > _PAIR_S:
            return
        believed = self._guard.believed(utc_s, before_s)
        self._newest = None if believed is None else (believed, before_s)

    def counters(self) -> dict[str, int]:
        """For the health message."""
        return {f"clock_network_{name}": number for name, number in self._counts.copy().items()}
