# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Numbers the changes that came without an event: a picture arrived, a vehicle's state, a refusal.

Taking in only notes them (`depot.store.ingest_tables.news`), because the number of a change has one owner at a time.
"""

from __future__ import annotations

from sqlalchemy import delete, select, union, update

from depot.store.database import Change, Database
from depot.store.every_table import METADATA
from depot.store.ingest_tables import news
from depot.store.tables import cases, sightings

#: In one transaction: the projector waits as long as it lasts.
_AT_ONCE = 1000


class News:
    """A background worker; any number of them may run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run_once(self) -> int:
        """Number what has come until now, at most some; how many notes that were. Raises StoreError."""
        with self._database.reading() as connection:
            if connection.execute(select(news.c.number).limit(1)).first() is None:
                return 0  # without the lock that all changes wait for
        with self._database.changing() as change:
            return _take(change)


def _take(change: Change) -> int:
    connection = change.connection
    some = select(news.c.number).order_by(news.c.number).limit(_AT_ONCE)
    rows = connection.execute(delete(news).where(news.c.number.in_(some)).returning(news.c.kind, news.c.subject)).all()
    if not rows:
        return 0
    change.next()
    pictures = sorted({row.subject for row in rows if row.kind == "picture"})
    later = METADATA.tables["later_pictures"]
    shown_in = union(*(select(one.c.case).where(one.c.picture.in_(pictures)) for one in (sightings, later)))
    for number in sorted(connection.scalars(shown_in)) if pictures else ():
        connection.execute(update(cases).where(cases.c.number == number).values(changed=change.next()))
    return len(rows)
