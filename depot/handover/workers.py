# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The hand-over's work in the background: threads that end when they are told to, and that an error does not end."""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from depot.errors import DepotError
from depot.handover.config import HandoverConfig
from depot.handover.mail import Digests
from depot.handover.open311_client import Open311Client
from depot.handover.picture_links import PictureLinks
from depot.handover.webhooks import Webhooks
from depot.store.database import Database

_LOG = logging.getLogger("depot.handover")
#: Seconds between two runs where there was nothing to do, and after an error.
_PAUSE_S, _ERROR_PAUSE_S = 2.0, 30.0


class Worker(Protocol):
    """Does what is due and says how much that was. Safe if several processes run it."""

    def run_once(self) -> int:
        """Raises StoreError."""


def workers(database: Database, settings: HandoverConfig) -> dict[str, Worker]:
    """What the settings ask for, by name. Raises ConfigError."""
    found: dict[str, Worker] = {"webhooks": Webhooks(database, settings)}
    if settings.open311.url is not None:
        found["open311"] = Open311Client(database, settings, PictureLinks(database))
    if settings.email.host is not None and settings.email.receivers:
        found["email"] = Digests(database, settings)
    return found


class Background:
    """Runs workers, each in a thread of its own."""

    def __init__(self, found: dict[str, Worker], *, pause_s: float = _PAUSE_S) -> None:
        self._pause_s = pause_s
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(name, worker), name=f"handover-{name}", daemon=True)
            for name, worker in found.items()
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ask all to end and wait a little: what a step has not written yet the next start takes up again."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout_s)

    def _run(self, name: str, worker: Worker) -> None:
        while not self._stop.is_set():
            pause_s = self._pause_s
            try:
                if worker.run_once():
                    pause_s = 0.0
            except DepotError as error:
                _LOG.warning("%s: %s", name, error)
                pause_s = _ERROR_PAUSE_S
            except Exception:  # noqa: BLE001 - the other steps and runs must go on
                _LOG.exception("%s: a mistake of ours", name)
                pause_s = _ERROR_PAUSE_S
            self._stop.wait(pause_s)
