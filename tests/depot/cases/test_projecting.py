# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Every stored event reaches the projections once; one that trips them is set aside and holds nobody up."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from depot.cases.tables import failed
from depot.errors import StoreError
from depot.projecting import Projector
from depot.store.database import Database
from depot.store.tables import pending
from tests.depot.cases.test_joining import pothole
from tests.depot.cases.world import Depot

V = "sweeper-1"


class Heard:
    """Notes what it is given; trips over some ids."""

    def __init__(self, *, trips: tuple[str, ...] = ()) -> None:
        self.ids: list[str] = []
        self.trips = trips
        self.one = threading.Event()

    def project(self, _change, events):
        for event in events:
            if event.event.id in self.trips:
                raise ZeroDivisionError("a mistake\nof ours")
        self.ids += [event.event.id for event in events]
        self.one.set()


def store(depot: Depot, *names: str) -> None:
    depot.store([(V, name, pothole(50.0 * n, second=n)) for n, name in enumerate(names)])


def waiting(database: Database) -> list[int]:
    with database.reading() as connection:
        return list(connection.execute(select(pending.c.received)).scalars())


def test_each_event_reaches_every_projection_once_in_batches(depot):
    store(depot, "a", "b", "c")
    first, second = Heard(), Heard()
    projector = Projector(depot.database, [first, second], batch=2)
    assert [projector.run_once(), projector.run_once(), projector.run_once()] == [2, 1, 0]
    assert first.ids == second.ids == ["a", "b", "c"]
    assert waiting(depot.database) == []
    assert projector.counts["projected"] == 3


def test_an_event_that_trips_a_mistake_is_set_aside_and_the_rest_goes_on(depot):
    store(depot, "a", "b", "c")
    heard = Heard(trips=("b",))
    projector = Projector(depot.database, [heard])
    assert projector.run_once() == 3
    assert heard.ids == ["a", "c"]
    assert waiting(depot.database) == []
    assert projector.counts == {"projected": 2, "failed": 1}
    with depot.database.reading() as connection:
        (row,) = connection.execute(select(failed)).all()
    assert row.error == "ZeroDivisionError: a mistake of ours"


def test_what_a_tripping_batch_had_done_is_taken_back(depot):
    store(depot, "a", "b")
    projector = Projector(depot.database, [depot.projection, Heard(trips=("b",))])
    projector.run_once()
    assert [case.sightings for case in depot.cases()] == [1]


def test_two_projectors_share_the_work_and_nothing_is_done_twice(depot):
    for number in range(8):
        store(depot, *(f"{number}-{n}" for n in range(5)))
    heard = Heard()
    projectors = [Projector(depot.database, [depot.projection, heard], batch=3) for _ in range(2)]

    def work(projector: Projector) -> None:
        while projector.run_once():
            pass

    threads = [threading.Thread(target=work, args=(one,)) for one in projectors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(heard.ids) == sorted(set(heard.ids))
    assert len(heard.ids) == 40
    assert sum(case.sightings for case in depot.cases()) == 40


def test_what_another_projector_has_taken_meanwhile_is_left_alone(depot):
    store(depot, "a", "b")
    heard = Heard()
    quick, late = (Projector(depot.database, [heard]) for _ in range(2))
    seen_waiting = late._waiting()
    quick.run_once()
    late._waiting = lambda: seen_waiting
    late.run_once()
    assert heard.ids == ["a", "b"]
    assert late.counts["projected"] == 0


def test_the_thread_works_when_it_is_woken_and_ends_when_it_is_told(depot):
    heard = Heard()
    projector = Projector(depot.database, [heard], poll_s=3600.0)
    projector.start()
    store(depot, "a")
    projector.wake()
    assert heard.one.wait(20)
    projector.stop()
    assert heard.ids == ["a"]


def test_a_store_that_fails_is_tried_again(lite):
    tried: list[int] = []
    done = threading.Event()

    def chore() -> int:
        tried.append(1)
        if len(tried) == 1:
            raise StoreError("disk full")
        if len(tried) == 2:
            raise ZeroDivisionError("ours")
        done.set()
        return 0

    projector = Projector(lite.database, [], chores=[chore], poll_s=0.01)
    projector.start()
    assert done.wait(20)
    projector.stop()
    assert (projector.counts["store_errors"], projector.counts["mistakes"]) == (1, 1)


def test_a_store_error_within_a_batch_is_no_mistake_of_the_event(lite):
    class Broken:
        def project(self, _change, _events):
            raise StoreError("connection lost")

    store(lite, "a")
    projector = Projector(lite.database, [Broken()])
    with pytest.raises(StoreError, match="connection lost"):
        projector.run_once()
    assert len(waiting(lite.database)) == 1


def test_chores_are_done_in_each_round_and_count(lite):
    left = [3, 0]
    projector = Projector(lite.database, [], chores=[lambda: left.pop(0)])
    assert [projector.run_once(), projector.run_once()] == [3, 0]
