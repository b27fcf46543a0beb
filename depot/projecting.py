# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes what ingest has stored out of `pending` and lets the projections derive cases, coverage and the rest.

Each event reaches every projection once: taking it out of `pending` and what is derived from it are one transaction.
Several projectors may run; the lock on the sequence lets one work at a time. An event that trips a mistake of ours is
set aside in `failed` and counted; it never holds up the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from depot.cases.ports import Projection
from depot.store.database import Database


class Projector:
    """One thread. `start`, `stop` and `wake` may be called from any other."""

    def __init__(
        self,
        database: Database,
        projections: Sequence[Projection],
        *,
        chores: Sequence[Callable[[], int]] = (),
        batch: int = 500,
        poll_s: float = 1.0,
    ) -> None:
        """Prepare.

        Args:
            database: migrated.
            projections: in the order in which they are to see a batch.
            chores: called once in each round; what they return counts as work done.
            batch: events in one transaction.
            poll_s: how often to look without being woken: another process may have stored something.
        """

    def run_once(self) -> int:
        """Project one batch and do the chores; how much was done, 0: nothing is left. Raises StoreError."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin in a thread of its own."""
        raise NotImplementedError

    def wake(self) -> None:
        """Something was stored: look now."""
        raise NotImplementedError

    def stop(self) -> None:
        """End after the batch in work; returns when it has."""
        raise NotImplementedError
