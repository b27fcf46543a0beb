# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Assignment, nod, footprint, severity: each part on its own."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge.defects.assignment import assign
from edge.defects.footprint import Base, locate
from edge.defects.matching import pair
from edge.defects.severity import grade
from edge.defects.surface_place import SurfacePlace
from messages.types import Size
from tests.defects.road import CAMERA, Thing, box_of, pose_at

ALONE = 9.0
costs = st.integers(1, 4).flatmap(
    lambda columns: st.lists(
        st.lists(st.one_of(st.floats(0, 20), st.just(math.inf)), min_size=columns, max_size=columns),
        min_size=1,
        max_size=4,
    )
)


@settings(max_examples=150, deadline=None)
@given(costs)
def test_no_other_pairing_costs_less(table: list[list[float]]):
    matrix = np.array(table)
    rows, columns = matrix.shape

    def total(pairs: dict[int, int]) -> float:
        return sum(matrix[pair] for pair in pairs.items()) + ALONE * (rows - len(pairs))

    least = min(
        total({row: column for row, column in enumerate(choice) if column >= 0})
        for choice in itertools.product(range(-1, columns), repeat=rows)
        if len({c for c in choice if c >= 0}) == sum(c >= 0 for c in choice)
    )
    assert total(assign(matrix, alone=ALONE)) == pytest.approx(least)


def test_nobody_pairs_with_nobody():
    assert assign(np.zeros((0, 3)), alone=1.0) == {}
    assert assign(np.zeros((3, 0)), alone=1.0) == {}


def looks_at(things: list[Thing], nod_deg: float = 0.0) -> list[tuple[str, SurfacePlace]]:
    camera = replace(CAMERA, pitch_deg=CAMERA.pitch_deg + nod_deg)
    found = []
    for thing in things:
        footprint = locate(
            box_of(thing, pose_at(0, 0, 0, 0, 0), camera=camera), CAMERA, max_range_m=40.0, is_round=True
        )
        found.append(("pothole", SurfacePlace.of(footprint, slack_m=0.2)))
    return found


@pytest.mark.parametrize("nod_deg", [-0.6, -0.3, 0.0, 0.3, 0.6])
def test_a_nod_that_moves_all_boxes_is_told_from_the_defects_it_moves(nod_deg: float):
    things = [Thing("pothole", x, y, 1.0, 1.0, is_round=True) for x, y in ((20, 0), (21.5, 0.2), (23, -0.2), (14, 1))]
    tracks = [(family, place.levelled(0, 0.1)) for family, place in looks_at(things)]
    pairing = pair(tracks, looks_at(things, nod_deg))
    assert pairing.matched == {0: 0, 1: 1, 2: 2, 3: 3}
    # A camera that looks further down sees all of it higher up in the picture, as if it were farther away.
    assert pairing.nod.value == pytest.approx(nod_deg / CAMERA.pitch_error_deg, abs=0.5)
    assert pairing.nod.sigma < 0.5


@settings(max_examples=60, deadline=None)
@given(
    x=st.floats(5, 20),
    y=st.floats(-3, 3),
    length=st.floats(0.3, 2.0),
    width=st.floats(0.3, 1.5),
    is_round=st.booleans(),
)
def test_a_box_gives_back_the_rectangle_or_the_ellipse_that_made_it(x, y, length, width, is_round):
    box = box_of(Thing("x", x, y, length, width, is_round=is_round), pose_at(0, 0, 0, 0, 0))
    assume(box is not None)
    assume(abs(y) + width / 2 < 0.55 * (x - length / 2))  # all of it in the picture
    footprint = locate(box, CAMERA, max_range_m=30.0, is_round=is_round)
    assert (footprint.x_m, footprint.y_m) == pytest.approx((x, y), abs=0.04)
    assert 2 * footprint.half_length_m == pytest.approx(length, abs=0.03)
    assert 2 * footprint.half_width_m == pytest.approx(width, abs=0.05)
    assert not footprint.cut


def test_the_error_of_a_look_grows_with_the_square_of_the_distance_along_the_line_of_sight():
    def spread(x: float) -> np.ndarray:
        (_, place) = looks_at([Thing("pothole", x, 0, 1.0, 1.0, is_round=True)])[0]
        return np.sqrt(np.diag(place.levelled(0, 1).spread))

    near, far = spread(7.0), spread(21.0)
    assert 6 < far[0] / near[0] < 9
    assert far[1] / near[1] < 4


def test_a_camera_that_was_mounted_askew_draws_far_looks_away_and_near_ones_bring_them_back():
    biased = replace(CAMERA, mount_pitch_error_deg=0.5)
    askew = replace(CAMERA, pitch_deg=CAMERA.pitch_deg + 0.5)

    def seen_from(way_m: float) -> SurfacePlace:
        pose = pose_at(0, way_m, 0, 0, way_m)
        box = box_of(Thing("pothole", 22, 0, 1.0, 1.0, is_round=True), pose, camera=askew)
        footprint = locate(box, biased, max_range_m=40.0, is_round=True)
        return SurfacePlace.of(footprint.placed(Base.of(pose)), slack_m=0.2)

    far = replace(seen_from(0.0), spread=0.01 * np.eye(2), nod=np.zeros(2))  # as after many looks
    near = seen_from(16.0).levelled(0, 1)
    assert far.x_m - near.x_m > 1.5
    assert far.cost(near) is not None
    assert far.joined(near).x_m == pytest.approx(22, abs=0.3)
    surely_straight = replace(far, systematic=near.systematic)
    assert surely_straight.cost(near) is None


def test_a_footprint_turns_with_the_vehicle():
    box = box_of(Thing("pothole", 12, 2, 1.0, 0.4, is_round=True), pose_at(0, 0, 0, 0, 0))
    seen = locate(box, CAMERA, max_range_m=30.0, is_round=True)
    placed = seen.placed(Base(100.0, 50.0, 90.0))
    assert (placed.x_m, placed.y_m) == pytest.approx((100 - seen.y_m, 50 + seen.x_m))
    assert (placed.yaw_deg, placed.half_length_m) == (90.0, seen.half_length_m)
    assert placed.spread[1, 1] == pytest.approx(seen.spread[0, 0])
    assert placed.nod == pytest.approx([-seen.nod[1], seen.nod[0]])
    assert Base(100.0, 50.0, 90.0).seen(placed.x_m, placed.y_m) == pytest.approx((seen.x_m, seen.y_m))


@pytest.mark.parametrize(
    ("label", "surface", "extent", "wanted"),
    [
        ("pothole", "road", 0.7, (4, "wegewart-1")),
        ("crack", "road", 3.0, (2, "wegewart-1")),
        ("crack", "lining", 3.0, (3, "wegewart-tunnel-1")),
        ("longitudinal_crack", "lining", 3.0, (3, "wegewart-tunnel-1")),
        ("spalling", "lining", 0.05, (2, "wegewart-tunnel-1")),
        ("spalling", "road", 1.0, (5, "wegewart-tunnel-1")),
        ("exposed_rebar", "lining", 0.1, (3, "wegewart-tunnel-1")),
        ("water_leakage", "lining", 0.3, (2, "wegewart-tunnel-1")),
        ("efflorescence", "lining", 40.0, (4, "wegewart-tunnel-1")),
        ("corrosion", "lining", 0.1, (1, "wegewart-tunnel-1")),
        ("pothole", "lining", 1.0, None),
        ("manhole", "road", 1.0, None),
    ],
)
def test_the_grade_follows_the_written_rule(label, surface, extent, wanted):
    told = grade(label, Size(length_m=0.01, width_m=extent, error_m=0.1), surface)
    assert wanted == (None if told is None else (told.grade, told.rule))
    assert grade(label, None, surface) is None
