# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Line files: what is read, and that every wrong one gives one clear line."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.positioning.line_file import read_lines
from tests.positioning.lines import LEGS, axis_feature, beside, course, geojson, lonlat, mark_feature

if TYPE_CHECKING:
    from pathlib import Path

COURSE = course(LEGS)
PLACES = [lonlat(*point) for point in COURSE]
CSV_HEAD = "line,track,chainage_m,lon,lat,tunnel,landmark"


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_lines(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(str(path))
    return text


def csv_file(path: Path, *rows: str, head: str = CSV_HEAD) -> Path:
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    return path


# ---- what is read


def test_geojson_gives_lines_tracks_tunnels_and_landmarks(tmp_path: Path) -> None:
    left = [lonlat(*point) for point in beside(COURSE, 4)]
    tunnel = axis_feature([PLACES[50], PLACES[90]], line="U79", tunnel=True, name=None)
    path = geojson(
        tmp_path / "lines.geojson",
        axis_feature(PLACES, track="1", chainage_start_m=500),
        axis_feature(left, track="2", chainage_start_m=500, tunnels=[[700, 800], [790, 950.5]]),
        tunnel,
        mark_feature("Steinsche Gasse", PLACES[70], line="U79"),
        mark_feature("tag 7", PLACES[20], line="U79", track="2", kind="tag", error_m=0.5),
        mark_feature("west portal", None, line="U79", kind="portal", chainage_m=1_000),
    )
    one, two = read_lines(path)
    assert [(line.name, line.track) for line in (one, two)] == [("U79", "1"), ("U79", "2")]
    assert one.start_m == 500
    assert one.end_m == pytest.approx(2_500, abs=0.5)
    assert one.tunnels == (pytest.approx((1_000, 1_400), abs=0.5),)
    assert two.tunnels[0] == (700, 950.5)
    stop = one.landmark("Steinsche Gasse")
    assert stop is not None
    assert stop.chainage_m == pytest.approx(1_200, abs=0.5)
    assert one.landmark("tag 7") is None
    tag = two.landmark("tag 7")
    assert tag is not None
    assert (tag.kind, tag.error_m) == ("tag", 0.5)
    assert [mark.name for mark in one.landmarks] == ["west portal", "Steinsche Gasse"]


def test_csv_gives_the_same(tmp_path: Path) -> None:
    rows = [
        f"901,,{500 + 10 * i if i % 50 == 0 else ''},{lon},{lat},{1 if 50 <= i < 90 else 0},"
        f"{'station:König-Heinrich-Platz' if i == 70 else 'Rathaus' if i == 10 else ''}"
        for i, (lon, lat) in enumerate(PLACES)
    ]
    (line,) = read_lines(csv_file(tmp_path / "lines.csv", *rows))
    assert (line.name, line.track) == ("901", None)
    assert line.start_m == 500
    assert line.tunnels == (pytest.approx((1_000, 1_400), abs=0.5),)
    assert [(mark.name, mark.kind, round(mark.chainage_m)) for mark in line.landmarks] == [
        ("Rathaus", "station", 600),
        ("König-Heinrich-Platz", "station", 1_200),
    ]


def test_csv_may_have_semicolons_decimal_commas_and_a_byte_order_mark(tmp_path: Path) -> None:
    rows = [f"A 59;{lon:.7f};{lat:.7f}".replace(".", ",") for lon, lat in PLACES]
    path = csv_file(tmp_path / "lines.csv", *rows, head="\ufeffline;lon;lat")
    (line,) = read_lines(path)
    assert line.end_m == pytest.approx(2_000, abs=0.5)


def test_known_chainages_stretch_the_points(tmp_path: Path) -> None:
    path = geojson(
        tmp_path / "lines.json",
        axis_feature(PLACES),
        mark_feature("A", PLACES[40], chainage_m=10_000),
        mark_feature("B", PLACES[140], chainage_m=11_030),
        mark_feature("between", PLACES[90]),
    )
    (line,) = read_lines(path)
    between = line.landmark("between")
    assert between is not None
    assert between.chainage_m == pytest.approx(10_515, abs=0.3)
    assert line.start_m == pytest.approx(9_600, abs=0.3)
    assert line.end_m == pytest.approx(11_630, abs=0.5)


def test_repeated_points_and_a_gap_in_a_ring_are_no_fault(tmp_path: Path) -> None:
    ring = [lonlat(300 * math.sin(a / 50), 300 * math.cos(a / 50)) for a in range(300)]
    twice = [place for place in ring for _ in range(2)]
    (line,) = read_lines(geojson(tmp_path / "l.json", axis_feature(twice)))
    assert line.end_m == pytest.approx(299 / 50 * 300, abs=1)


# ---- what is refused

SWAPPED = [(lat, lon) for lon, lat in PLACES]
METRES = [(344_000 + east, 5_700_000 + north) for east, north in COURSE]
RING = [lonlat(300 * math.sin(a / 50), 300 * math.cos(a / 50)) for a in range(315)]
EIGHT = [lonlat(300 * math.sin(a / 50), 150 * math.sin(a / 25)) for a in range(-25, 250)]
BACK = [*PLACES[:50], *PLACES[45:40:-1], *PLACES[50:]]
ONE_SWAPPED = [*PLACES[:50], SWAPPED[50], *PLACES[51:]]
FAR = [*PLACES[:50], *[(lon + 0.1, lat) for lon, lat in PLACES[50:]]]

WRONG: list[tuple[str, Any, str]] = [
    ("swapped", [axis_feature(SWAPPED)], "feature 1: latitude and longitude are swapped; longitude comes first"),
    ("one swapped", [axis_feature(ONE_SWAPPED)], "feature 1, point 51: lies .* km from the point before; swap its lon"),
    ("beyond the pole", [axis_feature([(6.7, 91.0), (6.7, 91.1)])], "point 1: latitude 91 lies beyond the pole"),
    ("metres", [axis_feature(METRES)], "feature 1, point 1: .* look like metres .*; export it in WGS 84"),
    ("far", [axis_feature(FAR)], "feature 1, point 51: lies 6.9. km from the point before; put in the points"),
    ("ring", [axis_feature(RING)], "feature 1: is a closed ring.*; cut it into two lines that meet at a station"),
    ("eight", [axis_feature(EIGHT)], r"feature 1, point \d+: the line crosses .*; make two lines of it"),
    ("back", [axis_feature(BACK)], r"feature 1, point 50: the line turns back on itself; put the points in order"),
    ("nan", [axis_feature([PLACES[0], (math.nan, 51.4)])], "feature 1, point 2: lon nan, lat 51.4 are no numbers"),
    ("infinite", [axis_feature([PLACES[0], (6.7, math.inf)])], "feature 1, point 2: lon 6.7, lat inf are no numbers"),
    ("true", [axis_feature([PLACES[0], (True, 51.4)])], "point 2: lon 1, lat 51.4 are no numbers"),
    ("huge", [axis_feature([PLACES[0], (10**400, 51.4)])], r"point 2: lon \(huge\), lat 51.4 are no numbers"),
    ("text", [axis_feature([PLACES[0], ("6.7.1", 51.4)])], "feature 1, point 2: lon '6.7.1', lat 51.4 are no numbers"),
    ("no pair", [axis_feature([PLACES[0], (6.7,)])], r"point 2: \[6.7\] is no position; write \[lon, lat\]"),
    ("one point", [axis_feature(PLACES[:1])], "feature 1: a LineString needs at least two points"),
    ("one place", [axis_feature([PLACES[0]] * 9)], "feature 1: a line needs at least two different points"),
    ("no name", [axis_feature(PLACES, name=None)], "feature 1: has no property name; name the line"),
    ("odd name", [axis_feature(PLACES, name="a\nb")], r"feature 1: name 'a\\nb' is no name"),
    ("start", [axis_feature(PLACES, chainage_start_m="far")], "feature 1: chainage_start_m 'far' is no number"),
    ("twice", [axis_feature(PLACES), axis_feature(PLACES)], "feature 2: line 'U79' is there twice; tell its tracks"),
    ("empty", [], "whole file: holds no line"),
    ("tunnels", [axis_feature(PLACES, tunnels=[3])], r"feature 1: tunnels \[3\] is no list of pairs"),
    ("half a tunnel", [axis_feature(PLACES, tunnels=[[3, None]])], "feature 1: a tunnel lacks an end"),
    ("tunnel back", [axis_feature(PLACES, tunnels=[[30, 3]])], "feature 1: tunnel 30 to 3 is not on the line"),
    ("tunnel off", [axis_feature(PLACES, tunnels=[[30, 9e3]])], "feature 1: tunnel 30 to 9000 is not on the line"),
    ("polygon", [{"type": "Feature", "geometry": {"type": "Polygon"}}], "feature 1: geometry 'Polygon' is not known"),
    ("no feature", [17], "feature 1: is 17 and no Feature"),
    (
        "stop off the line",
        [axis_feature(PLACES), mark_feature("A", lonlat(0, 900))],
        "feature 2: lies .* m away from line 'U79'",
    ),
    ("stop nowhere", [axis_feature(PLACES), mark_feature("A", None)], "feature 2: has neither place nor chainage_m"),
    (
        "stop beyond",
        [axis_feature(PLACES), mark_feature("A", None, chainage_m=9_000)],
        "feature 2: chainage 9000 is not on line 'U79'",
    ),
    (
        "stop twice",
        [axis_feature(PLACES), mark_feature("A", PLACES[9]), mark_feature("A", PLACES[99])],
        "feature 1: landmark 'A' is there twice",
    ),
    ("kind", [axis_feature(PLACES), mark_feature("A", PLACES[9], kind="stop")], "feature 2: kind 'stop' is not known"),
    ("error", [axis_feature(PLACES), mark_feature("A", PLACES[9], error_m=0)], "feature 2: error_m 0 is out of bounds"),
    ("whose", [axis_feature(PLACES), mark_feature("A", PLACES[9], line="U1")], "feature 2: no line 'U1', track None"),
    (
        "falling",
        [axis_feature(PLACES[::-1], chainage_start_m=2_000), mark_feature("A", PLACES[0], chainage_m=0)],
        "feature 1: chainage falls along the points; put the points in the order of chainage",
    ),
    (
        "out of order",
        [
            axis_feature(PLACES, chainage_start_m=0),
            mark_feature("A", PLACES[50], chainage_m=510),
            mark_feature("B", PLACES[60], chainage_m=505),
            mark_feature("C", PLACES[90], chainage_m=900),
        ],
        r"feature 3: chainage 505 does not grow \(before it: 510\)",
    ),
    (
        "jump",
        [axis_feature(PLACES, chainage_start_m=0), mark_feature("A", PLACES[50], chainage_m=700)],
        "feature 2: chainage grows by 700 m on 500 m of way since 0; correct the chainage, or make two lines",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("features", "says"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_geojson_is_refused_with_the_place_the_reason_and_the_remedy(
    tmp_path: Path, features: list[Any], says: str
) -> None:
    text = refused(geojson(tmp_path / "lines.geojson", *features))
    assert re.search(says, text), text
    assert ";" in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty; give a GeoJSON or CSV file"),
        ("{]", r"is not JSON \(Expecting"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"type": "Topology"}', "is no FeatureCollection"),
        ('{"type": "FeatureCollection", "features": {}}', "is no FeatureCollection"),
        (
            '{"type": "FeatureCollection", "features": [], "crs": {"properties": {"name": "EPSG:25832"}}}',
            "crs: coordinates are in 'EPSG:25832'; export it in WGS 84",
        ),
        ("line,lat\n", "row 1: no column lon; name the columns"),
        ("line,lon,lat\nU79,6.7\n", "row 2: has 2 cells, 3 are needed"),
        ("line,lon,lat\nU79,6.7,here\n", "row 2: lon '6.7', lat 'here' are no numbers"),
        ("line,lon,lat\n,6.7,51.4\n", "row 2: names no line"),
        ("line,lon,lat\nU79,51.4,6.7\nU79,51.41,6.7\n", "row 2: latitude and longitude are swapped"),
        ("line,lon,lat\nU79,6.7,51.4\n", "row 2: a line needs at least two different points"),
        ("line,lon,lat,tunnel\nU79,6.7,51.4,perhaps\n", "row 2: tunnel 'perhaps' is neither yes nor no"),
        ("line,lon,lat,chainage_m\nU79,6.7,51.4,0\nU79,6.7,51.4,30\n", "row 3: same place as before, other chainage"),
        ("line,lon,lat,chainage_m\nU79,6.7,51.4,50\nU79,6.7,51.41,0\n", "row 2: chainage falls along the points"),
        ("line,lon,lat,chainage_m\nU79,6.7,51.4,nan\n", "row 2: chainage_m 'nan' is no number"),
        ('line,lon,lat\n"U79,6.7,51.4\n', "row 2: has 1 cells"),
    ],
)  # fmt: skip
def test_a_wrong_text_is_refused_with_the_place_the_reason_and_the_remedy(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "lines"
    path.write_text(text, encoding="utf-8")
    assert re.search(says, refused(path))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No such file" in refused(tmp_path / "nothing.csv")
    assert "Is a directory" in refused(tmp_path)
    path = tmp_path / "lines.csv"
    path.write_bytes(b"line,lon,lat\nB\xfchl,6,51")
    assert "byte 14: is not UTF-8; save it as UTF-8" in refused(path)
    monkeypatch.setattr("edge.positioning.line_file.MAX_BYTES", 10)
    assert "is larger than" in refused(path)


def test_too_many_points_are_refused(tmp_path: Path) -> None:
    places = [(6.7, 51.0 + i * 1e-5) for i in range(20_001)]
    assert "cut it into" in refused(geojson(tmp_path / "l.json", axis_feature(places)))
    assert "cut it into" in refused(
        csv_file(tmp_path / "l.csv", *[f"A,{lon},{lat}" for lon, lat in places], head="line,lon,lat")
    )


# ---- anything else

numbers = st.one_of(st.floats(), st.integers(), st.floats(5, 7), st.floats(50, 52), st.booleans(), st.none())
anything = st.recursive(
    st.one_of(numbers, st.text(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=8,
)
keys = st.sampled_from(
    ["name", "line", "track", "kind", "chainage_m", "chainage_start_m", "tunnel", "tunnels", "error_m"]
)
values = st.one_of(anything, st.sampled_from(["U79", "1", "station", "tag", True, 0, 100, [[0, 100]]]))
near = st.tuples(st.floats(6.7, 6.71), st.floats(51.4, 51.41)).map(list)
geometries = st.one_of(
    anything,
    st.builds(
        lambda kind, places: {"type": kind, "coordinates": places},
        st.sampled_from(["LineString", "Point", "MultiLineString"]),
        st.one_of(near, st.lists(near, max_size=6), anything, st.lists(st.lists(numbers, max_size=4), max_size=5)),
    ),
)
features = st.builds(
    lambda properties, geometry: {"type": "Feature", "properties": {"name": "U79", **properties}, "geometry": geometry},
    st.dictionaries(keys, values, max_size=5),
    geometries,
)
files = st.one_of(
    st.lists(st.one_of(features, anything), max_size=5).map(
        lambda found: json.dumps({"type": "FeatureCollection", "features": found})
    ),
    st.lists(st.lists(st.one_of(numbers.map(str), st.text(max_size=5)), max_size=8), max_size=6).map(
        lambda rows: "\n".join([CSV_HEAD, *[",".join(row) for row in rows]])
    ),
    st.text(max_size=40),
)


@given(files)
@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_it_is_lines_or_one_clear_word(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lines"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        lines = read_lines(path)
    except InputError:
        refused(path)
        return
    for line in lines:
        assert all(b > a for a, b in pairwise(line.chainages))
        assert all(math.isfinite(value) for point in line.points for value in point)
        assert all(line.start_m <= mark.chainage_m <= line.end_m for mark in line.landmarks)
