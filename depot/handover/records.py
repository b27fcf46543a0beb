# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the page shows of a case's hand-over."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, select

from depot.handover.tables import handovers


class HandedOver(Struct, frozen=True, kw_only=True):
    """A case at a city's endpoint. `state`: waiting, sending, token, accepted, refused or unclear."""

    endpoint: str
    state: str
    created_utc: str
    who: str
    attempts: int
    request: str | None = None
    status: str | None = None
    status_notes: str | None = None
    status_utc: str | None = None
    error: str | None = None


def handed_over(connection: Connection, number: int) -> list[HandedOver]:
    """Where this case was handed over, oldest first."""
    columns = [handovers.c[name] for name in HandedOver.__struct_fields__]
    rows = connection.execute(select(*columns).where(handovers.c.case == number).order_by(handovers.c.number))
    return [HandedOver(**row._mapping) for row in rows]  # noqa: SLF001 - its public name, in spite of the underscore
