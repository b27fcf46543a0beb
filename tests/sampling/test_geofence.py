# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.sampling.geofence import Area, Geofence
from edge.sampling.geofence_file import read_geofence

if TYPE_CHECKING:
    from pathlib import Path

SQUARE = [[13.40, 52.50], [13.41, 52.50], [13.41, 52.51], [13.40, 52.51], [13.40, 52.50]]
HOLE = [[13.404, 52.504], [13.406, 52.504], [13.406, 52.506], [13.404, 52.506], [13.404, 52.504]]


def feature(rings: Any, surroundings: Any = "tunnel", kind: str = "Polygon") -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"surroundings": surroundings},
        "geometry": {"type": kind, "coordinates": rings},
    }


def written(path: Path, *features: Any) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


def test_a_place_is_looked_up_with_holes_and_the_first_area_wins(tmp_path: Path) -> None:
    other = [[[lon + 0.005, lat] for lon, lat in SQUARE]]
    fence = read_geofence(
        written(tmp_path / "g.json", feature([SQUARE, HOLE]), feature([other], "street", "MultiPolygon"))
    )
    assert fence.at(13.402, 52.505) == "tunnel"
    assert fence.at(13.409, 52.505) == "tunnel"  # in both
    assert fence.at(13.412, 52.505) == "street"
    assert fence.at(13.4045, 52.505) is None  # in the hole
    assert fence.at(13.39, 52.505) is None
    assert fence.at(13.405, 52.52) is None


@given(st.floats(0, 2 * math.pi), st.floats(0, 2), st.integers(3, 40))
def test_inside_a_polygon_around_a_point_is_what_is_nearer_than_its_sides(
    turn: float, share: float, corners: int
) -> None:
    angles = [2 * math.pi * n / corners for n in range(corners)]
    ring = [(math.cos(a), math.sin(a)) for a in angles]
    area = Area("tunnel", ((*ring, ring[0]),))
    half = math.pi / corners
    side = math.cos(half) / math.cos(turn % (2 * half) - half)  # how far the side is in this direction
    if abs(share - 1) > 1e-6:
        assert area.holds(share * side * math.cos(turn), share * side * math.sin(turn)) == (share < 1)


def bad(name: str, *features: Any) -> Any:
    return pytest.param(features, name, id=name)


BOW = [[13.40, 52.50], [13.41, 52.51], [13.41, 52.50], [13.40, 52.51], [13.40, 52.50]]
SWAPPED = [[lat, lon] for lon, lat in SQUARE]
LARGE = [[5.0 * (lon - 13.4) * 100 + 10, lat] for lon, lat in SQUARE]
TINY = [[13.4 + (lon - 13.4) * 1e-4, 52.5 + (lat - 52.5) * 1e-4] for lon, lat in SQUARE]
NAN = [[13.40, 52.50], [float("nan"), 52.50], [13.41, 52.51], [13.40, 52.50]]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        bad("give 1 to"),
        bad("latitude and longitude are swapped", feature([SWAPPED])),
        bad("longitude comes first", feature([[[52.5, 113.4], [52.6, 113.4], [52.6, 113.5], [52.5, 113.4]]])),
        bad("a ring is not closed", feature([SQUARE[:-1]])),
        bad("its sides 1 and 3 cross", feature([BOW])),
        bad("sides 1 and 3 cross", feature([SQUARE, BOW])),
        bad("has 3 points", feature([SQUARE[:3]])),
        bad("from end to end", feature([LARGE])),
        bad("is 0 m from end to end", feature([TINY])),
        bad("outside the earth's degrees", feature([NAN])),
        bad("outside the earth's degrees", feature([[[1e400, 1], *SQUARE]])),
        bad("is no position", feature([[["13", "52"], *SQUARE]])),
        bad("is no position", feature([[[True, False], *SQUARE]])),
        bad("is no position", feature([[[13.4], *SQUARE]])),
        bad("is no position", feature([[None, *SQUARE]])),
        bad('surroundings is "bridge"', feature([SQUARE], "bridge")),
        bad("surroundings is null", feature([SQUARE], None)),
        bad("surroundings is", feature([SQUARE], ["tunnel"])),
        bad('geometry is "Point"', feature([13.4, 52.5], kind="Point")),
        bad("no list of rings", feature(7)),
        bad("no list of rings", feature([])),
        bad("no list of rings", feature([SQUARE, []], kind="MultiPolygon")),
        bad("no properties or no geometry", None),
        bad("no properties or no geometry", {"type": "Feature", "properties": None, "geometry": None}),
    ],
)
def test_what_cannot_be_true_is_refused_in_one_line(tmp_path: Path, features: tuple[Any, ...], message: str) -> None:
    path = written(tmp_path / "g.json", *features)
    with pytest.raises(InputError, match=message) as refused:
        read_geofence(path)
    text = str(refused.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    assert ";" in text  # what to do


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"[1]", "is no FeatureCollection"),
        (b'{"type": "Polygon"}', "is no FeatureCollection"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"[" * 200_000, "nested too deeply|is not JSON"),
        (b" " * 5_000_001, "is larger than 5 MB"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_no_geofence_is_refused_in_one_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "g.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_geofence(path)


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=5), max_leaves=20
    )
)
def test_no_coordinates_whatever_end_in_a_traceback(coordinates: Any) -> None:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        for kind in ("Polygon", "MultiPolygon"):
            try:
                fence = read_geofence(written(Path(folder) / "g.json", feature(coordinates, kind=kind)))
            except InputError:
                continue
            assert isinstance(fence, Geofence)


def test_a_corner_given_twice_and_a_file_with_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    path = written(tmp_path / "g.json", feature([[SQUARE[0], *SQUARE[:2], *SQUARE[1:]]]))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_geofence(path).at(13.405, 52.505) == "tunnel"
