# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Brings to the disk what is held in memory, and knows whether the disk takes it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edge.delivery import entries
from edge.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.delivery.holding import Holding
    from edge.delivery.ledger import Ledger

log = logging.getLogger(__name__)

#: How often a disk that took nothing is tried again: each try may cost a stage of the daemon two seconds.
RETRY_S = 10.0


class Writer:
    """The caller holds the ledger's lock. `trouble`: why the disk took nothing last. `errors`: how often in this run.

    `make_room` deletes pictures where the disk is full, and says whether it did.
    """

    def __init__(
        self, ledger: Ledger, holding: Holding, make_room: Callable[[], bool], monotonic: Callable[[], float]
    ) -> None:
        self.trouble: str | None = None
        self.errors = 0
        self._ledger = ledger
        self._holding = holding
        self._make_room = make_room
        self._monotonic = monotonic
        self._retry_s = 0.0

    def flush(self, *, at_once: bool = False) -> bool:
        """Write what is held; True when the disk has everything. Never raises.

        `at_once`: also when the disk failed a moment ago.
        """
        ledger = self._ledger
        if not self._holding and ledger.writable and not ledger.doubtful:
            return True
        if self.trouble is not None and self._monotonic() < self._retry_s and not at_once:
            return False
        try:
            self._write()
        except StoreError as error:
            self.failed(error)
            return False
        if self.trouble is not None:
            log.warning("outbox %s takes events again", ledger.path)
            self.trouble = None
        return True

    def _write(self) -> None:
        try:
            self._write_all()
        except StoreError:
            if not self._make_room():
                raise
            self._write_all()

    def _write_all(self) -> None:
        self._ledger.reopen()
        while self._holding:
            batch = self._holding.batch()
            entries.enter(self._ledger, batch)
            self._holding.written(batch)

    def failed(self, error: StoreError) -> None:
        """The disk did not take something."""
        if self.trouble is None:
            log.error("%s", error)
        self.trouble = str(error)
        self._retry_s = self._monotonic() + RETRY_S
        self.errors += 1
