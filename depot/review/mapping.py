# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The map's answer: what a filter finds in a window, as clusters and single cases."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from sqlalchemy import select

from depot.cases.records import Case, State, case_of
from depot.describing import title
from depot.review.answers import Map, MapFacts, MapFeature, Point
from depot.review.clusters import Clusters, Grid, cluster
from depot.review.columns import Columns
from depot.review.filters import Bbox, CaseFilter
from depot.review.index import CaseIndex
from depot.review.selecting import matching
from depot.store.database import Database
from depot.store.tables import cases

_OPEN: frozenset[State] = frozenset({"new", "reopened"})


class _Found(NamedTuple):
    """Cases of the window in clusters; arrays of shape (cases,)."""

    total: int
    sequence: int
    numbers: NDArray[np.int64]
    grades: NDArray[np.int64]
    open: NDArray[np.bool_]
    clusters: Clusters


def picture_of(database: Database, index: CaseIndex, wanted: CaseFilter, window: Bbox, zoom: float) -> Map:
    """What the map shows. A `bbox` of the filter itself is left out of account. Raises StoreError."""
    grid = Grid.of(zoom)
    with index.current() as columns:
        found = _find(columns, replace(wanted, bbox=grid.around(window)), grid, database.now_utc())
    alone = found.clusters.count[found.clusters.member] == 1
    singles = found.numbers[alone].tolist()
    with database.reading() as connection:
        # One may have lost its place since the index was asked.
        still = select(cases).where(cases.c.number.in_(singles), cases.c.lon.is_not(None), cases.c.lat.is_not(None))
        features = [_single(case_of(row)) for row in connection.execute(still)] if singles else []
    return Map(total=found.total, sequence=found.sequence, features=[*_clustered(found), *features])


def _find(columns: Columns, wanted: CaseFilter, grid: Grid, now_utc: str) -> _Found:
    rows = np.flatnonzero(matching(columns, wanted, now_utc))
    waiting = columns.states.chosen(_OPEN.__contains__)
    return _Found(
        total=len(rows),
        sequence=columns.sequence,
        numbers=rows,
        grades=columns.counts["grade"][rows],
        open=waiting[columns.state[rows]],
        clusters=cluster(columns.floats["lon"][rows], columns.floats["lat"][rows], grid),
    )


def _clustered(found: _Found) -> list[MapFeature]:
    made = found.clusters
    worst = np.zeros(len(made.count), np.int64)
    np.maximum.at(worst, made.member, found.grades)
    waiting = np.bincount(made.member, found.open, minlength=len(made.count)).astype(np.int64)
    columns = (made.lon, made.lat, made.count, waiting, worst, made.expand_zoom)
    return [
        MapFeature(
            geometry=Point(coordinates=(lon, lat)),
            properties=MapFacts(cluster=True, count=count, open=open_, worst_grade=grade or None, expand_zoom=expand),
        )
        for lon, lat, count, open_, grade, expand in zip(*(column.tolist() for column in columns), strict=True)
        if count > 1
    ]


def _single(case: Case) -> MapFeature:
    assert case.lon is not None
    assert case.lat is not None
    return MapFeature(
        geometry=Point(coordinates=(case.lon, case.lat)),
        properties=MapFacts(
            cluster=False,
            number=case.number,
            defect_class=case.defect_class,
            state=case.state,
            grade=case.grade,
            error_m=case.error_m,
            office=case.office,
            title_de=title(case, "de"),
            title_en=title(case, "en"),
        ),
    )
