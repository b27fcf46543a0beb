# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the page and other programs get over HTTP."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from depot.api import make_app, security_headers
from depot.config import PageConfig
from depot.errors import StoreError
from depot.store.sqlite import SqliteStore
from messages.types import LinePosition, LineStretch, LiningPlace, Position
from tests.depot import samples
from tests.depot.test_store import at, event, picture


class Web:
    """Asks the application without a network in between."""

    def __init__(self, app) -> None:
        self._transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)

    def get(self, path: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://depot") as client:
                return await client.get(path)

        return asyncio.run(ask())


class Depot:
    def __init__(self, folder) -> None:
        self.store = SqliteStore(folder)
        self.link: str | None = "connected"
        self.stopping = False
        self.app = make_app(
            self.store, PageConfig(), link_state=lambda: self.link, stopping=lambda: self.stopping
        )  # fmt: skip
        self.web = Web(self.app)


@pytest.fixture
def depot(tmp_path):
    made = Depot(tmp_path)
    made.store.save([
        event(samples.observation(time=at(1), picture=samples.picture_ref(samples.jpeg())), 1),
        event(samples.observation(time=at(2), position=None, size=None, severity=None), 2),
        event(samples.observation(defect_class="crack", position=Position(lon=7, lat=52, error_m=3, method="gnss")), 3),
        event(samples.coverage(), 4),
        event(samples.status(), 5),
        picture(),
    ])  # fmt: skip
    yield made
    made.store.close()


def cases(depot: Depot, query: str = "") -> list[int]:
    found = depot.web.get(f"/api/cases{query}").raise_for_status().json()
    assert found["type"] == "FeatureCollection"
    return [feature["id"] for feature in found["features"]]


def test_cases_are_geojson_with_units_in_the_names(depot):
    feature = depot.web.get("/api/cases/1").json()
    assert feature["geometry"] == {"type": "Point", "coordinates": [6.7623, 51.4344]}
    properties = feature["properties"]
    assert (properties["length_m"], properties["size_error_m"], properties["position_error_m"]) == (0.62, 0.07, 1.8)
    assert properties["picture_stored"] is True
    assert depot.web.get("/api/cases").headers["content-type"] == "application/geo+json"


def test_a_case_without_position_has_no_geometry(depot):
    assert depot.web.get("/api/cases/2").json()["geometry"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [3, 2, 1]),
        ("?limit=1", [3]),
        ("?class=crack", [3]),
        ("?class=crack&class=pothole", [3, 2, 1]),
        ("?bbox=6,51,6.9,51.9", [1]),
        ("?bbox=-200,-90,200,90", [3, 1]),
    ],
)
def test_cases_are_filtered(depot, query, expected):
    assert cases(depot, query) == expected


def test_news_are_asked_for_from_the_last_change_seen(depot):
    seen = depot.web.get("/api/cases?after=0").json()["features"][-1]["properties"]["changed"]
    assert cases(depot, f"?after={seen}") == []
    depot.store.save([event(samples.observation(), 9)])
    assert cases(depot, f"?after={seen}") == [4]


@pytest.mark.parametrize(
    "path",
    [
        "/api/cases?bbox=1,2,3", "/api/cases?bbox=a,b,c,d", "/api/cases?bbox=0,10,0,5", "/api/cases?bbox=nan,0,1,1",
        "/api/roughness?limit=0", "/api/roughness?after=-1", "/api/cases?limit=0", "/api/cases?limit=10001",
        "/api/cases?after=-1", "/api/cases/0", "/api/cases/x",
        "/pictures/../depot.sqlite.jpg", "/pictures/ABC.jpg", "/api/cases/99", "/static/../api.py", "/?lang=fr",
    ],
)  # fmt: skip
def test_wrong_requests_get_one_clear_answer(depot, path):
    answer = depot.web.get(path)
    assert answer.status_code in {404, 422}
    assert answer.json()["detail"]


def test_a_picture_comes_as_stored_and_may_be_kept(depot):
    answer = depot.web.get(f"/pictures/{samples.sha256(samples.jpeg())}.jpg")
    assert answer.content == samples.jpeg()
    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]
    assert depot.web.get(f"/pictures/{'0' * 64}.jpg").status_code == 404


def test_summary_counts_everything(depot):
    summary = depot.web.get("/api/summary").json()
    counts = {key: summary[key] for key in ("events", "observations", "cases", "cases_without_position", "pictures")}
    assert counts == {"events": 4, "observations": 3, "cases": 3, "cases_without_position": 1, "pictures": 1}
    assert summary["classes"] == {"crack": 1, "pothole": 2}


def test_vehicles_and_tracks_are_geojson(depot):
    (vehicle,) = depot.web.get("/api/vehicles").json()["features"]
    assert (vehicle["id"], vehicle["properties"]["state"]) == (samples.VEHICLE, "online")
    (track,) = depot.web.get("/api/coverage").json()["features"]
    assert track["geometry"]["coordinates"][0] == [6.76, 51.434]


def test_a_revised_case_lies_elsewhere_and_says_so(depot):
    seen = depot.web.get("/api/cases?after=0").json()["features"][-1]["properties"]["changed"]
    depot.store.save([event(samples.revision(1, 2), 20)])
    assert cases(depot, f"?after={seen}") == [1]
    feature = depot.web.get("/api/cases/1").json()
    assert feature["geometry"]["coordinates"] == [6.7623, 51.4346]
    properties = feature["properties"]
    assert (properties["position_revised"], properties["position_revision"]) == (True, 2)
    assert properties["position_moved_m"] == pytest.approx(22.24, abs=0.01)
    assert (properties["position_method"], properties["position_since_fix_m"]) == ("dead_reckoned", 340.0)
    assert properties["position_radius_95_m"] == pytest.approx(2.45 * 0.9)
    untouched = depot.web.get("/api/cases/3").json()["properties"]
    assert (untouched["position_revision"], untouched["position_moved_m"]) == (0, None)


def test_a_case_in_a_tunnel_says_where_on_line_and_lining(depot):
    line = LinePosition(line="U79", chainage_m=3412.0, error_m=4.0, track="1", side="left")
    lining = LiningPlace(clock=2.5, height_m=3.1, side="right")
    depot.store.save([event(samples.observation(surface="lining", position=None, line=line, lining=lining), 9)])
    properties = depot.web.get("/api/cases/4").json()["properties"]
    assert (properties["line"], properties["chainage_m"], properties["track"]) == ("U79", 3412.0, "1")
    assert (properties["surface"], properties["lining_side"]) == ("lining", "right")
    assert (properties["lining_clock"], properties["lining_height_m"]) == (2.5, 3.1)
    assert properties["position_radius_95_m"] is None


def test_roughness_is_lines_and_points_with_units_in_the_names(depot):
    depot.store.save([event(samples.roughness(1), 20), event(samples.roughness(sections=(), shocks=()), 21)])
    answer = depot.web.get("/api/roughness")
    assert answer.headers["content-type"] == "application/geo+json"
    features = answer.json()["features"]
    kinds = [(f["properties"]["kind"], f["geometry"] and f["geometry"]["type"]) for f in features]
    assert kinds == [("section", "LineString"), ("section", "LineString"), ("shock", "Point"), ("shock", None)]
    assert len({feature["id"] for feature in features}) == 4
    section, _, seen, unseen = (feature["properties"] for feature in features)
    assert (section["rms_mps2"], section["reference_speed_mps"], section["rule"]) == (0.6, 13.9, "rms-10m")
    assert (seen["observation"], unseen["observation"]) == (samples.event_id(1), None)
    assert (seen["peak_mps2"], seen["position_quality"]) == (12.5, "rtk_fixed")
    assert depot.web.get("/api/cases/1").json()["properties"]["shock_mps2"] == 12.5
    changed = features[-1]["properties"]["changed"]
    assert depot.web.get(f"/api/roughness?after={changed}").json()["features"] == []


def test_every_message_of_roughness_gives_at_least_one_feature_so_that_pages_can_be_counted(depot):
    for number in range(20, 25):
        depot.store.save([event(samples.roughness(sections=(), shocks=samples.roughness().shocks[1:]), number)])
        depot.store.save([event(samples.roughness(sections=(), shocks=()), number + 10)])
    assert len(depot.web.get("/api/roughness?limit=4").json()["features"]) == 4


def test_a_stretch_in_a_tunnel_says_which_metres_of_which_line(depot):
    stretch = LineStretch(line="U79", from_m=3400.0, to_m=3100.0, error_m=4.0, track="1")
    depot.store.save([event(samples.coverage(line=stretch, surface="lining"), 20)])
    properties = depot.web.get("/api/coverage").json()["features"][-1]["properties"]
    assert (properties["line"], properties["from_m"], properties["to_m"]) == ("U79", 3400.0, 3100.0)
    assert (properties["track"], properties["chainage_error_m"], properties["surface"]) == ("1", 4.0, "lining")


def test_the_export_is_a_file_with_every_case(depot):
    answer = depot.web.get("/api/cases.geojson")
    assert "attachment" in answer.headers["content-disposition"]
    assert len(answer.json()["features"]) == 3


@pytest.mark.parametrize("path", ["/", "/api/cases", "/static/main.js", "/healthz", "/nowhere", "/api/cases?limit=0"])
def test_every_answer_carries_the_security_headers(depot, path):
    headers = depot.web.get(path).headers
    policy = headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_only_the_configured_base_map_is_let_through():
    page = PageConfig(style_url="https://maps.example/style.json", tiles_url="https://user@tiles.example/{z}/{x}/{y}")
    policy = security_headers(page)["Content-Security-Policy"]
    assert "connect-src 'self' https://maps.example https://tiles.example;" in policy
    assert "script-src 'self';" in policy


def test_the_page_says_its_language(depot):
    assert '<html lang="de">' in depot.web.get("/").text
    assert '<html lang="en">' in depot.web.get("/?lang=en").text


def test_the_page_has_no_inline_script_or_style(depot):
    text = depot.web.get("/").text
    assert "<script>" not in text
    assert "style=" not in text
    assert "onclick" not in text


def test_health_follows_ingest_and_store(depot, monkeypatch):
    assert depot.web.get("/healthz").json() == {"status": "ok", "broker": "connected"}
    depot.link = "waiting"
    assert depot.web.get("/healthz").status_code == 200
    depot.link = None
    assert depot.web.get("/healthz").status_code == 503
    depot.link = "connected"

    def broken() -> int:
        raise StoreError("disk is gone")

    monkeypatch.setattr(depot.store, "sequence", broken)
    answer = depot.web.get("/healthz")
    assert answer.status_code == 503
    assert "disk is gone" in answer.json()["detail"]


def test_the_live_stream_tells_each_growth_and_ends_when_the_server_does(depot):
    depot.stopping = True
    assert depot.web.get("/api/events").text == ""


def test_the_api_describes_itself(depot):
    paths = depot.web.get("/api/openapi.json").json()["paths"]
    assert {"/api/cases", "/api/cases/{number}", "/api/roughness", "/api/summary", "/healthz"} <= set(paths)
    assert depot.web.get("/docs").status_code == 404


def test_the_lock_file_names_no_other_registry_than_the_public_one():
    from depot.api import WEB

    lock = json.loads((WEB / "package-lock.json").read_text())
    addresses = [package.get("resolved", "https://registry.npmjs.org/") for package in lock["packages"].values()]
    assert all(address.startswith("https://registry.npmjs.org/") for address in addresses)
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
