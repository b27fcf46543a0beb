# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

import msgspec
import pytest
from sqlalchemy import insert

from depot.errors import StoreError
from depot.review import summing
from depot.review.answers import Summary
from depot.review.index import CaseIndex
from depot.review.summing import Summing
from depot.store.database import Database
from depot.store.tables import pending, refused, vehicles
from tests.depot.review.samples import Depot, add_case, add_picture, add_sighting

SHA = "ab" * 32


@pytest.fixture
def depot(database: Database) -> Depot:
    return Depot(database)


def test_a_picture_is_there_not_there_yet_gone_or_lost(depot: Depot) -> None:
    path = f"/pictures/{SHA}.jpg"
    assert depot.client().get(path).status_code == 404
    with depot.database.writing() as connection:
        add_picture(connection, SHA)
        add_picture(connection, "cd" * 32, expired_utc="2026-05-04T00:00:00.000Z")
    lost = depot.client().get(path)
    assert (lost.status_code, "not where it should be" in lost.text) == (404, True)
    depot.pictures.keep(SHA, b"jpeg")
    answer = depot.client().get(path)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"jpeg", "image/jpeg")
    assert "private" in answer.headers["cache-control"]
    expired = depot.client().get(f"/pictures/{'cd' * 32}.jpg")
    assert (expired.status_code, "2026-05-04" in expired.text) == (410, True)
    assert depot.client().get("/pictures/..%2Fa.jpg").status_code in {404, 422}


@pytest.mark.parametrize("path", [f"/pictures/{SHA}.jpg", "/api/summary", "/api/settings"])
def test_only_who_may_read_sees_pictures_and_figures(unchanging: Depot, path: str) -> None:
    assert unchanging.client(None).get(path).status_code == 401
    assert unchanging.client("kiosk").get(path).status_code == 403


def test_the_summary_counts_everything(depot: Depot) -> None:
    one = add_case(depot.database)
    add_case(depot.database, lon=None, lat=None, **{"class": "crack"})
    add_case(depot.database, state="merged", merged_into=one)
    add_sighting(depot.database, one, best=True)
    add_sighting(depot.database, one, stored=False)
    with depot.database.writing() as connection:
        connection.execute(insert(refused).values(reason="not_json", count=3))
        connection.execute(insert(vehicles).values(name="sweeper-1"))
        connection.execute(insert(pending).values(received=1))
    answer = depot.client().get("/api/summary")
    found = msgspec.json.decode(answer.content, type=Summary)
    assert msgspec.structs.asdict(found) | {"as_of_utc": ""} == {
        "as_of_utc": "",
        "sequence": depot.database.sequence(),
        "events": 2,
        "pending": 1,
        "failed": 0,
        "observations": 2,
        "cases": 2,
        "cases_without_position": 1,
        "pictures": 1,
        "pictures_awaited": 1,
        "coverage": 0,
        "revisions": 0,
        "revisions_waiting": 0,
        "roughness": 0,
        "vehicles": 1,
        "classes": {"crack": 1, "pothole": 1},
        "refused": {"not_json": 3},
    }


def test_figures_that_are_counted_fast_are_those_of_now(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summing, "_QUICK_S", 1e9)
    for number in range(3):
        assert depot.client().get("/api/summary").json()["cases"] == number
        add_case(depot.database)


def test_figures_that_take_long_are_counted_behind_the_reader(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summing, "_QUICK_S", 0)
    monkeypatch.setattr(summing, "_REST", 0)
    monkeypatch.setattr(summing, "_PAUSE_S", 0)
    figures = Summing(database, CaseIndex(database))
    assert figures.current().cases == 0
    add_case(database)
    assert figures.current().cases == 0
    deadline = time.monotonic() + 20
    while figures.current().cases == 0 and time.monotonic() < deadline:
        pass
    assert figures.current().cases == 1
    monkeypatch.setattr(summing, "_PAUSE_S", 1e9)
    monkeypatch.setattr(summing, "_OLD_S", -1)
    add_case(database)
    assert figures.current().cases == 2


def test_the_page_is_told_its_language_and_its_map(unchanging: Depot) -> None:
    answer = unchanging.client("vera").get("/api/settings")
    assert answer.json()["language"] == "de"
    assert "tiles_url" in answer.json()


def test_health_is_for_everybody_and_tells_of_a_dead_ingest_and_a_store_that_is_gone(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = depot.client(None)
    assert asks.get("/healthz").json() == {"status": "ok", "broker": "connected"}
    depot.link = "waiting"
    assert asks.get("/healthz").json() == {"status": "ok", "broker": "waiting"}
    depot.link = None
    answer = asks.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "failed")

    def fails() -> int:
        raise StoreError("disk")

    monkeypatch.setattr(depot.database, "sequence", fails)
    assert asks.get("/healthz").status_code == 503


def test_every_route_but_health_asks_who_it_is(unchanging: Depot) -> None:
    paths = unchanging.app.openapi()["paths"]
    assert "/api/cases/{number}/actions" in paths
    for path, methods in paths.items():
        for method in methods:
            body = {} if method == "post" else None
            answer = unchanging.client(None).request(
                method.upper(), path.format(number=1, sha256=SHA) + "?bbox=0,0,1,1&zoom=1&after=0", json=body
            )
            assert (answer.status_code == 401) is (path != "/healthz"), path


def test_the_description_tells_what_the_answers_are(unchanging: Depot) -> None:
    paths = unchanging.app.openapi()["paths"]
    shown = paths["/api/cases"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    case = shown["properties"]["cases"]["items"]
    assert case["properties"]["class"] == {"type": "string"}
    assert "$ref" not in str(shown)
    for path, methods in paths.items():
        for operation in methods.values():
            assert path == "/healthz" or {"401", "403", "422"} <= operation["responses"].keys(), path
