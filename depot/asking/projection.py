# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Follows the looks that vehicles send: each becomes a later picture of the case that it was asked for."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import select, update

from depot.cases.ports import StoredEvent
from depot.cases.tables import asked_pictures, later_pictures
from depot.store.database import Change
from depot.store.tables import cases
from depot.store.upserting import upsert
from messages.types import Look

#: Cases merged into cases: no chain is longer.
_LONGEST_CHAIN = 100


class LaterPictures:
    """A `Projection`. A look that nobody here asked this vehicle for is left out."""

    def project(self, change: Change, events: Sequence[StoredEvent]) -> None:
        """See `Projection`."""
        for one in events:
            if isinstance(one.event.data, Look):
                _take(change, one, one.event.data)


def _take(change: Change, one: StoredEvent, look: Look) -> None:
    a = asked_pictures.c
    asked = change.connection.execute(select(a.case, a.state).where(a.id == look.asked, a.vehicle == one.event.vehicle))
    row = asked.first()
    if row is None:
        return
    case = _as_it_is_now(change, row.case)
    new = upsert(change.connection, later_pictures).values(
        received=one.received,
        case=case,
        asked=look.asked,
        vehicle=one.event.vehicle,
        boot=look.time.boot,
        monotonic_s=look.time.monotonic_s,
        # A vehicle that does not know the time looks for nothing; yet who knows what comes.
        utc=look.time.utc or one.received_utc,
        picture=look.picture.sha256,
        found=msgspec.json.encode(look.found).decode(),
    )
    if change.connection.execute(new.on_conflict_do_nothing().returning(later_pictures.c.received)).first() is None:
        return
    change.connection.execute(update(asked_pictures).where(a.id == look.asked).values(state="answered"))
    change.connection.execute(update(cases).where(cases.c.number == case).values(changed=change.next()))


def _as_it_is_now(change: Change, number: int) -> int:
    """The case, or the one that it was merged into."""
    for _ in range(_LONGEST_CHAIN):
        into = change.connection.scalar(select(cases.c.merged_into).where(cases.c.number == number))
        if into is None:
            return number
        number = into
    return number
