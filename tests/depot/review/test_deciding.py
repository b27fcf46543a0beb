# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from depot.cases.records import Case, State
from depot.review import urgency
from depot.review.deciding import RULES, Action, Decision, RefusedError, decide, offers
from tests.depot.review.samples import ROLES, person

NOW = "2026-05-05T08:00:00.000Z"


def case(state: State = "new", **changes: Any) -> Case:
    values: dict[str, Any] = {
        "number": 7,
        "changed": 1,
        "state": state,
        "defect_class": "pothole",
        "surface": "road",
        "sightings": 1,
        "passes": 1,
        "vehicles": 1,
        "looks_without": 0,
        "opened_utc": NOW,
        "pinned": False,
        "reports": 0,
    }
    return Case(**values | changes)


def wish(action: Action) -> Decision:
    return Decision(
        action=action,
        reason="not_ours" if action == "reject" else None,
        office="sewers" if action == "assign" else None,
        note="seen" if action == "note" else None,
    )


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize("state", get_args(State))
def test_what_is_offered_is_what_can_be_done(state: State, name: str) -> None:
    here, asks = case(state), person(name)
    offered = set(offers(here, asks))
    for action in RULES:
        try:
            decide(here, wish(action), asks, NOW)
            done = True
        except RefusedError:
            done = False
        assert (action in offered) is done, action


def test_the_life_of_a_case() -> None:
    way: list[tuple[State, Action, State]] = [
        ("new", "confirm", "confirmed"),
        ("confirmed", "order", "ordered"),
        ("ordered", "repaired", "repaired"),
        ("repaired", "reopen", "reopened"),
        ("reopened", "confirm", "confirmed"),
        ("confirmed", "reject", "rejected"),
        ("rejected", "reopen", "reopened"),
    ]
    for before, action, after in way:
        assert decide(case(before), wish(action), person(), NOW)["state"] == after


@pytest.mark.parametrize(
    ("state", "action", "name", "status"),
    [
        ("new", "order", "anna", 409),
        ("rejected", "confirm", "anna", 409),
        ("confirmed", "order", "ben", 403),
        ("new", "confirm", "vera", 403),
        ("merged", "note", "anna", 409),
    ],
)
def test_what_does_not_go_is_said(state: State, action: Action, name: str, status: int) -> None:
    with pytest.raises(RefusedError) as caught:
        decide(case(state, merged_into=3), wish(action), person(name), NOW)
    assert caught.value.status == status
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize(
    "decision",
    [
        Decision(action="reject"),
        Decision(action="confirm", reason="other"),
        Decision(action="confirm", office="sewers"),
        Decision(action="confirm", defect_class="crack"),
        Decision(action="classify", defect_class="spalling"),
        Decision(action="classify", defect_class="car"),
    ],
)
def test_a_wish_that_says_too_little_or_too_much_is_refused(decision: Decision) -> None:
    with pytest.raises(RefusedError) as caught:
        decide(case(), decision, person(), NOW)
    assert caught.value.status == 422


def test_an_assigned_office_is_the_persons_until_it_is_given_back() -> None:
    here = case("confirmed", office="road-works", office_proposed="road-works")
    assert decide(here, wish("assign"), person(), NOW) == {"office": "sewers", "office_by": "anna"}
    here = case("confirmed", office="sewers", office_proposed="road-works", office_by="anna")
    assert decide(here, Decision(action="assign"), person(), NOW) == {"office": "road-works", "office_by": None}


def test_what_a_person_says_it_is_holds_until_it_is_given_back() -> None:
    said = decide(case(), Decision(action="classify", defect_class="alligator_crack"), person(), NOW)
    assert said == {"class": "alligator_crack", "class_by": "anna", "class_seen": "pothole"}
    here = case(defect_class="alligator_crack", class_by="anna", class_seen="pothole")
    assert decide(here, Decision(action="classify", defect_class="crack"), person("ben"), NOW) == {
        "class": "crack",
        "class_by": "ben",
        "class_seen": "pothole",
    }
    back = decide(here, Decision(action="classify"), person(), NOW)
    assert back == {"class": "pothole", "class_by": None, "class_seen": None}


def test_on_a_lining_it_is_something_else_than_on_a_road() -> None:
    here = case(surface="lining", defect_class="crack")
    assert decide(here, Decision(action="classify", defect_class="spalling"), person(), NOW)["class"] == "spalling"
    with pytest.raises(RefusedError, match="known on the lining: crack, spalling"):
        decide(here, Decision(action="classify", defect_class="pothole"), person(), NOW)


def test_a_note_goes_with_any_decision_and_an_empty_one_is_none() -> None:
    both = decide(case(), Decision(action="confirm", note="deep"), person(), NOW)
    assert (both["state"], both["note"]) == ("confirmed", "deep")
    assert decide(case(note="deep"), Decision(action="note"), person(), NOW) == {"note": None}


def test_a_reason_does_not_outlive_its_rejection() -> None:
    changes = decide(case("rejected", reject_reason="not_ours"), Decision(action="reopen"), person(), NOW)
    assert changes["reject_reason"] is None


def _order(*rows: dict[str, Any]) -> list[int]:
    base = {"turn": 0, "grade": 3, "trend": 0, "road": 0, "reported": False, "vehicles": 1, "first": 1000.0}
    filled = [base | row for row in rows]
    key = urgency.keys(
        turn=np.array([row["turn"] for row in filled]),
        grade=np.array([row["grade"] for row in filled]),
        trend_points=np.array([row["trend"] for row in filled]),
        road_points=np.array([row["road"] for row in filled]),
        reported=np.array([row["reported"] for row in filled]),
        vehicles=np.array([row["vehicles"] for row in filled]),
        first_seen_s=np.array([row["first"] for row in filled]),
    )
    return np.argsort(key, kind="stable").tolist()


def test_the_order_of_urgency_is_the_written_one() -> None:
    assert _order({"turn": 1, "grade": 5}, {"turn": 0, "grade": 1}) == [1, 0]
    assert _order({"grade": 3}, {"grade": 4}) == [1, 0]
    assert _order({"grade": 0}, {"grade": 1}, {"grade": 3}) == [2, 0, 1]
    assert _order({}, {"trend": urgency.TREND["growing"]}) == [1, 0]
    assert _order({"trend": urgency.TREND["shrinking"]}, {}) == [1, 0]
    assert _order({}, {"road": urgency.ROAD_CLASS["tertiary"]}, {"road": urgency.ROAD_CLASS["primary"]}) == [2, 1, 0]
    assert _order({}, {"reported": True}) == [1, 0]
    assert _order({"vehicles": 2}, {"vehicles": 3}) == [1, 0]
    assert _order({"first": 2000.0}, {"first": 1000.0}, {"first": np.nan}) == [1, 0, 2]


def test_points_never_reach_into_the_next_turn() -> None:
    worst = {"grade": 5, "trend": 5, "road": 6, "reported": True, "vehicles": 9, "first": 0.0}
    least = {"grade": 1, "trend": -3, "first": 2.0**33}
    assert _order({"turn": 1, **worst}, {"turn": 0, **least}) == [1, 0]
    assert set(urgency.TURN) == set(get_args(State))
