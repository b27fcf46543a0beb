# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Sections, tunnels and what is asked over HTTP, on both databases."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlalchemy import insert, update

from depot.roads import proof
from depot.roads.projections import CoverageProjection, RoughnessProjection
from depot.roads.routes import router
from depot.roads.working import RoadWorker
from depot.store.database import Database
from depot.store.tables import cases
from messages.types import LineStretch
from tests.depot import samples as telling
from tests.depot.roads.samples import CITY, at, geojson, import_roads, looked_at, project, store, street
from tests.depot.roads.web import Web, services

NOW = "2026-05-06T12:00:00.000Z"


class Depot:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.web = Web(router(services(database)))

    def open_case(self, place: tuple[float, float] | None, **values: Any) -> int:
        lon, lat = (None, None) if place is None else at(*place)
        row: dict[str, Any] = {
            "state": "new", "class": "pothole", "surface": "road", "lon": lon, "lat": lat, "sightings": 1, "passes": 1,
            "vehicles": 1, "looks_without": 0, "opened_utc": NOW, "pinned": False, "reports": 0,
        }  # fmt: skip
        with self.database.changing() as change:
            made = insert(cases).values(**row | values, changed=change.next()).returning(cases.c.number)
            return int(change.connection.execute(made).scalar_one())

    def change(self, number: int, **values: Any) -> None:
        with self.database.changing() as change:
            changed = update(cases).where(cases.c.number == number).values(**values, changed=change.next())
            change.connection.execute(changed)

    def look(self, *messages: Any) -> None:
        project(self.database, CoverageProjection(), store(self.database, *messages))
        worker = RoadWorker(self.database)
        while worker.run_once():
            pass

    def sections(self, **query: Any) -> list[dict[str, Any]]:
        found = self.web.json("/api/sections", **query)["features"]
        return [feature["properties"] | {"id": feature["id"]} for feature in found]


@pytest.fixture
def depot(database: Database) -> Depot:
    database.now_utc = lambda: NOW
    import_roads(database)
    return Depot(database)


LARGE = {"length_m": 0.6, "width_m": 0.4, "grade": 3}


def test_a_case_grades_the_section_that_it_lies_on(depot: Depot) -> None:
    number = depot.open_case((105, 2), **LARGE)
    worst = depot.sections()[0]
    assert (worst["id"], worst["grade"], worst["by"], worst["worst_case"]) == ("way/1:5", 3, "severity", number)
    assert (worst["cases"], worst["confirmed"]) == ([number], 0)
    assert (worst["from_m"], worst["to_m"]) == pytest.approx((100, 120), abs=0.2)


def test_what_nobody_looked_at_has_no_grade_and_what_was_looked_at_has_grade_1(depot: Depot) -> None:
    depot.look(looked_at((0, 0), (100, 0)))
    grades = [section["grade"] for section in depot.sections(road="way/1")]
    assert grades == [1] * 5 + [None] * 15
    assert depot.sections(road="way/1")[0]["looked_utc"] == "2026-05-04T09:30:00Z"


def test_an_old_look_is_none_and_a_section_with_cases_stays_graded(depot: Depot) -> None:
    depot.look(looked_at((0, 0), (100, 0)))
    depot.open_case((10, 0), **LARGE)
    depot.database.now_utc = lambda: "2027-05-06T12:00:00.000Z"
    assert [section["grade"] for section in depot.sections(road="way/1")][:3] == [3, None, None]


def test_a_section_follows_its_cases(depot: Depot) -> None:
    number = depot.open_case((105, 2), **LARGE)
    assert depot.sections()[0]["id"] == "way/1:5"
    lon, lat = at(165, 2)
    depot.change(number, lon=lon, lat=lat, state="confirmed")
    moved = depot.sections()[0]
    assert (moved["id"], moved["confirmed"]) == ("way/1:8", 1)
    depot.change(number, grade=5)
    assert depot.sections()[0]["grade"] == 5
    for state in ("repaired", "rejected", "merged"):
        depot.change(number, state=state)
        assert {section["grade"] for section in depot.sections()} == {None}
    depot.change(number, state="reopened")
    assert depot.sections()[0]["grade"] == 5


def test_cases_far_from_roads_on_linings_or_without_a_place_grade_nothing(depot: Depot) -> None:
    depot.open_case((105, 80), **LARGE)
    depot.open_case((105, 0), surface="lining", **LARGE)
    depot.open_case(None, **LARGE)
    assert {section["grade"] for section in depot.sections()} == {None}


def test_sections_are_found_by_box_grade_and_page(depot: Depot) -> None:
    depot.open_case((10, 0), **LARGE)
    depot.open_case((350, 0), length_m=1.5, width_m=1.0, grade=5)
    west, south = at(-10, -10)
    east, north = at(100, 10)
    box = f"{west},{south},{east},{north}"
    assert [section["grade"] for section in depot.sections(bbox=box)] == [3, None, None, None, None]
    assert [section["grade"] for section in depot.sections(grade_min=3)] == [5, 3]
    assert depot.web.json("/api/sections", grade_min=3, limit=1, offset=1)["total"] == 2
    assert [section["grade"] for section in depot.sections(grade_min=3, limit=1, offset=1)] == [3]
    assert depot.sections(road="nowhere") == []


def test_a_new_network_has_new_sections(depot: Depot) -> None:
    depot.open_case((105, 2), **LARGE)
    assert len(depot.sections(limit=5000)) == 20 + 15 + 50
    import_roads(depot.database, (street("Kurz", (100, 0), (120, 0), ident="way/9"),))
    (section,) = depot.sections()
    assert (section["road"], section["grade"]) == ("way/9", 3)


# ---- tunnels


def lining(from_m: float, to_m: float, **changes: Any) -> Any:
    line = LineStretch(line="U79", from_m=from_m, to_m=to_m, error_m=1.0, track="1")
    return looked_at((0, 0), (100, 0), surface="lining", line=line, **changes)


def open_on_line(depot: Depot, defect_class: str, chainage_m: float | None, **values: Any) -> int:
    where = {"line": "U79", "track": "1", "chainage_m": chainage_m, "surface": "lining", "class": defect_class}
    return depot.open_case(None, **where | values)


def test_a_tunnel_is_shown_in_sections_with_proposed_marks(depot: Depot) -> None:
    depot.look(lining(0, 60), lining(60, 20, utc="2026-05-05T09:00:00Z", reason="dark"))
    spalling = open_on_line(depot, "spalling", 25.0, grade=4, lining_clock=0.5)
    open_on_line(depot, "water_leakage", 30.0, grade=5)
    open_on_line(depot, "pothole", 30.0, grade=5)
    open_on_line(depot, "exposed_rebar", 30.0, grade=5, surface="road")
    open_on_line(depot, "crack", None, grade=5)
    open_on_line(depot, "crack", 45.0, grade=5, state="repaired")
    told = depot.web.json("/api/tunnels/U79")
    assert "to be confirmed by an inspector" in told["status"]
    assert told["rule"] == "wegewart-svd-1"
    assert told["without_chainage"] == 1
    first, second, third = told["sections"]
    assert (first["from_m"], first["proposed"], first["looked_utc"]) == (0, None, "2026-05-04T09:30:00Z")
    assert second["proposed"] == {"S": 0, "V": 2, "D": 3, "note": None}
    assert second["defects"][0]["case"] == spalling
    assert second["defects"][0]["proposed"] == {"S": 0, "V": 2, "D": 2, "note": None}
    assert (second["not_judged_reason"], third["not_judged_utc"]) == ("dark", "2026-05-05T09:00:00Z")
    assert third["defects"] == []


def test_lines_are_listed_with_their_extent_and_open_cases(depot: Depot) -> None:
    depot.look(lining(20, 120))
    open_on_line(depot, "spalling", 500.0)
    (line,) = depot.web.json("/api/tunnels")["tunnels"]
    assert line == {
        "line": "U79", "tracks": ["1"], "from_m": 20.0, "to_m": 500.0, "cases": 1, "looked_utc": "2026-05-04T09:30:00Z",
    }  # fmt: skip


def test_a_line_that_nobody_knows_is_not_found(depot: Depot) -> None:
    assert depot.web.get("/api/tunnels/U1").status_code == 404


# ---- coverage over HTTP


def test_stretches_and_rides_are_geojson_as_before(depot: Depot) -> None:
    depot.look(looked_at((0, 0), (100, 0)), lining(0, 60, path=()))
    road, line = depot.web.json("/api/coverage")["features"]
    assert road["geometry"]["type"] == "LineString"
    assert (road["properties"]["valid"], road["properties"]["line"]) == (True, None)
    assert (line["geometry"], line["properties"]["line"], line["properties"]["to_m"]) == (None, "U79", 60.0)
    project(depot.database, RoughnessProjection(), store(depot.database, telling.roughness()))
    kinds = [feature["properties"]["kind"] for feature in depot.web.json("/api/roughness")["features"]]
    assert kinds == ["section", "section", "shock", "shock"]
    after = road["properties"]["changed"]
    assert len(depot.web.json("/api/coverage", after=after)["features"]) == 1


def test_roads_are_listed_with_what_was_looked_at(depot: Depot) -> None:
    depot.look(looked_at((0, 0), (200, 0)))
    told = depot.web.json("/api/coverage/roads")
    assert (told["from"], told["to"], told["laying"], told["total"]) == ("2026-04-06", None, 0, 3)
    assert [road["name"] for road in told["roads"]] == ["Fernstraße", "Querweg", "Langstraße"]
    assert told["valid_share"] == pytest.approx(200 / 1700, abs=0.002)
    by_name = depot.web.json("/api/coverage/roads", sort="name", q="STRASSE", district="Mitte")
    assert [road["name"] for road in by_name["roads"]] == ["Langstraße"]
    page = depot.web.json("/api/coverage/roads", sort="name", limit=1, offset=1)
    assert [road["name"] for road in page["roads"]] == ["Langstraße"]


def test_roads_on_the_map_come_with_their_lines(depot: Depot) -> None:
    west, south = at(-10, -10)
    east, north = at(50, 10)
    told = depot.web.json("/api/coverage/roads.geojson", bbox=f"{west},{south},{east},{north}")
    (feature,) = told["features"]
    assert (feature["id"], feature["geometry"]["type"], feature["properties"]["age_days"]) == (
        "way/1",
        "LineString",
        None,
    )


def test_the_table_of_roads_can_be_read_and_computes_nothing(depot: Depot) -> None:
    import_roads(depot.database, (street("=1+1", (0, 0), (100, 0), ident="way/1"),))
    depot.look(looked_at((0, 0), (50, 0)))
    answer = depot.web.get("/api/coverage/roads.csv")
    assert answer.headers["content-disposition"].endswith('"wegewart-roads.csv"')
    (row,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (row["name"], row["last_looked_utc"]) == ("'=1+1", "2026-05-04T09:30:00Z")


def test_the_proof_over_http_can_be_checked(depot: Depot) -> None:
    depot.look(looked_at((0, 0), (200, 0)), looked_at((0, 0), (200, 0), utc="2026-05-03T09:00:00Z"))
    whole = depot.web.get("/api/coverage/proof.csv").text.splitlines()
    found = proof.check(whole)
    assert (found.rows, found.problem) == (2, None)
    assert depot.web.json("/api/coverage/proof") == {"rows": 2, "digest": found.digest}
    last = depot.web.get("/api/coverage/proof.csv", **{"from": "2026-05-04"}).text.splitlines()
    part = proof.check(last)
    assert (part.rows, part.first, part.digest, part.problem) == (1, 2, found.digest, None)
    assert proof.check(depot.web.get("/api/coverage/proof.csv", to="2020-01-01").text.splitlines()).rows == 0
    assert depot.web.json("/api/coverage/proof/check")["problem"] is None


@pytest.mark.parametrize(
    "path",
    [
        "/api/coverage/roads?from=2026-02-30",
        "/api/coverage/roads?from=2026-05-02&to=2026-05-01",
        "/api/coverage/roads?from=9999-12-31",
        "/api/coverage/proof.csv?from=0000-01-01",
        "/api/sections?bbox=1,2,3",
        "/api/sections?bbox=1,9,3,2",
        "/api/sections?bbox=nan,1,2,3",
        "/api/sections?grade_min=6",
        "/api/coverage?limit=0",
        "/api/tunnels/%00",
    ],
)
def test_a_question_that_is_none_is_answered_422(depot: Depot, path: str) -> None:
    assert depot.web.get(path).status_code == 422


def test_the_network_is_replaced_by_those_who_may(depot: Depot) -> None:
    kind = {"content-type": "application/geo+json"}
    body = geojson(*CITY[:2])
    viewer = Web(router(services(depot.database)), "dispatcher")
    assert viewer.ask("PUT", "/api/roads", content=body, headers=kind).status_code == 403
    told = depot.web.ask("PUT", "/api/roads", content=body, headers=kind).raise_for_status().json()
    assert (told["roads"], told["removed"]) == (2, 1)
    network = depot.web.json("/api/roads")
    assert (network["roads"], network["classes"], network["districts"]) == (2, ["residential"], ["Mitte"])
    for content in (b"", b"[]", b'{"type":"FeatureCollection","features":[]}'):
        answer = depot.web.ask("PUT", "/api/roads", content=content, headers=kind)
        assert answer.status_code == 422
        assert len(answer.json()["detail"].splitlines()) == 1
    assert depot.web.json("/api/roads")["roads"] == 2


def test_without_any_road_every_question_has_an_answer(database: Database) -> None:
    web = Web(router(services(database)))
    assert web.json("/api/sections")["total"] == 0
    assert web.json("/api/coverage/roads")["roads"] == []
    assert web.json("/api/tunnels") == {"tunnels": []}
    assert web.json("/api/roads")["imports"] == 0
    assert web.get("/api/coverage/proof.csv").text.count("\n") == 2
