# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""After a change of the rules open cases get what is now proposed, and nobody's choice is overruled."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from depot.cases.records import Case, case_of
from depot.routing import keeping, reproposing
from depot.routing.areas import AreaIndex, read
from depot.routing.records import Rule
from depot.routing.reproposing import Reproposer, try_rules
from depot.routing.router import Router
from depot.store.database import Database
from depot.store.tables import audit, cases
from tests.depot.routing.conftest import DISTRICTS, add_case, add_road

TO_BUILDINGS = [Rule(office="wbd-bauwerke", classes=("pothole",)), Rule(office="wbd-strassen")]


def case(database: Database, number: int) -> Case:
    with database.reading() as connection:
        return case_of(connection.execute(select(cases).where(cases.c.number == number)).one())


def set_rules(database: Database, rules: list[Rule]) -> None:
    with database.changing() as change:
        keeping.write_rules(change.connection, rules)
        keeping.grow(change.connection)


@pytest.fixture
def worker(city: Database) -> Reproposer:
    return Reproposer(city, Router())


def test_open_cases_get_the_new_office_and_the_record_says_so(city: Database, worker: Reproposer) -> None:
    number = add_case(city)
    worker.run_for()
    before = case(city, number)
    assert (before.office, before.road) == ("wbd-strassen", "Königstraße")
    set_rules(city, TO_BUILDINGS)
    worker.run_for()
    after = case(city, number)
    assert (after.office, after.office_proposed, after.office_by) == ("wbd-bauwerke", "wbd-bauwerke", None)
    assert after.changed > before.changed
    with city.reading() as connection:
        last = connection.execute(select(audit).order_by(audit.c.number.desc()).limit(1)).one()
    assert (last.who, last.kind, last.subject) == ("rule:routing", "case", str(number))
    assert (json.loads(last.before), json.loads(last.after)) == ({"office": "wbd-strassen"}, {"office": "wbd-bauwerke"})


@pytest.mark.parametrize(
    "values",
    [
        {"office": "autobahn", "office_proposed": "wbd-strassen", "office_by": "erika"},
        {"office": "wbd-strassen", "office_proposed": "wbd-strassen", "state": "ordered"},
        {"office": "wbd-strassen", "office_proposed": "wbd-strassen", "state": "repaired"},
        {"office": "wbd-strassen", "office_proposed": "wbd-strassen", "state": "rejected"},
    ],
)
def test_what_a_person_chose_and_what_is_ordered_stays(
    city: Database, worker: Reproposer, values: dict[str, Any]
) -> None:
    number = add_case(city, **values)
    set_rules(city, TO_BUILDINGS)
    worker.run_for()
    after = case(city, number)
    assert (after.office, after.office_proposed) == (values["office"], values["office_proposed"])
    assert after.road == "Königstraße"  # where it lies is no choice


def test_a_second_run_finds_nothing_to_do(city: Database, worker: Reproposer) -> None:
    add_case(city)
    assert worker.run_for() == (1, True)
    sequence = city.sequence()
    assert worker.run_for() == (0, True)
    assert city.sequence() == sequence


def test_another_worker_goes_on_where_the_first_was_stopped(
    city: Database, worker: Reproposer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproposing, "_BATCH", 2)
    numbers = [add_case(city) for _ in range(5)]
    assert worker.run_once() == 2
    assert case(city, numbers[4]).office is None
    assert Reproposer(city, Router()).run_for() == (3, True)
    assert case(city, numbers[4]).office == "wbd-strassen"


def test_it_ends_when_the_time_is_up_and_says_so(
    city: Database, worker: Reproposer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproposing, "_BATCH", 1)
    for _ in range(3):
        add_case(city)
    assert worker.run_for(-1.0) == (1, False)


def test_a_change_in_between_begins_anew(city: Database, worker: Reproposer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproposing, "_BATCH", 2)
    numbers = [add_case(city) for _ in range(3)]
    worker.run_once()
    set_rules(city, TO_BUILDINGS)
    worker.run_for()
    assert {case(city, number).office for number in numbers} == {"wbd-bauwerke"}


def test_new_roads_place_the_cases_anew(city: Database, worker: Reproposer) -> None:
    number = add_case(city, lat=51.41)
    worker.run_for()
    assert case(city, number).road is None
    add_road(city, "Deichweg", "track", [[6.70, 51.41], [6.80, 51.41]])
    worker.run_for()
    assert case(city, number).road == "Deichweg"


def test_trying_rules_says_what_would_change_and_changes_nothing(city: Database, worker: Reproposer) -> None:
    first = add_case(city)
    add_case(city)
    add_case(city, **{"class": "crack"})
    add_case(city, office="autobahn", office_by="erika")
    add_case(city, state="repaired")
    worker.run_for()
    sequence = city.sequence()
    router = Router()
    with city.reading() as connection:
        trial = try_rules(connection, router.plan(connection).areas, TO_BUILDINGS)
        in_the_east = try_rules(
            connection,
            AreaIndex(read(DISTRICTS)),
            [Rule(office="x", areas=("mitte",), classes=("pothole",))],
        )
        without = try_rules(connection, router.plan(connection).areas, [])
    assert (trial.open, trial.chosen, trial.changed, trial.without_office) == (4, 1, 2, 0)
    assert [(move.before, move.after, move.count, move.example) for move in trial.moves] == [
        ("wbd-strassen", "wbd-bauwerke", 2, first)
    ]
    assert trial.held == (3, 1)
    assert (without.changed, without.without_office) == (3, 4)
    assert (in_the_east.changed, in_the_east.held) == (3, (3,))  # the crack would lose its office
    assert city.sequence() == sequence
