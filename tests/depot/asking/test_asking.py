# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From the order of a case to the picture of its place after the repair, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from depot.cases.merging import merge
from depot.cases.tables import asked_pictures, later_pictures
from depot.errors import BrokerError
from depot.keeping.config import RetentionConfig
from depot.keeping.retention import Retention
from depot.people.moment import later
from depot.store.tables import audit as record
from depot.store.tables import cases
from messages.types import Reply
from tests.depot.asking.street import Street
from tests.depot.review.samples import Depot, add_case, add_sighting, changed_of
from tests.depot.samples import sha256

START = "2026-11-02T08:00:00.000Z"


def at(days: float) -> str:
    return later(START, timedelta(days=days))


@pytest.fixture
def street(database) -> Street:
    """A case that kehr-3 and bus-7 saw in October, both online."""
    street = Street(database, START)
    number = add_case(
        database, number=17, heading_deg=40.0, last_seen_utc="2026-10-20T10:00:00.000Z", state="confirmed"
    )
    add_sighting(
        database, number, vehicle="kehr-3", best=True, utc="2026-10-20T10:00:00.000Z", boot="x", monotonic_s=1.0
    )
    add_sighting(database, number, vehicle="bus-7", utc="2026-10-11T10:00:00.000Z", boot="y", monotonic_s=1.0)
    street.vehicle("kehr-3")
    street.vehicle("bus-7")
    return street


def order(street: Street, depot: Depot, action: str = "order") -> None:
    answer = depot.client().post(
        "/api/cases/17/actions", {"action": action, "changed": changed_of(street.database, 17)}
    )
    assert answer.status_code == 200, answer.text


@pytest.fixture
def depot(street: Street) -> Depot:
    return Depot(street.database, street.pictures)


def detail(depot: Depot, name: str = "anna"):
    return depot.client(name).get("/api/cases/17").json()


def test_nobody_is_asked_before_the_order_and_both_after_it(street: Street, depot: Depot):
    assert street.round() == []
    order(street, depot)
    sent = street.round()
    assert sorted(errand.vehicle for errand in sent) == ["bus-7", "kehr-3"]
    for errand in sent:
        command = errand.command
        assert (command.action, command.case, command.until) == ("look", "17", at(14))
        assert command.place is not None
        assert (command.place.lon, command.place.lat, command.place.heading_deg) == (6.76, 51.43, 40.0)
    assert street.states() == {"bus-7": "told", "kehr-3": "told"}
    assert street.round() == [], "who has said yes is not told again"
    assert detail(depot)["asked"] == [
        {"vehicle": name, "told": True, "asked_utc": START, "until_utc": at(14)} for name in ("bus-7", "kehr-3")
    ]


def test_the_whole_way_from_the_order_to_the_confirmed_repair(street: Street, depot: Depot):
    order(street, depot)
    wishes = {errand.vehicle: errand.id for errand in street.round()}
    street.now_utc = at(2)
    before = changed_of(street.database, 17)
    event, picture = street.look(wishes["kehr-3"], utc=at(1.9))
    street.take(event)
    assert changed_of(street.database, 17) > before, "the page hears of it"
    (one,) = detail(depot)["after"]
    assert (one["picture_stored"], one["seen"], one["found"]) == (False, False, [])
    street.take(picture)
    shown = detail(depot)
    (one,) = shown["after"]
    assert (one["utc"], one["vehicle"], one["picture"]) == (at(1.9), "kehr-3", picture.sha256)
    assert (one["picture_stored"], one["box"], one["error_m"], one["frames_judged"]) == (
        True,
        [100, 90, 220, 150],
        1.2,
        4,
    )
    assert shown["proposes"] == "repaired"
    assert shown["state"] == "ordered", "a person decides"
    assert depot.client().get(f"/pictures/{picture.sha256}.jpg").content == picture.content

    (told,) = street.round()  # the other vehicle may forget
    assert (told.vehicle, told.command.place, told.command.case) == ("bus-7", None, "17")
    assert street.states() == {"bus-7": "over", "kehr-3": "answered"}
    assert street.round() == []

    body = {"action": "repaired", "changed": shown["changed"], "picture": picture.sha256}
    answer = depot.client().post("/api/cases/17/actions", body)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["proposes"]) == ("repaired", None)
    entry = answer.json()["history"][-1]
    assert (entry["who"], entry["action"], entry["after"]["picture"]) == ("anna", "repaired", picture.sha256)
    street.now_utc = at(3)
    assert street.round() == [], "the picture of the repair is there"


def test_a_picture_that_still_shows_it_proposes_nothing_and_the_next_day_it_is_asked_again(
    street: Street, depot: Depot
):
    order(street, depot)
    wishes = {errand.vehicle: errand.id for errand in street.round()}
    street.now_utc = at(1)
    street.take(*street.look(wishes["kehr-3"], utc=at(0.9), found=["pothole"]))
    shown = detail(depot)
    assert (shown["after"][0]["seen"], shown["after"][0]["found"], shown["proposes"]) == (True, ["pothole"], None)
    assert [errand.command.place for errand in street.round()] == [None], "the other one need not look today"
    street.now_utc = at(2)
    assert {errand.vehicle for errand in street.round()} == {"kehr-3", "bus-7"}


def test_a_pass_that_was_also_a_sighting_has_seen_it_whatever_the_box_said(street: Street, depot: Depot):
    """Red without `saw`: place and box may be some decimetres apart."""
    order(street, depot)
    wishes = {errand.vehicle: errand.id for errand in street.round()}
    street.now_utc = at(1)
    street.take(*street.look(wishes["kehr-3"], utc=at(0.9), monotonic_s=500.0))
    assert detail(depot)["proposes"] == "repaired"
    add_sighting(street.database, 17, vehicle="kehr-3", utc=at(0.9), boot="later", monotonic_s=498.0)
    shown = detail(depot)
    assert (shown["after"][0]["seen"], shown["proposes"]) == (True, None)


def test_after_a_repair_without_a_picture_one_is_asked_for(street: Street, depot: Depot):
    order(street, depot, "repaired")
    wishes = {errand.vehicle: errand.id for errand in street.round()}
    assert sorted(wishes) == ["bus-7", "kehr-3"]
    street.now_utc = at(5)
    street.take(*street.look(wishes["bus-7"], vehicle="bus-7", utc=at(4.5)))
    assert detail(depot)["proposes"] is None, "it is repaired already"
    street.now_utc = at(30)
    street.round()
    assert set(street.states().values()) <= {"over", "answered"}


def test_who_is_away_is_asked_when_it_comes_back_and_who_does_not_answer_again_and_again(street: Street, depot: Depot):
    street.vehicle("bus-7", "stopped")
    street.answer = lambda _errand: None
    order(street, depot)
    (first,) = street.round()
    assert first.vehicle == "kehr-3"
    assert street.round() == []
    street.now_utc = at(0.001)  # a minute and a half
    street.vehicle("bus-7")
    assert [errand.vehicle for errand in street.round()] == ["bus-7", "kehr-3"]
    assert street.sent[-1].id == first.id, "one id is carried out once"
    street.answer = lambda errand: Reply(command=errand.id, ok=True)
    street.now_utc = at(1)
    street.round()
    assert street.states() == {"bus-7": "told", "kehr-3": "told"}


def test_a_vehicle_that_cannot_is_left_alone_and_its_reason_is_kept(street: Street, depot: Depot):
    street.answer = lambda errand: Reply(command=errand.id, ok=False, text="without a calibrated camera\nnobody knows")
    order(street, depot)
    street.round()
    assert street.states() == {"bus-7": "refused", "kehr-3": "refused"}
    with street.database.reading() as connection:
        texts = connection.scalars(select(asked_pictures.c.answer_text)).all()
    assert set(texts) == {"without a calibrated camera?nobody knows"}
    street.now_utc = at(0.9)
    assert street.round() == []
    street.now_utc = at(1.1)
    assert len(street.round()) == 2, "somebody may have calibrated it since, or it knows the time by now"


def test_a_broker_that_is_away_costs_nothing_but_time(street: Street, depot: Depot):
    def away(_errand):
        raise BrokerError("broker 127.0.0.1:1: refused")

    street.answer = away
    order(street, depot)
    street.round()
    assert set(street.states().values()) == {"open"}
    street.answer = lambda errand: Reply(command=errand.id, ok=True)
    street.now_utc = at(1)
    street.round()
    assert set(street.states().values()) == {"told"}


def test_an_order_taken_back_withdraws_the_wish_and_a_new_one_asks_again(street: Street, depot: Depot):
    order(street, depot)
    street.round()
    assert depot.client().post("/api/cases/17/undo").status_code == 200
    assert [errand.command.place for errand in street.round()] == [None, None]
    street.now_utc = at(0.01)
    order(street, depot)
    assert len(street.round()) == 2
    assert set(street.states().values()) == {"told"}


def test_what_nobody_asked_this_vehicle_for_is_no_later_picture(street: Street, depot: Depot):
    order(street, depot)
    wishes = {errand.vehicle: errand.id for errand in street.round()}
    street.take(*street.look("command-of-nobody", utc=at(1)))
    street.take(*street.look(wishes["bus-7"], vehicle="muell-12", utc=at(1)))
    assert detail(depot)["after"] == []
    first, second = (
        street.look(wishes["bus-7"], vehicle="bus-7", utc=at(1)),
        street.look(wishes["bus-7"], vehicle="bus-7", utc=at(1.1), seed=2),
    )
    street.take(*first)
    street.take(*second)
    assert [one["picture"] for one in detail(depot)["after"]] == [first[1].sha256], "one for each question"
    with street.database.reading() as connection:
        assert connection.execute(select(record).where(record.c.action == "failed")).all() == []
    assert street.projector.counts["failed"] == 0


def test_a_merged_case_takes_its_later_pictures_along_also_those_that_come_after(street: Street, depot: Depot):
    order(street, depot)
    wishes = {errand.vehicle: errand.id for errand in street.round()}
    street.take(*street.look(wishes["kehr-3"], utc=at(1)))
    other = add_case(street.database, number=18, state="ordered", decided_utc=START)
    add_sighting(street.database, other, boot="z", monotonic_s=1.0)
    with street.database.changing() as change:
        merge(change, 18, 17, "anna")
    street.take(*street.look(wishes["bus-7"], vehicle="bus-7", utc=at(2), seed=2))
    after = depot.client().get("/api/cases/18").json()["after"]
    assert [one["vehicle"] for one in after] == ["bus-7", "kehr-3"]


def test_only_who_may_decide_is_offered_the_repair(street: Street, depot: Depot):
    order(street, depot)
    wishes = {errand.vehicle: errand.id for errand in street.round()}
    street.take(*street.look(wishes["kehr-3"], utc=at(1)))
    assert detail(depot, "ben")["proposes"] is None
    assert len(detail(depot, "vera")["after"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"action": "repaired", "picture": "ab" * 32}, 409, "no such picture"),
        ({"action": "note", "note": "x", "picture": "ab" * 32}, 422, ""),
        ({"action": "repaired", "picture": "none"}, 422, ""),
    ],
)
def test_a_picture_that_is_not_of_this_case_confirms_nothing(street: Street, depot: Depot, body, status, said):
    order(street, depot)
    answer = depot.client().post("/api/cases/17/actions", body | {"changed": changed_of(street.database, 17)})
    assert answer.status_code == status
    assert said in answer.text
    assert detail(depot)["state"] == "ordered"


def test_later_pictures_go_by_the_rule_of_their_case(street: Street, depot: Depot):
    """Red when retention does not know the table: after 180 days it would take them as belonging to no case."""
    order(street, depot)
    wishes = {errand.vehicle: errand.id for errand in street.round()}
    event, picture = street.look(wishes["kehr-3"], utc=at(1))
    street.take(event, picture)
    retention = Retention(street.database, street.pictures, RetentionConfig())
    street.now_utc = at(300)
    retention.run_once()
    assert detail(depot)["after"][0]["picture_stored"], "its case is still open"
    street.decided(17, state="repaired", decided_utc=at(2))
    street.now_utc = at(740)
    retention.run_once()
    (one,) = detail(depot)["after"]
    assert (one["picture_stored"], one["expired"]) == (False, True)
    assert street.pictures.read(sha256(picture.content)) is None


def test_what_is_off_asks_for_nothing_and_withdraws_what_was_asked(database):
    street = Street(database, START)
    add_case(database, number=17, state="ordered", decided_utc=START)
    add_sighting(database, 17, vehicle="kehr-3", boot="x", monotonic_s=1.0)
    street.vehicle("kehr-3")
    assert len(street.round()) == 1
    off = Street(database, at(1), pictures=False)
    assert [errand.command.place for errand in off.round()] == [None]
    assert off.round() == []


def test_many_orders_are_told_a_few_at_a_time_and_no_vehicle_gets_more_than_it_takes(database):
    street = Street(database, START)
    for number in range(1, 61):
        add_case(database, number=number, state="ordered", decided_utc=at(-number / 100), lat=51.0 + number / 100)
        add_sighting(database, number, vehicle="kehr-3", boot=f"b{number}", monotonic_s=1.0)
    street.vehicle("kehr-3")
    rounds = []
    while True:
        street.now_utc = later(street.now_utc, timedelta(minutes=2))
        street.vehicle("kehr-3")
        told = street.round()
        if not told:
            break
        rounds.append(len(told))
    assert max(rounds) <= 6
    assert sum(rounds) == 48
    oldest = {str(number) for number in range(13, 61)}
    assert {errand.command.case for errand in street.sent} == oldest, "who has waited longest comes first"


def test_two_workers_ask_once(street: Street, depot: Depot):
    order(street, depot)
    other = Street(street.database, START)
    street.round()
    assert other.round() == []
    with street.database.reading() as connection:
        assert len(connection.execute(select(asked_pictures)).all()) == 2
        assert connection.execute(select(later_pictures)).all() == []
        assert connection.scalar(select(cases.c.state)) == "ordered"
