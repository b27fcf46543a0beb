# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sampling import Reason
from edge.sampling.coverage import CoverageLog, Stretch
from messages.types import Coverage, Time
from tests.sampling.poses import at

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
