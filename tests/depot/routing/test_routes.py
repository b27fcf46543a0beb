# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Offices, rules and areas over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from depot.people.roles import Role
from depot.store.database import Database
from depot.store.tables import audit
from tests.depot.routing.conftest import DISTRICTS, WEST, Browser, add_case, collection

Page = Callable[..., Browser]
#: Where nothing reaches the database, one kind of it is enough.
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OFFICE = {"id": "a", "name": "Amt für Straßen", "email": "strassen@example.org"}


def test_offices_are_written_as_a_whole_and_keep_their_order(page: Page) -> None:
    client = page()
    client.put("/api/rules", json={"rules": []}).raise_for_status()
    wanted = [OFFICE, {"id": "b", "name": "Bauhof", "active": False}]
    client.put("/api/offices", json={"offices": wanted}).raise_for_status()
    found = client.get("/api/offices").json()
    assert [(office["id"], office["active"]) for office in found["offices"]] == [("a", True), ("b", False)]
    assert found["offices"][0]["email"] == "strassen@example.org"


def test_a_change_of_the_rules_reaches_the_cases_before_the_answer(page: Page, city: Database) -> None:
    add_case(city)
    answer = page().put("/api/rules", json={"rules": [{"office": "autobahn", "surface": "road"}]})
    assert answer.json()["placed"] == 1
    assert page().post("/api/rules/try", json={"rules": [{"office": "autobahn"}]}).json()["changed"] == 0


def test_who_saw_an_older_state_is_told_so_and_nothing_is_written(page: Page) -> None:
    client = page()
    version = client.get("/api/rules").json()["version"]
    client.put("/api/areas?kind=district", content=DISTRICTS).raise_for_status()
    answer = client.put("/api/rules", json={"version": version, "rules": []})
    assert answer.status_code == 409
    assert client.get("/api/rules").json()["rules"]


def test_the_record_says_who_changed_what_and_areas_stand_in_it_without_their_lines(page: Page, city: Database) -> None:
    page().put("/api/areas?kind=district", content=DISTRICTS).raise_for_status()
    with city.reading() as connection:
        row = connection.execute(select(audit).where(audit.c.kind == "routing")).one()
    assert (row.who, row.action, row.subject) == ("erika", "replace", "areas")
    assert [area["name"] for area in json.loads(row.after)] == ["Homberg", "Mitte"]
    assert len(row.after) < 300


def test_an_upload_of_districts_leaves_other_areas_alone(page: Page) -> None:
    client = page()
    client.put("/api/areas", content=collection(("Hafen", WEST))).raise_for_status()
    client.put("/api/areas?kind=district", content=DISTRICTS).raise_for_status()
    found = client.get("/api/areas").json()
    assert [(area["id"], area["properties"]["kind"]) for area in found["features"]] == [
        ("hafen", "area"),
        ("homberg", "district"),
        ("mitte", "district"),
    ]
    again = client.put("/api/areas", content=json.dumps(found).encode())  # what was given can be put back
    assert again.status_code == 200
    after = client.get("/api/areas").json()
    assert after["features"] == found["features"]


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/api/rules", {"rules": [{"office": "nobody"}]}, "rule 1: there is no active office nobody"),
        ("/api/rules", {"rules": [{"office": "autobahn", "areas": ["mars"]}]}, "rule 1: there is no area mars"),
        ("/api/offices", {"offices": [OFFICE, OFFICE]}, "the id a is there twice"),
        ("/api/offices", {"offices": [OFFICE]}, "wbd-strassen has 1 cases; set it inactive"),
        ("/api/areas", {"type": "FeatureCollection", "features": [1]}, "areas: feature 1: has no properties"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    page: Page, city: Database, path: str, body: dict[str, Any], told: str
) -> None:
    add_case(city, office="wbd-strassen")
    answer = page().put(path, json=body)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_an_office_that_a_rule_proposes_and_an_area_that_it_names_cannot_vanish(page: Page) -> None:
    client = page()
    answer = client.put("/api/offices", json={"offices": [OFFICE]})
    assert (answer.status_code, "rule 1 proposes dvg-tunnel" in answer.json()["detail"]) == (422, True)
    client.put("/api/areas", content=collection(("Hafen", WEST))).raise_for_status()
    client.put("/api/rules", json={"rules": [{"office": "autobahn", "areas": ["hafen"]}]}).raise_for_status()
    answer = client.put("/api/areas", content=collection())
    assert (answer.status_code, "rule 1 names hafen" in answer.json()["detail"]) == (422, True)


@ON_ONE
@pytest.mark.parametrize("name", ["a\nb", "\x00", "", "a" * 201, "\ud800"])
def test_names_are_one_line_of_text(page: Page, name: str) -> None:
    body = json.dumps({"offices": [OFFICE | {"name": name}]})
    answer = page().put("/api/offices", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


@ON_ONE
def test_a_body_without_end_is_cut_off(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depot.routing.routes._MOST_BYTES", 100)
    assert page().put("/api/areas", content=DISTRICTS).status_code == 413


@ON_ONE
@pytest.mark.parametrize(("role", "status"), [(None, 401), ("reviewer", 403), ("dispatcher", 200)])
def test_only_those_who_dispatch_edit(page: Page, role: Role | None, status: int) -> None:
    assert page(role).put("/api/rules", json={"rules": []}).status_code == status
    assert page(role).post("/api/rules/try", json={"rules": []}).status_code == status
    assert page(role).put("/api/areas", content=collection()).status_code == status


def test_the_share_of_proposals_that_people_changed_is_shown(page: Page, city: Database) -> None:
    proposed = {"office_proposed": "wbd-strassen", "office": "wbd-strassen"}
    add_case(city, **proposed)  # nobody has looked at it
    for _ in range(3):
        add_case(city, **proposed, state="confirmed")
    add_case(city, office_proposed="wbd-strassen", office="autobahn", office_by="erika")
    add_case(city, office_proposed=None, office="autobahn", office_by="erika", state="ordered")
    add_case(city, **proposed | {"office_by": "erika"})  # looked, and found it right
    add_case(city, office_proposed="x", office="y", office_by="erika", state="merged")
    found = page().get("/api/routing/quality").json()
    assert (found["checked"], found["changed"]) == (6, 2)
    assert found["share"] == pytest.approx(1 / 3)
    assert found["corrections"][0]["chosen"] == "autobahn"
    assert page().get("/api/routing/quality?days=1").json()["share"] is None
