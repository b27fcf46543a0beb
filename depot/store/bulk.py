# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Many new events in one go, and into `pending` those that were not there before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

_INTO = "INSERT INTO events (source, id, type, received_utc, payload)"
_ALL_AT_ONCE = f"""
WITH new AS (
  {_INTO} SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[])
  ON CONFLICT DO NOTHING RETURNING received
)
INSERT INTO pending SELECT received FROM new
"""  # noqa: S608


class NewEvent(NamedTuple):
    """A row of `events` without its number."""

    source: str
    id: str
    type: str
    received_utc: str
    payload: bytes


def insert_events(connection: Connection, events: Sequence[NewEvent]) -> None:
    """Store events of which none has the key of another; those that are there already stay as they are.

    Where others may insert the same ones at the same time, give them sorted: else two wait for each other.
    """
    if not events:
        return
    if connection.dialect.name == "postgresql":
        _into_postgresql(connection, events)
    else:
        _into_sqlite(connection, events)


def _into_sqlite(connection: Connection, rows: Sequence[NewEvent]) -> None:
    """There is one writer and numbers only rise: what is above the last one before is new."""
    before = connection.exec_driver_sql("SELECT ifnull(max(received), 0) FROM events").scalar_one()
    connection.exec_driver_sql(f"{_INTO} VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", list(map(tuple, rows)))
    connection.exec_driver_sql("INSERT INTO pending SELECT received FROM events WHERE received > ?", (before,))


def _into_postgresql(connection: Connection, rows: Sequence[NewEvent]) -> None:
    connection.exec_driver_sql(_ALL_AT_ONCE, tuple(list(column) for column in zip(*rows, strict=True)))
