# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures come after the facts: when one has, the cases that it shows have changed."""

from __future__ import annotations

from sqlalchemy import Select, delete, select, update

from depot.cases.tables import awaited
from depot.store.database import Database
from depot.store.tables import cases, pictures, sightings

_MOST = 500


class Arrivals:
    """A chore of the projector."""

    def __init__(self, database: Database) -> None:
        """`database`: migrated."""
        self._database = database

    def __call__(self) -> int:
        """Tell what has come since; how many pictures. Raises StoreError."""
        with self._database.reading() as connection:
            come = list(connection.execute(_come()).scalars())
        if not come:
            return 0
        with self._database.changing() as change:
            shown = select(sightings.c.case).where(sightings.c.picture.in_(come)).distinct()
            for number in sorted(change.connection.execute(shown).scalars()):
                news = {"changed": change.next()}
                change.connection.execute(update(cases).where(cases.c.number == number).values(news))
            change.connection.execute(delete(awaited).where(awaited.c.picture.in_(come)))
        return len(come)


def _come() -> Select[tuple[str]]:
    here = select(awaited.c.picture).join(pictures, pictures.c.sha256 == awaited.c.picture)
    return here.limit(_MOST)
