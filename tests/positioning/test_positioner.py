# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Poses along known lines: drives with truth through tunnels, and bad input."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.positioning.estimator import Estimator
from edge.positioning.line import Line, LineLandmark
from edge.positioning.line_course import Course, LineSettings, Start
from edge.positioning.line_filter import Along
from edge.positioning.line_matcher import Matcher
from edge.positioning.positioner import Positioner
from edge.types import Acceleration, Correction, Fix, Landmark, Measurement, Odometry, Pose
from tests.positioning.lines import line, lonlat
from tests.positioning.rail_drives import Driven, Rail, RailDrive, driven

BENDS = ((300, math.inf), (200, 300), (500, math.inf))
TUNNEL = (800.0, 1_800.0)


def rail(*, stations: tuple[float, ...] = (), tags: tuple[float, ...] = (), tunnel_m: float = 1_000.0) -> Rail:
    """800 m in the open, a tunnel with a bend, 600 m in the open."""
    legs = [(800, math.inf), *(BENDS * max(1, round(tunnel_m / 1_000))), (600, math.inf)]
    return Rail(legs, (800.0, 800.0 + tunnel_m), stations=stations, tags=tags)


@pytest.fixture(scope="module")
def plain() -> Driven:
    return driven(RailDrive(rail(), seed=1))


@pytest.fixture(scope="module")
def stopping() -> Driven:
    return driven(RailDrive(rail(stations=(1_100, 1_500)), seed=2))


def median(values: list[float]) -> float:
    assert values
    return float(np.median(values))


# ---- figures


def test_a_kilometre_of_tunnel_is_lost_by_less_than_the_odometer_and_put_right_at_its_end() -> None:
    last, middle = [], []
    for seed in range(4):
        result = driven(RailDrive(rail(), seed=seed))
        inside = result.between(830, 1_795)
        assert {pose.method for pose in inside} == {"line"}
        last.append(abs(result.along_m(inside[-1])))
        middle += [result.error_m(result.corrected(pose)) for pose in result.between(1_250, 1_350)]
    assert max(last) < 12.0  # 1.2 % of the way
    assert median(middle) < 3.0


def test_errors_are_honest_before_and_after_the_correction(plain: Driven, stopping: Driven) -> None:
    for result in (plain, stopping):
        given = [pose for pose in result.between(830, 1_800) if pose.method == "line"]
        for poses in (given, [result.corrected(pose) for pose in given]):
            inside = [result.error_m(pose) <= 2.45 * (pose.error_m or 0.0) for pose in poses]
            assert np.mean(inside) >= 0.95
            # Nor are they stated so large that nothing could be wrong.
            assert median([pose.error_m or math.inf for pose in poses]) < 8.0


def test_station_stops_keep_a_long_tunnel_known() -> None:
    stations = (1_300.0, 2_000.0, 2_700.0, 3_300.0)
    without = driven(RailDrive(rail(tunnel_m=3_000, stations=stations), seed=3, end_m=3_700))
    known = without.drive.rail.line()
    bare = driven(without.drive, lines=[replace(known, landmarks=())])
    assert without.positioner.counts["station_stop"] == 4
    stop, bare_stop = (r.between(3_650, 3_695)[-1] for r in (without, bare))
    assert stop.line is not None
    assert bare_stop.line is not None
    assert abs(without.along_m(stop)) < 3 * stop.line.error_m < 30
    assert stop.line.error_m < bare_stop.line.error_m / 1.5


def test_tags_keep_a_tunnel_known_to_metres() -> None:
    result = driven(RailDrive(rail(tags=tuple(range(900, 1_800, 300))), seed=4))
    assert result.positioner.counts["landmark_passed"] == 3
    inside = result.between(950, 1_800)
    assert max(abs(result.along_m(pose)) for pose in inside) < 8.0
    assert median([result.error_m(result.corrected(pose)) for pose in inside]) < 1.5


# ---- what a pose says


def test_in_the_open_the_fixes_say_where_and_the_line_says_where_on_it(plain: Driven) -> None:
    open_air = plain.between(300, 780)
    for pose in open_air:
        assert pose.method == "gnss"
        assert pose.line is not None
        assert pose.line.line == "U79"
        assert pose.line.forward
        assert not pose.line.in_tunnel
        assert abs(plain.along_m(pose)) < 3 * pose.line.error_m + 1
    tunnel = plain.between(830, 1_780)
    assert all(pose.line and pose.line.in_tunnel for pose in tunnel)


def test_against_the_chainage_it_falls_and_the_vehicle_faces_the_other_way() -> None:
    drive = RailDrive(rail(), seed=5)
    known = drive.rail.line()
    total = drive.rail.way[-1]
    turned = Line(
        "U79",
        known.points[::-1],
        tuple(total - c for c in known.chainages[::-1]),
        None,
        tuple((total - b, total - a) for a, b in known.tunnels),
    )
    result = driven(drive, lines=[turned])
    inside = result.between(850, 1_780)
    chainages = [pose.line.chainage_m for pose in inside if pose.line]
    assert len(chainages) == len(inside)
    assert all(b < a for a, b in pairwise(chainages))
    assert not any(pose.line.forward for pose in inside if pose.line)
    for pose in inside:
        heading = math.degrees(drive.rail.at(drive.truth(pose.time_s)[0])[2])
        assert abs(math.remainder((pose.heading_deg or 0) - heading, 360)) < 12


def test_the_odometer_frame_is_the_estimator_s() -> None:
    drive = RailDrive(rail(), seed=6, end_m=1_900)
    estimator, positioner = Estimator(), Positioner(Estimator(), [drive.rail.line()])
    due = 1.0
    for measurement in RailDrive(rail(), seed=6, end_m=1_900).measurements():
        while measurement.time_s > due:
            a, b = estimator.pose_at(due), positioner.pose_at(due)
            assert (a.odom_x_m, a.odom_y_m, a.odom_yaw_deg) == (b.odom_x_m, b.odom_y_m, b.odom_yaw_deg)
            assert (a.distance_m, a.speed_mps) == (b.distance_m, b.speed_mps)
            due += 1.0
        estimator.add(measurement)
        positioner.add(measurement)


def test_without_lines_it_is_the_estimator() -> None:
    estimator, positioner = Estimator(), Positioner(Estimator())
    for measurement in RailDrive(rail(), seed=6, end_m=1_900).measurements():
        estimator.add(measurement)
        positioner.add(measurement)
    for time_s in np.arange(0, 200, 7.3):
        assert estimator.pose_at(time_s) == positioner.pose_at(time_s)
    theirs, ours = estimator.corrections(), positioner.corrections()
    assert [(c.start_s, c.end_s) for c in theirs] == [(c.start_s, c.end_s) for c in ours]
    assert positioner.counts == estimator.counts


# ---- corrections


def test_a_stretch_is_corrected_at_known_points_and_as_a_whole_when_fixes_return(stopping: Driven) -> None:
    reasons = [correction.reason for correction in stopping.corrections]
    assert reasons == ["known_point", "known_point", "fix_returned"]
    first, second, whole = stopping.corrections
    assert first.end_s == pytest.approx(second.start_s, abs=0.01)
    assert whole.start_s == pytest.approx(first.start_s, abs=0.01)
    tunnel = [pose for pose in stopping.poses if pose.method == "line"]
    assert whole.start_s < tunnel[0].time_s
    assert tunnel[-1].time_s < whole.end_s


def test_a_corrected_pose_keeps_the_motion_that_was_given(stopping: Driven) -> None:
    whole = stopping.corrections[-1]
    for pose in stopping.poses:
        # Slip within the half second between two kept states is not seen.
        if whole.start_s < pose.time_s < whole.end_s:
            corrected = whole.pose_at(pose.time_s)
            assert corrected.time_s == pose.time_s
            assert math.hypot(corrected.odom_x_m - pose.odom_x_m, corrected.odom_y_m - pose.odom_y_m) < 0.5
            assert corrected.distance_m == pytest.approx(pose.distance_m, abs=0.5)
            assert corrected.line is not None
            assert corrected.method == "line"


class Scripted:
    """An estimator that drives straight ahead and says what it is told to: places off by `wrong` metres ahead."""

    def __init__(
        self,
        *,
        gnss: list[tuple[float, float]],
        error_m: float | None = 50.0,
        way: Callable[[float], float] = lambda time_s: 10.0 * time_s,
        wrong: Callable[[float], float] = lambda time_s: 0.0,
    ) -> None:
        self.way, self._wrong = way, wrong
        self.counts: Counter[str] = Counter()
        self.ready: list[Correction] = []
        self._gnss = gnss
        self._error_m = error_m

    def add(self, measurement: Measurement) -> None:
        pass

    def pose_at(self, time_s: float) -> Pose:
        way = self.way(time_s)
        pose = Pose(time_s, way, 0.0, 0.0, way, 10.0)
        place = lonlat(0.0, way + self._wrong(time_s))
        if any(start <= time_s <= end for start, end in self._gnss):
            return replace(pose, lon=place[0], lat=place[1], error_m=1.0, heading_deg=0.0, method="gnss")
        if self._error_m is None:
            return pose
        return replace(pose, lon=place[0], lat=place[1], error_m=self._error_m, heading_deg=0.0, method="dead_reckoned")

    def corrections(self) -> list[Correction]:
        ready, self.ready = self.ready, []
        return ready


STRAIGHT = line([(3_000, math.inf)], heading=0)


def straight_drive(positioner: Positioner, scripted: Scripted, end_s: float, start_s: float = 0.0) -> None:
    for time_s in np.arange(start_s, end_s, 0.5).tolist():
        positioner.add(Odometry(time_s, scripted.way(time_s)))
        if scripted.pose_at(time_s).method == "gnss":
            positioner.add(Fix(time_s, *lonlat(0, 10 * time_s), 1.0))


def correction(scripted: Scripted, start_s: float, end_s: float) -> Correction:
    return Correction(start_s, end_s, scripted.pose_at)


def test_of_the_estimator_s_corrections_only_what_no_line_corrected_is_given() -> None:
    scripted = Scripted(gnss=[(0, 20), (60, 99)])
    positioner = Positioner(scripted, [STRAIGHT])
    straight_drive(positioner, scripted, 70)
    scripted.ready = [correction(scripted, 2, 70)]
    found = [(c.start_s, c.end_s) for c in positioner.corrections()]
    assert found == [(20.0, 60.0), (2, 20.0), (60.0, 70)]
    assert positioner.corrections() == []


def test_the_estimator_s_correction_waits_while_the_line_may_still_correct() -> None:
    scripted = Scripted(gnss=[(0, 20), (60, 99)])
    positioner = Positioner(scripted, [STRAIGHT])
    straight_drive(positioner, scripted, 50)
    scripted.ready = [correction(scripted, 1, 12), correction(scripted, 20, 45)]
    assert [(c.start_s, c.end_s) for c in positioner.corrections()] == [(1, 12)]
    straight_drive(positioner, scripted, 70, start_s=50)
    assert [(c.start_s, c.end_s) for c in positioner.corrections()] == [(20.0, 60.0)]


def test_the_estimator_s_correction_is_given_once_the_line_was_left() -> None:
    scripted = Scripted(gnss=[(0, 20)])
    short = line([(300, math.inf)], heading=0)
    positioner = Positioner(scripted, [short])
    straight_drive(positioner, scripted, 28)
    scripted.ready = [correction(scripted, 20, 27)]
    assert positioner.corrections() == []
    straight_drive(positioner, scripted, 40, start_s=28)
    assert positioner.counts["line_end_passed"] == 1
    assert [(c.start_s, c.end_s) for c in positioner.corrections()] == [(20, 27)]
    assert positioner.pose_at(39.0).line is None
    assert positioner.pose_at(39.0).method == "dead_reckoned"


@pytest.mark.parametrize(("error_m", "method"), [(0.4, "dead_reckoned"), (30.0, "line"), (None, "line")])
def test_without_fixes_the_better_of_line_and_estimator_says_where(error_m: float | None, method: str) -> None:
    scripted = Scripted(gnss=[(0, 20)], error_m=error_m)
    positioner = Positioner(scripted, [STRAIGHT])
    straight_drive(positioner, scripted, 30)
    pose = positioner.pose_at(29.0)
    assert pose.method == method
    assert pose.line is not None
    assert pose.line.chainage_m == pytest.approx(290, abs=3)


def test_a_short_gap_that_the_estimator_bridges_better_is_left_to_it() -> None:
    scripted = Scripted(gnss=[(0, 20), (24, 99)], error_m=0.4)
    positioner = Positioner(scripted, [STRAIGHT])
    straight_drive(positioner, scripted, 30)
    scripted.ready = [correction(scripted, 20, 24)]
    (only,) = positioner.corrections()
    assert (only.start_s, only.end_s) == (20, 24)
    corrected = only.pose_at(22.0)
    assert corrected.method == "dead_reckoned"
    assert corrected.line is not None
    assert corrected.line.chainage_m == pytest.approx(220, abs=3)


# ---- fixes that do not fit


def test_one_fix_far_ahead_changes_nothing_and_several_that_agree_win() -> None:
    scripted = Scripted(gnss=[(0, 99)], wrong=lambda t: 60.0 if t == 20.0 or t >= 30 else 0.0)
    positioner = Positioner(scripted, [STRAIGHT])
    straight_drive(positioner, scripted, 25)
    place = positioner.pose_at(24.5).line
    assert place is not None
    assert place.chainage_m == pytest.approx(245, abs=2)
    assert (positioner.counts["line_fix_refused"], positioner.counts["line_restarted"]) == (1, 0)
    straight_drive(positioner, scripted, 40, start_s=25)
    place = positioner.pose_at(39.5).line
    assert place is not None
    assert place.chainage_m == pytest.approx(395 + 60, abs=3)
    assert positioner.counts["line_restarted"] == 1


def test_a_station_stop_that_returning_fixes_prove_wrong_is_undone_backwards() -> None:
    # Stands at 500 before a signal, which is taken for the station at 560; fixes come back at 700.
    def way(time_s: float) -> float:
        return 10.0 * min(time_s, 10.0) + 10.0 * max(0.0, time_s - 25.0)

    known = replace(STRAIGHT, landmarks=(LineLandmark("halt", 560.0, "station", 0.5),))
    scripted = Scripted(gnss=[(45, 99)], error_m=None, way=lambda t: 400.0 + way(t))
    start = Start("U79", 400.0, error_m=30.0)
    positioner = Positioner(scripted, [known], settings=LineSettings(start=start))
    straight_drive(positioner, scripted, 44)
    wrong = positioner.pose_at(43.0).line
    assert wrong is not None
    assert wrong.chainage_m == pytest.approx(680 + 60, abs=2)
    positioner.corrections()
    straight_drive(positioner, scripted, 55, start_s=44)
    assert positioner.counts["stop_withdrawn"] == 1
    (whole,) = positioner.corrections()
    assert whole.reason == "fix_returned"
    for time_s in (5.0, 20.0, 43.0):
        place = whole.pose_at(time_s).line
        assert place is not None
        assert place.chainage_m == pytest.approx(scripted.way(time_s), abs=3)


def test_standing_does_not_make_a_fix_better() -> None:
    scripted = Scripted(gnss=[(0, 999)], way=lambda t: 10.0 * min(t, 30.0))
    positioner = Positioner(scripted, [STRAIGHT])
    straight_drive(positioner, scripted, 32)
    before = positioner.pose_at(31.5).line
    straight_drive(positioner, scripted, 300, start_s=32)
    after = positioner.pose_at(299.5).line
    assert before is not None
    assert after is not None
    assert after.error_m == pytest.approx(before.error_m, rel=0.05)


# ---- onto a line and off it


def along(left_m: float, *, heading_deg: float = 0.0) -> list[Pose]:
    """Fixes beside a line that runs north."""
    return [
        Pose(t, 10.0 * t, 0.0, 0.0, 10.0 * t, 10.0, *lonlat(-left_m, 10.0 * t), error_m=1.5, heading_deg=heading_deg)
        for t in np.arange(1.0, 12.0).tolist()
    ]


def test_who_faces_across_a_line_is_not_on_it() -> None:
    for heading, fits in ((0.0, True), (180.0, True), (40.0, False), (140.0, False)):
        matcher = Matcher([STRAIGHT], 1.0)
        for pose in along(0.0, heading_deg=heading):
            matcher.add(pose)
        assert (matcher.best() is not None) is fits


def test_a_track_that_fits_clearly_better_is_told() -> None:
    one, two = (line([(500, math.inf)], heading=0, track=t, aside_m=a) for t, a in (("1", 0.0), ("2", 4.0)))
    for left, better in ((4.0, two), (2.5, None), (0.0, None)):
        matcher = Matcher([one, two], 1.0)
        for pose in along(left):
            matcher.add(pose)
        found = matcher.better_than(one)
        assert (found.line if found else None) is better


def test_a_start_in_the_tunnel_needs_no_fix() -> None:
    settings = LineSettings(start=Start("U79", 850.0))
    drive = RailDrive(rail(), seed=7, start_m=850, end_m=1_700, scale=1.0)
    result = driven(drive, settings=settings)
    for pose in result.between(860, 1_690):
        assert pose.method == "line"
        assert pose.line is not None
        assert result.error_m(pose) < 2.45 * (pose.error_m or 0)
    assert result.between(860, 1_690)[-1].line.error_m < 35  # type: ignore[union-attr]


def test_a_start_on_an_unknown_line_is_counted() -> None:
    positioner = Positioner(Estimator(), [STRAIGHT], settings=LineSettings(start=Start("U1", 0.0)))
    positioner.add(Odometry(0.0, 0.0))
    assert positioner.counts == {"line_start_unknown": 1}


def tagged(*, track: str | None = None, aside_m: float = 0.0, first: float = 200, second: float = 500) -> Line:
    marks = [("tag a", first, "tag"), ("tag b", second, "tag")]
    return line([(3_000, math.inf)], heading=0, track=track, aside_m=aside_m, landmarks=marks)


def roll(positioner: Positioner, start_s: float, end_s: float, mps: float = 10.0, offset_m: float = 0.0) -> float:
    metres = offset_m
    for time_s in np.arange(start_s, end_s, 0.5).tolist():
        positioner.add(Odometry(time_s, metres))
        metres += mps * 0.5
    return metres


def test_two_tags_tell_line_place_and_direction_without_any_fix() -> None:
    positioner = Positioner(Estimator(), [tagged()])
    metres = roll(positioner, 0, 10)
    positioner.add(Landmark(10.0, "tag b"))
    assert positioner.pose_at(10.0).line is None
    roll(positioner, 10, 40, offset_m=metres)
    positioner.add(Landmark(39.9, "tag a"))
    place = positioner.pose_at(39.9).line
    assert place is not None
    assert not place.forward
    assert place.chainage_m == pytest.approx(200, abs=2)
    assert positioner.counts["landmark_waits"] == 1


def test_the_vehicle_that_rolls_backwards_goes_back_along_the_line() -> None:
    positioner = Positioner(Estimator(), [STRAIGHT], settings=LineSettings(start=Start("U79", 500.0)))
    metres = roll(positioner, 0, 20)
    ahead = positioner.pose_at(19.5)
    roll(positioner, 20, 30, mps=-5.0, offset_m=metres)
    back = positioner.pose_at(29.5)
    assert ahead.line is not None
    assert back.line is not None
    assert ahead.line.chainage_m == pytest.approx(695, abs=0.1)
    assert back.line.chainage_m == pytest.approx(700 - 47.5, abs=0.1)
    assert back.line.forward  # the vehicle still faces the same way


def test_past_the_end_of_the_line_it_is_on_no_line() -> None:
    settings = LineSettings(start=Start("U79", 2_900.0))
    positioner = Positioner(Estimator(), [STRAIGHT], settings=settings)
    roll(positioner, 0, 9)
    place = positioner.pose_at(8.5).line
    assert place is not None
    assert place.chainage_m <= STRAIGHT.end_m
    roll(positioner, 9, 30, offset_m=90)
    assert positioner.pose_at(29).line is None
    assert positioner.counts["line_end_passed"] == 1


def test_where_the_vehicle_turns_off_the_line_is_left() -> None:
    drive = RailDrive(Rail([(600, math.inf), (150, 100), (500, math.inf)]), seed=8)
    straight_on = line([(2_000, math.inf)], heading=60)
    result = driven(drive, lines=[straight_on])
    assert all(pose.line for pose in result.between(300, 600))
    assert not any(pose.line for pose in result.between(760, 1_200))
    assert result.positioner.counts["line_left"] == 1


def test_at_a_branch_the_line_that_goes_on_under_the_vehicle_takes_over() -> None:
    drive = RailDrive(Rail([(600, math.inf), (150, 100), (500, math.inf)]), seed=9)
    straight_on = line([(2_000, math.inf)], heading=60, name="901")
    branch = drive.rail.line(name="903")
    result = driven(drive, lines=[straight_on, branch])
    assert {pose.line.line for pose in result.between(760, 1_200) if pose.line} == {"903"}
    assert all(pose.line for pose in result.between(300, 1_200))


def test_a_street_that_only_crosses_the_line_is_not_on_it() -> None:
    drive = RailDrive(Rail([(1_000, math.inf)]), seed=10)
    east, north, heading = drive.rail.at(500)
    across = [lonlat(east + s * math.cos(heading), north - s * math.sin(heading)) for s in (-400.0, 400.0)]
    result = driven(drive, lines=[Line("U79", tuple(across), (0.0, 800.0))])
    assert not any(pose.line for pose in result.poses)


def test_in_the_tunnel_a_heading_that_leaves_the_line_leaves_it() -> None:
    drive = RailDrive(Rail([(800, math.inf), (160, 100), (600, math.inf)], tunnel=(700, 1_500)), seed=11)
    straight_on = line([(3_000, math.inf)], heading=60)
    result = driven(drive, lines=[straight_on])
    assert all(pose.line for pose in result.between(710, 790))
    assert not any(pose.line for pose in result.between(1_100, 1_400))


# ---- tracks


def two_tracks() -> list[Line]:
    return [line(track="1"), line(track="2", aside_m=4.0)]


@pytest.mark.parametrize(
    ("lines", "tracks", "named"),
    [
        (two_tracks()[:1], (), "1"),
        (two_tracks(), (), None),
        (two_tracks(), (("U79", "1"),), "1"),
        (two_tracks(), (("U79", "2"),), "2"),
    ],
)
def test_the_track_is_said_only_where_it_can_be_no_other(
    lines: list[Line], tracks: tuple[tuple[str, str], ...], named: str | None
) -> None:
    drive = RailDrive(Rail(((500, math.inf), (200, 300), (600, math.inf)), tunnel=(600, 900)), seed=12)
    result = driven(drive, lines=lines, settings=LineSettings(tracks=tracks))
    places = [pose.line for pose in result.between(300, 890)]
    assert {place.track for place in places if place} == {named}
    assert all(places)


def test_between_two_tracks_half_of_their_gap_belongs_to_the_error() -> None:
    one, two = two_tracks()
    given = Pose(0.0, 0.0, 0.0, 0.0, 0.0, None)
    state = Along(900.0, 0.25)
    assert Course(one, forward=True, line_error_m=1.0).pose(given, state).error_m == pytest.approx(math.hypot(0.5, 1.0))
    undecided = Course(one, forward=True, line_error_m=1.0, others=(two,)).pose(given, state)
    assert undecided.error_m == pytest.approx(math.hypot(0.5, 1.0, 2.0), abs=0.05)


def test_a_tag_on_one_track_alone_names_it() -> None:
    one, two = two_tracks()
    one = replace(one, landmarks=(LineLandmark("tag", 400.0, "tag"),))
    drive = RailDrive(Rail(((500, math.inf), (200, 300), (600, math.inf))), seed=13, end_m=800)
    before = next(t for t in drive.times if drive.truth(t)[0] > 400)
    drive.events.append(Landmark(float(before), "tag"))
    result = driven(drive, lines=[one, two])
    assert {pose.line.track for pose in result.between(300, 395) if pose.line} == {None}
    assert {pose.line.track for pose in result.between(410, 790) if pose.line} == {"1"}


# ---- stops


def test_a_stop_before_a_signal_far_from_stations_is_counted_and_changes_nothing() -> None:
    result = driven(RailDrive(rail(stations=(1_500,)), signals=(1_200,), seed=14, end_m=1_700))
    counts = result.positioner.counts
    assert (counts["stop_elsewhere"], counts["station_stop"]) == (1, 1)


def test_a_signal_stop_taken_for_the_station_is_withdrawn_at_the_station() -> None:
    # A poor start: the signal 45 m before the station lies well within what the start leaves open.
    settings = LineSettings(start=Start("U79", 850.0, error_m=40.0))
    drive = RailDrive(rail(stations=(1_500,)), signals=(1_455,), seed=15, start_m=850, end_m=1_760, scale=1.0)
    result = driven(drive, settings=settings)
    assert result.positioner.counts["stop_withdrawn"] == 1
    last = result.between(1_600, 1_755)[-1]
    assert abs(result.along_m(last)) < 12


def test_a_train_that_moves_up_at_the_platform_is_known_less_well() -> None:
    station = LineLandmark("halt", 500.0, "station")
    known = replace(STRAIGHT, landmarks=(station,))
    positioner = Positioner(Estimator(), [known], settings=LineSettings(start=Start("U79", 400.0)))
    metres = roll(positioner, 0, 10)
    roll(positioner, 10, 25, mps=0.0, offset_m=metres)
    once = positioner.pose_at(24).line
    metres = roll(positioner, 25, 27, offset_m=metres)
    roll(positioner, 27, 45, mps=0.0, offset_m=metres)
    twice = positioner.pose_at(44).line
    assert once is not None
    assert twice is not None
    assert once.error_m < 4
    # The odometer says 520; the first stop, were it the right one, too; the second, 500.
    assert twice.error_m > 4.2
    assert twice.chainage_m == pytest.approx(517.5, abs=0.4)
    assert positioner.counts["station_stop"] == 2


def test_between_two_stations_near_enough_a_stop_says_nothing() -> None:
    marks = (LineLandmark("a", 480.0, "station"), LineLandmark("b", 520.0, "station"))
    start = Start("U79", 400.0, error_m=30.0)
    positioner = Positioner(Estimator(), [replace(STRAIGHT, landmarks=marks)], settings=LineSettings(start=start))
    metres = roll(positioner, 0, 10)
    roll(positioner, 10, 30, mps=0.0, offset_m=metres)
    assert positioner.counts["stop_ambiguous"] == 1
    assert positioner.counts["station_stop"] == 0


# ---- landmarks that cannot be


def test_a_landmark_of_no_line_or_far_away_is_counted_and_changes_nothing() -> None:
    other = line([(500, math.inf)], heading=0, name="901", landmarks=[("tag c", 100, "tag")])
    positioner = Positioner(Estimator(), [tagged(second=2_500), other], settings=LineSettings(start=Start("U79", 100)))
    roll(positioner, 0, 5)
    before = positioner.pose_at(4.5).line
    for name in ("no such", "tag b", "tag c"):
        positioner.add(Landmark(4.5, name))
    assert positioner.pose_at(4.5).line == before
    counts = positioner.counts
    assert (counts["landmark_unknown"], counts["landmark_refused"], counts["landmark_elsewhere"]) == (1, 1, 1)


def test_two_landmarks_that_agree_win_against_a_wrong_start() -> None:
    positioner = Positioner(Estimator(), [tagged()], settings=LineSettings(start=Start("U79", 2_000, forward=False)))
    metres = roll(positioner, 0, 10)
    positioner.add(Landmark(9.9, "tag a"))
    roll(positioner, 10, 40, offset_m=metres)
    positioner.add(Landmark(39.9, "tag b"))
    place = positioner.pose_at(39.9).line
    assert place is not None
    assert place.forward
    assert place.chainage_m == pytest.approx(500, abs=5)


def test_a_name_on_two_lines_says_nothing_while_the_vehicle_is_on_neither() -> None:
    lines = [tagged(), replace(tagged(), name="901")]
    positioner = Positioner(Estimator(), lines)
    roll(positioner, 0, 5)
    positioner.add(Landmark(4.5, "tag a"))
    assert positioner.counts["landmark_ambiguous"] == 1


def test_where_fixes_end_counts_as_the_portal_if_that_tells_more_than_is_known() -> None:
    drive = RailDrive(rail(), seed=16, fix_error_m=18.0, lasting=0.9, end_m=1_000)
    result = driven(drive)
    assert result.positioner.counts["portal_passed"] == 1
    precise = driven(RailDrive(rail(), seed=16, end_m=1_000))
    assert precise.positioner.counts["portal_passed"] == 0


# ---- bad input


def test_after_a_long_silence_the_line_is_not_believed_any_more() -> None:
    positioner = Positioner(Estimator(), [STRAIGHT], settings=LineSettings(start=Start("U79", 400.0)))
    roll(positioner, 0, 10)
    assert positioner.pose_at(13).line is not None
    assert positioner.pose_at(16).line is None
    positioner.add(Odometry(60.0, 100.0))
    assert positioner.pose_at(60).line is None
    assert positioner.counts["line_silence"] == 1


def test_an_odometer_that_starts_again_at_zero_costs_no_more_than_its_message() -> None:
    positioner = Positioner(Estimator(), [STRAIGHT], settings=LineSettings(start=Start("U79", 400.0)))
    roll(positioner, 0, 10, offset_m=65_000)
    roll(positioner, 10, 20)
    place = positioner.pose_at(19.5).line
    assert place is not None
    assert place.chainage_m == pytest.approx(400 + 195, abs=6)


numbers = st.one_of(
    st.floats(-50, 50), st.sampled_from([math.nan, math.inf, -math.inf, 1e300, -1e18, 0.0, 5e-324]), st.floats()
)
times = st.one_of(st.floats(0, 200), numbers)
measurements = st.one_of(
    st.builds(Odometry, times, st.one_of(st.floats(0, 3_000), numbers), st.none() | numbers),
    st.builds(
        lambda t, c, e, h: Fix(t, *lonlat(0.0, c), e, h, 5.0),
        times,
        st.floats(-100, 3_100),
        st.one_of(st.floats(0.5, 5), numbers),
        st.none() | st.floats(-5, 5),
    ),
    st.builds(Fix, times, numbers, numbers, numbers, st.none() | numbers, st.none() | numbers),
    st.builds(Landmark, times, st.sampled_from(["tag a", "tag b", "nothing", ""])),
    st.builds(Acceleration, times, numbers),
)


@given(st.lists(measurements, max_size=40), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=150)
def test_whatever_is_measured_it_never_raises_and_stays_on_the_line(
    found: list[Measurement], ordered: bool, started: bool
) -> None:
    if ordered:
        found = sorted(found, key=lambda m: m.time_s if math.isfinite(m.time_s) else 0.0)
    start = Start("U79", 1_000.0) if started else None
    known = tagged()
    positioner = Positioner(Estimator(), [known], settings=LineSettings(start=start))
    for measurement in found:
        positioner.add(measurement)
        for time_s in (measurement.time_s, measurement.time_s - 1, measurement.time_s + 1):
            if not math.isfinite(time_s):
                continue
            pose = positioner.pose_at(time_s)
            if pose.line is not None:
                assert known.start_m <= pose.line.chainage_m <= known.end_m
                assert pose.line.error_m >= 0
            if pose.method == "line":
                assert pose.error_m is not None
                assert 1.0 <= pose.error_m <= 200
        for correction in positioner.corrections():
            assert correction.start_s <= correction.end_s
            middle = correction.pose_at((correction.start_s + correction.end_s) / 2)
            assert middle.lon is None or math.isfinite(middle.lon)
