# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of every change: who, when, what it was before and after. Rows are only ever added."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from depot.store.tables import audit, meta

_SEQUENCE = select(meta.c.value).where(meta.c.name == "sequence").scalar_subquery()


def record(
    connection: Connection,
    *,
    utc: str,
    who: str,
    action: str,
    kind: str,
    subject: str | int,
    before: Any = None,
    after: Any = None,
) -> None:
    """Add a row in the transaction of the change itself. `before`, `after`: what msgspec can write as JSON."""
    connection.execute(
        insert(audit).values(
            utc=utc,
            who=who,
            action=action,
            kind=kind,
            subject=str(subject),
            before=_json(before),
            after=_json(after),
            sequence=_SEQUENCE,
        )
    )


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
