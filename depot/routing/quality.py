# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How good the proposals are: of the cases that people decided on, how many offices did they have to change?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, or_, select

from depot.store.tables import cases

#: A person has looked at these, so an office that was not changed was found right.
_SEEN = ("confirmed", "ordered", "repaired")


@dataclass(frozen=True)
class Correction:
    """So often people chose `chosen` where `proposed` was proposed (None: nothing was)."""

    proposed: str | None
    chosen: str | None
    count: int


@dataclass(frozen=True)
class Quality:
    """`share`: of `checked` proposals those that people changed; None while none was checked."""

    since_utc: str | None
    checked: int
    changed: int
    share: float | None
    corrections: tuple[Correction, ...]


def quality(connection: Connection, since_utc: str | None = None) -> Quality:
    """Over cases opened at or after `since_utc`; None: over all."""
    c = cases.c
    counted: list[Any] = [c.office_proposed, c.office, c.office_by.is_not(None).label("by_person"), func.count()]
    query = select(*counted).where(or_(c.state.in_(_SEEN), c.office_by.is_not(None)), c.state != "merged")
    if since_utc is not None:
        query = query.where(c.opened_utc >= since_utc)
    checked, corrections = 0, []
    for proposed, office, by_person, count in connection.execute(query.group_by(*counted[:3])):
        checked += count
        if by_person and office != proposed:
            corrections.append(Correction(proposed, office, count))
    corrections.sort(key=lambda one: (-one.count, one.proposed or "", one.chosen or ""))
    changed = sum(one.count for one in corrections)
    return Quality(since_utc, checked, changed, changed / checked if checked else None, tuple(corrections))
