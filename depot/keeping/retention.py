# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Lets pictures go by rule. What was seen, where and when, stays; `pictures.expired_utc` says that the bytes are gone.

First the database says so, with the record of it and a note that the bytes are still there; then they are taken away;
then the note. Whatever ends it in between, the next run goes on. Any number may run at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from depot.keeping import due
from depot.keeping.config import RetentionConfig
from depot.keeping.due import Due
from depot.keeping.tables import removals
from depot.people import audit
from depot.services import Pictures
from depot.store.database import Change, Database
from depot.store.tables import cases
from depot.store.tables import pictures as pictures_table
from depot.store.upserting import upsert

#: Who let them go, in the record of changes.
RULE = "rule:retention"
#: Pictures in one transaction: all who change cases wait as long as it lasts.
_AT_ONCE = 200
_LOOK = 5000


@dataclass(frozen=True)
class Gone:
    """What a run let go, or would."""

    pictures: int = 0
    bytes: int = 0
    cases: int = 0


class Retention:
    """Run it once a day."""

    def __init__(self, database: Database, pictures: Pictures, retention: RetentionConfig) -> None:
        self._database = database
        self._pictures = pictures
        self._retention = retention

    def plan(self) -> Gone:
        """What `run_once` would let go now. Raises StoreError."""
        with self._database.reading() as connection:
            found = due.find(connection, self._retention, now_utc=self._database.now_utc(), limit=2**31)
        return _sum(found)

    def run_once(self) -> Gone:
        """Let go all that is due. Raises StoreError: the next run goes on where this one stopped."""
        self._take_away()
        gone: list[Due] = []
        while True:
            with self._database.reading() as connection:
                found = due.find(connection, self._retention, now_utc=self._database.now_utc(), limit=_LOOK)
            let_go: list[Due] = []
            for start in range(0, len(found), _AT_ONCE):
                let_go += self._let_go([each.sha256 for each in found[start : start + _AT_ONCE]])
                self._take_away()
            gone += let_go
            if not let_go:
                return _sum(gone)

    def _let_go(self, some: Sequence[str]) -> list[Due]:
        """Those of `some` that are still due: a person may have reopened their case since."""
        with self._database.changing() as change:
            found = due.find(change.connection, self._retention, now_utc=change.now_utc, limit=len(some), only=some)
            if not found:
                return []
            hashes = [each.sha256 for each in found]
            expired = update(pictures_table).where(pictures_table.c.sha256.in_(hashes))
            change.connection.execute(expired.values(expired_utc=change.now_utc))
            change.connection.execute(
                upsert(change.connection, removals).on_conflict_do_nothing(), [{"sha256": name} for name in hashes]
            )
            _record(change, found)
        return found

    def _take_away(self) -> None:
        """Take the bytes of all that the database has let go."""
        while True:
            with self._database.reading() as connection:
                some = connection.scalars(select(removals.c.sha256).limit(_AT_ONCE)).all()
            if not some:
                return
            for sha256 in some:
                self._pictures.remove(sha256)
            with self._database.writing() as connection:
                connection.execute(delete(removals).where(removals.c.sha256.in_(some)))


def _record(change: Change, found: Sequence[Due]) -> None:
    """One row for each case and rule; a case's page then says that its pictures are gone."""
    groups: defaultdict[tuple[int | None, str], list[str]] = defaultdict(list)
    for each in found:
        groups[each.case, each.rule].append(each.sha256)
    for (case, rule), hashes in groups.items():
        kind, subject = ("picture", "unused") if case is None else ("case", str(case))
        audit.record(
            change.connection, utc=change.now_utc, who=RULE, action="pictures expired", kind=kind, subject=subject,
            after={"rule": rule, "pictures": hashes},
        )  # fmt: skip
        if case is not None:
            change.connection.execute(update(cases).where(cases.c.number == case).values(changed=change.next()))


def _sum(found: Sequence[Due]) -> Gone:
    return Gone(
        pictures=len(found),
        bytes=sum(each.bytes for each in found),
        cases=len({each.case for each in found if each.case is not None}),
    )
