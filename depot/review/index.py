# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""All cases in memory as numpy columns: filters, orders and counts over 100,000 cases in milliseconds.

It follows the database by the numbers of changes, so several page processes may each have one. What it answers is
never older than the last commit before the question.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, select

from depot.cases.records import State
from depot.review import urgency
from depot.review.columns import Columns, Vocabulary, seconds
from depot.store.database import Database
from depot.store.tables import cases, meta, sightings

STATES: tuple[State, ...] = get_args(State)

_WORDS = ("class", "surface", "trend", "district", "road", "road_class", "office", "line")
_FLOATS = ("lon", "lat", "score")
_COUNTS = ("grade", "sightings", "vehicles", "looks_without", "reports")
_TIMES = ("first_seen_utc", "last_seen_utc", "opened_utc")
_ROWS = 20_000
_SELECTED = ("number", "state", *_WORDS, *_FLOATS, *_COUNTS, *_TIMES)


class CaseIndex:
    """The columns, and how they follow the database. Every method may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._columns = Columns(STATES, _WORDS, (*_FLOATS, *_TIMES, "urgency"), _COUNTS)

    @contextmanager
    def current(self) -> Iterator[Columns]:
        """All cases as of now; nobody changes them meanwhile, so be quick. Raises StoreError."""
        with self._lock:
            self._refresh()
            yield self._columns

    def _refresh(self) -> None:
        columns = self._columns
        with self._database.reading() as connection:
            sequence = connection.execute(select(meta.c.value).where(meta.c.name == "sequence")).scalar_one()
            if sequence == columns.sequence:
                return
            changed = select(*(cases.c[name] for name in _SELECTED)).where(cases.c.changed > columns.sequence)
            # Should this break off, the same is read again: the number stays.
            for part in _parts(connection, changed):
                _take(columns, part)
            for part in _parts(connection, _seen_by(columns.sequence)):
                columns.see(part)
        columns.sequence = sequence


def _parts(connection: Connection, query: Select[Any]) -> Iterator[Sequence[Any]]:
    """The rows of a query, so many at a time that memory does not grow with the depot."""
    yield from connection.execute(query.execution_options(yield_per=_ROWS)).partitions()


def _seen_by(after: int) -> Select[Any]:
    """Which vehicles have seen the cases that changed."""
    pairs = select(sightings.c.case, sightings.c.vehicle).where(sightings.c.vehicle.is_not(None)).distinct()
    if after < 0:
        return pairs
    return pairs.where(sightings.c.case.in_(select(cases.c.number).where(cases.c.changed > after)))


def _take(columns: Columns, changed: Sequence[Any]) -> None:
    """Put changed rows of `_SELECTED` into the columns."""
    values = dict(zip(_SELECTED, zip(*changed, strict=True), strict=True))
    rows = np.array(values["number"], dtype=np.int64)
    columns.reserve(int(rows.max()) + 1)
    columns.state[rows] = [STATES.index(state) + 1 for state in values["state"]]
    for name in _WORDS:
        columns.words[name][rows] = columns.vocabulary[name].codes(values[name])
    for name in _FLOATS:
        columns.floats[name][rows] = np.array(values[name], dtype=np.float64)  # None becomes NaN
    for name in _TIMES:
        columns.floats[name][rows] = seconds(values[name])
    for name in _COUNTS:
        columns.counts[name][rows] = [value or 0 for value in values[name]]
    columns.unsee(rows)
    columns.floats["urgency"][rows] = _urgency(columns, rows)


def _urgency(columns: Columns, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    turns = np.array([0, *(urgency.TURN[state] for state in STATES)])
    first = columns.floats["first_seen_utc"][rows]
    return urgency.keys(
        turn=turns[columns.state[rows]],
        grade=columns.counts["grade"][rows],
        trend_points=_points(columns.vocabulary["trend"], urgency.TREND)[columns.words["trend"][rows]],
        road_points=_points(columns.vocabulary["road_class"], urgency.ROAD_CLASS)[columns.words["road_class"][rows]],
        reported=columns.counts["reports"][rows] > 0,
        vehicles=columns.counts["vehicles"][rows],
        first_seen_s=np.where(np.isnan(first), columns.floats["opened_utc"][rows], first),
    )


def _points(vocabulary: Vocabulary, points: dict[str, int]) -> NDArray[np.int64]:
    """The points of each word by its code."""
    return np.array([0, *(points.get(word, 0) for word in vocabulary.words)], dtype=np.int64)
