# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Routes of updates: the repository's files for the vehicles, releases and roll-outs for people."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from depot.fleet.choices import GROUP_PATTERN
from depot.people.guard import Person, allow
from depot.roads.answers import Named, described, json
from depot.services import Services
from depot.updates import files, keeping, showing
from depot.updates.records import USUAL, RolloutError, Step
from depot.updates.repository import Repository

Viewer: TypeAlias = Annotated[Person, allow("fleet")]
Manager: TypeAlias = Annotated[Person, allow("manage")]
Number: TypeAlias = Annotated[int, Path(ge=1, le=2**53)]
_ONE = described("a roll-out", "application/json", 404, 409)


class NewStep(BaseModel):
    """Whom a step adds: a group, or vehicles until this share of all have been reached."""

    model_config = ConfigDict(extra="forbid")
    group: str | None = Field(default=None, pattern=rf"^{GROUP_PATTERN}$", max_length=40)
    share: float | None = Field(default=None, gt=0, le=1)
    hold_h: float = Field(default=24.0, ge=0, le=8760, allow_inf_nan=False)
    most_failed: float = Field(default=0.0, ge=0, le=1)


class NewRollout(BaseModel):
    """A roll-out to be. Without steps: the group canary, 20 % of the fleet, all."""

    model_config = ConfigDict(extra="forbid")
    release: str = Field(min_length=1, max_length=100)
    steps: list[NewStep] | None = Field(default=None, min_length=1, max_length=20)


class Act(BaseModel):
    """What is to happen. `retry`, with resume: who failed is told once more; else it goes on without them."""

    model_config = ConfigDict(extra="forbid")
    action: Literal["start", "pause", "resume", "stop"]
    retry: bool = False


class ActOnVehicle(BaseModel):
    """excuse: go on without the vehicle. offer: tell it anew."""

    model_config = ConfigDict(extra="forbid")
    action: Literal["excuse", "offer"]


def router(services: Services) -> APIRouter:
    """`/updates/`, `/api/releases`, `/api/rollouts`."""
    repository = Repository(services.config.updates.repository)
    made = APIRouter(tags=["updates"])
    _add_files(made, repository)
    _add_reading(made, services, repository)
    _add_acting(made, services, repository)
    return made


def _add_files(made: APIRouter, repository: Repository) -> None:
    @made.get("/updates/{path:path}", include_in_schema=False)
    @made.head("/updates/{path:path}", include_in_schema=False)
    async def file(path: str, request: Request) -> Response:
        """A signed file, for whoever asks."""
        folder = repository.folder
        found = None if folder is None else await run_in_threadpool(files.find, folder, path)
        if found is None:
            raise HTTPException(404, "there is no such file in the update repository")
        return files.answer(found, request.method, request.headers)


def _add_reading(made: APIRouter, services: Services, repository: Repository) -> None:
    database, config = services.database, services.config.fleet

    @made.get("/api/releases", responses=described("releases", "application/json"))
    def releases(_person: Viewer) -> Response:
        """What the update repository offers. It is only read here: the vehicles alone check the signatures."""
        offer, now_utc = repository.offer(), database.now_utc()
        with database.reading() as connection:
            found = showing.releases(connection, offer, config, now_utc)
        return json({"repository": showing.repository(offer, now_utc), "releases": found, "usual_steps": USUAL})

    @made.get("/api/rollouts", responses=described("roll-outs", "application/json"))
    def rollouts(_person: Viewer, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> Response:
        """Roll-outs, newest first. `counts`: vehicles by where they stand."""
        with database.reading() as connection:
            found = showing.every_rollout(connection, repository.offer(), config, database.now_utc(), limit)
        return json({"rollouts": found})

    @made.get("/api/rollouts/{number}", responses=described("a roll-out", "application/json", 404))
    def rollout(_person: Viewer, number: Number) -> Response:
        """A roll-out with its vehicles, whom its steps would still add (`plan`), and what happened with it."""
        return _shown(services, repository, number)


def _add_acting(made: APIRouter, services: Services, repository: Repository) -> None:
    database, config = services.database, services.config.fleet

    @made.post("/api/rollouts", responses=_ONE)
    def make(person: Manager, wanted: NewRollout) -> Response:
        """Make a draft; nothing is sent before it is started."""
        steps = USUAL if wanted.steps is None else tuple(Step(**step.model_dump()) for step in wanted.steps)
        try:
            with database.changing() as change:
                number = keeping.make(change, repository.offer(), release=wanted.release, steps=steps, who=person.name)
        except RolloutError as error:
            raise HTTPException(error.status, str(error)) from None
        return _shown(services, repository, number)

    @made.post("/api/rollouts/{number}/actions", responses=_ONE)
    def act(person: Manager, number: Number, wanted: Act) -> Response:
        """Start, pause, resume or stop. Who has the wish already carries it out all the same."""
        try:
            with database.changing() as change:
                keeping.act(
                    change, number, wanted.action, who=person.name, offer=repository.offer(), config=config,
                    retry=wanted.retry,
                )  # fmt: skip
        except RolloutError as error:
            raise HTTPException(error.status, str(error)) from None
        return _shown(services, repository, number)

    @made.post("/api/rollouts/{number}/vehicles/{name}", responses=_ONE)
    def act_on_vehicle(person: Manager, number: Number, name: Named, wanted: ActOnVehicle) -> Response:
        """Go on without one vehicle, or tell it anew."""
        try:
            with database.changing() as change:
                keeping.set_member(change, number, name, wanted.action, who=person.name)
        except RolloutError as error:
            raise HTTPException(error.status, str(error)) from None
        return _shown(services, repository, number)


def _shown(services: Services, repository: Repository, number: int) -> Response:
    database = services.database
    try:
        with database.reading() as connection:
            found = showing.one_rollout(
                connection, number, repository.offer(), services.config.fleet, database.now_utc()
            )
    except RolloutError as error:
        raise HTTPException(error.status, str(error)) from None
    return json(found)
