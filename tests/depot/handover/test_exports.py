# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The exports: read back by the programs that offices use."""

from __future__ import annotations

import csv
import io
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pyogrio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.handover import geopackage, text_files
from depot.handover.exported import COLUMNS, Exported, Wording, pages
from tests.depot.handover.samples import PICTURE, add_case, add_sighting, client, services

if TYPE_CHECKING:
    from depot.cases.records import Case
    from depot.store.database import Database
    from tests.depot.handover.samples import Browser

KML = "{http://www.opengis.net/kml/2.2}"


@pytest.fixture
def browser(database: Database) -> Browser:
    add_case(database, 1)
    add_sighting(database, 1, picture=PICTURE)
    add_case(database, 2, state="rejected", grade=1)
    add_case(database, 3, lon=None, lat=None, line="U79", chainage_m=812.5, surface="lining", district=None)
    add_case(database, 4, state="merged", merged_into=1)
    return client(services(database))


def _open(browser: Browser, path: str, name: str, folder: Path) -> Path:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    file = folder / name
    file.write_bytes(answer.content)
    return file


@pytest.mark.parametrize("name", ["geojson", "gpkg", "kml", "csv"])
def test_gdal_reads_every_case_that_is_not_merged_from_each_format(browser: Browser, tmp_path: Path, name: str) -> None:
    file = _open(browser, f"/api/cases.{name}", f"cases.{name}", tmp_path)
    info = pyogrio.read_info(file)
    assert info["features"] == 3
    if name != "csv":
        assert info["crs"] in {"EPSG:4326", "OGC:CRS84"}
        assert info["total_bounds"][:2] == pytest.approx((6.7624, 51.4344))
    if name != "kml":
        assert set(info["fields"]) >= {column.name for column in COLUMNS if column.name != "fid"}


def test_every_format_obeys_the_same_filter(browser: Browser, tmp_path: Path) -> None:
    for name in ("geojson", "gpkg", "kml", "csv"):
        path = f"/api/cases.{name}?state=rejected&grade_min=1"
        file = _open(browser, path, f"few.{name}", tmp_path)
        assert pyogrio.read_info(file)["features"] == 1, name


def test_geojson_says_what_is_known_and_null_where_it_is_not(browser: Browser) -> None:
    features = {f["id"]: f for f in browser.get("/api/cases.geojson").json()["features"]}
    first, tunnel = features[1], features[3]
    assert first["geometry"] == {"type": "Point", "coordinates": [6.7624, 51.4344]}
    assert first["properties"]["picture"] == f"http://depot.example/pictures/{PICTURE}.jpg"
    assert first["properties"]["picture_stored"] is True
    assert first["properties"]["class"] == "pothole"
    assert "Königstraße" in first["properties"]["title"]
    assert tunnel["geometry"] is None
    assert tunnel["properties"]["picture"] is None
    english = browser.get("/api/cases.geojson?language=en").json()["features"][0]["properties"]
    assert english["title"].startswith("Pothole")


def test_a_geopackage_has_times_numbers_and_a_spatial_index(browser: Browser, tmp_path: Path) -> None:
    file = _open(browser, "/api/cases.gpkg", "cases.gpkg", tmp_path)
    meta, _, geometry, values = pyogrio.raw.read(file, layer="cases", bbox=(6.76, 51.43, 6.76245, 51.44))
    named = dict(zip(meta["fields"], values, strict=True))
    assert named["case"].tolist() == [1]  # the box leaves number 2 out, so the index is used and true
    assert named["first_seen_utc"].dtype.kind == "M"
    assert named["picture_stored"].dtype == bool
    assert len(geometry) == 1
    with closing(sqlite3.connect(file)) as package:
        assert package.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert package.execute("PRAGMA foreign_key_check").fetchall() == []


def test_gdal_can_edit_the_geopackage_and_the_index_follows(browser: Browser, tmp_path: Path) -> None:
    file = _open(browser, "/api/cases.gpkg", "cases.gpkg", tmp_path)
    meta, _, geometry, values = pyogrio.raw.read(file, layer="cases", max_features=1)
    pyogrio.raw.write(
        file,
        geometry,
        values,
        meta["fields"],
        layer="cases",
        append=True,
        crs=meta["crs"],
        geometry_type="Point",
    )
    assert pyogrio.read_info(file)["features"] == 4
    with closing(sqlite3.connect(file)) as package:
        assert package.execute("SELECT count(*) FROM rtree_cases_geom").fetchone() == (3,)


def test_a_csv_opens_in_a_german_spreadsheet(browser: Browser) -> None:
    content = browser.get("/api/cases.csv?dialect=excel-de").content
    assert content.startswith(b"\xef\xbb\xbfcase;state;class;")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0]["score"] == "0,87"


def test_no_text_of_a_csv_is_a_formula(database: Database) -> None:
    texts = ["=1+1", "+49 203", "-2", "@SUM(A1)", "\t=1", "  =1", "\uff1d1", '=HYPERLINK("x")']
    for number, text in enumerate(texts, start=1):
        add_case(database, number, note=text, road=text)
    rows = list(csv.DictReader(io.StringIO(client(services(database)).get("/api/cases.csv").text)))
    assert [row["note"] for row in rows] == [f"'{text}" for text in texts]
    assert all(row["road"].startswith("'") for row in rows)


def test_a_negative_number_of_a_csv_stays_a_number(database: Database) -> None:
    add_case(database, 1, lon=-6.5)
    rows = list(csv.DictReader(io.StringIO(client(services(database)).get("/api/cases.csv").text)))
    assert rows[0]["lon"] == "-6.5"


def test_a_placemark_has_text_style_and_place(browser: Browser) -> None:
    root = ET.fromstring(browser.get("/api/cases.kml").content)
    first = root.find(f".//{KML}Placemark[@id='case-1']")
    assert first is not None
    assert first.findtext(f"{KML}styleUrl") == "#new"
    assert root.find(f".//{KML}Style[@id='new']") is not None
    assert first.findtext(f"{KML}Point/{KML}coordinates") == "6.7624,51.4344"


def test_an_export_is_read_page_by_page_and_has_each_case_once(database: Database) -> None:
    for number in range(1, 8):
        add_case(database, number)
    read = list(pages(database, [], page=3))
    assert [len(page) for page in read] == [3, 3, 1]
    assert [e.case.number for page in read for e in page] == list(range(1, 8))


def test_an_empty_export_is_a_valid_file_in_each_format(database: Database, tmp_path: Path) -> None:
    browser = client(services(database))
    for name in ("geojson", "gpkg", "kml", "csv"):
        file = _open(browser, f"/api/cases.{name}", f"none.{name}", tmp_path)
        info = pyogrio.read_info(file, layer="cases" if name == "gpkg" else None) if name != "kml" else None
        assert info is None or info["features"] == 0
    ET.parse(tmp_path / "none.kml")


def test_who_may_not_read_gets_no_export(database: Database) -> None:
    made = services(database)
    assert client(made, None).get("/api/cases.csv").status_code == 401
    assert client(made, "reporter").get("/api/cases.csv").status_code == 403
    assert client(made, "reader").get("/api/cases.csv").status_code == 200


def test_a_filter_that_is_none_is_said(database: Database) -> None:
    assert client(services(database)).get("/api/cases.csv?bbox=1,2").status_code == 422


_HOSTILE = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)


@given(note=_HOSTILE, road=_HOSTILE)
def test_whatever_people_typed_every_format_stays_readable(note: str, road: str) -> None:
    exported = Exported(case=_case(note, road), picture=None, stored=False)
    wording = Wording()
    root = ET.fromstring(b"".join(text_files.kml([[exported]], wording)))
    assert len(root.findall(f".//{KML}Placemark")) == 1
    text = b"".join(text_files.csv_text([[exported]], wording)).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 1
    assert rows[0]["note"].removeprefix("'") == note.replace("\0", "\ufffd").removeprefix("'")
    with tempfile.TemporaryDirectory() as folder:
        geopackage.write(Path(folder, "x.gpkg"), [[exported]], wording)


def _case(note: str, road: str) -> Case:
    from depot.cases.records import Case

    return Case(
        number=1,
        changed=1,
        state="new",
        defect_class="pothole",
        surface="road",
        sightings=1,
        passes=1,
        vehicles=1,
        looks_without=0,
        opened_utc="2026-10-10T07:00:00Z",
        pinned=False,
        reports=0,
        lon=6.7,
        lat=51.4,
        note=note,
        road=road,
    )
