# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select

from depot.cases.ports import Placed
from depot.cases.records import Case
from depot.people import audit
from depot.store.database import Database
from depot.store.tables import audit as record
from depot.store.tables import cases
from tests.depot.review.samples import ROLES, Depot, add_case, add_offices, add_sighting, change_case, changed_of


@pytest.fixture
def depot(database: Database) -> Depot:
    add_offices(database)
    return Depot(database)


def _act(depot: Depot, number: int, action: str, name: str = "anna", **body: Any) -> Any:
    body.setdefault("changed", changed_of(depot.database, number))
    return depot.client(name).post(f"/api/cases/{number}/actions", {"action": action, **body})


def _records(database: Database, number: int) -> list[tuple[str, str, str | None, str | None]]:
    columns = (record.c.who, record.c.action, record.c.before, record.c.after)
    query = select(*columns).where(record.c.kind == "case", record.c.subject == str(number)).order_by(record.c.number)
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]


def _state(database: Database, number: int) -> Any:
    with database.reading() as connection:
        return connection.execute(select(cases.c.state).where(cases.c.number == number)).scalar_one()


def test_a_decision_changes_the_case_and_is_recorded_with_it(depot: Depot) -> None:
    number = add_case(depot.database)
    before = depot.database.sequence()
    answer = _act(depot, number, "reject", reason="not_a_defect", note="leaf")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["state"], found["reject_reason"], found["note"]) == ("rejected", "not_a_defect", "leaf")
    assert found["decided_by"] == "anna"
    assert found["decided_utc"] is not None
    assert found["changed"] == depot.database.sequence() == before + 1
    ((who, action, old, new),) = _records(depot.database, number)
    assert (who, action) == ("anna", "reject")
    assert '"state":"new"' in (old or "")
    assert '"state":"rejected"' in (new or "")
    (entry,) = found["history"]
    assert (entry["who"], entry["action"], entry["before"]["state"]) == ("anna", "reject", "new")
    assert set(found["actions"]) == {"reopen", "note", "merge", "undo"}


def test_a_refused_decision_leaves_no_trace(depot: Depot) -> None:
    number = add_case(depot.database)
    before = depot.database.sequence()
    assert _act(depot, number, "order").status_code == 409
    assert _act(depot, number, "order", name="ben").status_code == 403
    assert _act(depot, number, "reject").status_code == 422
    assert _act(depot, number, "confirm", name="vera").status_code == 403
    assert depot.client(None).post(f"/api/cases/{number}/actions", {}).status_code == 401
    assert _act(depot, number, "lose").status_code == 422
    assert depot.client().post("/api/cases/99/actions", {"action": "confirm", "changed": 0}).status_code == 404
    assert _records(depot.database, number) == []
    assert depot.database.sequence() == before


def test_what_somebody_says_it_is_is_shown_recorded_and_taken_back(depot: Depot) -> None:
    number = add_case(depot.database)
    found = _act(depot, number, "classify", name="ben", **{"class": "alligator_crack", "note": "no hole"}).json()
    assert (found["class"], found["class_by"], found["class_seen"]) == ("alligator_crack", "ben", "pothole")
    assert found["title"]["de"].startswith("Netzriss")
    assert found["state"] == "new"
    (entry,) = found["history"]
    assert (entry["action"], entry["before"]["class"], entry["after"]["class"]) == (
        "classify",
        "pothole",
        "alligator_crack",
    )
    back = depot.client("ben").post(f"/api/cases/{number}/undo").json()
    assert (back["class"], back["class_by"], back["class_seen"], back["note"]) == ("pothole", None, None, None)


def test_a_word_taken_back_is_what_vehicles_say_by_then(depot: Depot) -> None:
    number = add_case(depot.database)
    _act(depot, number, "classify", **{"class": "alligator_crack"})
    _act(depot, number, "classify", **{"class": "crack"})
    change_case(depot.database, number, class_seen="transverse_crack")
    back = depot.client().post(f"/api/cases/{number}/undo").json()
    assert (back["class"], back["class_by"], back["class_seen"]) == ("alligator_crack", "anna", "transverse_crack")
    back = depot.client().post(f"/api/cases/{number}/undo").json()
    assert (back["class"], back["class_by"], back["class_seen"]) == ("transverse_crack", None, None)


def test_many_can_be_something_else_at_once_and_each_says_why_not(depot: Depot) -> None:
    road, lining = add_case(depot.database), add_case(depot.database, surface="lining", **{"class": "crack"})
    body = {"numbers": [road, lining], "action": "classify", "class": "pothole"}
    results = depot.client().post("/api/actions", body).json()["results"]
    assert [one["ok"] for one in results] == [True, False]
    assert "known on the lining" in results[1]["detail"]


def test_another_class_may_mean_another_office_and_back(database: Database) -> None:
    class ByClass:
        def place(self, _connection: object, case: Case) -> Placed:
            return Placed(district="Mitte", office="road-works" if case.defect_class == "pothole" else "sewers")

    add_offices(database)
    depot = Depot(database, placing=ByClass())
    number = add_case(database, office="road-works", office_proposed="road-works", district="Mitte")
    assert _act(depot, number, "classify", **{"class": "crack"}).json()["office"] == "sewers"
    assert depot.client().post(f"/api/cases/{number}/undo").json()["office"] == "road-works"
    _act(depot, number, "assign", office="road-works")
    found = _act(depot, number, "classify", **{"class": "crack"}).json()
    assert (found["office"], found["office_proposed"]) == ("road-works", "sewers")


def test_two_who_decide_at_once_do_not_overwrite_each_other(depot: Depot) -> None:
    number = add_case(depot.database)
    seen = changed_of(depot.database, number)
    assert _act(depot, number, "confirm", changed=seen).status_code == 200
    answer = _act(depot, number, "reject", name="ben", reason="not_ours", changed=seen)
    assert answer.status_code == 409
    assert answer.json()["detail"] == f"case {number} changed meanwhile: confirm by anna"
    assert _act(depot, number, "reject", name="ben", reason="not_ours").status_code == 200


def test_a_new_sighting_or_a_note_is_no_conflict(depot: Depot) -> None:
    number = add_case(depot.database)
    seen = changed_of(depot.database, number)
    add_sighting(depot.database, number)
    assert _act(depot, number, "note", name="ben", note="wet").status_code == 200
    assert _act(depot, number, "confirm", changed=seen).status_code == 200


def _by_rule(database: Database, number: int, action: str, before: Any, after: Any) -> None:
    with database.changing() as change:
        audit.record(
            change.connection,
            utc=change.now_utc,
            who="rule:some",
            action=action,
            kind="case",
            subject=number,
            before=before,
            after=after,
        )
    change_case(database, number, **{key: value for key, value in after.items() if key in cases.c})


def test_a_rule_that_reopens_is_a_conflict_and_one_that_proposes_is_none(depot: Depot) -> None:
    number = add_case(depot.database, state="repaired")
    seen = changed_of(depot.database, number)
    _by_rule(depot.database, number, "propose", {"office": None}, {"office": "sewers"})
    assert _act(depot, number, "reopen", changed=seen).status_code == 200
    change_case(depot.database, number, state="repaired")
    seen = changed_of(depot.database, number)
    _by_rule(depot.database, number, "reopen", {"state": "repaired"}, {"state": "reopened"})
    answer = _act(depot, number, "note", note="x", changed=seen)
    assert answer.status_code == 409
    assert "rule:some" in answer.json()["detail"]


def test_undo_puts_back_what_was_and_can_go_on(depot: Depot) -> None:
    number = add_case(depot.database, office="road-works", office_proposed="road-works")
    _act(depot, number, "confirm")
    _act(depot, number, "assign", office="sewers")
    undo = f"/api/cases/{number}/undo"
    first = depot.client().post(undo).json()
    assert (first["state"], first["office"], first["office_by"]) == ("confirmed", "road-works", None)
    second = depot.client().post(undo).json()
    assert (second["state"], second["decided_by"], second["decided_utc"]) == ("new", None, None)
    third = depot.client().post(undo)
    assert (third.status_code, third.json()["detail"]) == (409, f"case {number}: there is no decision to undo")
    assert [row[1] for row in _records(depot.database, number)] == ["confirm", "assign", "undo", "undo"]


def test_undo_gives_the_case_back_to_the_rules_of_today(depot: Depot) -> None:
    number = add_case(depot.database, office="road-works", office_proposed="road-works")
    _act(depot, number, "assign", office="sewers")
    change_case(depot.database, number, office_proposed="bridges")
    found = depot.client().post(f"/api/cases/{number}/undo").json()
    assert (found["office"], found["office_by"]) == ("bridges", None)


def test_who_may_no_longer_order_does_not_undo_an_order(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    number = add_case(depot.database, state="confirmed")
    _act(depot, number, "order")
    monkeypatch.setitem(ROLES, "anna", "reviewer")
    assert "undo" not in depot.client().get(f"/api/cases/{number}").json()["actions"]
    assert depot.client().post(f"/api/cases/{number}/undo").status_code == 409


def test_nobody_undoes_anothers_decision_or_what_a_rule_did_since(depot: Depot) -> None:
    number = add_case(depot.database)
    _act(depot, number, "confirm")
    undo = f"/api/cases/{number}/undo"
    assert "undo" not in depot.client("ben").get(f"/api/cases/{number}").json()["actions"]
    answer = depot.client("ben").post(undo)
    assert (answer.status_code, "anna" in answer.json()["detail"]) == (409, True)
    _by_rule(depot.database, number, "reopen", {"state": "confirmed"}, {"state": "reopened"})
    assert depot.client().post(undo).status_code == 409
    assert depot.client("vera").post(undo).status_code == 403
    assert depot.client().post("/api/cases/99/undo").status_code == 404


def test_what_was_only_added_is_no_decision(depot: Depot) -> None:
    number = add_case(depot.database)
    seen = changed_of(depot.database, number)
    _act(depot, number, "confirm", changed=seen)
    seen = changed_of(depot.database, number)
    with depot.database.changing() as change:
        audit.record(
            change.connection, utc=change.now_utc, who="ben", action="picture", kind="case", subject=number, after={}
        )
    change_case(depot.database, number)
    assert _act(depot, number, "order", changed=seen).status_code == 200
    assert depot.client().post(f"/api/cases/{number}/undo").json()["state"] == "confirmed"


def test_only_an_office_that_there_is_can_be_chosen(depot: Depot) -> None:
    number = add_case(depot.database)
    for office, status in (("sewers", 200), (None, 200), ("canals", 409), ("sewrs", 409)):
        answer = _act(depot, number, "assign", office=office)
        assert answer.status_code == status
        assert status == 200 or str(office) in answer.json()["detail"]


def test_many_at_once_each_says_what_became_of_it(depot: Depot) -> None:
    fine, confirmed = add_case(depot.database), add_case(depot.database, state="confirmed")
    answer = depot.client("ben").post("/api/actions", {"numbers": [fine, confirmed, 99, fine], "action": "confirm"})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [(each["number"], each["ok"]) for each in results] == [(fine, True), (confirmed, False), (99, False)]
    assert "confirmed" in results[1]["detail"]
    assert _state(depot.database, fine) == "confirmed"


@pytest.mark.parametrize(
    "body",
    [
        {"numbers": [], "action": "confirm"},
        {"numbers": list(range(1, 502)), "action": "confirm"},
        {"numbers": [2**60], "action": "confirm"},
        {"numbers": [True], "action": "confirm"},
        {"numbers": ["1"], "action": "confirm"},
        {"numbers": [1], "action": "confirm", "more": 1},
        {"numbers": [1], "action": "note", "note": "a\x00b"},
        {"numbers": [1], "action": "note", "note": "x" * 2001},
        {"numbers": [1], "action": "assign", "office": ""},
        {"numbers": [1], "action": "reject"},
        {"numbers": [1], "action": "reject", "reason": "ugly"},
        {"numbers": [1], "action": "confirm", "reason": "other"},
        {"numbers": [1], "action": "confirm", "office": "sewers"},
        [],
    ],
)
def test_a_body_that_is_none_is_refused(unchanging: Depot, body: Any) -> None:
    assert unchanging.client().post("/api/actions", body).status_code == 422


def test_merge_and_split_by_hand(depot: Depot) -> None:
    one, other = add_case(depot.database), add_case(depot.database)
    add_sighting(depot.database, one, best=True)
    moved, _ = add_sighting(depot.database, other, best=True)
    answer = depot.client("ben").post(f"/api/cases/{other}/merge", {"into": one})
    assert answer.status_code == 200, answer.text
    assert answer.json()["number"] == one
    assert {seen["number"] for seen in answer.json()["seen"]} > {moved}
    gone = depot.client().get(f"/api/cases/{other}").json()
    assert (gone["state"], gone["merged_into"], gone["actions"]) == ("merged", one, [])
    assert _act(depot, other, "confirm").status_code == 409
    assert depot.client("ben").post(f"/api/cases/{other}/undo").status_code == 409

    answer = depot.client("ben").post(f"/api/cases/{one}/split", {"sightings": [moved]})
    assert answer.status_code == 200, answer.text
    new = answer.json()["new"]
    assert answer.json()["case"]["sightings"] == 1
    assert [seen["number"] for seen in depot.client().get(f"/api/cases/{new}").json()["seen"]] == [moved]


def test_a_merge_or_split_that_cannot_be_is_said(depot: Depot) -> None:
    number = add_case(depot.database)
    add_sighting(depot.database, number)
    here, nowhere = f"/api/cases/{number}", "/api/cases/99"
    tries: list[tuple[str, Any, int]] = [
        (f"{here}/merge", {"into": number}, 409),
        (f"{here}/merge", {"into": 99}, 404),
        (f"{nowhere}/merge", {"into": number}, 404),
        (f"{here}/split", {"sightings": [5000]}, 409),
        (f"{nowhere}/split", {"sightings": [5000]}, 404),
        (f"{here}/split", {"sightings": []}, 422),
    ]
    for path, body, status in tries:
        answer = depot.client().post(path, body)
        assert answer.status_code == status, answer.text
        assert depot.client("vera").post(path, body).status_code == 403


def test_a_merge_of_what_changed_meanwhile_is_a_conflict(depot: Depot) -> None:
    one, other = add_case(depot.database), add_case(depot.database)
    seen = changed_of(depot.database, other)
    _act(depot, other, "confirm")
    assert depot.client("ben").post(f"/api/cases/{other}/merge", {"into": one, "changed": seen}).status_code == 409


def test_of_many_who_confirm_the_same_view_one_wins(depot: Depot) -> None:
    number = add_case(depot.database)
    seen = changed_of(depot.database, number)
    codes: list[int] = []
    barrier = threading.Barrier(4)

    def decide() -> None:
        barrier.wait()
        codes.append(_act(depot, number, "confirm", changed=seen).status_code)

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 409, 409, 409]
    assert len(_records(depot.database, number)) == 1
