# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`POST /api/reports` for the citizens' channel of the city, `POST /api/cases/{n}/picture` for crews.

A photo is held in memory until it is judged; the framework would put a large one into a temporary file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from depot.people.guard import Person, allow
from depot.reports import words
from depot.reports.config import ReportsConfig
from depot.reports.detector import Detector, DetectorError, EdgeDetector, UnreadableError
from depot.reports.form import described, read_form
from depot.reports.judging import Box
from depot.reports.repairing import PrivateError, Repairs
from depot.reports.taking import ReportError, Reports, Sent
from depot.routing.bodies import faults, json
from depot.routing.records import PRINTABLE
from depot.routing.router import Router
from depot.services import Services

T = TypeVar("T")
REPORT_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
_FAULTS = faults(401, 403, 409, 413, 422)
_AGAIN: dict[int | str, dict[str, Any]] = {200: {"description": "the same came before; what became of it"}}
#: Photos that may wait for their turn.
_MOST_WAITING = 16


class ReportFields(BaseModel):
    """What comes with a citizen's photo."""

    model_config = ConfigDict(extra="forbid")
    id: Annotated[str, Field(pattern=REPORT_ID, description="yours, e.g. a UUID; the same again is the same report")]
    lon: Annotated[float, Field(ge=-180, le=180, description="WGS 84, degrees east")]
    lat: Annotated[float, Field(ge=-90, le=90, description="WGS 84, degrees north")]
    accuracy_m: Annotated[float | None, Field(gt=0, le=10_000, description="radius (68 %) as phones tell it")] = None
    utc: Annotated[str | None, Field(max_length=40, description="when the photo was taken, RFC 3339")] = None
    defect_class: Annotated[
        str | None,
        Field(alias="class", min_length=1, max_length=100, pattern=PRINTABLE, description="as chosen by the citizen"),
    ] = None
    note: Annotated[str | None, Field(max_length=2000, pattern=_TEXT)] = None


class CrewFields(BaseModel):
    """What comes with a crew's photo."""

    model_config = ConfigDict(extra="forbid")
    box: Annotated[
        str | None,
        Field(
            max_length=100, description="left,top,right,bottom of what is to be sharp, as shares; default: the middle"
        ),
    ] = None


def router(services: Services) -> APIRouter:
    """All routes of reports."""
    settings = services.config.reports
    return make_router(services, settings, EdgeDetector(settings))


def make_router(services: Services, settings: ReportsConfig, detector: Detector) -> APIRouter:
    """The same with another detector."""
    made = APIRouter(tags=["reports"])
    placing = Router(road_within_m=services.config.routing.road_within_m)
    reports = Reports(services.database, services.pictures, detector, placing, settings)
    repairs = Repairs(services.database, services.pictures, detector, settings)
    desk = _Desk(settings)

    @made.post(
        "/api/reports",
        status_code=201,
        responses=_FAULTS | _AGAIN,
        openapi_extra=described(ReportFields, needs_picture=False),
    )
    async def report(request: Request, person: Annotated[Person, allow("report")]) -> Response:
        """Hand in a citizen's photo with its place; without a photo the place alone is taken.

        200 instead of 201 where the same report came before. `state` "refused" with `reason` "people" or "vehicle":
        the photo was not kept, and the citizen should take another (with another id).
        """
        fields, photo = await desk.read(request, ReportFields)
        sent = Sent(**fields.model_dump())
        outcome, is_new = await desk.work(lambda: reports.take(person, sent, photo))
        return json(outcome, status=201 if is_new else 200)

    @made.get("/api/reports/{id}", responses=faults(401, 403, 404, 422))
    def status(
        id: Annotated[str, Path(pattern=REPORT_ID)],  # noqa: A002 - the name in the address
        person: Annotated[Person, allow("report")],
    ) -> Response:
        """What became of a report. Who hands reports in sees their own alone."""
        outcome = reports.outcome(person, id)
        if outcome is None:
            raise HTTPException(404, f"there is no report {id}")
        return json(outcome)

    @made.post(
        "/api/cases/{number}/picture", status_code=201, responses=_FAULTS | _AGAIN | faults(404),
        openapi_extra=described(CrewFields, needs_picture=True),
    )  # fmt: skip
    async def picture(
        request: Request, number: Annotated[int, Path(ge=1, le=2**53 - 1)], person: Annotated[Person, allow("dispatch")]
    ) -> Response:
        """Add a crew's photo, after the repair. 200 instead of 201 where the same photo was added before."""
        fields, photo = await desk.read(request, CrewFields)
        box = _box(fields.box)
        if photo is None:
            raise HTTPException(422, "picture: is missing")
        try:
            found, is_new = await desk.work(lambda: repairs.take(person, number, photo, box))
        except PrivateError as error:
            return json({"detail": str(error), "reason": error.reason, "text": words.refused(error.reason)}, status=422)
        return json(found, status=201 if is_new else 200)

    return made


class _Desk:
    """Reads forms, and lets few photos be judged at once: who waits here holds no thread of the page."""

    def __init__(self, settings: ReportsConfig) -> None:
        self._most_bytes = settings.most_megabytes * 1_000_000
        self._limiter = CapacityLimiter(settings.at_once)

    async def read(self, request: Request, kind: type[Any]) -> tuple[Any, bytes | None]:
        """The form's fields and its `picture`. Raises HTTPException."""
        fields, photo = await read_form(request, self._most_bytes)
        try:
            return kind.model_validate(fields), photo
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise HTTPException(422, f"{where}: {first['msg']}") from None

    async def work(self, todo: Callable[[], T]) -> T:
        """Raises HTTPException."""
        if self._limiter.statistics().tasks_waiting >= _MOST_WAITING:
            raise HTTPException(503, "too many pictures at once; send it again later", headers={"Retry-After": "30"})
        try:
            return await to_thread.run_sync(todo, limiter=self._limiter)
        except ReportError as error:
            raise HTTPException(error.status, str(error)) from None
        except UnreadableError as error:
            raise HTTPException(422, str(error)) from None
        except DetectorError as error:
            raise HTTPException(503, str(error), headers={"Retry-After": "30"}) from None


def _box(text: str | None) -> Box:
    """In shares; where nobody marked anything the middle. Raises HTTPException."""
    try:
        x1, y1, x2, y2 = (float(part) for part in (text or "0.25,0.25,0.75,0.75").split(","))
    except ValueError:
        x1 = y1 = x2 = y2 = -1.0
    if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):
        raise HTTPException(422, "box: four shares from 0 to 1 are wanted: left,top,right,bottom")
    return x1, y1, x2, y2
