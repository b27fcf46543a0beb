# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures go when their rule says so, never sooner, never twice, and never by halves."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from depot.errors import StoreError
from depot.keeping.config import RetentionConfig
from depot.keeping.retention import Gone, Retention
from depot.keeping.tables import removals
from depot.people.moment import later
from depot.store.database import Database
from depot.store.every_table import METADATA
from depot.store.migration import migrate
from depot.store.pictures import PictureFolder
from depot.store.tables import audit, cases, pictures, sightings

NOW = "2026-11-22T08:00:00.000Z"
photos = METADATA.tables["photos"]


def days_ago(days: float) -> str:
    return later(NOW, -timedelta(days=days))


def sha(n: int) -> str:
    return f"{n:064x}"


class Depot:
    def __init__(self, database, folder) -> None:
        self.database = database
        database.now_utc = lambda: NOW
        self.store = PictureFolder(folder / "pictures")
        self.retention = Retention(database, self.store, RetentionConfig())

    def case(self, number: int, state: str, decided: float | None = None, into: int | None = None) -> None:
        with self.database.writing() as connection:
            connection.execute(
                insert(cases).values({
                    "number": number, "changed": 0, "state": state, "class": "pothole", "surface": "road",
                    "sightings": 0, "passes": 0, "vehicles": 0, "looks_without": 0, "opened_utc": days_ago(900),
                    "pinned": False, "reports": 0, "merged_into": into,
                    "decided_utc": None if decided is None else days_ago(decided),
                })
            )  # fmt: skip

    def picture(self, n: int, *shown_in: int, arrived: float = 100, photo_of: int | None = None) -> None:
        content = str(n).encode()
        self.store.keep(sha(n), content)
        with self.database.writing() as connection:
            connection.execute(
                insert(pictures).values(
                    sha256=sha(n), vehicle="car", bytes=len(content), width=1, height=1, received_utc=days_ago(arrived)
                )
            )
            for case in shown_in:
                connection.execute(insert(sightings).values({"case": case, "class": "pothole", "picture": sha(n)}))
            if photo_of is not None:
                connection.execute(
                    insert(photos).values(
                        case=photo_of, kind="repair", digest=sha(n), sha256=sha(n), box="[]", width=1, height=1,
                        anonymised="{}", utc=NOW, who="anna",
                    )
                )  # fmt: skip

    def left(self) -> set[int]:
        """Pictures that are there; the database and the disk must agree."""
        with self.database.reading() as connection:
            rows = connection.execute(select(pictures.c.sha256, pictures.c.expired_utc)).all()
            assert connection.execute(select(removals)).all() == []
        for row in rows:
            assert (self.store.read(row.sha256) is None) == (row.expired_utc is not None)
        return {int(row.sha256, 16) for row in rows if row.expired_utc is None}


@pytest.fixture
def depot(database, tmp_path):
    return Depot(database, tmp_path)


def test_pictures_of_closed_cases_go_after_their_days_and_others_stay(depot):
    for number, (state, decided) in enumerate(
        [("rejected", 31), ("rejected", 29), ("repaired", 731), ("repaired", 729), ("confirmed", 900), ("new", None),
         ("reopened", 900), ("rejected", None)], start=1,
    ):  # fmt: skip
        depot.case(number, state, decided)
        depot.picture(number, number)
    assert depot.retention.plan() == Gone(pictures=2, bytes=2, cases=2)
    assert depot.left() == {1, 2, 3, 4, 5, 6, 7, 8}, "a plan changes nothing"
    assert depot.retention.run_once() == Gone(pictures=2, bytes=2, cases=2)
    assert depot.left() == {2, 4, 5, 6, 7, 8}
    assert depot.retention.run_once() == Gone()


def test_what_was_seen_stays_and_the_case_says_that_it_changed(depot):
    depot.case(1, "rejected", 31)
    depot.picture(1, 1)
    depot.retention.run_once()
    with depot.database.reading() as connection:
        assert connection.scalars(select(sightings.c.picture)).all() == [sha(1)]
        assert connection.scalars(select(pictures.c.expired_utc)).all() == [NOW]
        assert connection.scalars(select(cases.c.changed)).all() == [1]
    assert depot.database.sequence() == 1


def test_a_picture_that_an_open_case_shows_too_stays(depot):
    depot.case(1, "rejected", 31)
    depot.case(2, "confirmed")
    depot.case(3, "rejected", 40)
    depot.picture(1, 1, 2)
    depot.picture(2, 1, 3)
    depot.picture(3, 1, photo_of=2)
    depot.retention.run_once()
    assert depot.left() == {1, 3}


def test_photos_of_crews_and_citizens_follow_the_same_rules(depot):
    depot.case(1, "repaired", 731)
    depot.case(2, "repaired", 1)
    depot.picture(1, photo_of=1)
    depot.picture(2, photo_of=2)
    depot.retention.run_once()
    assert depot.left() == {2}


def test_a_merged_case_counts_as_the_one_that_it_went_into(depot):
    depot.case(1, "rejected", 31)
    depot.case(2, "merged", into=1)
    depot.case(3, "confirmed")
    depot.case(4, "merged", into=3)
    depot.picture(1, 2)
    depot.picture(2, 4)
    depot.retention.run_once()
    assert depot.left() == {2}


def test_a_picture_of_no_case_goes_when_its_observation_can_come_no_more(depot):
    depot.picture(1, arrived=181)
    depot.picture(2, arrived=179)
    depot.retention.run_once()
    assert depot.left() == {2}


def test_a_rule_that_is_not_set_keeps_everything(depot):
    depot.case(1, "rejected", 9000)
    depot.picture(1, 1)
    depot.picture(2, arrived=9000)
    never = RetentionConfig(rejected_days=None, repaired_days=None, unused_days=None)
    assert Retention(depot.database, depot.store, never).run_once() == Gone()
    assert depot.left() == {1, 2}


def test_each_case_has_one_row_in_the_record(depot):
    depot.case(1, "rejected", 31)
    for n in (1, 2):
        depot.picture(n, 1)
    depot.retention.run_once()
    depot.retention.run_once()
    with depot.database.reading() as connection:
        (row,) = connection.execute(select(audit)).all()
    assert (row.who, row.action, row.kind, row.subject) == ("rule:retention", "pictures expired", "case", "1")
    assert json.loads(row.after) == {"rule": "rejected for 30 days", "pictures": [sha(1), sha(2)]}


def test_a_case_that_is_reopened_meanwhile_keeps_its_pictures(depot, monkeypatch):
    """Red if what was found due at first is let go without another look."""
    depot.case(1, "rejected", 31)
    depot.picture(1, 1)
    first = depot.retention._let_go

    def reopened_before(some):
        with depot.database.writing() as connection:
            connection.execute(update(cases).values(state="reopened"))
        return first(some)

    monkeypatch.setattr(depot.retention, "_let_go", reopened_before)
    assert depot.retention.run_once() == Gone()
    assert depot.left() == {1}


def test_more_than_one_batch_goes_in_one_run(depot):
    depot.case(1, "rejected", 31)
    for n in range(450):
        depot.picture(n, 1)
    assert depot.retention.run_once().pictures == 450
    assert depot.left() == set()


class Failing(PictureFolder):
    """Fails at the n-th removal, as if the power went."""

    def __init__(self, folder, at: int) -> None:
        super().__init__(folder)
        self.at = at

    def remove(self, sha256: str) -> None:
        self.at -= 1
        if self.at < 0:
            raise StoreError("no power")
        super().remove(sha256)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 12), max_size=4))
def test_whatever_cuts_it_short_the_next_run_goes_on(tmp_path_factory, cuts):
    folder = tmp_path_factory.mktemp("cut")
    database = Database(f"sqlite:///{folder / 'depot.sqlite'}")
    migrate(database)
    depot = Depot(database, folder)
    depot.case(1, "rejected", 31)
    for n in range(10):
        depot.picture(n, 1)
    for cut in cuts:
        with contextlib.suppress(StoreError):
            Retention(database, Failing(folder / "pictures", cut), RetentionConfig()).run_once()
    depot.retention.run_once()
    assert depot.left() == set()
    with database.reading() as connection:
        assert len(connection.execute(select(audit)).all()) == 1
    database.close()


def test_bytes_that_are_gone_already_are_no_trouble(depot):
    depot.case(1, "rejected", 31)
    depot.picture(1, 1)
    depot.store.remove(sha(1))
    assert depot.retention.run_once().pictures == 1


def test_bytes_are_taken_away_though_the_run_before_ended_right_after_the_transaction(depot):
    depot.picture(1)
    with depot.database.writing() as connection:
        connection.execute(update(pictures).values(expired_utc=NOW))
        connection.execute(insert(removals).values(sha256=sha(1)))
    depot.retention.run_once()
    assert depot.store.read(sha(1)) is None
