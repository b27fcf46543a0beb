# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from depot.review.filters import Bbox, CaseFilter, conditions, number_of
from depot.review.index import STATES, CaseIndex
from depot.review.selecting import matching
from depot.store.database import Database
from depot.store.tables import cases, sightings
from tests.depot.review.samples import Depot, add_case, add_sighting, change_case

NOW = "2026-06-01T00:00:00.000Z"
CLASSES = ["pothole", "crack", "joint"]
WORDS = [None, "Mitte", "Nord", "Übersee"]
ROADS = [None, "Königstraße", "Am Übergang", "100% Weg", "under_score"]
VEHICLES = ["sweeper-1", "sweeper-2", "bus-7"]


def _some(*choices: Any, most: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(choices), max_size=most, unique=True).map(tuple)


degrees = st.floats(-0.06, 0.06)
filters = st.builds(
    CaseFilter,
    classes=_some(*CLASSES, "none such"),
    states=_some(*STATES),
    districts=_some("Mitte", "Nord", ""),
    offices=_some("Übersee", ""),
    road=st.sampled_from([None, None, None, "Königstraße"]),
    lines=_some("U79", ""),
    vehicles=_some(*VEHICLES, "none such"),
    surface=st.sampled_from([None, None, "road", "lining"]),
    trends=_some("growing", "steady"),
    grade_min=st.none() | st.integers(1, 5),
    score_min=st.none() | st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    since=st.sampled_from([None, "2026-05-10T00:00:00.000Z", "2026-05-11T12:00:00.000Z"]),
    seen_days=st.none() | st.integers(0, 40),
    looks_min=st.none() | st.integers(0, 4),
    bbox=st.none()
    | st.builds(lambda w, s, e, n: Bbox(179.98 + w, min(s, n), e, max(s, n)), degrees, degrees, degrees, degrees)
    | st.builds(
        lambda w, s, e, n: Bbox(min(w, e), min(s, n), max(w, e), max(s, n)), degrees, degrees, degrees, degrees
    ),
    q=st.sampled_from([None, None, "7", "#12", "königs", "ÜBER", "übe", "%", "_", "ß", "weg", "'", "nothing"]),
    place=st.sampled_from([None, None, "map", "none"]),
)


@pytest.fixture
def filled(database: Database) -> tuple[Database, CaseIndex]:
    draw = random.Random(7)
    rows = []
    for number in range(1, 151):
        placed = draw.random() < 0.8
        day = draw.choice([None, "05-09", "05-10", "05-11", "05-30"])
        rows.append(
            {
                "number": number,
                "changed": number,
                "state": draw.choice(STATES),
                "class": draw.choice(CLASSES),
                "surface": draw.choice(["road", "lining"]),
                "lon": draw.uniform(-0.05, 0.05) + draw.choice([0, 0, 180.0, -180.0]) if placed else None,
                "lat": draw.uniform(-0.05, 0.05) if placed else None,
                "line": draw.choice([None, "U79"]),
                "district": draw.choice(WORDS),
                "office": draw.choice(WORDS),
                "road": draw.choice(ROADS),
                "trend": draw.choice([None, "growing", "steady", "shrinking"]),
                "grade": draw.choice([None, 1, 2, 3, 4, 5]),
                "score": draw.choice([None, 0.0, 0.3, 0.5, 0.9]),
                "first_seen_utc": day and f"2026-{day}T12:00:00.000Z",
                "last_seen_utc": day and f"2026-{day}T13:00:00.000Z",
                "opened_utc": "2026-05-01T00:00:00.000Z",
                "sightings": 1,
                "passes": 1,
                "vehicles": 1,
                "looks_without": draw.randint(0, 4),
                "pinned": False,
                "reports": 0,
            }
        )
    with database.changing() as change:
        change.connection.execute(insert(cases), rows)
        change.sequence = 150
    for case in range(1, 40):
        add_sighting(database, case, vehicle=draw.choice(VEHICLES))
    return database, CaseIndex(database)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=filters)
def test_memory_and_database_find_the_same_cases(filled: tuple[Database, CaseIndex], wanted: CaseFilter) -> None:
    database, index = filled
    query = select(cases.c.number).where(*conditions(wanted, now_utc=NOW)).order_by(cases.c.number)
    with database.reading() as connection:
        expected = list(connection.execute(query).scalars())
    with index.current() as columns:
        assert matching(columns, wanted, NOW).nonzero()[0].tolist() == expected


def test_a_search_finds_what_is_meant(filled: tuple[Database, CaseIndex]) -> None:
    database, index = filled
    found = {}
    with index.current() as columns, database.reading() as connection:
        roads = {row.number: row.road for row in connection.execute(select(cases.c.number, cases.c.road))}
        for q in ("ÜBERGANG", "übergang", "100%", "#12", "r_s"):
            rows = matching(columns, CaseFilter(q=q, states=STATES), NOW).nonzero()[0].tolist()
            found[q] = {roads[row] if q != "#12" else row for row in rows}
    assert found == {
        "ÜBERGANG": {"Am Übergang"},
        "übergang": {"Am Übergang"},
        "100%": {"100% Weg"},
        "#12": {12},
        "r_s": {"under_score"},
    }


def test_the_index_follows_each_commit(database: Database) -> None:
    index = CaseIndex(database)

    def numbers(**wanted: Any) -> list[int]:
        with index.current() as columns:
            found: list[int] = matching(columns, CaseFilter(**wanted), NOW).nonzero()[0].tolist()
            return found

    assert numbers() == []
    first = add_case(database, district="Mitte")
    assert numbers(districts=("Mitte",)) == [first]
    second = add_case(database, district="Nord")
    assert numbers(districts=("Mitte",)) == [first]
    assert numbers() == [first, second]
    add_sighting(database, second, vehicle="bus-7")
    assert numbers(vehicles=("bus-7",)) == [second]
    for n in range(70):  # more vehicles than one word has bits
        add_sighting(database, first, vehicle=f"car-{n}")
    assert numbers(vehicles=("car-69",)) == [first]
    assert numbers(vehicles=("bus-7",)) == [second]


def test_a_case_that_lost_a_sighting_is_no_longer_that_vehicles(database: Database) -> None:
    index = CaseIndex(database)
    one, other = add_case(database), add_case(database)
    moved, _ = add_sighting(database, one, vehicle="bus-7")

    def seen() -> list[int]:
        with index.current() as columns:
            found: list[int] = matching(columns, CaseFilter(vehicles=("bus-7",)), NOW).nonzero()[0].tolist()
            return found

    assert seen() == [one]
    with database.writing() as connection:
        connection.execute(update(sightings).where(sightings.c.number == moved).values(case=other))
    for number in (one, other):
        change_case(database, number, sightings=1)
    assert seen() == [other]


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("bbox=1,2,3", "bbox"),
        ("bbox=1,2,nan,4", "bbox"),
        ("since=yesterday", "since"),
        ("state=lost", "state"),
        ("grade_min=6", "grade_min"),
        ("q=%00", "q"),
        ("road=a%00", "road"),
        ("cursor=1", "cursor"),
        ("cursor=nan_1", "cursor"),
        ("near=1", "near"),
        ("&".join(["class=x"] * 51), "class"),
    ],
)
def test_an_address_that_is_none_is_said(unchanging: Depot, address: str, word: str) -> None:
    answer = unchanging.client().get(f"/api/cases?{address}")
    assert answer.status_code == 422
    assert word in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "bbox=-500,90.5,500,-90.5",
        "bbox=6.7e-7,4,3,2",
        "since=0001-01-01T00:00:00%2B14:00",
        "since=9999-12-31T23:00:00-14:00",
        "sort=near",
        "cursor=1e99_1",
        "cursor=inf_7",
    ],
)
def test_an_address_at_the_edge_of_what_there_is_is_answered(unchanging: Depot, address: str) -> None:
    assert unchanging.client().get(f"/api/cases?{address}").status_code == 200


def test_a_time_is_understood_in_any_zone(database: Database) -> None:
    add_case(database, first_seen_utc="2026-05-10T11:59:59.999Z")
    at = add_case(database, first_seen_utc="2026-05-10T12:00:00.000Z")
    for since in ("2026-05-10T14:00:00%2B02:00", "2026-05-10T12:00:00Z", "2026-05-10T12:00:00"):
        found = Depot(database).client().get(f"/api/cases?since={since}").json()["cases"]
        assert [case["number"] for case in found] == [at]


def test_a_number_in_a_search_is_one_or_none() -> None:
    assert [number_of(q) for q in ("17", "#17", "x17", "²", "9" * 30)] == [17, 17, None, None, None]
