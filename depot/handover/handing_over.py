# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`POST /api/cases/{number}/handover`: a dispatcher files a case at the city's endpoint, or settles what is unclear."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, update

from depot.handover.answers import faults, json
from depot.handover.config import HandoverConfig
from depot.handover.open311_outbox import FILED, add, tell
from depot.handover.records import handed_over
from depot.handover.tables import handovers
from depot.people.guard import Person, allow
from depot.services import Services
from depot.store.database import Change
from depot.store.tables import cases

_RESPONSES = faults(
    _400="the body is no text",
    _404="there is no such case",
    _409="it was handed over already, or no endpoint is set",
    _422="the case's state or place does not allow it",
)


class Settled(BaseModel):
    """For one that is unclear. `request`: it is there, under this number; `again`: it is not there, send it again."""

    model_config = ConfigDict(extra="forbid")
    request: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")] | None = None
    again: bool = False


def router(services: Services, settings: HandoverConfig) -> APIRouter:
    """The one route."""
    routes = APIRouter(tags=["Open311"])
    endpoint = settings.open311.url

    @routes.post("/api/cases/{number}/handover", responses=_RESPONSES, response_class=Response)
    def hand_over(
        person: Annotated[Person, allow("dispatch")],
        number: Annotated[int, Path(ge=1, le=2**53)],
        settled: Settled | None = None,
    ) -> Response:
        """Hand a case over; the answer is where it stands. One that was refused is tried again."""
        if endpoint is None:
            raise HTTPException(409, "no endpoint is set (handover.open311.url)")
        with services.database.changing() as change:
            _hand_over(change, endpoint, number, settled or Settled(), person)
            return json({"handed_over": handed_over(change.connection, number)})

    return routes


def _hand_over(change: Change, endpoint: str, number: int, settled: Settled, person: Person) -> None:
    connection = change.connection
    case = connection.execute(select(cases.c.state, cases.c.lon, cases.c.lat).where(cases.c.number == number)).first()
    if case is None:
        raise HTTPException(404, f"there is no case {number}")
    mine = (handovers.c.case == number) & (handovers.c.endpoint == endpoint)
    row = connection.execute(select(handovers).where(mine)).first()
    if row is not None and row.state == "unclear" and settled.request is not None:
        found = {"state": "accepted", "request": settled.request, "next_try_utc": change.now_utc, "error": None}
        connection.execute(update(handovers).where(mine).values(**found))
        tell(change, number, who=person.name, action="handover accepted", after={"request": settled.request})
        return
    if case.state not in FILED:
        raise HTTPException(422, f"only a confirmed or ordered case is handed over; this one is {case.state}")
    if case.lon is None or case.lat is None:
        raise HTTPException(422, "the case has no coordinates, which the endpoint needs")
    if row is None:
        add(change, number, endpoint, who=person.name)
        return
    if row.state == "refused" or (row.state == "unclear" and settled.again):
        values: dict[str, Any] = {"state": "waiting", "attempts": 0, "next_try_utc": change.now_utc, "error": None}
        connection.execute(update(handovers).where(mine).values(**values))
        tell(change, number, who=person.name, action="handover again", before={"state": row.state})
        return
    if row.state == "unclear":
        raise HTTPException(409, "it may have arrived: say under which number (request), or that it did not (again)")
    raise HTTPException(409, "it was handed over already")
