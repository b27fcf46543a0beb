# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the joining of cases asks of others, and how derived tables follow the events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct
from sqlalchemy import Connection

from depot.cases.records import Case
from depot.store.database import Change
from messages.envelope import Event


class Placed(Struct, frozen=True, kw_only=True):
    """Where a case lies in the city's terms, and the office that the rules propose."""

    district: str | None = None
    road: str | None = None
    road_class: str | None = None
    office: str | None = None


class Placing(Protocol):
    """Says that of a case. Pure but for what it reads on the connection."""

    def place(self, connection: Connection, case: Case) -> Placed:
        """Never raises for a case that it knows nothing of: then all is None."""


class StoredEvent(Struct, frozen=True, kw_only=True):
    """An event with its number in `events` and the depot's time of arrival."""

    received: int
    received_utc: str
    event: Event


class Projection(Protocol):
    """Derives tables from events. Each event reaches it once, in no order that it may rely on."""

    def project(self, change: Change, events: Sequence[StoredEvent]) -> None:
        """Take over a batch, within the transaction that also takes the batch out of `pending`.

        A batch holds events of all kinds; a projection picks its own. What it cannot use it leaves out and counts,
        it raises only for a mistake of ours (the projector then tries the events one by one and sets that one aside).
        """
