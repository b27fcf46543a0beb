# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What systemd hears: READY after the first frame that was looked at, WATCHDOG only while every stage moves.

`Liveness` also knows which stage a thread is in, and so whose fault it is when nothing moves (`edge.life.watcher`).

The protocol is that of sd_notify(3): datagrams to the socket named in `NOTIFY_SOCKET`.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass


class Notifier:
    """Sends to systemd; does nothing where no systemd listens."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        #: Abstract sockets are written with @ and begin with a zero byte.
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def send(self, message: str) -> bool:
        """Send one message; False where nobody could be told."""
        if not self._address:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
                link.sendto(message.encode(), self._address)
        except OSError:
            return False
        return True


def watchdog_period_s(environment: Mapping[str, str] = os.environ, *, pid: int | None = None) -> float | None:
    """Seconds between keep-alives that systemd asks for (a third of its limit); None where it asks for none."""
    own = str(os.getpid() if pid is None else pid)
    limit_us = environment.get("WATCHDOG_USEC", "")
    if environment.get("WATCHDOG_PID", own) != own or not limit_us.isdecimal() or int(limit_us) == 0:
        return None
    return int(limit_us) / 3e6


def hang_limit_s(environment: Mapping[str, str] = os.environ, *, pid: int | None = None) -> float | None:
    """How long one piece of work may take: half of systemd's limit; None where it watches nothing.

    The last keep-alive may be a third of that limit old when a stage hangs: so we end before systemd ends us.
    """
    period_s = watchdog_period_s(environment, pid=pid)
    return None if period_s is None else 1.5 * period_s


@dataclass(frozen=True)
class Hang:
    """A stage that has been at one piece of work for `for_s` seconds."""

    stage: str
    for_s: float


@dataclass
class _Work:
    stage: str
    since_s: float


class Liveness:
    """Decides when the keep-alive may be sent: each stage has moved since the last one. And names who hangs.

    `stages` are the names of those that must move. Pure but for the notifier and the clock given.
    """

    def __init__(
        self,
        stages: tuple[str, ...],
        *,
        notifier: Notifier,
        period_s: float | None,
        clock: Callable[[], float],
    ) -> None:
        self._stages = stages
        self._notifier = notifier
        self._period_s = period_s
        self._clock = clock
        self._moved: dict[str, float] = {}
        self._sent_s = clock()
        self._ready = False
        self._work: dict[int, list[_Work]] = {}  # what each thread is at, innermost last

    @contextmanager
    def working(self, stage: str) -> Iterator[None]:
        """The calling thread is in a stage until the block ends; then the stage has moved, unless it failed.

        Blocks nest: the innermost one is to blame, and its end is progress of those around it.
        """
        work = self._work.setdefault(threading.get_ident(), [])
        work.append(_Work(stage, self._clock()))
        try:
            yield
            self.moved(stage)
        finally:
            work.pop()
            if work:
                work[-1].since_s = self._clock()
            else:
                del self._work[threading.get_ident()]

    def moved(self, stage: str) -> None:
        """A stage has done a piece of work."""
        self._moved[stage] = self._clock()
        if self._period_s is not None and self._clock() - self._sent_s >= self._period_s and not self.stalled():
            self._sent_s = self._clock()
            self._notifier.send("WATCHDOG=1")

    def ready(self, status: str) -> None:
        """The first frame was looked at."""
        if not self._ready:
            self._ready = True
            self._notifier.send(f"READY=1\nSTATUS={status}")

    def resting(self, status: str) -> None:
        """Nothing is to move for now, on purpose (`edge.life.ladder`); call it every second or so meanwhile."""
        self.ready(status)
        for stage in self._stages:
            self.moved(stage)

    def stopping(self) -> None:
        """The process ends on purpose."""
        self._notifier.send("STOPPING=1")

    def stalled(self) -> tuple[str, ...]:
        """Stages that have not moved since the last keep-alive."""
        return tuple(stage for stage in self._stages if self._moved.get(stage, -1.0) < self._sent_s)

    def hang(self, limit_s: float) -> Hang | None:
        """The stage that has been at one piece of work for longer than `limit_s`; of several, the longest.

        May be called from any thread.
        """
        now_s = self._clock()
        # Copies: other threads begin and end their work meanwhile.
        innermost = [work[-1:] for work in list(self._work.values())]
        hangs = [Hang(each.stage, now_s - each.since_s) for works in innermost for each in works]
        longest = max(hangs, key=lambda hang: hang.for_s, default=None)
        return longest if longest is not None and longest.for_s > limit_s else None
