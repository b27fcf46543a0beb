# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import psycopg
import pyogrio.raw
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from depot.errors import ConfigError
from depot.roads import files, projected
from depot.roads.importing import Feature, Imported, Mapping, build
from depot.roads.tables import roads
from depot.store.database import Database
from depot.store.tables import audit
from tests.depot.roads.samples import CITY, at, geojson, import_roads, street


def made(*features: Feature, **mapping: str) -> Imported:
    return build(features, Mapping(**mapping))


def test_ways_of_one_name_that_lie_near_each_other_are_one_road() -> None:
    first, gap, far = (0, 0), (100, 0), (5000, 0)
    found = made(
        street("Hauptstraße", first, gap, ident="way/7"),
        street("Hauptstraße", (120, 0), (200, 0), ident="way/12"),
        street("Hauptstraße", far, (5100, 0), ident="way/3"),
    )
    assert [(road.id, round(road.length_m)) for road in found.roads] == [("way/3", 100), ("way/7", 180)]


def test_a_street_that_crosses_a_districts_border_is_two_roads() -> None:
    found = made(
        street("Weg", (0, 0), (50, 0), ident="1", district="Nord"),
        street("Weg", (50, 0), (90, 0), ident="2", district="Süd"),
    )
    assert [road.district for road in found.roads] == ["Nord", "Süd"]


def test_with_an_identifier_of_the_citys_own_it_decides() -> None:
    one = street("A", (0, 0), (50, 0), key=4711.0)
    other = street("A", (500, 0), (550, 0), key=4711)
    third = street("A", (50, 0), (60, 0), key=4712)
    found = made(one, other, third, id="key")
    assert [(road.id, round(road.length_m)) for road in found.roads] == [("4711", 100), ("4712", 10)]


def test_unnamed_ways_stay_apart_and_keep_their_id_over_imports() -> None:
    features = (street(None, (0, 0), (50, 0)), street(None, (50, 0), (90, 0)))
    first, again = made(*features), made(*reversed(features))
    assert len(first.roads) == 2
    assert first.roads == again.roads


def test_what_cannot_be_used_is_counted_by_reason() -> None:
    good = street("A", (0, 0), (50, 0))
    found = made(
        good,
        street("Pfad", (0, 0), (50, 0), highway="footway"),
        Feature(None, {"name": "Punkt"}, []),
        Feature(None, {"name": "Kurz"}, [[list(at(0, 0)), list(at(0.2, 0))]]),
        Feature(None, {"name": "Meter"}, [[[350000.0, 5700000.0], [350100.0, 5700000.0]]]),
        Feature(None, {"name": "Wort"}, [[["x", 1], [2, 3]]]),  # type: ignore[list-item]
    )
    assert len(found.roads) == 1
    assert found.left_out == {"no_line": 1, "not_for_vehicles": 1, "not_in_degrees": 2, "too_short": 1}


def test_a_file_without_one_road_says_what_it_has() -> None:
    with pytest.raises(ConfigError, match="1 not_for_vehicles"):
        made(street("Pfad", (0, 0), (50, 0), highway="path"))


@given(st.text(max_size=300))
def test_names_become_one_plain_line(name: str) -> None:
    (road,) = made(street(name, (0, 0), (50, 0))).roads
    assert road.name is None or (road.name.isprintable() and 0 < len(road.name) <= 200)


_JUNK = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.lists(
        st.fixed_dictionaries({
            "type": st.just("Feature"),
            "properties": _JUNK,
            "geometry": _JUNK
            | st.fixed_dictionaries({"type": st.sampled_from(["LineString", "MultiLineString"]), "coordinates": _JUNK}),
        }),
        max_size=4,
    )
)  # fmt: skip
def test_any_geojson_is_read_or_refused_with_one_line(features: list[object]) -> None:
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    try:
        build(files.read_geojson(content, "roads"), Mapping())
    except ConfigError as error:
        lines = str(error).splitlines()
        if len(lines) != 1:
            raise


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "no GeoJSON"),
        (b"\xff\xfe", "no GeoJSON"),
        (b'{"type": "Feature", "features": []}', "FeatureCollection is wanted"),
        (b'{"type": "FeatureCollection", "features": [], "crs": {"properties": {"name": "EPSG:25832"}}}', "ogr2ogr"),
    ],
)
def test_what_is_no_geojson_in_degrees_is_refused(content: bytes, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        list(files.read_geojson(content, "roads.geojson"))


def test_an_import_takes_the_place_of_all_and_is_recorded(database: Database) -> None:
    first = import_roads(database)
    assert (first.roads, first.added, first.removed) == (3, 3, 0)
    second = import_roads(database, (CITY[0], street("Querweg", (200, -100), (200, 90), ident="way/2")))
    assert (second.roads, second.added, second.removed, second.altered) == (2, 0, 1, 1)
    with database.reading() as connection:
        assert connection.execute(select(roads.c.name).order_by(roads.c.id)).scalars().all() == [
            "Langstraße",
            "Querweg",
        ]
        rows = connection.execute(audit.select()).all()
    assert [(row.who, row.action, row.kind) for row in rows] == [("test", "import", "roads")] * 2


def write(path: Path, crs: str, *lines: list[tuple[float, float]]) -> Path:
    shapes = np.array([shapely.to_wkb(shapely.LineString(line)) for line in lines], dtype=object)
    names = np.array([f"Straße {number}" for number in range(len(lines))], dtype=object)
    pyogrio.raw.write(path, shapes, [names], ["strassenname"], geometry_type="LineString", crs=crs, layer="strassen")
    return path


def test_a_geopackage_in_utm_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "city.gpkg", "EPSG:25832", [(356350.0, 5645280.0), (356450.0, 5645280.0)])
    (road,) = build(files.read_file(path), Mapping(name="strassenname")).roads
    assert road.name == "Straße 0"
    assert road.length_m == pytest.approx(100, abs=0.1)
    assert road.lines[0][0] == pytest.approx((6.95531, 50.94123), abs=1e-5)


def test_a_file_in_a_system_that_we_do_not_know_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "city.gpkg", "EPSG:31467", [(3456350.0, 5645280.0), (3456450.0, 5645280.0)])
    with pytest.raises(ConfigError, match="EPSG:31467; ogr2ogr"):
        list(files.read_file(path))


def test_files_that_are_none_are_refused_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "junk.gpkg").write_bytes(b"junk")
    for name in ("missing.geojson", "missing.gpkg", "junk.gpkg"):
        with pytest.raises(ConfigError) as caught:
            list(files.read_file(tmp_path / name))
        assert "\n" not in str(caught.value)


def test_a_geojson_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "city.geojson"
    path.write_bytes(geojson(*CITY))
    assert build(files.read_file(path), Mapping()) == made(*CITY)


@pytest.mark.integration
def test_planes_are_turned_into_degrees_as_postgis_does(postgres_url: str) -> None:
    places = [(280_000.0, 5_200_000.0), (356_350.0, 5_645_280.0), (500_000.0, 5_700_000.0), (720_000.0, 6_100_000.0)]
    with psycopg.connect(postgres_url) as connection:
        for srid in (25832, 25833, 32632, 3857):
            ours = projected.to_degrees(f"EPSG:{srid}", np.array(places))
            assert ours is not None
            for (east, north), place in zip(places, ours.tolist(), strict=True):
                point = f"ST_Transform(ST_SetSRID(ST_MakePoint({east}, {north}), {srid}), 4326)"
                theirs = connection.execute(f"SELECT ST_X({point}), ST_Y({point})").fetchone()
                assert place == pytest.approx(theirs, abs=2e-8)
    assert projected.to_degrees("EPSG:31467", np.array(places)) is None
