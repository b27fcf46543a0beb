# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from edge.geometry import east_north
from edge.positioning.estimator import Estimator
from edge.positioning.history import Limits, Node, Place
from edge.positioning.mounting import Mounting
from edge.positioning.odom import Odom
from edge.positioning.smoothing import Smoothing
from edge.positioning.states import STATES, E, N
from edge.types import Correction, Measurement, Odometry, Pose
from tests.positioning.roads import Fitted, Road, poses_along, winding

WITHIN_95 = 2.448
RTK = 0.02


def node(time_s: float, way_m: float, x: np.ndarray) -> Node:
    place = Place(float(x[E]) / 111_319.49, float(x[N]) / 110_574.28, 1.0, 0.0, 0.1)
    return Node(time_s, Odom(way_m, 0.0, 0.0, way_m), 1.0, 1.0, 0.0, 0.0, place, time_s, time_s)


@pytest.mark.parametrize(
    ("every", "most"), [(1, 99), (3, 99), (1, 4)], ids=["each step kept", "few steps kept", "steps merged"]
)
def test_looking_back_gives_what_all_measurements_together_say(
    every: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against the joint normal distribution of all states, conditioned on all measurements at once."""
    monkeypatch.setattr("edge.positioning.smoothing._STEPS", most)
    rng = np.random.default_rng(7)
    smoothing = Smoothing(mounting=Mounting(), limits=Limits(), gap_s=2.0, gap_m=30.0)
    p = np.diag(rng.uniform(0.5, 2, STATES)) * 1e-4
    x, start_p = np.zeros(STATES), p
    # Everything in terms of the first state and all noises: rows of `basis` are the states' dependence on them.
    size = STATES * 13
    basis, prior = np.eye(STATES, size), np.zeros((size, size))
    prior[:STATES, :STATES] = p
    seen, values, noises = [], [], []
    smoothing.fix_believed(node(0.0, 0.0, x), p, 1e-6)
    for step in range(1, 13):
        f = np.eye(STATES) + 0.1 * rng.normal(size=(STATES, STATES))
        q = np.diag(rng.uniform(0.01, 0.1, STATES)) * 1e-4
        x, p, basis = f @ x, f @ p @ f.T + q, f @ basis
        smoothing.predicted(f)
        basis[:, STATES * step : STATES * (step + 1)] += np.eye(STATES)
        prior[STATES * step : STATES * (step + 1), STATES * step : STATES * (step + 1)] = q
        if step > 4:
            h, r = rng.normal(size=(2, STATES)), np.diag([0.3, 0.2]) * 1e-4
            weight, z = np.linalg.inv(h @ p @ h.T + r), 0.01 * rng.normal(size=2)
            gain, gap = p @ h.T @ weight, z - h @ x
            x, p = x + gain @ gap, p - gain @ h @ p
            smoothing.corrected(h, weight, gap, gain)
            seen.append(h @ basis)
            values.append(z)
            noises.append(r)
        if step >= 10:
            smoothing.fix_believed(node(10.0 * step, 5.0 * step, x), p, 1e-6)
        elif step % every == 0:
            smoothing.moved(node(10.0 * step, 5.0 * step, x), p)
    (correction,) = smoothing.take()
    rows, z, r = np.vstack(seen), np.concatenate(values), np.zeros((16, 16))
    for index, noise in enumerate(noises):
        r[2 * index : 2 * index + 2, 2 * index : 2 * index + 2] = noise
    gain = prior @ rows.T @ np.linalg.inv(rows @ prior @ rows.T + r)
    expected = (gain @ z)[:STATES]
    left = (prior - gain @ rows @ prior)[:2, :2]
    pose = correction.pose_at(0.0)
    assert pose.lon is not None
    assert pose.lat is not None
    assert east_north(pose.lon, pose.lat, 0.0, 0.0) == pytest.approx(expected[[E, N]], rel=1e-2)
    assert pose.error_m == pytest.approx(math.sqrt(np.linalg.eigvalsh(left)[-1]), rel=1e-6)
    assert left[0, 0] < 0.95 * start_p[0, 0]


class Tunnel:
    """A drive through a tunnel: poses as given live inside, and the corrections."""

    def __init__(self, fitted: Fitted, *, road: Road | None = None, readings: list[Measurement] | None = None) -> None:
        (enter, leave), self.corrections = fitted.tunnel, list[Correction]()
        self.road = road or winding(fitted.seed, leave + 300)
        self.estimator = Estimator()
        readings = readings or fitted.readings(self.road)
        live = poses_along(
            self.estimator, readings, every_s=0.5, then=lambda: self.corrections.extend(self.estimator.corrections())
        )
        self.live = [pose for pose in live if enter < self.road.at("rolled", pose.time_s) < leave]

    def after(self) -> list[Pose]:
        (correction,) = self.corrections
        return [correction.pose_at(pose.time_s) for pose in self.live]

    def honest(self, poses: list[Pose]) -> float:
        return float(np.mean([self.road.error_m(pose) <= WITHIN_95 * (pose.error_m or 0) for pose in poses]))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("error_m", "middle_m"), [(1.5, 3.0), (RTK, 1.0)])
def test_a_kilometre_of_tunnel_is_good_to_a_percent_live_and_to_three_metres_afterwards(
    seed: int, error_m: float, middle_m: float
) -> None:
    tunnel = Tunnel(Fitted(seed=seed, error_m=error_m, tunnel=(900, 1900)))
    assert max(tunnel.road.error_m(pose) for pose in tunnel.live) < 12.0
    after = tunnel.after()
    middle = [p for p in after if 1350 < tunnel.road.at("rolled", p.time_s) < 1450]
    assert max(tunnel.road.error_m(pose) for pose in middle) < middle_m
    assert max(tunnel.road.error_m(pose) for pose in after) < 2 * middle_m
    assert {pose.method for pose in after} == {"dead_reckoned"}
    assert tunnel.honest(tunnel.live) >= 0.9
    assert tunnel.honest(after) >= 0.9
    assert tunnel.estimator.corrections() == []


def test_a_correction_covers_the_stretch_from_the_last_fix_to_the_next_and_keeps_the_odometer_frame() -> None:
    tunnel = Tunnel(Fitted(tunnel=(300, 600)))
    (correction,) = tunnel.corrections
    assert correction.start_s == pytest.approx(tunnel.road.when(300), abs=0.3)
    assert correction.end_s == pytest.approx(tunnel.road.when(600) + 1.6, abs=0.3)
    for live, after in zip(tunnel.live, tunnel.after(), strict=True):
        apart = math.hypot(live.odom_x_m - after.odom_x_m, live.odom_y_m - after.odom_y_m)
        assert apart < 0.1
        assert live.odom_yaw_deg == pytest.approx(after.odom_yaw_deg, abs=0.5)
        assert after.distance_m == pytest.approx(live.distance_m, abs=0.1)


def test_an_odometer_that_goes_wrong_in_the_tunnel_is_corrected_though_the_gate_refuses_the_exit() -> None:
    """Tyres are changed, wheels slip: 10 % more than ever before, more than any covariance foresees."""
    fitted = Fitted(seed=1, error_m=RTK, tunnel=(900, 1900))
    road = winding(1, 2200)
    enter_s, readings, added, before = road.when(905), [], 0.0, None
    for reading in fitted.readings(road):
        if isinstance(reading, Odometry):
            if before is not None and reading.time_s > enter_s:
                added += 0.1 * (reading.distance_m - before)
            before = reading.distance_m
            readings.append(Odometry(reading.time_s, reading.distance_m + added, reading.yaw_rate_dps))
        else:
            readings.append(reading)
    tunnel = Tunnel(fitted, road=road, readings=readings)
    assert tunnel.estimator.counts["restarted"] == 1
    assert max(road.error_m(pose) for pose in tunnel.live) > 80
    after = tunnel.after()
    assert max(road.error_m(pose) for pose in after) < 25
    assert tunnel.honest(after) >= 0.9


def test_after_fixes_from_quite_elsewhere_nothing_is_said_of_the_way_there() -> None:
    fitted = Fitted(error_m=RTK, tunnel=(300, 600))
    road = winding(0, 900)
    moved = [
        Odometry(r.time_s, r.distance_m, r.yaw_rate_dps)
        if isinstance(r, Odometry)
        else type(r)(r.time_s, r.lon + (0.1 if r.time_s > road.when(500) else 0), r.lat, r.error_m, r.heading_deg)
        for r in fitted.readings(road)
    ]
    tunnel = Tunnel(fitted, road=road, readings=moved)
    assert tunnel.estimator.counts["restarted"] == 1
    assert tunnel.corrections == []


def test_while_fixes_come_there_is_nothing_to_correct() -> None:
    estimator = Estimator()
    poses_along(estimator, Fitted().readings(winding(0, 300)))
    assert estimator.corrections() == []


def test_a_traffic_jam_in_a_tunnel_costs_no_memory_and_stands_still_afterwards() -> None:
    t = np.arange(0, 1000, 0.01)
    speed = np.interp(t, [0, 5, 95, 100, 880, 885, 1000], [0, 10, 10, 0, 0, 10, 10])
    road = Road(speed, np.zeros_like(t))
    tunnel = Tunnel(Fitted(tunnel=(700, 1600), odometer_hz=4), road=road)
    (correction,) = tunnel.corrections
    standing = [correction.pose_at(s) for s in np.arange(102.0, 879.0, 7.0)]
    assert max(abs(p.distance_m - standing[0].distance_m) for p in standing) < 0.05
    places = [(p.lon, p.lat) for p in standing]
    assert np.ptp(np.array(places), axis=0).max() * 111_000 < 0.2
    assert tunnel.honest(tunnel.after()) >= 0.9


def test_ten_kilometres_at_walking_pace_fit_into_bounded_memory() -> None:
    t = np.arange(0, 7600, 0.01)
    speed = np.where(t < 150, np.clip(t, 0, 10), 1.4)
    road = Road(speed, speed * np.sin(np.cumsum(speed) * 0.01 / 200) / 300)
    fitted = Fitted(tunnel=(1500, 11_500), odometer_hz=2, hz=0.5)
    longest = 0

    estimator = Estimator()

    def watch() -> None:
        nonlocal longest
        longest = max(longest, len(estimator._smoothing._steps))

    live = poses_along(estimator, fitted.readings(road), every_s=20.0, then=watch)
    assert 2000 < longest <= 4096
    # Two hours of a cheap gyro lose the heading: then nothing is said, neither live nor afterwards.
    assert estimator.counts["not_smoothed"] == 1
    assert estimator.corrections() == []
    known = [pose for pose in live if pose.error_m is not None]
    assert len(known) < len(live) - 100
    assert np.mean([road.error_m(p) <= WITHIN_95 * (p.error_m or 0) for p in known]) >= 0.9
