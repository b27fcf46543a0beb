# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Brings a database to the newest schema."""

from __future__ import annotations

from sqlalchemy import insert, select

from depot.store import every_table
from depot.store.database import Database
from depot.store.tables import meta


def migrate(database: Database) -> None:
    """Make the tables that are missing.

    Raises:
        StoreError: the database cannot be written, or a newer depot made it.
    """
    with database.writing() as connection:
        every_table.METADATA.create_all(connection)
        if connection.execute(select(meta.c.name).where(meta.c.name == "sequence")).first() is None:
            connection.execute(insert(meta).values(name="sequence", value=0))
