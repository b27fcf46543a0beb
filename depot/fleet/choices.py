# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What people decide about a vehicle: which group it is in, and that it is retired. Each change is recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from depot.fleet.tables import vehicle_choices
from depot.people import audit
from depot.store.database import Change
from depot.store.tables import vehicles
from depot.store.upserting import upsert

DEFAULT_GROUP = "fleet"
GROUP_PATTERN = r"[a-z][a-z0-9-]{0,39}"
_WHO = "rule:heard-again"


@dataclass(frozen=True)
class Choice:
    """`retired_utc`: since when nobody waits for the vehicle any more; None: it is in service."""

    group: str = DEFAULT_GROUP
    retired_utc: str | None = None


def choices(connection: Connection) -> dict[str, Choice]:
    """Of all vehicles that somebody decided about, by name."""
    rows = connection.execute(select(vehicle_choices))
    return {row.vehicle: Choice(row.group, row.retired_utc) for row in rows}


def choose(
    change: Change, vehicle: str, *, who: str, group: str | None = None, retired: bool | None = None
) -> Choice | None:
    """Change what is given; None: there is no such vehicle."""
    if change.connection.execute(select(vehicles.c.name).where(vehicles.c.name == vehicle)).first() is None:
        return None
    row = change.connection.execute(select(vehicle_choices).where(vehicle_choices.c.vehicle == vehicle)).first()
    before = Choice() if row is None else Choice(row.group, row.retired_utc)
    after = before if group is None else replace(before, group=group)
    if retired is not None and retired != (before.retired_utc is not None):
        after = replace(after, retired_utc=change.now_utc if retired else None)
    if after != before:
        values = {"group": after.group, "retired_utc": after.retired_utc}
        row_to_be = upsert(change.connection, vehicle_choices).values(vehicle=vehicle, **values)
        change.connection.execute(
            row_to_be.on_conflict_do_update(index_elements=[vehicle_choices.c.vehicle], set_=values)
        )
        change.next()
        audit.record(
            change.connection, utc=change.now_utc, who=who, action=_action(before, after), kind="vehicle",
            subject=vehicle, before=before, after=after,
        )  # fmt: skip
    return after


def _action(before: Choice, after: Choice) -> str:
    if (before.retired_utc is None) == (after.retired_utc is None):
        return "group"
    return "back" if after.retired_utc is None else "retire"


def bring_back(change: Change) -> int:
    """Those that were heard after they had been retired are in service again; gives how many."""
    silent = (
        select(vehicle_choices.c.vehicle)
        .join(vehicles, vehicles.c.name == vehicle_choices.c.vehicle)
        .where(vehicle_choices.c.retired_utc.is_not(None), vehicles.c.seen_utc > vehicle_choices.c.retired_utc)
    )
    names = sorted(change.connection.scalars(silent))
    for name in names:
        choose(change, name, who=_WHO, retired=False)
    return len(names)
