# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Decisions on cases: one, many, undo, merge, split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Body, HTTPException, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from depot.cases.ports import Placing
from depot.people.guard import Person, allow
from depot.review import acting, answers
from depot.review.deciding import Action, Decision, RefusedError, RejectReason
from depot.review.documents import answers as answered
from depot.review.documents import reply
from depot.review.list_routes import Number
from depot.review.showing import detail
from depot.services import Services
from depot.store.database import Change, Database
from messages.topics import SHA256_PATTERN

Decider = Annotated[Person, allow("decide")]
#: Letters, line breaks and tabs; PostgreSQL keeps no NUL.
_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
_WORD = r"^[^\x00-\x1f\x7f]+$"


def _is_number(value: object) -> object:
    """JSON's own whole numbers, 17 or 17.0; no words that look like one."""
    if isinstance(value, bool | str):
        raise ValueError("a whole number is wanted")  # noqa: TRY004 - pydantic takes a ValueError
    return value


_Number = BeforeValidator(_is_number)
Changed = Annotated[int, Field(ge=0, le=2**53, description="`changed` of the case as the person saw it"), _Number]
CaseNumber = Annotated[int, Field(ge=1, le=2**53), _Number]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Wish(_Strict):
    """What all decisions may say; `reason` and `office` belong to one each, but may be null in all."""

    action: Action
    reason: RejectReason | None = None
    office: Annotated[str | None, Field(min_length=1, max_length=100, pattern=_WORD)] = None
    note: Annotated[str | None, Field(max_length=2000, pattern=_TEXT)] = None

    def decision(self) -> Decision:
        """For the core."""
        return Decision(action=self.action, reason=self.reason, office=self.office, note=self.note)


class Plain(_Wish):
    """A decision that needs nothing more."""

    action: Literal["confirm", "reopen", "order", "note"]
    reason: None = None
    office: None = None


class Repaired(_Wish):
    """It is repaired; `picture`: the later picture on which the person saw it."""

    action: Literal["repaired"]
    reason: None = None
    office: None = None
    picture: Annotated[str | None, Field(pattern=f"^{SHA256_PATTERN}$")] = None

    def decision(self) -> Decision:
        """For the core."""
        return Decision(action=self.action, note=self.note, picture=self.picture)


class Reject(_Wish):
    """A decision with its reason."""

    action: Literal["reject"]
    reason: RejectReason
    office: None = None


class Assign(_Wish):
    """Another office; null: the one that the rules propose."""

    action: Literal["assign"]
    reason: None = None


class Classify(_Wish):
    """What it is; null: what its sightings say, again."""

    action: Literal["classify"]
    reason: None = None
    office: None = None
    defect_class: Annotated[str | None, Field(alias="class", min_length=1, max_length=100, pattern=_WORD)]

    def decision(self) -> Decision:
        """For the core."""
        return Decision(action=self.action, note=self.note, defect_class=self.defect_class)


class _One(_Strict):
    changed: Changed


class _Many(_Strict):
    numbers: Annotated[list[CaseNumber], Field(min_length=1, max_length=500)]


class PlainOne(Plain, _One):
    """On one case, as the person saw it."""


class RejectOne(Reject, _One):
    """On one case, as the person saw it."""


class AssignOne(Assign, _One):
    """On one case, as the person saw it."""


class RepairedOne(Repaired, _One):
    """On one case, as the person saw it."""


class ClassifyOne(Classify, _One):
    """On one case, as the person saw it."""


class PlainMany(Plain, _Many):
    """On many cases, as they are now."""


class RejectMany(Reject, _Many):
    """On many cases, as they are now."""


class AssignMany(Assign, _Many):
    """On many cases, as they are now."""


class ClassifyMany(Classify, _Many):
    """On many cases, as they are now."""


class RepairedMany(Repaired, _Many):
    """On many cases, as they are now; a picture is one case's."""

    picture: None = None


OnOne = Annotated[PlainOne | RejectOne | AssignOne | ClassifyOne | RepairedOne, Body(discriminator="action")]
OnMany = Annotated[PlainMany | RejectMany | AssignMany | ClassifyMany | RepairedMany, Body(discriminator="action")]


class Merge(_Strict):
    """Put the case into another."""

    into: CaseNumber
    changed: Changed | None = None


class Split(_Strict):
    """Take sightings (their numbers) out of the case."""

    sightings: Annotated[list[CaseNumber], Field(min_length=1, max_length=500)]


def add(router: APIRouter, services: Services, placing: Placing | None) -> None:
    """Add the routes."""
    _add_actions(router, services.database, placing)
    _add_joining(router, services.database, placing)


def _add_actions(router: APIRouter, database: Database, placing: Placing | None) -> None:
    @router.post(
        "/api/cases/{number}/actions", response_class=Response, responses=answered(answers.Detail, 400, 404, 409)
    )
    def act(number: Number, person: Decider, wanted: OnOne) -> Response:
        """Decide on a case; 409 where a person or a rule decided since `changed`. New sightings are no conflict."""
        return _changed(
            database,
            number,
            person,
            lambda change: acting.act(change, number, wanted.decision(), person, seen=wanted.changed, placing=placing),
        )

    @router.post("/api/cases/{number}/undo", response_class=Response, responses=answered(answers.Detail, 400, 404, 409))
    def undo(number: Number, person: Decider) -> Response:
        """Take one's own last decision back; 409 where it is not the last one of the case."""
        return _changed(database, number, person, lambda change: acting.undo(change, number, person, placing=placing))

    @router.post("/api/actions", response_class=Response, responses=answered(answers.DoneAll, 400))
    def act_on_many(person: Decider, wanted: OnMany) -> Response:
        """The same decision on up to 500 cases; each says what became of it."""
        decision = wanted.decision()
        with database.changing() as change:
            results = [_done(change, number, decision, person, placing) for number in dict.fromkeys(wanted.numbers)]
        return reply(answers.DoneAll(results=results))


def _add_joining(router: APIRouter, database: Database, placing: Placing | None) -> None:
    @router.post(
        "/api/cases/{number}/merge", response_class=Response, responses=answered(answers.Detail, 400, 404, 409)
    )
    def merge(number: Number, person: Decider, wanted: Annotated[Merge, Body()]) -> Response:
        """Put this case into another; the answer is that one."""
        return _changed(
            database,
            wanted.into,
            person,
            lambda change: acting.put_together(
                change, number, wanted.into, person, seen=wanted.changed, placing=placing
            ),
        )

    @router.post("/api/cases/{number}/split", response_class=Response, responses=answered(answers.Split, 400, 404, 409))
    def split(number: Number, person: Decider, wanted: Annotated[Split, Body()]) -> Response:
        """Take sightings out into a new case; they are never joined to this one again by a rule."""
        try:
            with database.changing() as change:
                new = acting.take_apart(change, number, wanted.sightings, person, placing=placing)
                left = detail(change.connection, number, person)
        except RefusedError as error:
            raise HTTPException(error.status, error.detail) from None
        return reply(answers.Split(new=new, case=left))


def _changed(database: Database, number: int, person: Person, do: Callable[[Change], None]) -> Response:
    """Change a case and answer with what it is then."""
    try:
        with database.changing() as change:
            do(change)
            after = detail(change.connection, number, person)
    except RefusedError as error:
        raise HTTPException(error.status, error.detail) from None
    return reply(after)


def _done(change: Change, number: int, decision: Decision, person: Person, placing: Placing | None) -> answers.Done:
    try:
        acting.act(change, number, decision, person, placing=placing)
    except RefusedError as error:
        return answers.Done(number=number, ok=False, detail=error.detail)
    return answers.Done(number=number, ok=True)
