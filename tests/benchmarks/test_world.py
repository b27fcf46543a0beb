# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's world is what it says, and its judge tells right from wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.geometry import lies
from benchmarks.geometry.chain import Run, Seen
from benchmarks.geometry.judge import judge, quantile
from benchmarks.geometry.motion import Go, Motion, Stand
from benchmarks.geometry.route import Route, bend, lonlat, straight
from benchmarks.geometry.sensors import LATENCY_S, RTK, Fitted, Live, readings
from benchmarks.geometry.things import on_road, scattered
from benchmarks.geometry.world import CAMERA, CLEAR_WAY_M, NOD_DEG, Vehicle, World, see
from edge.geometry import east_north, offset_lonlat
from edge.types import Fix, Odometry
from messages.types import ModelRef, Observation, Position, Size, Time

LONG = Motion([Go(400, 45)], start_m=-60)


def world(pieces=None, motion: Motion = LONG, **vehicle) -> World:
    return World(Route(pieces or [straight(400)]), motion, Vehicle(**vehicle), seed=1)


def test_a_bend_turns_by_its_angle_and_has_its_radius():
    route = Route([straight(50), bend(30, 90), straight(50)], heading_deg=0.0)
    assert math.degrees(float(route.heading(140)) - float(route.heading(10))) == pytest.approx(90, abs=0.5)
    east, north = route.plane(140.0)
    # Straight north, a right angle to the right: 30 m across and 30 m on, and the rest of the way eastwards.
    assert float(east) == pytest.approx(30 + (140 - 50 - 30 * math.pi / 2), abs=0.5)
    assert float(north) == pytest.approx(50 + 30, abs=0.5)


def test_left_of_the_line_is_left():
    east, north = Route([straight(100)], heading_deg=0.0).plane(10.0, 2.0)
    assert (float(east), float(north)) == pytest.approx((-2.0, 10.0), abs=1e-6)


def test_a_drive_stands_and_reverses_where_it_is_told_to():
    motion = Motion([Go(50, 30), Stand(10), Go(30, 5), Go(80, 30)])
    standing = motion.t[np.abs(motion.v) < 1e-6]
    assert float(motion.at(standing[50])[0]) == pytest.approx(50, abs=0.05)
    assert standing[-1] - standing[0] >= 9.9
    assert motion.v.min() == pytest.approx(-5 / 3.6, abs=0.01)
    assert motion.s[-1] == pytest.approx(80, abs=0.1)
    assert float(motion.rolled(motion.duration_s)) == pytest.approx(50 + 20 + 50, abs=0.3)


def test_a_box_is_where_the_calibration_puts_the_defects_edges():
    still = world(nodding=0.0)
    thing = on_road(still.route, "x", "alligator_crack", s_m=110.0, t_m=1.0, length_m=2.0, width_m=1.0)
    body = still.body(float(np.interp(100.0, still.motion.s, still.motion.t)))
    sight = see(thing, body, still.camera(body))
    assert sight is not None
    ahead = 110.0 - 100.0 - still.vehicle.antenna_forward_m
    near, far = CAMERA.road_to_pixel(ahead - 1.0, 1.0), CAMERA.road_to_pixel(ahead + 1.0, 1.0)
    assert near is not None
    assert far is not None
    assert sight.box[3] == pytest.approx(near[1], abs=1.0)
    assert sight.box[1] == pytest.approx(far[1], abs=1.0)
    assert (sight.share, sight.seen, sight.clear(CAMERA)) == (1.0, True, True)


def test_what_the_picture_cuts_is_not_in_clear_view():
    still = world(nodding=0.0)
    thing = on_road(still.route, "x", "pothole", s_m=106.5, t_m=2.8, length_m=1.0, width_m=1.0)
    body = still.body(float(np.interp(100.0, still.motion.s, still.motion.t)))
    sight = see(thing, body, still.camera(body))
    assert sight is not None
    assert 0 < sight.share < 1
    assert not sight.clear(CAMERA)


def test_clear_view_asks_for_way_and_not_for_frames():
    still = world()
    near = on_road(still.route, "near", "pothole", s_m=200.0, t_m=0.0, length_m=0.6, width_m=0.6)
    tiny = replace(on_road(still.route, "tiny", "pothole", s_m=210.0, t_m=0.0, length_m=0.05, width_m=0.05))
    assert [thing.id for thing in still.clear_things([near, tiny])] == ["near"]
    assert CLEAR_WAY_M >= 4.0


def test_the_body_nods_as_much_as_it_says_and_braking_adds_to_it():
    steady = world(motion=Motion([Go(5000, 50)], start_m=0))
    pitch = [steady.body(t).pitch_deg for t in np.arange(1.0, steady.motion.duration_s, 0.1)]
    assert np.std(pitch) == pytest.approx(NOD_DEG, rel=0.15)
    stopping = world(motion=Motion([Go(100, 50), Stand(5), Go(200, 50)]))
    brakes = [
        t
        for t in stopping.motion.t[:-1:10]
        if float(np.interp(t, stopping.motion.t[1:], np.diff(np.abs(stopping.motion.v)))) < -0.015
    ]
    assert np.mean([stopping.body(t).pitch_deg for t in brakes]) > 0.2
    assert stopping.body(0).pitch_deg != world(nodding=0.0).body(0).pitch_deg == 0.0


def test_a_receiver_errs_as_it_states_and_its_error_lasts():
    said = [readings(world(motion=Motion([Go(4000, 50)])), Fitted(), seed=seed) for seed in range(5)]
    errors = np.concatenate([one.errors for one in said])
    assert np.std(errors) == pytest.approx(1.5, rel=0.25)
    steps = np.diff(said[0].errors, axis=0)
    assert np.std(steps) < 0.5
    assert np.abs(readings(world(), RTK, seed=1).errors).max() < 0.1


def test_fixes_are_the_antennas_and_end_in_a_tunnel():
    here = world()
    said = readings(here, replace(RTK, outages=((100.0, 200.0),)), seed=1)
    fixes = [m for _, m in said.measurements if isinstance(m, Fix)]
    inside = [fix for fix in fixes if 101 < here.body(fix.time_s).s_m < 199]
    assert inside == []
    body = here.body(fixes[3].time_s)
    east, north = east_north(fixes[3].lon, fixes[3].lat, *lonlat(body.east_m, body.north_m))
    assert math.hypot(east, north) < 0.1
    rear_east, rear_north = here.route.plane(body.s_m)
    assert math.hypot(body.east_m - rear_east, body.north_m - rear_north) == pytest.approx(2.6, abs=1e-6)


def test_the_odometer_is_one_percent_long_and_falls_in_reverse():
    said = readings(world(motion=Motion([Go(200, 40), Go(150, 5)])), Fitted(), seed=1)
    metres = [m.distance_m for _, m in said.measurements if isinstance(m, Odometry)]
    assert max(metres) == pytest.approx(202.0, abs=0.3)
    assert metres[-1] == pytest.approx(max(metres) - 50.5, abs=0.5)


def test_a_live_vehicle_hears_of_nothing_before_it_has_come_in():
    said = readings(world(), Fitted(), seed=1)
    live = Live(said.measurements)
    heard = live.until(5.0)
    assert heard
    assert max(m.time_s for m in heard) <= 5.0 - LATENCY_S + 1e-9
    assert min(m.time_s for m in live.until(6.0)) > 5.0 - LATENCY_S


@pytest.mark.parametrize("name", lies.LIES)
def test_every_lie_changes_something_and_only_from_its_time_on(name: str):
    said = readings(world(motion=Motion([Go(700, 50)])), Fitted(), seed=1).measurements
    told = lies.LIES[name][1](said)
    begins = lies.OVERFLOW_M / (50 / 3.6) - 3 if name == "overflow" else lies.FROM_S
    assert [repr(m) for m in told if m[0] < begins] == [repr(m) for m in said if m[0] < begins]
    assert [repr(m) for m in told] != [repr(m) for m in said]


def _seen(name: str, thing_at: tuple[float, float], owners: tuple[str, ...]) -> Seen:
    lon, lat = lonlat(*thing_at)
    observation = Observation(
        defect_class="pothole", score=0.9, frames_seen=len(owners), time=Time(boot="b", monotonic_s=1, quality="unset"),
        model=ModelRef(name="m", version="1", sha256="0" * 64), software="s", calibration="c",
        position=Position(lon=lon, lat=lat, error_m=0.1, method="gnss"),
        size=Size(length_m=0.55, width_m=0.5, error_m=0.1),
    )  # fmt: skip
    return Seen(name, observation, owners, tuple(10.0 + n for n in range(len(owners))), (8.0,) * len(owners))


def _judged(*seen: Seen):
    here = world()
    things = [
        on_road(here.route, name, "pothole", s_m=s, t_m=0.0, length_m=0.5, width_m=0.5)
        for name, s in (("a", 100.0), ("b", 110.0))
    ]
    said = readings(here, replace(RTK, errs=0.0), seed=1)
    return judge(Run(seen=list(seen)), things, things, said), things


def test_the_judge_counts_one_observation_each_as_right():
    _, (a, b) = _judged()
    verdict, _ = _judged(
        _seen("1", (a.east_m, a.north_m), ("a", "a", "a")), _seen("2", (b.east_m + 0.4, b.north_m), ("b", "b"))
    )
    assert (len(verdict.once), verdict.repeated, verdict.phantoms, verdict.lost) == (2, 0, 0, [])
    assert sorted(p.beyond_m for p in verdict.placed) == pytest.approx([0.0, 0.4], abs=1e-3)
    assert verdict.placed[0].size_error == pytest.approx((0.1, 0.0), abs=1e-9)


def test_the_judge_sees_a_repetition_a_phantom_and_two_defects_told_as_one():
    _, (a, b) = _judged()
    at_a, at_b = (a.east_m, a.north_m), (b.east_m, b.north_m)
    twice, _ = _judged(_seen("1", at_a, ("a", "a")), _seen("2", at_a, ("a", "a")), _seen("3", at_b, ("b", "b")))
    assert (len(twice.once), twice.repeated, [t.id for t in twice.lost]) == (1, 1, ["a"])
    far, _ = _judged(_seen("1", (a.east_m + 5, a.north_m), ("a", "a")), _seen("3", at_b, ("b", "b")))
    assert (len(far.once), far.phantoms) == (1, 1)
    merged, _ = _judged(_seen("1", at_a, ("a", "a", "b")))
    assert [t.id for t in merged.lost] == ["b"]
    half, _ = _judged(_seen("1", at_a, ("a", "b")))
    assert half.phantoms == 1


def test_the_receivers_own_error_is_taken_off():
    here = world()
    thing = on_road(here.route, "a", "pothole", s_m=100.0, t_m=0.0, length_m=0.5, width_m=0.5)
    said = readings(here, Fitted(), seed=1)
    east, north = said.receiver_error((10.0, 11.0))
    seen = _seen("1", (thing.east_m + east, thing.north_m + north), ("a", "a"))
    (placed,) = judge(Run(seen=[seen]), [thing], [thing], said).placed
    assert placed.beyond_m == pytest.approx(0.0, abs=1e-3)
    assert placed.error_m == pytest.approx(math.hypot(east, north), abs=1e-3)


def test_scattered_defects_leave_road_between_them_and_are_the_same_for_a_seed():
    route = Route([straight(400)])
    one, again = (scattered(route, np.random.default_rng(3), per_km=80, from_m=0, to_m=400) for _ in range(2))
    assert len(one) >= 28
    assert [(t.label, t.s_m) for t in one] == [(t.label, t.s_m) for t in again]
    gaps = [
        math.hypot(
            max(abs(a.s_m - b.s_m) - (a.length_m + b.length_m) / 2, 0),
            max(abs(a.t_m - b.t_m) - (a.width_m + b.width_m) / 2, 0),
        )
        for i, a in enumerate(one)
        for b in one[:i]
    ]
    assert min(gaps) >= 1.0


def test_a_quantile_is_a_value_that_so_many_do_not_exceed():
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert quantile([3.0, 1.0, 2.0, 4.0], 0.95) == 4.0
    assert math.isnan(quantile([], 0.5))


def test_the_plane_and_the_earth_agree():
    lon, lat = lonlat(300.0, -200.0)
    assert offset_lonlat(6.76, 51.43, 300.0, -200.0) == (lon, lat)
