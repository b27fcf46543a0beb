# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.sampling import Reason
from edge.sampling.coverage import CoverageLog, Stretch
from edge.sampling.view import View
from edge.types import LinePlace
from messages.types import Coverage, Time
from tests.sampling.poses import VIEW, Car, at, is_in_picture, on_road

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.types import Pose


def stretches(frames: Iterable[tuple[Pose, Reason | None]], log: CoverageLog | None = None) -> list[Stretch]:
    log = log or CoverageLog()
    found = [log.add(pose, reason) for pose, reason in frames] + [log.flush()]
    return [stretch for stretch in found if stretch is not None]


def road(metres: int, reason: Reason | None = None, *, start: int = 0) -> list[tuple[Pose, Reason | None]]:
    return [(at(float(m), m / 10), reason) for m in range(start, start + metres, 2)]


def test_a_drive_becomes_stretches_of_about_100_m_that_lie_end_to_end() -> None:
    found = stretches(road(451))
    assert [stretch.length_m for stretch in found] == [100, 100, 100, 100, 50]
    assert [stretch.frames_judged for stretch in found] == [51, 50, 50, 50, 25]
    assert all(stretch.valid for stretch in found)
    assert all(before.path[-1] == after.path[0] for before, after in pairwise(found))
    assert (found[0].start_s, found[0].end_s, found[1].start_s) == (0, 10, 10)


def test_where_nothing_could_be_seen_the_stretch_says_why_and_counts_no_judged_frame() -> None:
    found = stretches([*road(40), *road(20, "dark", start=40), *road(40, start=60)])
    assert [(s.reason, s.valid, s.length_m, s.frames_judged) for s in found] == [
        (None, True, 38, 20),
        ("dark", False, 20, 0),
        (None, True, 40, 20),
    ]


def test_road_that_was_in_no_picture_is_not_covered() -> None:
    found = stretches([*road(40), *road(40, start=100)])
    assert [stretch.length_m for stretch in found] == [38, 38]
    assert found[1].path[0] == pytest.approx((at(100.0).lon, at(100.0).lat), abs=1e-7)


def test_without_a_position_the_path_is_empty_and_the_length_still_known() -> None:
    (found,) = stretches([(at(float(m), m / 10, known=False), None) for m in range(0, 60, 2)])
    assert (found.path, found.length_m) == ((), 58)


def test_a_long_stay_is_closed_by_time() -> None:
    found = stretches([(at(0.0, float(s)), None) for s in range(0, 700, 10)])
    assert [stretch.end_s - stretch.start_s for stretch in found] == [300, 300, 90]
    assert {stretch.length_m for stretch in found} == {0}


def test_a_log_that_saw_nothing_has_nothing_to_flush() -> None:
    log = CoverageLog()
    assert log.flush() is None
    log.add(at(0.0))
    assert log.flush() is not None
    assert log.flush() is None


def test_the_reasons_are_those_of_the_message() -> None:
    (field,) = [field for field in msgspec.structs.fields(Coverage) if field.name == "reason"]
    literal = next(kind for kind in get_args(field.type) if kind is not type(None))
    assert set(get_args(Reason)) == set(get_args(literal))


moves = st.tuples(st.floats(-5, 60), st.floats(0, 400), st.sampled_from([None, "dark", "no_fix"]), st.booleans())


@given(st.lists(moves, min_size=1, max_size=80))
def test_every_drive_gives_messages_that_can_be_sent_and_loses_no_frame(drive: list[tuple]) -> None:
    metres, seconds, frames = 0.0, 0.0, []
    for step, wait, reason, known in drive:
        metres, seconds = metres + step, seconds + wait
        frames.append((at(metres, seconds, known=known), reason))
    found = stretches(frames)
    assert sum(stretch.frames_judged for stretch in found) == sum(reason is None for _, reason in frames)
    for stretch in found:
        message = Coverage(
            path=stretch.path,
            length_m=stretch.length_m,
            frames_judged=stretch.frames_judged,
            valid=stretch.valid,
            reason=stretch.reason,
            time=Time(boot="b", monotonic_s=stretch.start_s, quality="unset"),
        )
        assert msgspec.convert(msgspec.to_builtins(message), Coverage) == message
        assert stretch.end_s >= stretch.start_s


def test_a_path_has_no_more_points_than_a_message_takes() -> None:
    log = CoverageLog(length_m=1e6)
    (found,) = stretches([(at(m / 10, m / 100), None) for m in range(5000)], log)
    assert len(found.path) <= 1000
    assert found.path[-1] == pytest.approx((at(499.9).lon, 52.5), abs=1e-6)


# ---- by what was in the pictures


def seen(frames: Iterable[tuple[Pose, Reason | None]], looks: int = 1, view: View = VIEW) -> list[Stretch]:
    return stretches(frames, CoverageLog(view_m=view, looks=looks))


def test_road_counts_from_the_first_metre_that_was_in_a_picture_to_where_the_vehicle_stops() -> None:
    found = seen(road(202))
    assert [(s.length_m, s.valid) for s in found] == [(100, True), (94, True)]
    # The first picture shows 5 m ahead and more; a segment between frames counts as a whole.
    assert found[0].path[0] == pytest.approx((at(6.0).lon, 52.5), abs=1e-7)
    assert found[-1].path[-1] == pytest.approx((at(200.0).lon, 52.5), abs=1e-7)
    assert sum(s.frames_judged for s in found) == 101


def test_the_more_looks_are_asked_for_the_later_the_first_stretch_begins() -> None:
    assert [sum(s.length_m for s in seen(road(202), looks)) for looks in (1, 2, 3, 4)] == [194, 192, 190, 188]
    assert {s.reason for s in seen(road(202), 5)} == {"too_fast"}


def test_single_blurred_frames_cost_nothing_where_others_show_the_same_road() -> None:
    frames = [(pose, "blurred" if n % 3 == 0 else reason) for n, (pose, reason) in enumerate(road(202))]
    assert [(s.reason, s.length_m) for s in seen(frames, 2)] == [("blurred", 4), (None, 100), (None, 90)]


def test_a_dark_stretch_is_invalid_where_no_good_picture_shows_it() -> None:
    found = seen([*road(100), *road(40, "dark", start=100), *road(60, start=140)])
    assert [(s.reason, s.length_m) for s in found] == [(None, 100), (None, 6), ("dark", 34), (None, 52)]
    # The last good picture, at 98 m, shows up to 112 m; the next one, at 140 m, begins at 145 m.
    assert found[2].path[0] == pytest.approx((at(112.0).lon, 52.5), abs=1e-7)
    assert found[2].path[-1] == pytest.approx((at(146.0).lon, 52.5), abs=1e-7)


def test_road_between_pictures_that_are_too_far_apart_was_passed_too_fast() -> None:
    found = seen([(at(float(m), m / 30), None) for m in range(0, 200, 10)])
    assert {s.reason for s in found} == {"too_fast"}
    assert [s.reason for s in seen([(at(float(m), m / 30), None) for m in range(0, 200, 9)])] == [None, None]


def test_the_inside_of_a_bend_that_was_in_no_picture_belongs_to_no_stretch() -> None:
    narrow = View(5.0, 14.0, 1.2, -1.2, 1.5, -1.5)
    car, frames = Car(), []
    for way, turn in [(0.5, 0.0)] * 80 + [(0.5, 7.5)] * 12 + [(0.5, 0.0)] * 80:  # 90 degrees at 3.8 m radius
        frames.append((car.roll(way, turn), None))
    found = seen(frames, view=narrow)
    assert {s.reason for s in found} == {None}
    assert 65 < sum(s.length_m for s in found) < 75
    assert len(found) == 2


def test_rolling_back_and_forth_counts_the_road_once() -> None:
    car, frames = Car(), []
    for way, times in ((0.5, 100), (-0.5, 20), (0.5, 60)):
        frames += [(car.roll(way), None) for _ in range(times)]
    found = seen(frames)
    assert sum(s.length_m for s in found) == pytest.approx(car.x_m - 0.5 - 5.0, abs=0.6)
    assert {s.valid for s in found} == {True}
    assert all(before.path[-1] == after.path[0] for before, after in pairwise(found))


def test_who_reverses_and_takes_another_road_leaves_the_first_path() -> None:
    car, frames = Car(), []
    for way, turn, times in ((0.5, 0.0, 100), (-0.5, 0.0, 40), (0.5, 9.0, 10), (0.5, 0.0, 100)):
        frames += [(car.roll(way, turn), None) for _ in range(times)]
    for s in seen(frames):
        places = [on_road(place) for place in s.path]
        assert all(math.dist(a, b) < 1.0 for a, b in pairwise(places))


def test_standing_in_the_dark_adds_no_road_and_no_message() -> None:
    log = CoverageLog(view_m=VIEW)
    for pose, _ in road(40):
        log.add(pose)
    assert [log.add(at(38.0, 4 + n), "dark") for n in range(200)] == [None] * 200
    last = log.flush()
    assert last is not None
    assert (last.reason, last.length_m, last.frames_judged) == (None, 32, 20)


winding = st.lists(
    st.tuples(
        st.sampled_from([0.5, 1.0, 2.0, 2.0, 2.0, 4.0, 9.0, 30.0, -1.0, 0.0]),
        st.sampled_from([0.0, 0.0, 0.0, 5.0, -5.0, 15.0, -30.0]),
        st.sampled_from([None, None, None, None, "dark", "blurred"]),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=25,
)


@settings(deadline=None, max_examples=80)
@given(winding, st.integers(1, 3))
def test_no_metre_is_claimed_that_was_in_fewer_judged_pictures_than_asked(drive: list[tuple], looks: int) -> None:
    car, frames = Car(), []
    for way, turn, reason, times in drive:
        frames += [(car.roll(way, turn), reason) for _ in range(times)]
    found = seen(frames, looks)
    judged = [pose for pose, reason in frames if reason is None]
    assert sum(s.frames_judged for s in found) == len(judged)
    for s in found:
        for a, b in pairwise(on_road(place) for place in s.path):
            for share in (0.01, 0.3, 0.6, 0.99) if s.valid else ():
                x_m, y_m = a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
                assert sum(is_in_picture(pose, x_m, y_m) for pose in judged) >= looks


def test_without_any_word_of_motion_frames_are_told_by_reason_although_the_view_is_known() -> None:
    frames = [(at(0.0, n / 2, speed_mps=None, known=False), None if n < 30 else "dark") for n in range(50)]
    assert [(s.reason, s.frames_judged, s.length_m, s.path) for s in seen(frames)] == [
        (None, 30, 0, ()),
        ("dark", 0, 0, ()),
    ]


def test_way_that_shows_only_when_motion_is_lost_is_claimed_no_more_than_any_other() -> None:
    frames = [*road(40), *((at(float(m), m / 10, speed_mps=None), None) for m in range(60, 120, 20))]
    assert sum(s.length_m for s in seen(frames) if s.valid) == 32


# ---- lines and surfaces


def on_line(metres: float, chainage_m: float, *, error_m: float = 0.5, track: str | None = "1") -> Pose:
    return replace(at(metres, metres / 10), line=LinePlace("U9", chainage_m, error_m, track))


def test_a_stretch_says_where_it_lies_on_the_line_also_against_the_chainage() -> None:
    (found,) = stretches((on_line(m, 500.0 - m, error_m=m / 10), None) for m in range(0, 60, 2))
    assert found.line is not None
    assert (found.line.line, found.line.from_m, found.line.to_m, found.line.track) == ("U9", 500, 442, "1")
    assert found.line.error_m == pytest.approx(5.8)


def test_a_stretch_ends_where_line_track_or_surface_changes() -> None:
    frames = [at(m, m / 10) for m in range(0, 20, 2)]
    frames += [on_line(m, m) for m in range(20, 40, 2)]
    frames += [on_line(m, m, track="2") for m in range(40, 60, 2)]
    found = stretches((pose, None) for pose in frames)
    assert [(s.line and s.line.track, s.line and (s.line.from_m, s.line.to_m), s.length_m) for s in found] == [
        (None, None, 18),
        ("1", (20, 38), 20),
        ("2", (40, 58), 20),
    ]
    log = CoverageLog()
    parts = [log.add(at(m, m / 10), None, "road" if m < 20 else "lining") for m in range(0, 40, 2)] + [log.flush()]
    assert [(s.surface, s.length_m) for s in parts if s] == [("road", 18), ("lining", 20)]


def test_a_snap_to_a_known_point_parts_two_stretches_so_that_chainage_and_length_agree() -> None:
    frames = [on_line(m, m if m < 30 else m + 25) for m in range(0, 60, 2)]
    found = stretches((pose, None) for pose in frames)
    assert [(s.line.from_m, s.line.to_m) for s in found if s.line] == [(0, 28), (55, 83)]


def test_road_judged_by_one_model_is_not_yet_judged_by_the_other() -> None:
    log = CoverageLog(view_m=VIEW)
    parts = [log.add(at(m, m / 10), None, "road" if m < 50 else "lining") for m in range(0, 100, 2)] + [log.flush()]
    lengths = [(s.surface, s.length_m) for s in parts if s]
    assert lengths == [("road", 42), ("lining", 42)]
