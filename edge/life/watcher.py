# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Ends the process when a stage hangs, with its name in the last line, before systemd's watchdog would.

A thread that hangs in a driver or on a disk cannot be ended; only the process can. Code that never gives Python's lock
back stops this thread as well: then faulthandler ends the process from C, with the stack of every thread as its last
words, and systemd's watchdog stands behind both.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import threading
from collections.abc import Callable
from typing import NoReturn

from edge.life.exits import STALLED, STALLED_ELSEWHERE
from edge.liveness import Hang, Liveness

#: Looks within the limit.
_LOOKS = 15
#: So long may it take to write down why, on a disk that may be what hangs.
_WRITE_S = 2.0
#: Of the limit: so late faulthandler ends a process whose Python is stuck.
_STUCK = 1.1


class Watcher:
    """Looks at `liveness` from a thread of its own until `close`.

    Args:
        liveness: who is at what.
        limit_s: how long one piece of work may take (`edge.liveness.hang_limit_s`).
        stalled: writes down that a stage stalled, gives the exit code (`Life.stalled`).
        end: for tests.
    """

    def __init__(
        self,
        liveness: Liveness,
        *,
        limit_s: float,
        stalled: Callable[[str, str], int],
        end: Callable[[Hang, Callable[[str, str], int]], object] | None = None,
    ) -> None:
        self._liveness = liveness
        self._limit_s = limit_s
        self._stalled = stalled
        self._end = end or end_process
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Watch no more. May be called twice."""
        self._stop.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._limit_s / _LOOKS):
                faulthandler.dump_traceback_later(_STUCK * self._limit_s, exit=True)
                hang = self._liveness.hang(self._limit_s)
                if hang is not None:
                    self._end(hang, self._stalled)
                    return
        finally:
            faulthandler.cancel_dump_traceback_later()


def end_process(hang: Hang, stalled: Callable[[str, str], int]) -> NoReturn:
    """Write down which stage hangs, say it in the last line, and end at once: nothing can be closed any more."""
    line = f"stage {hang.stage} has not moved for {hang.for_s:.0f} s"
    code = [STALLED.get(hang.stage, STALLED_ELSEWHERE)]

    def write_down() -> None:
        code[0] = stalled(hang.stage, line)

    writer = threading.Thread(target=write_down, name="last words", daemon=True)
    writer.start()
    writer.join(_WRITE_S)
    logging.disable()  # whoever still lives says nothing after us
    last = f"CRITICAL {__name__}: {line}: the process ends with code {code[0]}\n"
    # Not by logging: the thread that hangs may hold its lock. And not without end: nobody may read our pipe.
    speaker = threading.Thread(target=os.write, args=(2, last.encode()), daemon=True)
    speaker.start()
    speaker.join(_WRITE_S)
    os._exit(code[0])
