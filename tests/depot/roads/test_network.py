# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.roads.importing import Mapping, build
from depot.roads.network import RoadNetwork, Roads
from depot.store.database import Database
from tests.depot.roads.samples import CITY, at, import_roads, street


def city() -> RoadNetwork:
    return RoadNetwork(build(CITY, Mapping()).roads)


def name_at(network: RoadNetwork, east_m: float, north_m: float, heading_deg: float | None = None) -> str | None:
    road = network.nearest(*at(east_m, north_m), heading_deg=heading_deg)
    return None if road is None else road.name


def test_a_place_belongs_to_the_nearest_road_within_reach() -> None:
    network = city()
    assert name_at(network, 50, 10) == "Langstraße"
    assert name_at(network, 50, 26) is None
    assert name_at(network, 192, 90) == "Querweg"


def test_at_a_crossing_the_heading_decides_and_both_directions_of_a_road_fit() -> None:
    network = city()
    assert name_at(network, 201, 6, heading_deg=88) == "Langstraße"
    assert name_at(network, 201, 6, heading_deg=268) == "Langstraße"
    assert name_at(network, 204, 1, heading_deg=2) == "Querweg"
    assert name_at(network, 204, 1, heading_deg=359) == "Querweg"


def test_a_road_across_is_better_than_none() -> None:
    assert name_at(city(), 50, 5, heading_deg=0) == "Langstraße"


def test_without_roads_nothing_is_found() -> None:
    assert RoadNetwork([]).nearest(6.7, 51.4) is None


@given(east_m=st.floats(0, 400), off_m=st.floats(-20, 20))
def test_chainage_and_distance_are_those_on_the_ground(east_m: float, off_m: float) -> None:
    network = RoadNetwork(build(CITY[:1], Mapping()).roads)
    found = network.locate(np.array([at(east_m, off_m)]))
    assert found.chainage_m[0] == pytest.approx(east_m, abs=0.05)
    assert found.distance_m[0] == pytest.approx(abs(off_m), abs=0.05)


@given(
    places=st.lists(st.tuples(st.floats(-20, 420), st.floats(-120, 220)), min_size=1, max_size=20),
    heading=st.floats(0, 359.9),
)
def test_many_places_at_once_are_each_found_as_alone(places: list[tuple[float, float]], heading: float) -> None:
    network = city()
    lon_lat = np.array([at(*place) for place in places])
    together = network.locate(lon_lat, np.full(len(places), heading))
    for number, place in enumerate(lon_lat):
        alone = network.nearest(*place.tolist(), heading_deg=heading)
        there = together.road[number]
        assert alone == (None if there < 0 else network.roads[there])


def test_a_part_of_a_road_is_cut_where_it_is_asked_for() -> None:
    network = RoadNetwork(build([street("A", (0, 0), (100, 0), (100, 50))], Mapping()).roads)
    (line,) = network.part(0, 80.0, 120.0)
    wanted = [at(80, 0), at(100, 0), at(100, 20)]
    assert np.allclose(line, wanted, atol=2e-6)


def test_the_network_is_read_anew_only_after_an_import(database: Database) -> None:
    holder = Roads()
    import_roads(database)
    with database.reading() as connection:
        first = holder.current(connection)
        assert [road.name for road in first.roads] == ["Langstraße", "Querweg", "Fernstraße"]
        assert holder.current(connection) is first
    import_roads(database, CITY[:1])
    with database.reading() as connection:
        second = holder.current(connection)
    assert [road.name for road in second.roads] == ["Langstraße"]
    assert second.version == first.version + 1
