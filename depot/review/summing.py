# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The figures of everything that the depot holds.

They are exact at the moment of the question, as long as counting takes no time to speak of. In a very large depot the
last count is shown, which says when it was made, and a new one is begun.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, distinct, exists, func, literal, select

from depot.cases.tables import failed, later_pictures, revisions
from depot.errors import StoreError
from depot.review.answers import Summary
from depot.review.index import CaseIndex
from depot.roads.tables import rides, stretches
from depot.store.database import Database
from depot.store.tables import events, meta, pending, pictures, refused, sightings, vehicles

_log = logging.getLogger(__name__)
#: Counting may take so long while somebody waits for it.
_QUICK_S = 0.03
#: A longer count is repeated after so many times its own length, and not sooner than after `_PAUSE_S`.
_REST = 20
_PAUSE_S = 2.0
#: An older figure is not shown: who asks then waits.
_OLD_S = 120.0


class Summing:
    """Counts, and keeps the last count. May be asked from any thread."""

    def __init__(self, database: Database, index: CaseIndex) -> None:
        self._database = database
        self._index = index
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._last: Summary | None = None
        self._took_s = 0.0
        self._ended_s = 0.0

    def current(self) -> Summary:
        """The figures. Raises StoreError."""
        with self._lock:
            last, took_s, age_s = self._last, self._took_s, time.monotonic() - self._ended_s
        if last is None or took_s < _QUICK_S or age_s > _OLD_S:
            return self._count()
        if age_s > max(_PAUSE_S, _REST * took_s) and self._counting.acquire(blocking=False):
            threading.Thread(target=self._count_behind, name="summary", daemon=True).start()
        return last

    def _count_behind(self) -> None:
        try:
            self._count()
        except StoreError as error:
            _log.warning("the figures could not be counted: %s", error)
        finally:
            self._counting.release()

    def _count(self) -> Summary:
        began_s = time.monotonic()
        with self._database.reading() as connection:
            counts = _counts(connection)
            reasons = {row[0]: row[1] for row in connection.execute(select(refused.c.reason, refused.c.count))}
        made = Summary(
            as_of_utc=self._database.now_utc(), **counts, **_cases(self._index), refused=dict(sorted(reasons.items()))
        )
        with self._lock:
            self._last, self._ended_s = made, time.monotonic()
            self._took_s = self._ended_s - began_s
        return made


def _counts(connection: Connection) -> dict[str, Any]:
    seen = and_(events.c.source == revisions.c.source, events.c.id == revisions.c.observation)
    # One by one: the database may then use a narrow index for each.
    counted: dict[str, ColumnElement[int]] = {
        "sequence": select(meta.c.value).where(meta.c.name == "sequence").scalar_subquery(),
        "events": select(func.count()).select_from(events).scalar_subquery(),
        "pending": select(func.count()).select_from(pending).scalar_subquery(),
        "failed": select(func.count()).select_from(failed).scalar_subquery(),
        "observations": select(func.count(sightings.c.received)).scalar_subquery(),
        "pictures": select(func.count()).select_from(pictures).scalar_subquery(),
        "pictures_awaited": _awaited(sightings.c.picture) + _awaited(later_pictures.c.picture),
        "coverage": select(func.count()).select_from(stretches).scalar_subquery(),
        "revisions": select(func.count()).select_from(revisions).scalar_subquery(),
        "revisions_waiting": select(func.count())
        .select_from(revisions)
        .where(~exists(literal(1)).where(seen))
        .scalar_subquery(),
        "roughness": select(func.count()).select_from(rides).scalar_subquery(),
        "vehicles": select(func.count()).select_from(vehicles).scalar_subquery(),
    }
    row = connection.execute(select(*(value.label(name) for name, value in counted.items()))).one()
    return {name: int(row._mapping[name]) for name in counted}  # noqa: SLF001 - its public name, in spite of the underscore


def _awaited(picture: ColumnElement[str]) -> ColumnElement[int]:
    """Pictures that vehicles told of and that have not come; none is both a sighting's and an asked one."""
    missing = ~exists(literal(1)).where(pictures.c.sha256 == picture)
    return select(func.count(distinct(picture))).where(picture.is_not(None), missing).scalar_subquery()


def _cases(index: CaseIndex) -> dict[str, Any]:
    with index.current() as columns:
        shown = columns.states.chosen("merged".__ne__)[columns.state[: columns.size]]
        placeless = np.isnan(columns.floats["lon"][: columns.size])
        numbers = np.bincount(columns.words["class"][: columns.size][shown], minlength=1)
        words = ["", *columns.vocabulary["class"].words]
        return {
            "cases": int(shown.sum()),
            "cases_without_position": int((shown & placeless).sum()),
            "classes": {word: int(count) for word, count in sorted(zip(words, numbers, strict=False)) if count},
        }
