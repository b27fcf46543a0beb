# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pixel to road and back, road to earth and back, for any camera that a vehicle may carry."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.geometry import Calibration, east_north, metres_per_degree, offset_lonlat, to_earth
from edge.lens import Lens
from edge.types import RoadPoint

CAMERA = Calibration("c", 1280, 720, fx=1000, fy=1000, cx=640, cy=360, height_m=1.5)
ANGLE = st.floats(-30, 30)
CAMERAS = st.builds(
    Calibration,
    id=st.just("any"),
    width=st.just(1280),
    height=st.just(720),
    fx=st.floats(400, 4000),
    fy=st.floats(400, 4000),
    cx=st.floats(500, 780),
    cy=st.floats(260, 460),
    height_m=st.floats(0.3, 5),
    pitch_deg=st.floats(-10, 80),
    roll_deg=ANGLE,
    yaw_deg=st.floats(-180, 180),
    forward_m=st.floats(-10, 10),
    left_m=st.floats(-3, 3),
)
U, V = st.floats(0, 1280), st.floats(0, 720)


def with_angles(**angles: float) -> Calibration:
    return Calibration("c", 1280, 720, fx=1000, fy=1000, cx=640, cy=360, height_m=1.5, **angles)


def at(point: RoadPoint | None, x_m: float, y_m: float) -> bool:
    return point is not None and (point.x_m, point.y_m) == pytest.approx((x_m, y_m), abs=1e-9)


@given(CAMERAS, U, V)
def test_a_road_pixel_comes_back_from_the_road(camera: Calibration, u: float, v: float) -> None:
    point = camera.pixel_to_road(u, v)
    assume(point is not None)
    assume(math.hypot(point.x_m, point.y_m) < 1000)
    assert camera.road_to_pixel(point.x_m, point.y_m) == pytest.approx((u, v), abs=1e-3)


@given(CAMERAS, st.floats(-50, 50), st.floats(-50, 50))
def test_a_point_on_the_road_comes_back_from_its_pixel(camera: Calibration, x_m: float, y_m: float) -> None:
    pixel = camera.road_to_pixel(x_m, y_m)
    assume(pixel is not None)
    assume(max(map(abs, pixel)) < 1e5)
    point = camera.pixel_to_road(*pixel)
    assert point is not None
    assert (point.x_m, point.y_m) == pytest.approx((x_m, y_m), abs=1e-3)


@given(CAMERAS, U, V)
def test_only_pixels_below_the_horizon_lie_on_the_road(camera: Calibration, u: float, v: float) -> None:
    ray = camera.ray(u, v)
    slope = ray[2] / math.hypot(*ray)
    assume(abs(slope) > 1e-5)
    assert (camera.pixel_to_road(u, v) is None) == (slope > 0)


@given(CAMERAS, U, V)
def test_a_pixels_point_on_the_road_lies_on_its_ray(camera: Calibration, u: float, v: float) -> None:
    point = camera.pixel_to_road(u, v)
    assume(point is not None)
    there = (point.x_m - camera.forward_m, point.y_m - camera.left_m, -camera.height_m)
    ray = camera.ray(u, v)
    cosine = sum(a * b for a, b in zip(there, ray, strict=True)) / math.hypot(*there) / math.hypot(*ray)
    assert cosine == pytest.approx(1)


def test_a_level_camera_sees_the_road_where_the_textbook_says() -> None:
    # similar triangles: 100 pixels below the horizon at f = 1000 is 10 camera heights ahead
    assert at(CAMERA.pixel_to_road(640, 460), 15.0, 0.0)
    assert CAMERA.pixel_to_road(640, 360) is None
    assert CAMERA.road_to_pixel(-5, 0) is None


def test_pitch_above_zero_looks_down() -> None:
    assert at(with_angles(pitch_deg=45).pixel_to_road(640, 360), 1.5, 0.0)
    u, v = with_angles(pitch_deg=10).road_to_pixel(15, 0)
    assert (u, v < CAMERA.road_to_pixel(15, 0)[1]) == (640, True)


def test_what_lies_to_the_left_appears_to_the_left() -> None:
    u, v = CAMERA.road_to_pixel(15, 3)
    assert (u, v) == pytest.approx((440, 460))


def test_yaw_above_zero_looks_to_the_left() -> None:
    ahead = with_angles(yaw_deg=20, pitch_deg=10).pixel_to_road(640, 360)
    assert ahead.y_m == pytest.approx(ahead.x_m * math.tan(math.radians(20)))
    assert with_angles(yaw_deg=20).road_to_pixel(15, 0)[0] > 640


def test_roll_above_zero_tilts_the_camera_clockwise_so_the_picture_turns_the_other_way() -> None:
    tilted = with_angles(roll_deg=10)
    left, right = tilted.road_to_pixel(15, 3), tilted.road_to_pixel(15, -3)
    assert left[1] > right[1]  # in the picture the left side is lower now


def test_the_mounting_place_moves_the_road_and_not_the_picture() -> None:
    moved = Calibration("m", 1280, 720, 1000, 1000, 640, 360, 1.5, forward_m=2, left_m=-1)
    here, there = CAMERA.pixel_to_road(700, 500), moved.pixel_to_road(700, 500)
    assert (there.x_m - here.x_m, there.y_m - here.y_m) == pytest.approx((2, -1))


def test_what_stands_above_the_road_appears_above_it() -> None:
    assert CAMERA.road_to_pixel(15, 0, z_m=1.5) == pytest.approx((640, 360))  # at camera height: on the horizon


@given(CAMERAS, U, V, st.sampled_from([(640, 360), (1920, 1080), (2561, 1439)]))
def test_a_scaled_calibration_sees_the_same_road(
    camera: Calibration, u: float, v: float, size: tuple[int, int]
) -> None:
    scaled = camera.scaled(*size)
    point = camera.pixel_to_road(u, v)
    other = scaled.pixel_to_road(u * size[0] / 1280, v * size[1] / 720)
    assert (scaled.width, scaled.height) == size
    assume(point is not None)
    assume(math.hypot(point.x_m, point.y_m) < 1000)
    assert other is not None
    assert (other.x_m, other.y_m) == pytest.approx((point.x_m, point.y_m), abs=1e-3)


def test_a_calibration_for_another_shape_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'c'.*1280x720.*640x480"):
        CAMERA.scaled(640, 480)


@given(st.floats(5, 40))
def test_the_error_of_the_distance_follows_the_textbook(distance_m: float) -> None:
    # d = h / tan(a), so the error is (h + d * d / h) times the error of the angle
    u, v = CAMERA.road_to_pixel(distance_m, 0)
    expected = (1.5 + distance_m**2 / 1.5) * math.radians(CAMERA.pitch_error_deg)
    assert CAMERA.range_error_m(u, v) == pytest.approx(expected, rel=0.05)


def test_near_the_horizon_the_distance_is_not_known() -> None:
    assert CAMERA.range_error_m(640, 361) is None  # 0.06 degrees below the horizon, the mounting is good to 0.3


#: A wide camera as it is sold for vehicles: barrel distortion, glued a little askew.
BENT = replace(with_angles(pitch_deg=12), k1=-0.32, k2=0.11, p1=4e-4, p2=-6e-4, k3=-0.018)
LENSES = st.builds(
    Lens,
    k1=st.floats(-0.45, 0.3),
    k2=st.floats(-0.2, 0.25),
    p1=st.floats(-2e-3, 2e-3),
    p2=st.floats(-2e-3, 2e-3),
    k3=st.floats(-0.05, 0.05),
)


@given(LENSES, st.floats(-0.9, 0.9), st.floats(-0.6, 0.6))
def test_what_a_lens_bends_it_straightens_again(lens: Lens, x: float, y: float) -> None:
    assume(math.hypot(x, y) < 0.95 * lens.radius)  # near the turn the tangential part may tip the balance
    assert lens.straighten(*lens.bend(x, y)) == pytest.approx((x, y), abs=1e-7)


@given(LENSES, st.floats(-5, 5), st.floats(-5, 5))
def test_a_lens_answers_with_the_one_direction_that_it_holds_for_or_not_at_all(lens: Lens, x: float, y: float) -> None:
    straight = lens.straighten(x, y)
    if straight is not None:
        assert math.hypot(*straight) <= lens.radius
        assert lens.bend(*straight) == pytest.approx((x, y), abs=1e-9)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300])
def test_a_lens_has_no_direction_for_a_pixel_that_is_none(bad: float) -> None:
    assert Lens(k1=-0.3).straighten(bad, 0.0) is None
    assert BENT.pixel_to_road(bad, 500) is None


@given(st.floats(5, 40), st.floats(-4, 4))
def test_a_bent_picture_shows_the_road_where_opencv_says(x_m: float, y_m: float) -> None:
    matrix = np.array([[BENT.fx, 0, BENT.cx], [0, BENT.fy, BENT.cy], [0, 0, 1]])
    to_camera = BENT.rotation.T
    offset = -to_camera @ np.array([0, 0, BENT.height_m])
    lens = np.array([BENT.k1, BENT.k2, BENT.p1, BENT.p2, BENT.k3])
    seen, _ = cv2.projectPoints(np.array([[x_m, y_m, 0.0]]), cv2.Rodrigues(to_camera)[0], offset, matrix, lens)
    assert BENT.road_to_pixel(x_m, y_m) == pytest.approx(tuple(seen.ravel()), abs=1e-6)
    assert at(BENT.pixel_to_road(*seen.ravel()), pytest.approx(x_m, abs=1e-6), pytest.approx(y_m, abs=1e-6))


def test_beyond_the_turn_of_the_lens_there_is_no_road_and_no_pixel() -> None:
    barrel = replace(with_angles(pitch_deg=30), k1=-0.4)  # turns at sqrt(1 / 1.2) = 0.91 focal lengths, pixel 609
    assert barrel.pixel_to_road(640, 360 + 600) is not None
    assert barrel.pixel_to_road(640, 360 + 615) is None
    assert np.isnan(barrel.ray(640, 360 + 615)).all()
    beside = with_angles(pitch_deg=30).pixel_to_road(640, 360 + 1000)
    assert beside is not None
    assert barrel.road_to_pixel(beside.x_m, beside.y_m) is None


def test_a_scaled_calibration_keeps_its_lens_and_its_errors() -> None:
    stated = replace(BENT, height_error_m=0.02, focal_error_share=0.004, reprojection_px=0.4)
    half = stated.scaled(640, 360)
    assert (half.lens, half.height_error_m, half.focal_error_share) == (stated.lens, 0.02, 0.004)
    assert half.reprojection_px == pytest.approx(0.2)
    near, here = half.pixel_to_road(400, 300), stated.pixel_to_road(800, 600)
    assert (near.x_m, near.y_m) == pytest.approx((here.x_m, here.y_m))


ERRORS = {
    "pitch_error_deg": 0.2,
    "reprojection_px": 0.5,
    "mount_pitch_error_deg": 0.15,
    "mount_yaw_error_deg": 0.3,
    "mount_roll_error_deg": 0.4,
    "height_error_m": 0.03,
    "focal_error_share": 0.01,
}
MOVED_BY = {
    "mount_pitch_error_deg": "pitch_deg",
    "mount_yaw_error_deg": "yaw_deg",
    "mount_roll_error_deg": "roll_deg",
    "height_error_m": "height_m",
}


def drawn(camera: Calibration, u: float, v: float, *, count: int, rng: np.random.Generator) -> np.ndarray:
    """Where pixel (u, v) may lie: every quantity that has an error is drawn anew, `count` x 2 metres."""
    places = []
    for _ in range(count):
        off = {moved: getattr(camera, moved) + rng.normal(0, ERRORS[name]) for name, moved in MOVED_BY.items()}
        zoom = 1 + rng.normal(0, ERRORS["focal_error_share"])
        drawn_camera = replace(camera, **off, fx=camera.fx * zoom, fy=camera.fy * zoom)
        pixel = np.array([u, v]) + rng.normal(0, math.hypot(1.5, ERRORS["reprojection_px"]), 2)
        place = drawn_camera.pixel_to_road(*pixel, extra_pitch_deg=rng.normal(0, ERRORS["pitch_error_deg"]))
        places.append((place.x_m, place.y_m))
    return np.array(places)


@pytest.mark.parametrize("lens", [Lens(), Lens(BENT.k1, BENT.k2, BENT.p1, BENT.p2, BENT.k3)])
@pytest.mark.parametrize("pixel", [(640, 500), (250, 430), (1100, 650)])
def test_the_stated_error_is_the_spread_of_what_the_errors_do(lens: Lens, pixel: tuple[float, float]) -> None:
    camera = Calibration("e", 1280, 720, 1000, 1000, 640, 360, 2.0, pitch_deg=9, yaw_deg=15, roll_deg=2)
    camera = replace(camera, k1=lens.k1, k2=lens.k2, p1=lens.p1, p2=lens.p2, k3=lens.k3, **ERRORS)
    error = camera.pixel_to_road_error(*pixel, pixel_px=1.5)
    spread = np.cov(drawn(camera, *pixel, count=4000, rng=np.random.default_rng(3)).T)
    assert np.sqrt(np.linalg.eigvalsh(error.total)) == pytest.approx(np.sqrt(np.linalg.eigvalsh(spread)), rel=0.06)
    scale = np.sqrt(np.outer(np.diag(spread), np.diag(spread)))
    assert error.total / scale == pytest.approx(spread / scale, abs=0.1)


@pytest.mark.parametrize("name", [name for name in ERRORS if name not in ("pitch_error_deg", "reprojection_px")])
def test_an_error_of_the_mounting_stays_however_often_one_looks(name: str) -> None:
    exact = replace(with_angles(pitch_deg=10, roll_deg=3), pitch_error_deg=1e-9)
    without = exact.pixel_to_road_error(800, 600)
    stated = replace(exact, **{name: ERRORS[name]}).pixel_to_road_error(800, 600)
    assert np.trace(without.systematic) == 0
    assert np.trace(stated.systematic) > 1e-6
    assert stated.random == pytest.approx(without.random)


def test_the_nod_and_the_pixel_are_another_error_in_each_look() -> None:
    still = replace(with_angles(pitch_deg=10), pitch_error_deg=1e-9)
    assert np.trace(still.pixel_to_road_error(800, 600, pixel_px=0).random) < 1e-12
    for name in ("pitch_error_deg", "reprojection_px"):
        error = replace(still, **{name: ERRORS[name]}).pixel_to_road_error(800, 600, pixel_px=0)
        assert np.trace(error.random) > 1e-6
        assert np.trace(error.systematic) == 0


def test_near_the_horizon_no_error_is_stated_because_none_would_hold() -> None:
    assert CAMERA.pixel_to_road_error(640, 361) is None
    assert CAMERA.pixel_to_road_error(640, 300) is None
    assert CAMERA.pixel_to_road_error(640, 460) is not None


LON, LAT = st.floats(-180, 180), st.floats(-80, 80)
METRES = st.floats(-5000, 5000)


@given(LON, LAT, METRES, METRES)
def test_metres_east_and_north_come_back_from_the_earth(lon: float, lat: float, east_m: float, north_m: float) -> None:
    place = offset_lonlat(lon, lat, east_m, north_m)
    assert east_north(*place, lon, lat) == pytest.approx((east_m, north_m), abs=1e-5)


@given(LON, LAT, st.floats(0, 360), METRES, METRES)
def test_a_road_point_keeps_its_distance_and_bearing(
    lon: float, lat: float, heading: float, x: float, y: float
) -> None:
    assume(math.hypot(x, y) > 1)
    east, north = east_north(*to_earth(lon, lat, heading, RoadPoint(x, y)), lon, lat)
    assert math.hypot(east, north) == pytest.approx(math.hypot(x, y))
    bearing = heading - math.degrees(math.atan2(y, x))  # left is counter-clockwise
    assert math.cos(math.atan2(east, north) - math.radians(bearing)) == pytest.approx(1)


def test_ahead_of_a_vehicle_that_heads_east_is_east_and_its_left_is_north() -> None:
    lon, lat = to_earth(7.0, 51.0, 90.0, RoadPoint(10, 4))
    assert east_north(lon, lat, 7.0, 51.0) == pytest.approx((10, 4))


@pytest.mark.parametrize(
    ("lat", "east_m", "north_m"),
    [(0, 111_320, 110_574), (30, 96_486, 110_852), (45, 78_847, 111_132), (60, 55_800, 111_412), (75, 28_902, 111_618)],
)
def test_a_degree_is_as_long_as_on_the_wgs_84_ellipsoid(lat: float, east_m: float, north_m: float) -> None:
    # the published table of the ellipsoid, rounded to a metre
    assert metres_per_degree(lat) == pytest.approx((east_m, north_m), abs=1)


@given(st.floats(-60, 60), st.floats(0, 360))
def test_within_100_m_the_flat_earth_is_good_to_3_mm(lat: float, bearing: float) -> None:
    east_m, north_m = 100 * math.sin(math.radians(bearing)), 100 * math.cos(math.radians(bearing))
    lon1, lat1 = offset_lonlat(7.0, lat, east_m, north_m)
    there = _ecef(lon1, lat1)
    here = _ecef(7.0, lat)
    right = (-math.sin(math.radians(7)), math.cos(math.radians(7)), 0.0)
    east = sum((a - b) * r for a, b, r in zip(there, here, right, strict=True))
    total = math.dist(there, here)
    assert east == pytest.approx(east_m, abs=3e-3)
    assert total == pytest.approx(100, abs=3e-3)


def _ecef(lon: float, lat: float) -> tuple[float, float, float]:
    """Place on the WGS 84 ellipsoid in metres from the earth's centre: the definition, independent of the code."""
    a, b = 6_378_137.0, 6_356_752.314_245
    lon, lat = math.radians(lon), math.radians(lat)
    n = a * a / math.hypot(a * math.cos(lat), b * math.sin(lat))
    z = b * b / a / a * n * math.sin(lat)
    return n * math.cos(lat) * math.cos(lon), n * math.cos(lat) * math.sin(lon), z
