# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Of which places a picture is wanted, of whom it is asked, and when nobody is asked any more."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from depot.asking.config import AskingConfig
from depot.asking.deciding import ACTIVE, Asked, Later, Situation, decide, is_wanted, place_of, shows_repair
from depot.cases.records import Case
from depot.people.moment import later

NOW = "2026-11-22T08:00:00.000Z"
CONFIG = AskingConfig()


def ago(days: float) -> str:
    return later(NOW, -timedelta(days=days))


def case(state: str = "ordered", decided_days: float = 3.0, **changes: Any) -> Case:
    made = Case(
        number=17, changed=5, state=state, defect_class="pothole", surface="road", sightings=2, passes=2, vehicles=1,  # type: ignore[arg-type]
        looks_without=0, opened_utc=ago(30), pinned=False, reports=0, lon=6.76, lat=51.43, error_m=0.9,
        heading_deg=40.0, length_m=0.8, width_m=0.5, last_seen_utc=ago(10), decided_utc=ago(decided_days),
    )  # fmt: skip
    return replace(made, **changes)


def asked(vehicle: str = "kehr-3", state: str = "told", *, left_days: float = 10.0, attempts: int = 1) -> Asked:
    name = f"command-{vehicle}-{state}-{left_days:g}"
    return Asked(name, vehicle, state, ago(14 - left_days), ago(-left_days), attempts)  # type: ignore[arg-type]


def situation(of: Case | None = None, *, ordered_days: float | None = 3.0, **changes: Any) -> Situation:
    known: dict[str, Any] = {"later": (), "asked": (), "passing": ("kehr-3", "bus-7", "muell-12", "bus-9")}
    return Situation(of or case(), None if ordered_days is None else ago(ordered_days), **(known | changes))


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (situation(), True),
        (situation(case("new")), False),
        (situation(case("confirmed")), False),
        (situation(case("rejected")), False),
        (situation(case("reopened")), False),
        (situation(case(lon=None, lat=None)), False),
        # Ordered: what shows nothing is enough; what still shows the defect is not, but not at once again.
        (situation(later=[Later(ago(1), is_seen=False)]), False),
        (situation(later=[Later(ago(1), is_seen=True)]), True),
        (situation(later=[Later(ago(0.2), is_seen=True)]), False),
        (situation(later=[Later(ago(4), is_seen=False)]), True),  # before the order
        (situation(later=[Later(ago(2), is_seen=False), Later(ago(1), is_seen=True)]), True),
        (situation(case(last_seen_utc=ago(0.5)), later=[Later(ago(1), is_seen=False)]), True),  # seen again since
        # Repaired: one picture after it, or the one that showed it.
        (situation(case("repaired", 1.0)), True),
        (situation(case("repaired", 1.0), later=[Later(ago(2), is_seen=False)]), False),
        (situation(case("repaired", 1.0), later=[Later(ago(2), is_seen=True)]), True),
        (situation(case("repaired", 1.0), later=[Later(ago(0.5), is_seen=True)]), False),
        (situation(case("repaired", 59.0), ordered_days=None), True),
        (situation(case("repaired", 61.0), ordered_days=None), False),
    ],
)
def test_when_a_picture_is_wanted(now: Situation, wanted: bool):
    assert is_wanted(now, NOW, CONFIG) is wanted
    assert bool(decide(now, Counter(), NOW, CONFIG).ask) is wanted
    assert not is_wanted(now, NOW, AskingConfig(pictures=False))


def test_those_are_asked_who_came_past_last_and_not_more_than_some():
    assert decide(situation(), Counter(), NOW, CONFIG).ask == ("kehr-3", "bus-7", "muell-12")
    assert decide(situation(passing=()), Counter(), NOW, CONFIG).ask == ()
    some = situation(asked=[asked("bus-9"), asked("kehr-3")])
    assert decide(some, Counter(), NOW, CONFIG).ask == ("bus-7",), "who knows already stays"


def test_who_has_enough_to_look_for_or_refused_is_passed_over():
    refused = situation(asked=[asked("bus-7", "refused", left_days=13.5)])
    assert decide(refused, Counter({"kehr-3": 48}), NOW, CONFIG).ask == ("muell-12", "bus-9")
    long_ago = situation(asked=[asked("bus-7", "refused", left_days=4)])
    assert "bus-7" in decide(long_ago, Counter(), NOW, CONFIG).ask


def test_a_wish_is_renewed_before_its_end_and_what_it_replaces_is_over():
    ending = asked("kehr-3", left_days=3.0)
    plan = decide(situation(asked=[ending], passing=("kehr-3",)), Counter({"kehr-3": 48}), NOW, CONFIG)
    assert plan.ask == ("kehr-3",), "its own place counts for it"
    assert plan.over == (ending.id,)
    gone = asked("kehr-3", "withdrawn", left_days=8.0)
    assert decide(situation(asked=[gone], passing=("kehr-3",)), Counter(), NOW, CONFIG).over == (gone.id,)


def test_when_it_is_answered_the_others_forget_and_who_never_heard_of_it_need_not():
    rows = [asked("kehr-3", "answered"), asked("bus-7"), asked("muell-12", "open"), asked("bus-9", "open", attempts=0)]
    plan = decide(situation(later=[Later(ago(0.1), is_seen=False)], asked=rows), Counter(), NOW, CONFIG)
    assert plan.ask == ()
    assert plan.withdraw == (rows[1].id, rows[2].id)
    assert plan.over == (rows[3].id,)


def test_what_has_ended_is_over_whatever_else():
    ended = [asked("kehr-3", left_days=-1), asked("bus-7", "withdrawn", left_days=-1)]
    plan = decide(situation(case("rejected"), asked=ended), Counter(), NOW, CONFIG)
    assert (plan.ask, plan.withdraw, plan.over) == ((), (), (ended[0].id, ended[1].id))


@example(rows=[("c", "open", 2.0, 0)], looks=[], state="ordered", busy=48)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c", "d"]),
            st.sampled_from(["open", "told", "refused", "answered", "withdrawn", "over"]),
            st.sampled_from([-1.0, 2.0, 9.0]),
            st.integers(0, 2),
        ),
        max_size=6, unique_by=lambda row: (row[0], row[1], row[2]),
    ),
    looks=st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=3),
    state=st.sampled_from(["ordered", "repaired", "rejected"]),
    busy=st.sampled_from([0, 47, 48]),
)  # fmt: skip
def test_whatever_is_known_a_second_look_changes_nothing_more(rows, looks, state, busy):
    """Red when a wish is made for a vehicle that has one, or when something is withdrawn for ever."""
    known = [asked(name, kind, left_days=days, attempts=tries) for name, kind, days, tries in rows]
    now = situation(
        case(state), asked=known, later=[Later(ago(d), is_seen=s) for d, s in looks], passing=("a", "b", "c")
    )
    load = Counter(one.vehicle for one in known if one.state in ACTIVE)
    load.update({"c": busy})
    plan = decide(now, load, NOW, CONFIG)
    gone = {*plan.over, *plan.withdraw}
    assert len({*plan.over} & {*plan.withdraw}) == 0
    after = [one for one in known if one.id not in gone]
    after += [
        Asked(one.id, one.vehicle, "withdrawn", one.asked_utc, one.until_utc)
        for one in known
        if one.id in plan.withdraw
    ]
    after += [Asked(f"new-{name}", name, "open", NOW, ago(-14)) for name in plan.ask]
    active = [one.vehicle for one in after if one.state in ACTIVE and one.until_utc > ago(-4)]
    if plan.ask:
        assert len(set(active)) <= CONFIG.vehicles
    again = decide(situation(now.case, asked=after, later=now.later, passing=now.passing), load, NOW, CONFIG)
    assert not again


def test_what_a_vehicle_is_told_of_the_place():
    place = place_of(case())
    assert place is not None
    assert (place.lon, place.lat, place.error_m, place.heading_deg, place.line) == (6.76, 51.43, 0.9, 40.0, None)
    assert place.radius_m == 0.6
    assert place_of(case(length_m=None, width_m=None)).radius_m == 0.4  # type: ignore[union-attr]
    assert place_of(case(length_m=40.0)).radius_m == 1.5  # type: ignore[union-attr]
    tunnel = case(lon=None, lat=None, surface="lining", line="U79", chainage_m=3210.0, lining_clock=12.0, track="1")
    wall = place_of(tunnel)
    assert wall is not None
    assert wall.line is not None
    assert (wall.line.chainage_m, wall.line.error_m, wall.line.track, wall.clock) == (3210.0, 2.0, "1", 0.0)
    assert place_of(replace(tunnel, lining_clock=None)) is None
    assert place_of(replace(tunnel, surface="road", lining_clock=None)) is not None


def test_only_the_latest_picture_speaks_for_a_repair():
    none, seen = Later(ago(2), is_seen=False), Later(ago(1), is_seen=True)
    assert shows_repair(case(), ago(3), [none]) == none
    assert shows_repair(case(), ago(3), [none, seen]) is None
    assert shows_repair(case(), ago(1.5), [none]) is None
    assert shows_repair(case(decided_days=3), None, [none]) == none
