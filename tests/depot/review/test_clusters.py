# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.review.clusters import MAX_FEATURES, SINGLE_ZOOM, Clusters, Grid, cluster, mercator
from depot.review.filters import Bbox

places = st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=1, max_size=60)


def _cluster(found: list[tuple[float, float]], zoom: float) -> Clusters:
    lon, lat = np.array(found, dtype=float).T
    return cluster(lon, lat, Grid.of(zoom))


@given(found=places, zoom=st.floats(0, 24))
def test_every_case_is_in_one_cluster_which_lies_among_its_cases(found: list[tuple[float, float]], zoom: float) -> None:
    made = _cluster(found, zoom)
    assert len(made.member) == len(found)
    assert made.count.sum() == len(found)
    assert np.bincount(made.member, minlength=len(made.count)).tolist() == made.count.tolist()
    for number, (lon, lat) in enumerate(zip(made.lon, made.lat, strict=True)):
        own = np.array(found)[made.member == number]
        assert own[:, 0].min() - 1e-9 <= lon <= own[:, 0].max() + 1e-9
        assert own[:, 1].min() - 1e-9 <= lat <= own[:, 1].max() + 1e-9


@given(found=places, zoom=st.integers(0, 17))
def test_at_the_zoom_that_it_names_a_cluster_falls_apart(found: list[tuple[float, float]], zoom: int) -> None:
    made = _cluster(found, zoom)
    for number in range(len(made.count)):
        own = [place for place, member in zip(found, made.member, strict=True) if member == number]
        assert made.expand_zoom[number] > zoom
        if len(own) > 1:
            assert len(_cluster(own, int(made.expand_zoom[number])).count) > 1


def test_two_neighbours_part_when_one_comes_near() -> None:
    pair = [(6.76, 51.43), (6.7605, 51.43)]  # 35 m
    assert [len(_cluster(pair, zoom).count) for zoom in (10, 14, SINGLE_ZOOM)] == [1, 1, 2]


def test_many_cases_on_one_place_stay_apart_near_by_as_long_as_they_are_not_too_many() -> None:
    assert len(_cluster([(6.76, 51.43)] * MAX_FEATURES, SINGLE_ZOOM).count) == MAX_FEATURES
    assert len(_cluster([(6.76, 51.43)] * (MAX_FEATURES + 1), SINGLE_ZOOM).count) == 1


def test_no_window_shows_more_than_the_bound() -> None:
    draw = np.random.default_rng(1)
    lon, lat = draw.uniform(6, 7, 20_000), draw.uniform(51, 52, 20_000)
    for zoom in range(25):
        assert len(cluster(lon, lat, Grid.of(zoom)).count) <= MAX_FEATURES


def test_a_cluster_stays_the_same_while_the_window_moves() -> None:
    draw = np.random.default_rng(2)
    lon, lat = draw.uniform(6, 7, 3000), draw.uniform(51, 52, 3000)
    grid = Grid.of(10)

    def shown(west: float) -> dict[tuple[float, float], int]:
        area = grid.around(Bbox(west, 51.4, west + 0.2, 51.6))
        inside = (lon >= area.west) & (lon <= area.east) & (lat >= area.south) & (lat <= area.north)
        made = cluster(lon[inside], lat[inside], grid)
        keys = zip(made.lon.round(9).tolist(), made.lat.round(9).tolist(), strict=True)
        return dict(zip(keys, made.count.tolist(), strict=True))

    first, second = shown(6.40), shown(6.43)
    common = {place for place in first if 6.43 <= place[0] <= 6.6}
    assert len(common) > 3
    assert all(second[place] == first[place] for place in common)


@pytest.mark.parametrize("zoom", [0, 3, 11, 18])
@given(west=st.floats(-180, 179), south=st.floats(-85, 84))
def test_the_grown_window_holds_the_window(zoom: int, west: float, south: float) -> None:
    window = Bbox(west, south, west + 1, south + 1)
    around = Grid.of(zoom).around(window)
    slack = 1e-6
    assert around.west <= window.west + slack
    assert around.south <= window.south + slack
    assert around.east >= min(window.east, 180) - slack
    assert around.north >= window.north - slack


def test_the_plane_is_web_mercator() -> None:
    x, y = mercator(np.array([-180.0, 0.0, 180.0]), np.array([85.051128779, 0.0, -90.0]))
    assert x.tolist() == [0, 0.5, 1]
    assert y == pytest.approx([0, 0.5, 1], abs=1e-6)
