# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""OGC API Features: by the standard's words, by GDAL's and by QGIS's client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from sqlalchemy import insert

from depot.handover.ogc import CONFORMS_TO
from depot.roads.tables import roads
from tests.depot.handover.samples import add_case, app_of, client, services
from tests.servers import HOST, free_port, missing, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from depot.store.database import Database
    from tests.depot.handover.samples import Browser

ITEMS = "/ogc/collections/cases/items"


@pytest.fixture
def browser(database: Database) -> Browser:
    for number in range(1, 8):
        add_case(database, number, grade=1 + number % 5)
    add_case(database, 8, state="merged", merged_into=1)
    add_case(database, 9, lon=None, lat=None, line="U79", first_seen_utc=None, last_seen_utc=None)
    return client(services(database))


def _links(body: Any) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in body["links"]}


def _numbers(body: Any) -> list[int]:
    return [feature["id"] for feature in body["features"]]


def test_from_the_landing_page_a_client_finds_everything_by_links(browser: Browser) -> None:
    landing = _links(browser.get("/ogc").json())
    assert landing["service-desc"] == "http://depot.example/api/openapi.json"
    assert browser.get(landing["conformance"]).json()["conformsTo"] == CONFORMS_TO
    collections = browser.get(landing["data"]).json()["collections"]
    assert collections[0]["id"] == "cases"
    assert collections[0]["extent"]["spatial"]["bbox"] == [pytest.approx([6.7624, 51.4344, 6.763, 51.4344])]
    assert collections[0]["extent"]["temporal"]["interval"] == [["2026-10-10T07:00:00Z", "2026-10-11T07:30:00.250Z"]]
    items = browser.get(_links(collections[0])["items"])
    assert items.headers["content-type"] == "application/geo+json"
    one = browser.get(f"{ITEMS}/3").json()
    assert one["id"] == 3
    assert one["type"] == "Feature"
    assert browser.get(_links(one)["self"]).json() == one


def test_following_next_gives_every_feature_once(browser: Browser) -> None:
    url, seen = f"{ITEMS}?limit=3", []
    while url:
        body = browser.get(url).json()
        assert body["numberMatched"] == 8
        assert body["numberReturned"] == len(body["features"])
        seen += _numbers(body)
        url = _links(body).get("next")
    assert seen == [1, 2, 3, 4, 5, 6, 7, 9]
    last = browser.get(f"{ITEMS}?limit=3&offset=6").json()
    assert "next" not in _links(last)
    assert _numbers(browser.get(_links(last)["prev"]).json()) == [4, 5, 6]


def test_next_keeps_the_filter(browser: Browser) -> None:
    body = browser.get(f"{ITEMS}?limit=2&bbox=6.76235,51,6.76285,52").json()
    assert _numbers(body) == [1, 2]
    assert body["numberMatched"] == 5
    assert _numbers(browser.get(_links(body)["next"]).json()) == [3, 4]


QUESTIONS = [
    ("bbox=6.76235,51,6.76255,52", [1, 2]),
    ("bbox=6.76235,51,0,6.76255,52,100", [1, 2]),
    ("bbox=170,51,6.76245,52", [1]),  # across the date line
    ("grade=3", [2, 7, 9]),
    ("state=new&grade=2", [1, 6]),
    ("grade=many", []),
    ("line=U79", [9]),
    ("datetime=2026-10-10T08:00:00Z", [1, 2, 3, 4, 5, 6, 7]),
    ("datetime=2026-10-10", [1, 2, 3, 4, 5, 6, 7]),
    ("datetime=../2026-10-10T06:59:59Z", []),
    ("datetime=2026-10-11T07:30:00Z/..", [1, 2, 3, 4, 5, 6, 7]),
    ("datetime=2026-10-11T07:31:00Z/", []),
    ("datetime=2026-10-11T09:30:00%2B02:00/..", [1, 2, 3, 4, 5, 6, 7]),
    ("limit=99999999999999999999", [1, 2, 3, 4, 5, 6, 7, 9]),
]


def test_a_question_gives_what_it_asks_for(browser: Browser) -> None:
    for query, numbers in QUESTIONS:
        assert _numbers(browser.get(f"{ITEMS}?{query}").json()) == numbers, query


WRONG = [
    "colour=red",
    "bbox=1,2,3",
    "bbox=a,b,c,d",
    "bbox=1,nan,3,4",
    "bbox=1,5,3,4",
    "datetime=yesterday",
    "datetime=2026-02-01/2026-01-01",
    "datetime=2026-99-99",
    "datetime=a/b/c",
    "limit=0",
    "limit=x",
    "offset=-1",
    "f=xml",
    "road=%00",
]


def test_a_parameter_that_is_wrong_or_unknown_is_a_400_of_one_line(browser: Browser) -> None:
    for query in WRONG:
        answer = browser.get(f"{ITEMS}?{query}")
        assert answer.status_code == 400, query
        assert "\n" not in answer.json()["detail"]


def test_what_is_not_there_is_a_404(browser: Browser) -> None:
    for path in ("/ogc/collections/none", f"{ITEMS}/77", f"{ITEMS}/8", f"{ITEMS}/x"):
        assert browser.get(path).status_code == 404, path


def test_a_person_in_a_browser_gets_a_page_to_read(browser: Browser) -> None:
    answer = browser.get("/ogc", headers={"Accept": "text/html,application/xhtml+xml,*/*"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "/ogc/collections" in answer.text
    assert browser.get("/ogc?f=json", headers={"Accept": "text/html"}).json()["title"] == "Wegewart"


def test_who_may_not_read_sees_no_collection(database: Database) -> None:
    assert client(services(database), None).get("/ogc").status_code == 401
    assert client(services(database), "reporter").get(ITEMS).status_code == 403


def test_roads_are_collections_with_their_last_look_and_their_condition(database: Database) -> None:
    lines = [[[6.7620, 51.4344], [6.7640, 51.4344]]], [[[6.9, 51.5], [6.901, 51.5]]]
    with database.changing() as change:
        for number, line in enumerate(lines, start=1):
            values = {"name": f"Straße {number}", "class": "residential", "length_m": 138.7, "lines": json.dumps(line)}
            change.connection.execute(insert(roads).values(id=f"r{number}", **values))
    add_case(database, 1, grade=4, state="confirmed")
    browser = client(services(database))
    assert [c["id"] for c in browser.get("/ogc/collections").json()["collections"]] == ["cases", "coverage", "sections"]
    covered = browser.get("/ogc/collections/coverage/items?bbox=6.7,51.4,6.8,51.45&datetime=2026-10-01/..").json()
    assert [(f["id"], f["properties"]["last_looked_utc"]) for f in covered["features"]] == [("r1", None)]
    assert covered["features"][0]["geometry"]["type"] == "LineString"
    assert browser.get("/ogc/collections/coverage/items/r2").json()["properties"]["name"] == "Straße 2"
    graded = browser.get("/ogc/collections/sections/items?grade_min=2").json()
    assert graded["numberMatched"] == 1
    section = graded["features"][0]
    assert section["properties"]["cases"] == [1]
    assert browser.get(f"/ogc/collections/sections/items/{section['id']}").json()["properties"] == section["properties"]
    assert browser.get("/ogc/collections/sections/items?grade_min=9").status_code == 400
    assert browser.get("/ogc/collections/sections/items/r9:1").status_code == 404


@contextmanager
def _served(app: FastAPI) -> Iterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, what="the server")
    try:
        yield f"http://{HOST}:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.mark.integration
def test_gdal_reads_all_pages_and_filters_by_a_box(browser: Browser, database: Database) -> None:
    ogrinfo = shutil.which("ogrinfo")
    if ogrinfo is None:
        missing("ogrinfo is not installed (apt-get install gdal-bin)")
    assert ogrinfo is not None
    with _served(app_of(services(database))) as url:
        command = [ogrinfo, "-ro", "-so", f"OAPIF:{url}/ogc", "cases", "--config", "OGR_OAPIF_PAGE_SIZE", "3"]
        every = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        box = subprocess.run(
            [*command, "-spat", "6.76235", "51", "6.76255", "52"],
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout  # fmt: skip
    assert "Feature Count: 8" in every
    assert "Feature Count: 2" in box


_QGIS = textwrap.dedent("""
    import os, sys
    from qgis.core import QgsApplication, QgsFeatureRequest, QgsRectangle, QgsVectorLayer
    app = QgsApplication([], False)
    app.initQgis()
    QgsApplication.messageLog().messageReceived.connect(lambda text, tag, level: print("QGIS:", text, flush=True))
    layer = QgsVectorLayer(f"url='{sys.argv[1]}/ogc' typename='cases' pageSize='3'", "cases", "OAPIF")
    print("valid", layer.isValid(), layer.crs().authid(), flush=True)
    print("numbers", sorted(f["case"] for f in layer.getFeatures()), flush=True)
    near = QgsFeatureRequest().setFilterRect(QgsRectangle(6.76235, 51, 6.76255, 52))
    print("near", sorted(f["case"] for f in layer.getFeatures(near)), flush=True)
    package = QgsVectorLayer(sys.argv[2] + "|layername=cases", "package", "ogr")
    print("package", package.isValid(), sorted(f["case"] for f in package.getFeatures()))
    sys.stdout.flush()
    os._exit(0)  # its own clean-up crashes without a window system
""")


@pytest.mark.integration
def test_qgis_reads_all_pages_filters_by_a_box_and_opens_the_geopackage(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    python = "/usr/bin/python3"
    if not Path("/usr/lib/python3/dist-packages/qgis").exists():
        missing("QGIS is not installed (apt-get install python3-qgis)")
    package = tmp_path / "cases.gpkg"
    package.write_bytes(browser.get("/api/cases.gpkg").content)
    environment = {"PATH": os.environ["PATH"], "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    with _served(app_of(services(database))) as url:
        ran = subprocess.run(
            [python, "-c", _QGIS, url, str(package)],
            capture_output=True, text=True, timeout=120, env=environment,
        )  # fmt: skip
    sys.stderr.write(ran.stderr)
    assert "valid True" in ran.stdout
    assert "numbers [1, 2, 3, 4, 5, 6, 7, 9]" in ran.stdout
    assert "near [1, 2]" in ran.stdout
    assert "package True [1, 2, 3, 4, 5, 6, 7, 9]" in ran.stdout
