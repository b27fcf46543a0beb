# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Carries out people's decisions: the case, its number of change and the record of it in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, select, update

from depot.cases.merging import CannotJoinError, merge, split
from depot.cases.ports import Placing
from depot.cases.records import Case, case_of, row_of
from depot.cases.saving import placed
from depot.cases.tables import later_pictures
from depot.people import audit
from depot.people.guard import Person
from depot.review.deciding import RULES, Action, Decision, RefusedError, classified, decide
from depot.routing.tables import offices
from depot.store.database import Change
from depot.store.tables import audit as record
from depot.store.tables import cases

#: What was only added to a case: nobody decided anything by it.
_ADDED = frozenset({"report", "picture"})
#: Changes that a person need not have known to decide.
_HARMLESS = frozenset({"note"})
_PLACED = ("district", "road", "road_class", "office_proposed", "office")
#: So many of a case's latest records are looked at.
_LATEST = 100


class Recorded(Struct, frozen=True, kw_only=True):
    """A row of the record of changes, about one case."""

    number: int
    who: str
    action: str
    before: dict[str, Any]
    after: dict[str, Any]
    #: The last change before it; None: written by an older depot.
    sequence: int | None

    @property
    def matters(self) -> bool:
        """Whether it is a decision: a rule's is one where it changed the state (seen again, so reopened)."""
        if self.who.startswith("rule:"):
            return "state" in self.after
        return self.action not in _ADDED


def existing(connection: Connection, number: int) -> Case:
    """The case. Raises RefusedError 404."""
    row = connection.execute(select(cases).where(cases.c.number == number)).first()
    if row is None:
        raise RefusedError(404, f"there is no case {number}")
    return case_of(row)


def act(
    change: Change,
    number: int,
    decision: Decision,
    person: Person,
    *,
    seen: int | None = None,
    placing: Placing | None = None,
) -> None:
    """Carry out a decision. `seen`: the change that the person had before their eyes; None: not asked.

    `placing`: another class may mean another office; None: the office stays.

    Raises:
        RefusedError: no such case, it changed meanwhile in a way that matters, or it is not allowed.
    """
    case = existing(change.connection, number)
    if seen is not None:
        _check_news(change.connection, case, seen)
    changes = decide(case, decision, person, change.now_utc)
    if decision.office is not None:
        _check_office(change.connection, decision.office)
    told = {}
    if decision.picture is not None:
        _check_picture(change.connection, number, decision.picture)
        told["picture"] = decision.picture
    changes |= _moved(change, case, changes, placing)
    _write(change, case, changes, person, decision.action, told=told)


def undo(change: Change, number: int, person: Person, *, placing: Placing | None = None) -> None:
    """Take back the person's own decision, if it is the last one of the case. `placing`: as for `act`.

    Raises:
        RefusedError: no such case, nothing to undo, or somebody or a rule has changed it since.
    """
    case = existing(change.connection, number)
    last = last_decision(change.connection, number)
    if last is None:
        raise RefusedError(409, f"case {number}: there is no decision to undo")
    if last.who != person.name:
        raise RefusedError(409, f"case {number}: the last decision is {last.who}'s ({last.action})")
    if not is_undoable(case, last, person):
        raise RefusedError(409, f"case {number}: {last.action} cannot be undone by this")
    changes = dict(last.before)
    if "class" in changes:  # vehicles may call it otherwise by now, and who acts follows from what it is now
        said = changes["class"] if changes["class_by"] is not None else None
        changes = {name: value for name, value in changes.items() if name not in _PLACED}
        changes |= classified(case, said, changes["class_by"])
        changes |= _moved(change, case, changes, placing)
    elif "office" in changes and changes["office_by"] is None:
        changes["office"] = case.office_proposed  # the rules may propose another by now
    _write(change, case, changes, person, "undo", told={"undone": last.number})


def is_undoable(case: Case, last: Recorded, person: Person) -> bool:
    """Whether the person may take their last decision back. Merge and split are more than one case's columns."""
    rule = RULES.get(cast("Action", last.action))
    if rule is None or case.state == "merged":
        return False
    return last.who == person.name and person.may(rule.permission)


def put_together(
    change: Change, number: int, into: int, person: Person, *, seen: int | None, placing: Placing | None
) -> None:
    """Merge a case into another. Raises RefusedError."""
    if seen is not None:
        _check_news(change.connection, existing(change.connection, number), seen)
    for each in (number, into):
        existing(change.connection, each)
    try:
        merge(change, into, number, person.name, placing=placing)
    except CannotJoinError as error:
        raise RefusedError(409, str(error)) from None


def take_apart(
    change: Change, number: int, sightings: Sequence[int], person: Person, *, placing: Placing | None
) -> int:
    """Split sightings off into a new case and give its number. Raises RefusedError."""
    existing(change.connection, number)
    try:
        return split(change, number, sightings, person.name, placing=placing)
    except CannotJoinError as error:
        raise RefusedError(409, str(error)) from None


def last_decision(connection: Connection, number: int) -> Recorded | None:
    """The last decision of a case that was not undone."""
    undone: set[int] = set()
    for row in latest(connection, number):
        if row.action == "undo":
            undone.add(row.after.get("undone", 0))
        elif row.number not in undone and row.matters:
            return row
    return None


def latest(connection: Connection, number: int) -> list[Recorded]:
    """The latest records of a case, newest first."""
    c = record.c
    rows = connection.execute(
        select(c.number, c.who, c.action, c.before, c.after, c.sequence)
        .where(c.kind == "case", c.subject == str(number))
        .order_by(c.number.desc())
        .limit(_LATEST)
    )
    return [
        Recorded(number=at, who=who, action=action, before=_object(before), after=_object(after), sequence=sequence)
        for at, who, action, before, after, sequence in rows
    ]


def _object(text: str | None) -> dict[str, Any]:
    value = None if text is None else msgspec.json.decode(text)
    return value if isinstance(value, dict) else {}


def _check_news(connection: Connection, case: Case, seen: int) -> None:
    """Raises RefusedError 409 where something happened after `seen` that the person should know."""
    if case.changed <= seen:
        return
    for row in latest(connection, case.number):
        if row.sequence is not None and seen <= row.sequence and row.matters and row.action not in _HARMLESS:
            raise RefusedError(409, f"case {case.number} changed meanwhile: {row.action} by {row.who}")


def _moved(change: Change, case: Case, changes: Mapping[str, Any], placing: Placing | None) -> dict[str, Any]:
    """Where it belongs if it is of another class now; an office that a person chose stays."""
    if placing is None or changes.get("class", case.defect_class) == case.defect_class:
        return {}
    now = placed(change, replace(case, defect_class=changes["class"]), placing)
    return {name: getattr(now, name) for name in _PLACED if getattr(now, name) != getattr(case, name)}


def _check_office(connection: Connection, office: str) -> None:
    """Raises RefusedError 409."""
    active = connection.execute(select(offices.c.active).where(offices.c.id == office)).scalar()
    if not active:
        raise RefusedError(409, f"office: {'there is none called' if active is None else 'no longer in use:'} {office}")


def _check_picture(connection: Connection, number: int, picture: str) -> None:
    """Raises RefusedError 409."""
    c = later_pictures.c
    if connection.execute(select(c.received).where(c.case == number, c.picture == picture)).first() is None:
        raise RefusedError(409, f"case {number} has no such picture from a later pass")


def _write(
    change: Change, case: Case, changes: dict[str, Any], person: Person, action: str, *, told: dict[str, Any]
) -> None:
    """`told`: what the record says beside the columns."""
    before = {name: value for name, value in row_of(case).items() if name in changes}
    values = {**changes, "changed": change.next()}
    change.connection.execute(update(cases).where(cases.c.number == case.number).values(values))
    audit.record(
        change.connection,
        utc=change.now_utc,
        who=person.name,
        action=action,
        kind="case",
        subject=case.number,
        before=before,
        after={**changes, **told},
    )
