# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Whatever valid messages come: nothing trips, nothing is lost, and what each case says follows from its sightings."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import func, select

from depot.cases.summing import summed
from depot.cases.tables import case_cells
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.tables import events
from messages.types import Clock, Coverage, LineStretch, Observation, Revision, Roughness
from tests.depot import samples
from tests.depot.cases.test_following import blows, past
from tests.depot.cases.test_joining import pothole, wall
from tests.depot.cases.world import Depot, position, when
from tests.messages.strategies import messages

names = st.sampled_from(["a", "b", "c", "d"])
anything = st.one_of(
    messages(Observation),
    messages(Coverage),
    messages(Roughness),
    messages(Clock),
    st.builds(lambda made, of: replace(made, observation=of), messages(Revision), names),
)
boots = st.sampled_from(["b0", "b1", "b2"])
near = st.one_of(
    st.builds(
        lambda east, second, boot, label: pothole(
            east, day=int(boot[1:]), second=second, boot=boot, defect_class=label, error_m=1.5
        ),
        st.floats(-12, 12), st.floats(0, 400), boots, st.sampled_from(["pothole", "crack", "alligator_crack"]),
    ),
    st.builds(lambda second, boot: pothole(time=samples.undated(second, boot)), st.floats(0, 400), boots),
    st.builds(
        lambda place, clock, n: wall(place, clock, number=n), st.floats(0, 9), st.floats(0, 11.9), st.integers(0, 2)
    ),
    st.builds(
        lambda of, number, north: Revision(
            observation=of, number=number, reason="fix_returned", time=when(3), position=position(0, north)
        ),
        names, st.integers(1, 3), st.floats(-9, 9),
    ),
    st.builds(blows, names, st.floats(0, 20)),
    st.builds(past, st.integers(0, 9), boots, st.floats(0, 400)),
    st.builds(lambda boot, number: samples.clock(number=number, boot=boot), boots, st.integers(1, 3)),
)  # fmt: skip


@pytest.fixture(scope="module")
def depots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Depot]]:
    """A fresh depot each time it is asked."""
    opened: list[Database] = []
    template = tmp_path_factory.mktemp("anything") / "template.sqlite"
    database = Database(f"sqlite:///{template}")
    migrate(database)
    database.close()

    def make() -> Iterator[Depot]:
        for number in itertools.count():
            path = template.with_name(f"{number}.sqlite")
            path.write_bytes(template.read_bytes())
            opened.append(Database(f"sqlite:///{path}"))
            yield Depot(opened[-1])
            opened[-1].close()
            path.unlink()

    yield make()
    for one in opened:
        one.close()


def check(depot: Depot) -> None:
    """What must hold at any time."""
    cases = {case.number: case for case in depot.cases(merged=True)}
    seen = depot.sightings()
    with depot.database.reading() as connection:
        heard = connection.execute(
            select(func.count()).select_from(events).where(events.c.type == "wegewart.observation.v1")
        ).scalar_one()
        celled = {row.case for row in connection.execute(select(case_cells))}
    assert len(seen) == heard
    held = Counter(one.case for one in seen)
    assert {number for number, case in cases.items() if case.state != "merged"} == set(held)
    assert len({case.changed for case in cases.values()}) == len(cases)
    for number, case in cases.items():
        if case.state == "merged":
            assert case.merged_into in cases
            assert number not in celled
            continue
        placed = case.lon is not None or (case.line is not None and case.chainage_m is not None)
        assert (number in celled) == placed
        again = summed(case, [one for one in seen if one.case == number], [])
        looks = {"looks_without": case.looks_without, "last_look_utc": case.last_look_utc}
        assert replace(again, **looks) == case


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_messages_are_taken_in(depots, data):
    depot = next(depots)
    said = [("sweeper-1", name, data.draw(anything)) for name in data.draw(st.permutations(["a", "b", "c", "d"]))]
    depot.store(said)
    depot.project()
    check(depot)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["v1", "v2"]), near), min_size=2, max_size=14),
    st.integers(1, 5),
)
def test_any_words_about_one_place_leave_cases_that_follow_from_their_sightings(depots, said, batch):
    depot = next(depots)
    depot.projector._batch = batch
    used: Counter[str] = Counter()
    for vehicle, message in said:
        used[vehicle] += 1
        depot.store([(vehicle, "abcdefghijklmnop"[used[vehicle] - 1], message)])
    depot.project()
    check(depot)


def test_a_stretch_that_nobody_can_have_driven_looks_at_nothing(lite):
    lite.hear(pothole(), wall(5.0, number=1))
    far = LineStretch(line="U79", from_m=-1e300, to_m=1e300, error_m=0.0)
    path = ((6.0, 51.4344), (7.6, 51.4344))
    lite.hear(
        samples.coverage(path=path, time=when(9)), samples.coverage(path=(), line=far, surface="lining", time=when(9))
    )
    assert [case.looks_without for case in lite.cases()] == [0, 0]
