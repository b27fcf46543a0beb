# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.geometry import Calibration, east_north
from edge.simulator import default_camera, sensors, shapes
from edge.simulator.layout import LINING_LENGTH, lining_point
from edge.simulator.motion import Motion
from edge.simulator.noise import Mottle, generator
from edge.simulator.optics import Optics
from edge.simulator.picture import Painter
from edge.simulator.route import ORIGIN, TIGHTEST_M, Route
from edge.simulator.scenario import Mark, plan
from edge.simulator.sightings import Glance, see_mark
from edge.simulator.truth import load


@given(seed=st.integers(0, 2**40), s=st.floats(0, 300), x=st.floats(0, 60), y=st.floats(-9, 9))
@settings(max_examples=60, deadline=None)
def test_the_road_and_the_vehicles_frame_are_each_others_inverse(seed: int, s: float, x: float, y: float) -> None:
    route = Route(seed, 400.0)
    place = route.place(s)
    along, across = route.from_vehicle(place, [x], [y])
    back = route.in_vehicle(place, along, across)
    assert back[0][0] == pytest.approx(x, abs=2e-3)
    assert back[1][0] == pytest.approx(y, abs=2e-3)


def test_the_road_lies_around_its_origin_and_bends_gently() -> None:
    route = Route(5, 1000.0)
    lon, lat = route.lonlat(0.0, 0.0)
    assert (lon, lat) == pytest.approx(ORIGIN, abs=1e-9)
    headings = np.unwrap([route.place(float(s)).heading_rad for s in range(1000)])
    assert np.abs(np.diff(headings)).max() < 1.25 / TIGHTEST_M
    assert np.ptp(headings) > math.radians(10)
    for s in (0.0, 500.0, 999.0):
        place, ahead = route.place(s), route.place(s + 1.0)
        east, north = east_north(*ahead.lonlat, *place.lonlat)
        assert math.degrees(math.atan2(east, north)) % 360 == pytest.approx(place.heading_deg, abs=0.6)


@pytest.mark.parametrize(
    "camera",
    [
        default_camera(),
        Calibration("other", 1280, 720, 900.0, 900.0, 640.0, 360.0, 1.6, 5.0, roll_deg=3.0, yaw_deg=-4.0),
    ],
)
def test_the_picture_of_the_ground_agrees_with_the_calibration_to_centimetres(camera: Calibration) -> None:
    """The renderer's fast map against the exact one, over the range in which defects are judged."""
    route, optics = Route(9, 600.0), Optics(camera)
    rng = generator(1, "test")
    for s in (0.0, 210.0, 480.0):
        place = route.place(s)
        ahead, across = optics.road_map(route, place)
        for v in range(optics.top + 5, camera.height, 17):
            u = int(rng.integers(0, camera.width))
            point = camera.pixel_to_road(u, v)
            if point is None or point.x_m > 30 or abs(point.y_m) > 8:
                continue
            true_s, true_t = route.from_vehicle(place, [point.x_m], [point.y_m])
            assert ahead[v - optics.top, u] == pytest.approx(true_s[0] - s, abs=0.03)
            assert across[v - optics.top, u] == pytest.approx(true_t[0], abs=0.015)


def test_a_pothole_appears_exactly_where_its_box_is() -> None:
    """The same place drawn with and without the hole: what changes is the box, to a pixel or two."""
    route, camera = Route(3, 60.0), default_camera()
    outline = shapes.blob(generator(1, "test"), 0.9, 0.7) + np.array([14.0, -2.0])
    hole = Mark("d", "pothole", "road", outline, (), look=5, depth_m=0.05)
    bare = replace(plan(3, 60.0, "street"), defects=(), decoys=(), uprights=(), crossings=())
    with_hole = replace(bare, defects=(hole,))
    place = route.place(7.0)
    views = [Painter(scenario, route, camera, 1.0).view(place) for scenario in (bare, with_hole)]
    change = np.abs(views[0].picture.astype(int) - views[1].picture.astype(int)).max(axis=2)
    glance = Glance("000000.jpg", place, views[1], views[1].picture[..., 1])
    seen = see_mark(hole, Optics(camera), route, glance)
    assert seen is not None
    rows, cols = np.nonzero(change > 25)
    assert (cols.min(), rows.min(), cols.max(), rows.max()) == pytest.approx(seen.box, abs=3.0)


def test_projection_agrees_with_the_calibration() -> None:
    camera, rng = default_camera(), generator(2, "test")
    points = rng.uniform([3, -5, 0], [40, 5, 4], (50, 3))
    pixels, depth = Optics(camera).project(*points.T)
    for point, pixel in zip(points, pixels, strict=True):
        assert camera.road_to_pixel(*point) == pytest.approx(tuple(pixel), abs=1e-6)
    assert (depth > 0).all()


def test_a_kilometre_holds_all_classes_pairs_of_potholes_and_nothing_on_top_of_each_other() -> None:
    scenario = plan(11, 1000.0, "mixed")
    road = [m for m in scenario.defects if m.surface == "road"]
    classes = Counter(m.label for m in road)
    assert 40 <= len(road) <= 80
    assert min(classes[k] for k in ("pothole", "longitudinal_crack", "transverse_crack", "alligator_crack")) >= 4
    holes = [m.centre for m in road if m.label == "pothole"]
    near = [1 for i, a in enumerate(holes) for b in holes[:i] if 2.5 < math.dist(a, b) < 3.5]
    assert len(near) >= 2
    marks = [*road, *scenario.decoys]
    for i, a in enumerate(marks):
        for b in marks[:i]:
            (a0, a1, a2, a3), (b0, b1, b2, b3) = a.extent, b.extent
            assert a0 > b1 or b0 > a1 or a2 > b3 or b2 > a3, (a.id, b.id)
    assert len({m.id for m in (*scenario.defects, *scenario.decoys)}) == len(scenario.defects) + len(scenario.decoys)


@given(seed=st.integers(0, 2**62), length=st.floats(20, 400))
@settings(max_examples=25, deadline=None)
def test_any_plan_keeps_road_defects_on_the_carriageway_and_cars_out_of_the_tunnel(seed: int, length: float) -> None:
    scenario = plan(seed, length, "mixed")
    assert scenario.tunnel is not None
    for mark in scenario.defects:
        s0, s1, t0, t1 = mark.extent
        if mark.surface == "road":
            assert -3.6 < t0 <= t1 < 3.6
        else:
            assert scenario.tunnel[0] <= s0 <= s1 <= scenario.tunnel[1] + 3
            assert 0 < t0 <= t1 < LINING_LENGTH
    assert not [u for u in scenario.uprights if scenario.in_tunnel(u.s_m)]


def test_the_lining_runs_from_the_right_wall_over_the_ceiling_to_the_left_one() -> None:
    t, z = lining_point(np.array([0.0, 2.0, LINING_LENGTH / 2, LINING_LENGTH - 2.0, LINING_LENGTH]))
    assert t.tolist() == pytest.approx([-4.7, -4.7, 0.0, 4.7, 4.7])
    assert z.tolist() == pytest.approx([0.0, 2.0, 5.0, 2.0, 0.0])


def test_a_pothole_has_exactly_the_size_that_the_truth_states() -> None:
    outline = shapes.blob(generator(4, "test"), 0.8, 0.5)
    assert np.ptp(outline, axis=0).tolist() == pytest.approx([0.8, 0.5])


def test_mottle_has_no_seam_between_tiles() -> None:
    mottle = Mottle(1, "test", 120.0, 4.0)
    both = np.vstack([mottle.field(at, 40.0, (800, 80), (0.3, 0.3, 0.3, 0.3)) for at in (0.0, 40.0)])
    steps = np.abs(np.diff(both, axis=0)).mean(axis=1)
    assert steps[799] < 3 * np.median(steps) + 1e-3


def test_a_stop_takes_its_time_and_the_drive_still_reaches_its_end() -> None:
    motion = Motion(400.0, 50 / 3.6, stop_at_m=200.0, stop_s=10.0)
    times = np.arange(0, motion.duration_s, 0.05)
    run, speed = motion.distance(times), motion.speed(times)
    assert run[0] == 0.0
    assert run[-1] == pytest.approx(400.0, abs=1.0)
    assert (np.diff(run) >= -1e-9).all()
    assert 9.5 < float((speed < 0.01).sum()) * 0.05 < 11.0
    assert np.abs(np.diff(speed)).max() < 0.05 * 1.5 * 1.6, "no jolt harder than braking"
    assert motion.duration_s == pytest.approx(400 / (50 / 3.6) + 10 + (50 / 3.6) / 1.5, abs=0.3)


@given(stop=st.floats(0.5, 199), speed=st.floats(1, 36), pause=st.floats(0, 60))
@settings(max_examples=40, deadline=None)
def test_wherever_it_stops_it_never_runs_backwards(stop: float, speed: float, pause: float) -> None:
    motion = Motion(200.0, speed, stop_at_m=stop, stop_s=pause)
    run = motion.distance(np.arange(0, motion.duration_s, 0.1))
    assert (np.diff(run) >= -1e-6).all()
    assert 0 <= run[0] < 0.5


def test_gnss_errors_have_the_size_they_state_and_last() -> None:
    """Over many drives the error in the plane is what `error_m` says, and hardly changes within a second."""
    off, stated, steps = [], [], []
    for seed in range(60):
        route, motion = Route(seed, 150.0), Motion(150.0, 10.0)
        rows = [line.split(",") for line in sensors.readings(seed, route, motion, None).track]
        here = []
        for row in rows:
            at = route.place(float(row[0]) * 10.0).lonlat
            here.append(east_north(float(row[2]), float(row[1]), *at))
            stated.append(float(row[5]))
        off += here
        steps += [math.dist(a, b) for a, b in zip(here, here[5:], strict=False)]
    root_mean_square = math.sqrt(np.mean([e * e + n * n for e, n in off]))
    assert 1.1 < root_mean_square < 1.9
    assert np.mean(stated) == pytest.approx(sensors.GNSS_ERROR_M, rel=0.05)
    assert np.median(steps) < 0.6


def test_fixes_near_the_mouth_of_a_tunnel_admit_that_they_are_worse() -> None:
    route, motion = Route(1, 300.0), Motion(300.0, 10.0)
    rows = [line.split(",") for line in sensors.readings(1, route, motion, (150.0, 200.0)).track]
    before = [float(r[5]) for r in rows if float(r[0]) < 10]
    mouth = [float(r[5]) for r in rows if 13.6 < float(r[0]) < 15.0]
    assert np.mean(mouth) > 1.5 * np.mean(before)
    first_after = min(float(r[0]) for r in rows if float(r[0]) > 15.5)
    assert first_after == pytest.approx(20.0 + sensors.REACQUIRE_S, abs=0.25)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b'{"format": 1}', b"nonsense"])
def test_a_truth_that_is_none_is_refused_in_one_line_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "truth.json").write_bytes(content)
    with pytest.raises(InputError, match=r"truth\.json") as refused:
        load(tmp_path / "truth.json")
    assert "\n" not in str(refused.value)


def test_a_truth_that_is_missing_or_of_another_format_is_refused(drive, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "truth.json")
    text = (drive.folder / "truth.json").read_text(encoding="utf-8").replace('"format":1', '"format":99', 1)
    (tmp_path / "truth.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="format"):
        load(tmp_path / "truth.json")
