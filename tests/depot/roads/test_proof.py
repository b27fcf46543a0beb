# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import hashlib
import io
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from depot.errors import StoreError
from depot.roads import proof, sealing
from depot.roads.matching import Matcher
from depot.roads.network import Roads
from depot.roads.projections import CoverageProjection
from depot.roads.proof import Inspection
from depot.roads.sealing import Sealer
from depot.roads.tables import inspections
from depot.roads.working import RoadWorker
from depot.store.database import Database
from depot.store.tables import audit
from tests.depot.roads.samples import CITY, import_roads, looked_at, project, store

ZONE = ZoneInfo("Europe/Berlin")


def inspection(**changes: Any) -> Inspection:
    values: dict[str, Any] = {
        "road": "way/1",
        "name": "Langstraße",
        "district": "Mitte",
        "day": "2026-05-04",
        "length_m": 400.0,
        "looked_at_m": 300.0,
        "not_judged_m": {"dark": 40.0},
        "vehicles": ("bus-7", "sweeper-1"),
        "looks": 7,
        "first_utc": "2026-05-04T09:00:00Z",
        "last_utc": "2026-05-04T10:00:00Z",
    }
    return Inspection(**values | changes)


def written(*rows: Inspection, before: str = proof.START, first: int = 1) -> list[str]:
    found, digest = [], before
    for number, row in enumerate(rows, start=first):
        line = row.line(number, 1, "2026-05-05T06:00:00Z")
        digest = proof.next_digest(digest, line)
        found.append((line, digest))
    return list(proof.write(found, before))


ROWS = [inspection(road=f"way/{number}") for number in range(6)]


def test_a_file_as_it_was_written_is_good() -> None:
    found = proof.check(written(*ROWS))
    assert (found.rows, found.first, found.last, found.problem) == (6, 1, 6, None)


def test_a_part_of_the_proof_that_begins_later_is_good_in_itself() -> None:
    found = proof.check(written(*ROWS, before="ab" * 32, first=100))
    assert (found.first, found.last, found.problem) == (100, 105, None)


@given(st.data())
def test_any_change_of_a_row_is_seen(data: st.DataObject) -> None:
    lines = written(*ROWS)
    number = data.draw(st.integers(2, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines[number]) - 3))
    char = data.draw(
        st.characters(codec="ascii", exclude_characters="\r\n").filter(lambda c: c != lines[number][place])
    )
    lines[number] = lines[number][:place] + char + lines[number][place + 1 :]
    found = proof.check(lines)
    assert found.problem is not None
    assert found.rows == number - 2


@given(number=st.integers(2, 6), other=st.integers(2, 6))
def test_a_row_left_out_slipped_in_or_moved_is_seen(number: int, other: int) -> None:
    lines = written(*ROWS)
    assert proof.check(lines[:number] + lines[number + 1 :]).problem is not None
    assert proof.check(lines[: number + 1] + lines[number:]).problem is not None
    if number != other:
        lines[number], lines[other] = lines[other], lines[number]
        assert proof.check(lines).problem is not None


def test_a_chain_that_skips_a_number_is_seen() -> None:
    first = written(ROWS[0])
    digest = first[-1].rstrip().rpartition(",")[2]
    gap = written(ROWS[1], before=digest, first=3)
    assert "does not follow 1" in str(proof.check([*first, *gap[2:]]).problem)


@pytest.mark.parametrize("lines", [[], ["junk"], [proof.HEAD], [proof.HEAD, "# {}"], [proof.HEAD, "# []"]])
def test_what_is_no_proof_is_said_to_be_none(lines: list[str]) -> None:
    assert proof.check(lines).problem is not None


def test_the_digest_is_what_the_documentation_says() -> None:
    lines = written(*ROWS[:2])
    row, _, digest = lines[2].rstrip("\r\n").rpartition(",")
    assert digest == hashlib.sha256(("0" * 64 + "\n" + row).encode()).hexdigest()


@given(name=st.text(max_size=50))
def test_a_row_is_one_line_of_csv_that_no_spreadsheet_computes(name: str) -> None:
    line = inspection(name=name).line(1, 1, "2026-05-05T06:00:00Z")
    ((*_, shown, _d, _r, _l, _m, _s), *rest) = [
        row[: proof.COLUMNS.index("district") + 5] for row in csv.reader(io.StringIO(line))
    ]
    assert not rest
    assert not shown.startswith(("=", "+", "-", "@"))
    assert len(next(csv.reader(io.StringIO(line)))) == len(proof.COLUMNS)


# ---- sealed from the database


class Depot:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.at("2026-05-04T20:00:00.000Z")
        import_roads(database)

    def at(self, now_utc: str) -> None:
        self.database.now_utc = lambda: now_utc

    def tell(self, *messages: Any) -> None:
        project(self.database, CoverageProjection(), store(self.database, *messages))
        matcher = Matcher(self.database, Roads(), ZONE)
        while matcher.run_once():
            pass

    def seal(self) -> int:
        return Sealer(self.database, ZONE, after_h=6.0).run_once()

    def rows(self) -> list[dict[str, str]]:
        lines = [line for line in sealing.export(self.database) if not line.startswith("#")]
        return list(csv.DictReader(lines))


@pytest.fixture
def depot(database: Database) -> Depot:
    return Depot(database)


def test_a_day_is_sealed_only_when_it_is_over(depot: Depot) -> None:
    depot.tell(looked_at((0, 0), (200, 0)))
    for now in ("2026-05-04T20:00:00.000Z", "2026-05-05T03:59:00.000Z"):
        depot.at(now)
        assert depot.seal() == 0
    depot.at("2026-05-05T04:01:00.000Z")
    assert depot.seal() == 1
    (row,) = depot.rows()
    assert (row["road"], row["name"], row["day"], row["revision"]) == ("way/1", "Langstraße", "2026-05-04", "1")
    assert float(row["looked_at_m"]) == pytest.approx(200, abs=1)
    assert (row["looked_at_share"], row["vehicles"], row["looks"]) == ("0.500", "sweeper-1", "1")
    assert depot.seal() == 0


def test_what_comes_late_is_a_revision_and_the_first_row_stays(depot: Depot) -> None:
    depot.tell(looked_at((0, 0), (200, 0)))
    depot.at("2026-05-06T04:00:00.000Z")
    depot.seal()
    before = depot.rows()
    depot.tell(looked_at((200, 0), (300, 0), reason="dark"))
    depot.seal()
    assert depot.rows()[0] == before[0]
    assert [(row["revision"], row["dark_m"]) for row in depot.rows()] == [("1", "0.0"), ("2", pytest.approx("100.0"))]
    assert sealing.check(depot.database).problem is None


def test_laying_all_anew_writes_nothing_where_nothing_is_different(depot: Depot) -> None:
    depot.tell(looked_at((0, 0), (200, 0)), looked_at((200, 20), (200, 100)))
    depot.at("2026-05-06T04:00:00.000Z")
    depot.seal()
    before = depot.rows()
    import_roads(depot.database, CITY)
    assert depot.seal() == 0, "not while stretches wait to be laid"
    depot.tell()
    assert depot.seal() == 2
    assert depot.rows() == before


def test_the_last_digest_of_each_sealing_stands_in_the_record_of_changes(depot: Depot) -> None:
    depot.tell(looked_at((0, 0), (200, 0)))
    depot.at("2026-05-06T04:00:00.000Z")
    depot.seal()
    with depot.database.reading() as connection:
        kept = connection.execute(audit.select().where(audit.c.kind == "proof")).one()
        number, digest = sealing.last_digest(connection)
    assert (kept.who, kept.subject) == ("rule:proof", "1")
    assert digest in kept.after
    assert number == 1


def test_the_database_refuses_to_change_or_delete_a_row(depot: Depot) -> None:
    depot.tell(looked_at((0, 0), (200, 0)))
    depot.at("2026-05-06T04:00:00.000Z")
    depot.seal()
    for statement in (update(inspections).values(line="x"), delete(inspections)):
        with pytest.raises((DBAPIError, StoreError)), depot.database.writing() as connection:
            connection.execute(statement)
    assert len(depot.rows()) == 1


def test_the_worker_does_both_until_nothing_waits(depot: Depot) -> None:
    project(depot.database, CoverageProjection(), store(depot.database, looked_at((0, 0), (200, 0))))
    depot.at("2026-05-06T04:00:00.000Z")
    worker = RoadWorker(depot.database)
    assert [worker.run_once() for _ in range(3)] == [1, 1, 0]
    assert len(depot.rows()) == 1
