# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes what ingest has stored out of `pending` and lets the projections derive cases, coverage and the rest.

Each event reaches every projection once: taking it out of `pending` and what is derived from it are one transaction.
Several projectors may run; the lock on the sequence lets one work at a time. An event that trips a mistake of ours is
set aside in `failed` and counted; it never holds up the others.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import delete, insert, select

from depot.cases.ports import Projection, StoredEvent
from depot.cases.recalling import read
from depot.cases.tables import failed
from depot.errors import StoreError
from depot.store.database import Change, Database
from depot.store.tables import events, pending

_log = logging.getLogger(__name__)


class Projector:
    """One thread. `start`, `stop` and `wake` may be called from any other.

    `counts`: `projected` and `failed` (events), `store_errors`, `mistakes` (rounds that tripped).
    """

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
        self._database = database
        self._projections = projections
        self._chores = chores
        self._batch = batch
        self._poll_s = poll_s
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.counts: Counter[str] = Counter()

    def run_once(self) -> int:
        """Project one batch and do the chores; how much was done, 0: nothing is left. Raises StoreError."""
        waiting = self._waiting()
        done = len(waiting)
        if waiting:
            try:
                with self._database.changing() as change:
                    self._project(change, waiting)
            except StoreError:
                raise
            except Exception:  # noqa: BLE001 - a mistake of ours, whatever it is
                _log.exception("a batch of %d events tripped; trying them one by one", len(waiting))
                self._one_by_one(waiting)
        return done + sum(chore() for chore in self._chores)

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was stored: look now."""
        self._woken.set()

    def stop(self) -> None:
        """End after the batch in work; returns when it has."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                done = self.run_once()
            except StoreError as error:
                self.counts["store_errors"] += 1
                _log.warning("%s; trying again", error)
                done = 0
            except Exception:  # noqa: BLE001 - a thread that dies unseen would be worse
                self.counts["mistakes"] += 1
                _log.exception("the projector tripped; trying again")
                done = 0
            if done == 0:
                self._woken.wait(self._poll_s)

    def _waiting(self) -> list[int]:
        """Numbers of the events to take next. Without the lock: who has it takes out what is still there."""
        with self._database.reading() as connection:
            statement = select(pending.c.received).order_by(pending.c.received).limit(self._batch)
            return list(connection.execute(statement).scalars())

    def _project(self, change: Change, received: Sequence[int]) -> None:
        """Take those of the events out that nobody else has taken meanwhile, and let the projections have them."""
        rows = change.connection.execute(
            select(events.c.received, events.c.received_utc, events.c.payload)
            .join(pending, pending.c.received == events.c.received)
            .where(pending.c.received.in_(received))
            .order_by(events.c.received)
        ).all()
        batch = [
            StoredEvent(received=row.received, received_utc=row.received_utc, event=read(row.payload)) for row in rows
        ]
        if not batch:
            return
        for projection in self._projections:
            projection.project(change, batch)
        taken = [one.received for one in batch]
        change.connection.execute(delete(pending).where(pending.c.received.in_(taken)))
        self.counts["projected"] += len(batch)

    def _one_by_one(self, received: Sequence[int]) -> None:
        for number in received:
            self._one(number)

    def _one(self, number: int) -> None:
        try:
            with self._database.changing() as change:
                self._project(change, [number])
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - a mistake of ours, whatever it is
            _log.exception("event %d tripped; set aside in the table failed", number)
            self.counts["failed"] += 1
            self._set_aside(number, f"{type(error).__name__}: {error}")

    def _set_aside(self, number: int, error: str) -> None:
        with self._database.changing() as change:
            connection = change.connection
            if connection.execute(delete(pending).where(pending.c.received == number)).rowcount:
                connection.execute(
                    insert(failed).values(received=number, utc=change.now_utc, error=" ".join(error.split())[:500])
                )
