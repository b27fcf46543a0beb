# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.sampling.geofence import Area, Geofence
from edge.sampling.quality import Limits
from edge.sampling.surroundings import SurroundingsWatch, brightness, limits_for
from edge.types import LinePlace
from tests.sampling.poses import at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edge.types import Pose, Surroundings

DAY, LAMPS = 165.0, 90.0
Method = Literal["gnss", "dead_reckoned"]


def pose(metres: float, seconds: float, method: Method | None = "gnss", *, tunnel: bool | None = None) -> Pose:
    line = None if tunnel is None else LinePlace("U9", metres, 2.0, in_tunnel=tunnel)
    return replace(at(metres, seconds), method=method, line=line)


def drive(
    watch: SurroundingsWatch, metres: Iterable[float], look: Callable[[float], tuple[Pose, float | None]]
) -> list[tuple[float, Surroundings]]:
    """Where the surroundings changed, and into what."""
    changes, now = [], watch.now
    for way in metres:
        if watch.update(*look(way)) != now:
            now = watch.now
            changes.append((way, now))
    return changes


def steps(end_m: float, step_m: float = 1.0) -> list[float]:
    return [n * step_m for n in range(int(end_m / step_m))]


SPEED = 14.0


def in_the_dark(start_m: float, end_m: float, *, speed: float = SPEED) -> Callable[[float], tuple[Pose, float]]:
    """A tunnel that is on no map; the receiver's fixes end in it, and return 1.6 s after it."""

    def look(way: float) -> tuple[Pose, float]:
        covered = start_m + 2 * speed <= way < end_m + 1.6 * speed  # a fix makes a pose "gnss" for 2 s
        return pose(way, way / speed, "dead_reckoned" if covered else "gnss"), LAMPS if start_m <= way < end_m else DAY

    return look


def test_a_tunnel_on_no_map_is_known_by_its_darkness_and_left_when_fixes_return() -> None:
    watch = SurroundingsWatch()
    (into, tunnel), (out, street) = drive(watch, steps(1000), in_the_dark(300, 800))
    assert (tunnel, street) == ("tunnel", "street")
    assert 300 < into < 380  # after 2 s of old fixes, then 3 s and 40 m without
    assert 800 < out < 860  # 1.6 s until the first fix, 2 s of fixes
    assert watch.counts == {"tunnel_by_darkness": 1, "street_by_fixes": 1}


@pytest.mark.parametrize("kmh", [5, 15, 30, 50])
def test_an_underpass_of_15_m_changes_nothing(kmh: float) -> None:
    watch = SurroundingsWatch()
    assert drive(watch, steps(300, 0.25), in_the_dark(100, 115, speed=kmh / 3.6)) == []


def test_a_street_at_night_stays_one_while_there_are_fixes_and_a_bright_one_also_without() -> None:
    assert drive(SurroundingsWatch(), steps(500), lambda way: (pose(way, way / 10), 20.0)) == []
    assert drive(SurroundingsWatch(), steps(500), lambda way: (pose(way, way / 10, "dead_reckoned"), DAY)) == []


def test_where_no_picture_was_measured_nothing_is_called_dark() -> None:
    assert drive(SurroundingsWatch(), steps(500), lambda way: (pose(way, way / 10, None), None)) == []


def test_a_bus_that_stands_in_its_dark_hall_is_not_in_a_tunnel() -> None:
    watch = SurroundingsWatch()
    assert [watch.update(pose(0.0, float(n), None), 10.0) for n in range(1000)] == ["street"] * 1000


def test_a_platform_does_not_make_a_street_of_an_underground_line_but_daylight_does() -> None:
    def look(way: float) -> tuple[Pose, float]:
        return pose(way, way / 10, None), DAY if 200 <= way < 320 or way >= 500 else LAMPS

    watch = SurroundingsWatch(start="tunnel")
    assert drive(watch, steps(1000), look) == [(650, "street")]
    assert watch.counts == {"street_by_light": 1}


# ---- lines and geofences know better


def test_the_line_knows_although_it_is_bright_and_fixes_come() -> None:
    watch = SurroundingsWatch()
    changes = drive(watch, steps(600), lambda way: (pose(way, way / 10, "gnss", tunnel=200 <= way < 400), DAY))
    assert [kind for _, kind in changes] == ["tunnel", "street"]
    assert [way for way, _ in changes] == pytest.approx([205, 405], abs=2)
    assert watch.counts == {"tunnel_by_line": 1, "street_by_line": 1}


def test_a_line_whose_place_is_badly_known_needs_longer_unless_two_seconds_have_passed() -> None:
    def look(way: float) -> tuple[Pose, float]:
        place = pose(way, way / 30, tunnel=way >= 200)
        assert place.line is not None
        return replace(place, line=replace(place.line, error_m=45.0)), DAY

    assert drive(SurroundingsWatch(), steps(400), look) == [(pytest.approx(245, abs=2), "tunnel")]


def fence(west_m: float, east_m: float, kind: Surroundings) -> Area:
    west, east = (13.4 + metres / 68_000 for metres in (west_m, east_m))
    ring = ((west, 52.4), (east, 52.4), (east, 52.6), (west, 52.6), (west, 52.4))
    return Area(kind, (ring,))


def test_a_geofence_knows_where_the_position_is_known() -> None:
    watch = SurroundingsWatch(Geofence((fence(100, 300, "tunnel"), fence(500, 900, "street"))))
    assert [kind for _, kind in drive(watch, steps(450), lambda way: (pose(way, way / 10), DAY))] == [
        "tunnel",
        "street",
    ]
    assert watch.counts == {"tunnel_by_geofence": 1, "street_by_fixes": 1}
    # A dark canyon of houses that swallows every fix.
    assert drive(watch, [500 + m for m in steps(300)], lambda way: (pose(way, way / 10, "dead_reckoned"), 60.0)) == []


def test_a_position_known_badly_or_not_at_all_says_nothing_about_a_geofence() -> None:
    areas = Geofence((fence(100, 300, "tunnel"),))
    for blind in ({"error_m": 60.0}, {"lon": None, "lat": None, "error_m": None}):
        changes = drive(
            SurroundingsWatch(areas), steps(400), lambda way, b=blind: (replace(pose(way, way / 10), **b), DAY)
        )
        assert changes == []


# ---- it never flaps

noise = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.3, 1.0, 2.0, 5.0, 25.0]),
        st.sampled_from([0.07, 0.2, 1.0, 5.0]),
        st.sampled_from(["gnss", "dead_reckoned", None]),
        st.sampled_from([None, None, True, False]),
        st.sampled_from([None, 60.0, 119.0, 121.0, 131.0, 200.0]),
        st.integers(1, 30),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=120)
@given(noise)
def test_two_changes_are_never_nearer_than_20_m_and_3_s(told: list[tuple]) -> None:
    watch = SurroundingsWatch(Geofence((fence(50, 90, "tunnel"), fence(110, 130, "street"))))
    metres = seconds = 0.0
    changes: list[tuple[float, float]] = []
    for way, wait, method, tunnel, bright, times in told:
        for _ in range(times):
            metres, seconds, before = metres + way, seconds + wait, watch.now
            if watch.update(pose(metres, seconds, method, tunnel=tunnel), bright) != before:
                changes.append((metres, seconds))
    assert sum(watch.counts.values()) == len(changes)
    for (m0, s0), (m1, s1) in pairwise(changes):
        assert m1 - m0 >= 20 - 1e-6
        assert s1 - s0 >= 3 - 1e-6


def test_at_a_portal_whose_chainage_jitters_it_changes_once() -> None:
    rng = np.random.default_rng(3)

    def look(way: float) -> tuple[Pose, float]:
        return pose(way, way / 10, tunnel=bool(way + rng.normal(0, 5) > 200)), DAY

    assert [kind for _, kind in drive(SurroundingsWatch(), steps(400, 0.5), look)] == ["tunnel"]


def test_a_recording_that_starts_anew_forgets_what_was_on_its_way() -> None:
    watch = SurroundingsWatch()
    drive(watch, steps(500), in_the_dark(300, 800))
    assert watch.now == "tunnel"
    assert watch.update(pose(0.0, 0.0), DAY) == "tunnel"
    assert drive(watch, steps(100), in_the_dark(300, 800))[0][1] == "street"


# ---- pictures


def test_brightness_is_that_of_the_upper_third_at_any_size() -> None:
    for height, width in ((720, 1280), (1, 1), (3, 2000), (480, 3)):
        picture = np.full((height, width, 3), 20, np.uint8)
        picture[: max(1, height // 3)] = 180
        assert brightness(picture) == pytest.approx(180, abs=1)


def test_limits_in_a_tunnel_take_the_whole_picture_and_keep_the_rest() -> None:
    street = Limits(max_speed_mps=22.0, min_sharpness=0.2)
    assert limits_for("street", street) is street
    tunnel = limits_for("tunnel", street)
    assert (tunnel.top, tunnel.bottom, tunnel.max_speed_mps, tunnel.min_sharpness) == (0.0, 1.0, 22.0, 0.2)
    assert tunnel.min_bright > street.min_bright
