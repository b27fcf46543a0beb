# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is done beside the requests, again and again: a thread each, so that one that waits for a server holds up none.

Any number of depots may run the same workers: each `run_once` is safe beside another.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from depot.errors import StoreError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Worker:
    """`run_once` is called every `every_s` seconds, and at once again while it says that it did something."""

    name: str
    every_s: float
    run_once: Callable[[], object]


class Workers:
    """All of them; `close` ends them after what they are at."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(worker,), name=worker.name, daemon=True) for worker in workers
        ]
        for thread in self._threads:
            thread.start()

    def close(self, wait_s: float = 10.0) -> None:
        """End. One that waits for a server for longer is left behind; what it was at will be done again."""
        self._ended.set()
        for thread in self._threads:
            thread.join(wait_s)

    def _run(self, worker: Worker) -> None:
        failed = False
        while not self._ended.is_set():
            try:
                done = worker.run_once()
            except StoreError as error:
                if not failed:
                    _log.warning("%s: %s; trying again", worker.name, error)
                failed, done = True, None
            except Exception:  # noqa: BLE001 - a worker that dies unseen would be worse
                _log.exception("%s tripped; trying again", worker.name)
                failed, done = True, None
            else:
                failed = False
            if not done:
                self._ended.wait(worker.every_s)
