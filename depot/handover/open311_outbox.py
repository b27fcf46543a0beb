# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which cases are filed at the city's endpoint, and what became of each: the rows of `handovers`.

Each step is a transaction of its own. A row is taken (`take`) by whoever changes it first, so any number of processes
may work on it.
"""

from __future__ import annotations

import secrets
from typing import Any

from msgspec import Struct
from sqlalchemy import and_, delete, insert, or_, select, update

from depot.handover import times
from depot.handover.config import Open311Config
from depot.handover.tables import handovers
from depot.people import audit
from depot.store.database import Change, Database
from depot.store.tables import cases

#: States of a case that may be filed.
FILED = ("confirmed", "ordered")
WHO = "rule:open311"
_AT_ONCE = 50


class Entry(Struct, frozen=True, kw_only=True):
    """A row of `handovers`."""

    number: int
    case: int
    endpoint: str
    reference: str
    state: str
    attempts: int
    looks: int
    next_try_utc: str
    first_try_utc: str | None
    token: str | None
    request: str | None
    status: str | None
    status_notes: str | None


_COLUMNS = [handovers.c[name] for name in Entry.__struct_fields__]


def add(change: Change, case: int, endpoint: str, *, who: str, after_s: float = 0) -> None:
    """Let a case be filed; the caller has seen to it that it is not yet."""
    change.connection.execute(
        insert(handovers).values(
            case=case,
            endpoint=endpoint,
            reference=f"wgw-{secrets.token_hex(8)}",
            state="waiting",
            created_utc=change.now_utc,
            who=who,
            attempts=0,
            looks=0,
            next_try_utc=times.later(change.now_utc, after_s),
        )
    )
    tell(change, case, who=who, action="handover", after={"endpoint": endpoint})


def add_confirmed(database: Database, settings: Open311Config) -> int:
    """Let every confirmed case be filed that is not yet; how many."""
    assert settings.url is not None
    there = and_(handovers.c.case == cases.c.number, handovers.c.endpoint == settings.url)
    wanted = (
        select(cases.c.number)
        .outerjoin(handovers, there)
        .where(handovers.c.number.is_(None), cases.c.state == "confirmed")
        .where(cases.c.lon.is_not(None), cases.c.lat.is_not(None))
        .order_by(cases.c.number)
        .limit(_AT_ONCE)
    )
    if settings.offices:
        wanted = wanted.where(cases.c.office.in_(settings.offices))
    if "*" not in settings.services:
        wanted = wanted.where(cases.c["class"].in_(list(settings.services)))
    with database.reading() as connection:
        if connection.execute(wanted.limit(1)).first() is None:
            return 0
    with database.changing() as change:
        numbers = list(change.connection.execute(wanted).scalars())
        for number in numbers:
            add(change, number, settings.url, who=WHO, after_s=settings.delay_s)
    return len(numbers)


def due(database: Database, endpoint: str, state: str) -> list[Entry]:
    """Rows of this state whose time has come, the longest waiting first; what is closed has none any more."""
    now_utc = database.now_utc()
    wanted = (
        select(*_COLUMNS)
        .where(handovers.c.endpoint == endpoint, handovers.c.state == state, handovers.c.next_try_utc <= now_utc)
        .where(or_(handovers.c.status.is_(None), handovers.c.status != "closed"))
        .order_by(handovers.c.next_try_utc, handovers.c.number)
        .limit(_AT_ONCE)
    )
    with database.reading() as connection:
        return [Entry(**row._mapping) for row in connection.execute(wanted)]  # noqa: SLF001 - its public name


def take(database: Database, entry: Entry, *, lease_s: float, **values: Any) -> bool:
    """Make a row ours for `lease_s` seconds and write `values`; False: somebody else was first."""
    now_utc = database.now_utc()
    with database.writing() as connection:
        taken = connection.execute(
            update(handovers)
            .where(handovers.c.number == entry.number, handovers.c.state == entry.state)
            .where(handovers.c.next_try_utc == entry.next_try_utc)
            .values(next_try_utc=times.later(now_utc, lease_s), **values)
        )
        return taken.rowcount == 1


def withdraw(database: Database, entry: Entry) -> None:
    """Take back what was never sent."""
    with database.changing() as change:
        change.connection.execute(delete(handovers).where(handovers.c.number == entry.number))
        tell(change, entry.case, who=WHO, action="handover withdrawn", after={"endpoint": entry.endpoint})


def settle(database: Database, entry: Entry, *, after_s: float, action: str | None = None, **values: Any) -> None:
    """Write what became of a step and when the next is due; with `action` it also stands in the case's record."""
    with database.changing() as change:
        change.connection.execute(
            update(handovers)
            .where(handovers.c.number == entry.number)
            .values(next_try_utc=times.later(change.now_utc, after_s), **values)
        )
        if action is None:
            return
        before = {name: getattr(entry, name) for name in ("state", "request", "status", "status_notes")}
        after = {"endpoint": entry.endpoint} | {name: value for name, value in values.items() if name in before}
        tell(change, entry.case, who=WHO, action=action, before=before, after=after)


def tell(change: Change, case: int, *, who: str, action: str, before: Any = None, after: Any = None) -> None:
    """Write it into the case's record, and let pages show the case anew."""
    audit.record(
        change.connection,
        utc=change.now_utc,
        who=who,
        action=action,
        kind="case",
        subject=case,
        before=before,
        after=after,
    )
    change.connection.execute(update(cases).where(cases.c.number == case).values(changed=change.next()))
