# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import insert

from depot.cases.records import Case
from depot.review.answers import Detail, Map, Page
from depot.store.database import Database
from depot.store.tables import sightings
from messages.types import Position, Time
from tests.depot.review.samples import Depot, add_case, add_photo, add_sighting, change_case


@pytest.fixture
def depot(database: Database) -> Depot:
    return Depot(database)


def _pages(depot: Depot, query: str) -> list[int]:
    """All case numbers, page by page."""
    found: list[int] = []
    cursor = ""
    for _ in range(50):
        answer = depot.client().get(f"/api/cases?{query}{cursor}")
        assert answer.status_code == 200, answer.text
        page = msgspec.json.decode(answer.content, type=Page)
        found += [case.number for case in page.cases]
        if page.next is None:
            return found
        cursor = f"&cursor={page.next}"
    raise AssertionError("the pages do not end")


def test_a_case_in_the_list_has_all_its_fields_its_title_and_its_picture(depot: Depot) -> None:
    number = add_case(depot.database, district="Mitte", grade=3)
    add_sighting(depot.database, number, score=0.2)
    _, picture = add_sighting(depot.database, number, best=True, stored=False)
    page = depot.client().get("/api/cases").json()
    (case,) = page["cases"]
    expected = {"class" if name == "defect_class" else name for name in Case.__struct_fields__}
    assert case.keys() == expected | {"title", "picture", "picture_stored"}
    assert case["class"] == "pothole"
    assert case["picture"] == picture
    assert case["picture_stored"] is False
    assert case["title"].keys() == {"de", "en"}
    assert "Schlagloch" in case["title"]["de"]
    assert (page["total"], page["next"], page["sequence"]) == (1, None, depot.database.sequence())


def test_a_citizens_report_shows_its_picture_as_well(depot: Depot) -> None:
    number = add_case(depot.database, reports=1)
    _, picture = add_sighting(depot.database, number, received=None, report="r-1", vehicle="x")
    (case,) = depot.client().get("/api/cases").json()["cases"]
    assert (case["picture"], case["picture_stored"]) == (picture, True)


def test_the_pages_of_every_order_hold_every_case_once(depot: Depot) -> None:
    made = [
        add_case(
            depot.database,
            grade=[None, 2, 5][n % 3],
            first_seen_utc=None if n == 4 else f"2026-05-0{1 + n % 3}T00:00:00.000Z",
            lon=None if n % 4 == 0 else 6.7 + n / 1000,
        )
        for n in range(11)
    ]
    for sort in ("urgency", "newest", "oldest", "grade", "near"):
        whole = _pages(depot, f"sort={sort}&near=6.7,51.4&limit=500")
        assert sorted(whole) == made
        for limit in (1, 3, 4):
            assert _pages(depot, f"sort={sort}&near=6.7,51.4&limit={limit}") == whole


def test_the_orders(depot: Depot) -> None:
    old = add_case(depot.database, first_seen_utc="2026-01-01T00:00:00Z", grade=2, lon=6.9)
    bad = add_case(depot.database, first_seen_utc="2026-02-01T00:00:00.5Z", grade=5, lon=6.8, state="confirmed")
    new = add_case(depot.database, first_seen_utc="2026-03-01T00:00:00Z", grade=3, lon=6.7)
    assert _pages(depot, "sort=urgency") == [new, old, bad]
    assert _pages(depot, "sort=grade") == [bad, new, old]
    assert _pages(depot, "sort=newest") == [new, bad, old]
    assert _pages(depot, "sort=oldest") == [old, bad, new]
    assert _pages(depot, "sort=near&near=6.86,51.43") == [old, bad, new]
    assert _pages(depot, "sort=near&bbox=6.6,51.4,6.75,51.5") == [new]


def test_a_merged_case_is_not_in_the_list_unless_asked_for(depot: Depot) -> None:
    into = add_case(depot.database)
    merged = add_case(depot.database, state="merged", merged_into=into)
    assert _pages(depot, "") == [into]
    assert _pages(depot, "state=merged") == [merged]


def test_counts_are_by_what_cases_are(depot: Depot) -> None:
    add_case(depot.database, grade=3, office="sewers", district="Mitte")
    add_case(depot.database, grade=3, state="confirmed", **{"class": "crack"})
    assert depot.client().get("/api/counts").json() == {
        "total": 2,
        "states": {"new": 1, "confirmed": 1},
        "classes": {"pothole": 1, "crack": 1},
        "offices": {"": 1, "sewers": 1},
        "districts": {"": 1, "Mitte": 1},
        "grades": {"3": 2},
    }
    assert depot.client().get("/api/counts?state=new").json()["total"] == 1


def test_the_map_clusters_what_is_near_and_shows_alone_what_is_alone(depot: Depot) -> None:
    for n in range(3):
        add_case(depot.database, lon=6.76 + n / 1e5, grade=n + 1, state=["new", "confirmed", "reopened"][n])
    alone = add_case(depot.database, lon=6.9, road="Königstraße")
    add_case(depot.database, lon=None, lat=None, line="U79", chainage_m=12.0)
    answer = depot.client().get("/api/map?zoom=11&bbox=6.6,51.3,7,51.6")
    assert answer.headers["content-type"] == "application/geo+json"
    found = msgspec.json.decode(answer.content, type=Map)
    cluster, single = (feature.properties for feature in found.features)
    assert (cluster.cluster, cluster.count, cluster.open, cluster.worst_grade) == (True, 3, 2, 3)
    assert (single.number, single.state, single.title_de) == (alone, "new", "Schlagloch, Königstraße")
    assert found.total == 4
    near = depot.client().get(f"/api/map?zoom={cluster.expand_zoom}&bbox=6.6,51.3,7,51.6").json()
    assert len(near["features"]) > 2


def test_a_cluster_at_the_edge_of_the_window_counts_whole(depot: Depot) -> None:
    for n in range(3):
        add_case(depot.database, lon=6.76 + n / 1e4)
    (cluster,) = depot.client().get("/api/map?zoom=11&bbox=6.76015,51.3,7,51.6").json()["features"]
    assert cluster["properties"]["count"] == 3


def test_the_map_asks_the_filter_too(depot: Depot) -> None:
    add_case(depot.database, district="Mitte")
    query = "/api/map?zoom=11&bbox=6.6,51.3,7,51.6&district="
    assert [depot.client().get(query + name).json()["total"] for name in ("Mitte", "Nord")] == [1, 0]


def test_all_that_is_known_of_a_case(depot: Depot) -> None:
    number = add_case(depot.database, sightings=3)
    first, older = add_sighting(depot.database, number, score=0.9, utc="2026-05-01T00:00:00.000Z", stored=False)
    second, best = add_sighting(depot.database, number, best=True, score=0.5, utc="2026-05-02T00:00:00.000Z")
    undated, _ = add_sighting(depot.database, number, score=0.1, utc=None, vehicle="bus-7")
    answer = depot.client().get(f"/api/cases/{number}")
    found = msgspec.json.decode(answer.content, type=Detail)
    assert [seen.number for seen in found.seen] == [second, first, undated]
    assert [photo.sha256 for photo in found.pictures][:2] == [best, older]
    assert [photo.stored for photo in found.pictures] == [True, False, True]
    assert found.pictures[0].box == (10.0, 20.0, 60.0, 80.0)
    assert (found.pictures[0].width, found.pictures[0].height) == (320, 180)
    assert found.picture == best
    assert found.seen[0].event is not None
    assert found.seen[0].event.startswith("b-")
    assert (found.seen[0].model, found.seen[0].software) == ("street", "0.1.0")
    assert found.observation is not None
    assert found.observation.score == 0.5
    assert "Schlagloch" in found.text["de"]
    assert "othole" in found.text["en"]
    assert len(found.looks) == 3
    assert found.history == []
    assert found.handed_over == []


def test_the_best_sighting_is_there_even_among_hundreds_of_newer_ones(depot: Depot) -> None:
    number = add_case(depot.database)
    _, best = add_sighting(depot.database, number, best=True, utc="2025-01-01T00:00:00.000Z")
    newer = {"case": number, "class": "pothole", "utc": "2026-01-01T00:00:00.000Z"}
    with depot.database.writing() as connection:
        connection.execute(insert(sightings), [{**newer, "report": f"r-{n}"} for n in range(201)])
    found = depot.client().get(f"/api/cases/{number}").json()
    assert found["picture"] == best
    assert found["pictures"][0]["sha256"] == best
    assert found["observation"] is not None
    assert len(found["seen"]) == 200


def test_pictures_of_citizens_and_crews_have_their_boxes(depot: Depot) -> None:
    number = add_case(depot.database, reports=1)
    _, reported = add_sighting(depot.database, number, stored=False, received=None, report="r-1", vehicle=None)
    add_photo(depot.database, number, "report", reported)
    add_photo(depot.database, number, "repair", "cd" * 32)
    found = msgspec.json.decode(depot.client().get(f"/api/cases/{number}").content, type=Detail)
    assert [(photo.sha256, photo.kind, photo.stored) for photo in found.pictures] == [
        (reported, "report", True),
        ("cd" * 32, "repair", True),
    ]
    assert {photo.box for photo in found.pictures} == {(1.0, 2.0, 3.0, 4.0)}
    assert (found.seen[0].report, found.seen[0].box) == ("r-1", (1.0, 2.0, 3.0, 4.0))


def test_a_place_without_a_position_is_null_not_nothing(depot: Depot) -> None:
    number = add_case(depot.database, lon=None, lat=None)
    add_sighting(depot.database, number, best=True, position=None, size=None, severity=None, lon=None, lat=None)
    (seen,) = depot.client().get(f"/api/cases/{number}").json()["seen"]
    assert seen["position_method"] is None
    assert seen["lon"] is None


def test_an_undated_observation_has_the_date_of_its_sighting(depot: Depot) -> None:
    number = add_case(depot.database)
    time = Time(boot="b", monotonic_s=1.0, quality="unset")
    add_sighting(depot.database, number, best=True, time=time, utc="2026-05-04T00:00:00.000Z")
    found = depot.client().get(f"/api/cases/{number}").json()
    assert found["observation"]["time"]["utc"] == "2026-05-04T00:00:00.000Z"


@pytest.mark.parametrize(
    "path", ["/api/cases", "/api/cases/1", "/api/counts", "/api/map?zoom=1&bbox=0,0,1,1", "/api/changes?after=0"]
)
def test_who_is_not_logged_in_or_may_not_read_sees_nothing(unchanging: Depot, path: str) -> None:
    assert unchanging.client(None).get(path).status_code == 401
    assert unchanging.client("kiosk").get(path).status_code == 403
    assert unchanging.client("qgis").get(path).status_code == 200


def test_a_case_that_is_not_there_is_said(depot: Depot) -> None:
    answer = depot.client().get("/api/cases/77")
    assert (answer.status_code, answer.json()) == (404, {"detail": "there is no case 77"})


def test_a_case_that_lost_its_place_does_not_trip_the_map(depot: Depot) -> None:
    number = add_case(depot.database)
    query = "/api/map?zoom=11&bbox=6.6,51.3,7,51.6"
    assert depot.client().get(query).json()["total"] == 1
    change_case(depot.database, number, lon=None, lat=None)
    assert depot.client().get(query).json()["total"] == 0


def test_positions_are_those_of_the_message(depot: Depot) -> None:
    number = add_case(depot.database)
    at = Position(lon=6.7, lat=51.4, error_m=2.5, method="dead_reckoned", quality="dead_reckoning")
    add_sighting(depot.database, number, best=True, position=at)
    (seen,) = depot.client().get(f"/api/cases/{number}").json()["seen"]
    assert (seen["position_method"], seen["position_quality"]) == ("dead_reckoned", "dead_reckoning")
