# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Areas from GeoJSON as cities publish it."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.routing.areas import AreaError, AreaIndex, digest, read
from tests.depot.routing.conftest import DISTRICTS, EAST, WEST, collection


def names(lon: float, lat: float, content: bytes = DISTRICTS) -> list[str]:
    return [area.name for area in AreaIndex(read(content)).holding(np.array([[lon, lat]]))[0]]


def test_a_place_lies_in_its_district_and_on_a_border_in_both() -> None:
    assert names(6.72, 51.42) == ["Homberg"]
    assert names(6.75, 51.42) == ["Homberg", "Mitte"]
    assert names(6.90, 51.42) == []
    assert names(math.nan, 51.42) == []


def test_holes_are_outside_and_the_parts_of_a_multipolygon_are_one_area() -> None:
    hole = [[6.71, 51.41], [6.72, 51.41], [6.72, 51.42], [6.71, 51.42], [6.71, 51.41]]
    geometry = {"type": "MultiPolygon", "coordinates": [[WEST, hole], [EAST]]}
    feature = {"type": "Feature", "properties": {"name": "Hafen"}, "geometry": geometry}
    content = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    assert names(6.715, 51.415, content) == []
    assert names(6.73, 51.43, content) == names(6.78, 51.43, content) == ["Hafen"]


def test_a_crossed_outline_is_mended() -> None:
    bow = [[6.70, 51.40], [6.72, 51.42], [6.72, 51.40], [6.70, 51.42], [6.70, 51.40]]
    assert names(6.718, 51.41, collection(("Schleife", bow))) == ["Schleife"]


def test_the_citys_own_field_names_the_area_and_its_id_is_made_of_it() -> None:
    content = collection(("egal", WEST), BEZIRK="Süd & Großenbaum", nummer=7)
    (area,) = read(content, kind="district", name_field="BEZIRK")
    assert (area.id, area.name, area.kind) == ("sued-grossenbaum", "Süd & Großenbaum", "district")


def test_another_line_gives_another_digest() -> None:
    first, second = read(DISTRICTS)
    assert digest(first.geometry) != digest(second.geometry)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff", "not JSON"),
        (b"[]", "FeatureCollection"),
        (b'{"type": "FeatureCollection", "features": [null]}', "feature 1: has no properties"),
        (collection(("", WEST)), "feature 1: has no name in the property 'name'"),
        (collection(("A", WEST), ("a", EAST)), "the id a is there twice"),
        (collection(("A", WEST), kind="zone"), "feature 1 (A): kind is district or area"),
        (collection(("A", [[345_000.0, 5_700_000.0]] * 4)), "345000.0, 5700000.0, which are no degrees"),
        (collection(("A", [[6, 51], [7, 51]])), "fewer than four points"),
        (collection(("A", [[6, 51]] * 4)), "encloses nothing"),
        (collection(("A", [["6", 51]] * 4)), "not [longitude, latitude]"),
        (collection(("A", [[10**400, 51]] * 4)), "no degrees"),
        (DISTRICTS.replace(b"Polygon", b"Point"), "feature 1 (Homberg): is no Polygon"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(content: bytes, told: str) -> None:
    with pytest.raises(AreaError, match=r"\w") as error:
        read(content)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-200, 200) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=20,
)


@given(geometry=st.fixed_dictionaries({"type": st.sampled_from(["Polygon", "MultiPolygon"]), "coordinates": JSON}))
def test_any_geometry_is_read_or_refused(geometry: dict[str, Any]) -> None:
    feature = {"type": "Feature", "properties": {"name": "A"}, "geometry": geometry}
    try:
        read(json.dumps({"type": "FeatureCollection", "features": [feature]}).encode())
    except AreaError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right


@given(content=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        read(content)
    except AreaError as error:
        assert str(error).isprintable()  # noqa: PT017 - both outcomes are right
