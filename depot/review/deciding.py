# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What people may do with a case in which state, and what that makes of it. Pure: it knows no database and no clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from depot.cases.kinds import KINDS
from depot.cases.records import Case, State
from depot.people.guard import Person
from depot.people.roles import Permission

Action = Literal["confirm", "reject", "reopen", "order", "repaired", "classify", "assign", "note"]
#: What else the page can offer for a case.
Offer = Literal[Action, "merge", "split", "undo"]
RejectReason = Literal["not_a_defect", "not_ours", "duplicate", "already_repaired", "bad_picture", "other"]


class Rule(NamedTuple):
    """From which states an action is allowed, what state it leads to (None: it stays), and who may do it."""

    sources: frozenset[State]
    target: State | None
    permission: Permission


_OPEN: frozenset[State] = frozenset({"new", "reopened"})
_LIVE: frozenset[State] = _OPEN | {"confirmed", "ordered"}
RULES: Mapping[Action, Rule] = {
    "confirm": Rule(_OPEN, "confirmed", "decide"),
    "reject": Rule(_OPEN | {"confirmed"}, "rejected", "decide"),
    "reopen": Rule(frozenset({"rejected", "repaired"}), "reopened", "decide"),
    "order": Rule(frozenset({"reopened", "confirmed"}), "ordered", "dispatch"),
    "repaired": Rule(_LIVE - {"new"}, "repaired", "dispatch"),
    "classify": Rule(_LIVE, None, "decide"),
    "assign": Rule(_LIVE, None, "dispatch"),
    "note": Rule(_LIVE | {"rejected", "repaired"}, None, "decide"),
}


class Decision(Struct, frozen=True, kw_only=True):
    """What a person wants. `office` None with "assign": the one that the rules propose, again.

    `defect_class` with "classify": what it is; None: what its sightings say, again.
    `picture`: the SHA-256 of the later picture that they saw it on; only with "repaired", and only for the record.
    """

    action: Action
    reason: RejectReason | None = None
    office: str | None = None
    note: str | None = None
    picture: str | None = None
    defect_class: str | None = None


class RefusedError(Exception):
    """The decision cannot be carried out: one line, and the status of the answer (403, 404, 409 or 422)."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def offers(case: Case, person: Person) -> list[Offer]:
    """What this person may do with the case now, without undo: that depends on the record of changes."""
    found: list[Offer] = [
        action for action, rule in RULES.items() if case.state in rule.sources and person.may(rule.permission)
    ]
    if case.state != "merged" and person.may("decide"):
        found += ["merge", "split"] if case.sightings > 1 else ["merge"]
    return found


def decide(case: Case, decision: Decision, person: Person, now_utc: str) -> dict[str, Any]:
    """The columns that the decision changes, with their new values.

    Raises:
        RefusedError: the state, the role or the decision itself does not allow it.
    """
    rule = RULES[decision.action]
    if not person.may(rule.permission):
        raise RefusedError(403, f"the role {person.role} does not allow this ({rule.permission})")
    if case.state == "merged":
        raise RefusedError(409, f"case {case.number} was merged into {case.merged_into}")
    if case.state not in rule.sources:
        allowed = ", ".join(sorted(rule.sources))
        raise RefusedError(409, f"{decision.action}: case {case.number} is {case.state}; this goes from {allowed}")
    _check_fields(decision)
    changes: dict[str, Any] = {}
    if rule.target is not None:
        changes |= {"state": rule.target, "decided_utc": now_utc, "decided_by": person.name}
        changes["reject_reason"] = decision.reason
    if decision.action == "assign":
        chosen = decision.office is not None
        changes["office"] = decision.office if chosen else case.office_proposed
        changes["office_by"] = person.name if chosen else None
    if decision.action == "classify":
        changes |= classified(case, decision.defect_class, person.name)
    if decision.note is not None or decision.action == "note":
        changes["note"] = decision.note or None
    return changes


def classified(case: Case, label: str | None, who: str | None) -> dict[str, Any]:
    """The columns of a case that is said to be of this class; None: what its sightings say.

    Raises:
        RefusedError: a defect of its surface cannot be that.
    """
    seen = case.defect_class if case.class_by is None else case.class_seen
    if label is None:
        return {"class": seen, "class_by": None, "class_seen": None}
    if label not in KINDS[case.surface]:
        known = ", ".join(KINDS[case.surface])
        raise RefusedError(422, f"class: {label} is nothing that is found there; known on the {case.surface}: {known}")
    return {"class": label, "class_by": who, "class_seen": seen}


def _check_fields(decision: Decision) -> None:
    """Raises RefusedError for what belongs to another action, so that no wish is dropped unsaid."""
    if decision.action == "reject" and decision.reason is None:
        raise RefusedError(422, "reject: a reason is wanted")
    if decision.action != "reject" and decision.reason is not None:
        raise RefusedError(422, f"{decision.action}: a reason belongs to reject only")
    if decision.action != "assign" and decision.office is not None:
        raise RefusedError(422, f"{decision.action}: an office belongs to assign only")
    if decision.action != "classify" and decision.defect_class is not None:
        raise RefusedError(422, f"{decision.action}: a class belongs to classify only")
    if decision.action != "repaired" and decision.picture is not None:
        raise RefusedError(422, f"{decision.action}: a picture belongs to repaired only")
