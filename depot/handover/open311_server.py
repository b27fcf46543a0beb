# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Our Open311 GeoReport v2 endpoint at /open311/v2: the city's citizen channel hands reports in and asks what became.

A request is a case: what somebody reports where a case is known already gets that case's number. The same report sent
again gets the same number, since its sender may not have heard our first answer. Names, e-mail addresses and telephone
numbers are not kept; a picture behind `media_url` is not fetched (it belongs to POST /api/reports, which anonymises).
Who asks needs the permission "report", by login, token, or token as `api_key`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import ColumnElement, Connection, func, select

from depot.cases.ports import Placing
from depot.handover import open311_words as words
from depot.handover import times
from depot.handover.answers import base_url, route_that_answers
from depot.handover.config import HandoverConfig
from depot.handover.exported import Exported, read
from depot.handover.open311_form import DESCRIBED, posted, read_fields
from depot.handover.open311_reports import Report, keep
from depot.handover.picture_links import PictureLinks
from depot.people import tokens
from depot.people.guard import Person
from depot.review.filters import WORD
from depot.services import Services
from depot.store.tables import audit, cases

PREFIX = "/open311/v2"
_MOST = 1000
_SPAN_DAYS = 90
_FORMS = {
    "text/xml": {"schema": {"type": "string"}},
    "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "XML or JSON, by the ending of the path", "content": _FORMS},
    **{
        status: {"description": text, "content": _FORMS}
        for status, text in {
            400: "a parameter is wrong",
            401: "nobody is logged in",
            403: "the role does not allow it",
            404: "there is none",
        }.items()
    },
    503: {"description": "the store cannot be used now"},
}
_POST_RESPONSES: dict[int | str, dict[str, Any]] = {
    **_RESPONSES,
    413: {"description": "the form is too large", "content": _FORMS},
}
Ending = Annotated[words.Form, Path()]
Text = Annotated[str | None, Query(max_length=200, pattern=WORD)]
Time = Annotated[str | None, Query(max_length=40, description="RFC 3339")]


def router(services: Services, settings: HandoverConfig, placing: Placing, links: PictureLinks) -> APIRouter:
    """The routes below /open311/v2."""
    api = _Api(services, settings, placing, links)
    routes = APIRouter(
        prefix=PREFIX,
        tags=["Open311"],
        dependencies=[_allow(services)],
        route_class=route_that_answers(lambda request, status, line: words.error(_form(request), status, line)),
    )
    routes.add_api_route("/discovery.{form}", api.discovery, responses=_RESPONSES, response_class=Response)
    routes.add_api_route("/services.{form}", api.services, responses=_RESPONSES, response_class=Response)
    routes.add_api_route("/services/{code}.{form}", api.service, responses=_RESPONSES, response_class=Response)
    routes.add_api_route("/requests.{form}", api.requests, responses=_RESPONSES, response_class=Response)
    routes.add_api_route("/requests/{number}.{form}", api.request, responses=_RESPONSES, response_class=Response)
    routes.add_api_route(
        "/requests.{form}",
        api.post,
        methods=["POST"],
        responses=_POST_RESPONSES,
        response_class=Response,
        openapi_extra=DESCRIBED,
    )
    return routes


def _form(request: Request) -> words.Form:
    return "json" if request.url.path.endswith(".json") else "xml"


def _allow(services: Services) -> Any:
    """Like `depot.people.guard.allow("report")`, and a token may also come as `api_key`, as this standard has it."""

    def by_key(key: str) -> Person | None:
        with services.database.reading() as connection:
            login = tokens.find(connection, key, now_utc=services.database.now_utc())
        return None if login is None else login.person

    async def check(request: Request) -> Person:
        person: Person | None = getattr(request.state, "person", None)
        if person is None:
            key = request.query_params.get("api_key")
            if key is None and request.method == "POST":
                key = (await read_fields(request)).get("api_key")
            person = await run_in_threadpool(by_key, key) if key else None
        if person is None:
            raise HTTPException(401, "log in, or send api_key", headers={"WWW-Authenticate": 'Bearer realm="wegewart"'})
        if not person.may("report"):
            raise HTTPException(403, f"the role {person.role} does not allow this (report)")
        request.state.person = person
        return person

    check.permission = "report"  # type: ignore[attr-defined]  # for the authorisation matrix
    return Depends(check)


class _Api:
    """The answers."""

    def __init__(self, services: Services, settings: HandoverConfig, placing: Placing, links: PictureLinks) -> None:
        self._database = services.database
        self._language: words.Language = services.config.page.language
        self._settings = settings
        self._placing = placing
        self._links = links

    def discovery(self, request: Request, form: Ending) -> Response:
        """What this endpoint is."""
        url = f"{base_url(self._settings, request)}{PREFIX}"
        about = {
            "changeset": "2026-01-01T00:00:00Z",
            "key_service": "a token of the depot's administrator, as api_key or as Bearer",
            "specification": "http://wiki.open311.org/GeoReport_v2",
            "url": url,
            "type": "production",
            "formats": "text/xml application/json",
        }
        return words.answer(form, "discovery", "endpoint", [about])

    def services(self, form: Ending) -> Response:
        """The classes of defects."""
        return words.answer(form, "services", "service", words.services_of(self._language))

    def service(self, code: Annotated[str, Path(max_length=100, pattern=WORD)], form: Ending) -> Response:
        """A service's further questions: none of ours has any."""
        if code not in words.CLASSES:
            raise HTTPException(404, "there is no such service_code")
        return words.answer(form, "service_definition", "service", [{"service_code": code, "attributes": ""}])

    def requests(  # noqa: PLR0917 - FastAPI passes them by name
        self,
        request: Request,
        form: Ending,
        service_request_id: Text = None,
        service_code: Text = None,
        start_date: Time = None,
        end_date: Time = None,
        status: Annotated[str | None, Query(max_length=20, description="open, closed, or both with a comma")] = None,
        page: Annotated[int, Query(ge=1, le=10**6)] = 1,
        page_size: Annotated[int, Query(ge=1, le=_MOST)] = _MOST,
    ) -> Response:
        """Cases, newest first: those opened in the last 90 days, at most 1,000, unless asked otherwise."""
        url = base_url(self._settings, request)
        with self._database.reading() as connection:
            if service_request_id is not None:
                numbers = [number for text in service_request_id.split(",") if (number := _number(text)) is not None]
                found = [each for number in numbers[:_MOST] for each in _asked(connection, number)]
            else:
                wanted = [*_span(start_date, end_date, self._database.now_utc()), *_status(status)]
                if service_code is not None:
                    wanted.append(cases.c["class"].in_(service_code.split(",")))
                found = _page(connection, wanted, page_size, (page - 1) * page_size)
            return self._answer(connection, form, url, found)

    def request(
        self, request: Request, number: Annotated[str, Path(max_length=20, pattern=WORD)], form: Ending
    ) -> Response:
        """One case. The number of one that was merged tells what became of the one that it went into."""
        with self._database.reading() as connection:
            wanted = _number(number)
            found = [] if wanted is None else _asked(connection, wanted)
            if not found:
                raise HTTPException(404, "there is no such service_request_id")
            return self._answer(connection, form, base_url(self._settings, request), found)

    async def post(self, request: Request, form: Ending) -> Response:
        """Hand a report in. `lat` and `long` are needed; personal data and `media_url` are not kept."""
        found = posted(await read_fields(request))
        if found.service_code not in words.CLASSES:
            raise HTTPException(404, "there is no such service_code")
        report = Report(
            code=found.service_code,
            lon=found.long,
            lat=found.lat,
            description=found.description.replace("\0", "\ufffd"),
            who=request.state.person.name,
        )
        number = await run_in_threadpool(self._keep, report)
        row = {"service_request_id": str(number), "service_notice": None, "account_id": None}
        return words.answer(form, "service_requests", "request", [row])

    def _keep(self, report: Report) -> int:
        with self._database.changing() as change:
            return keep(change, report, self._placing)

    def _answer(
        self, connection: Connection, form: words.Form, url: str, found: Sequence[tuple[int, Exported]]
    ) -> Response:
        updated = _updated(connection, [exported.case.number for _, exported in found])
        rows = [
            words.request_of(
                exported.case,
                self._language,
                name=name,
                updated_utc=updated.get(exported.case.number),
                media_url=self._picture(url, exported),
            )
            for name, exported in found
        ]
        return words.answer(form, "service_requests", "request", rows)

    def _picture(self, url: str, exported: Exported) -> str | None:
        return self._links.link(url, exported.picture) if exported.picture and exported.stored else None


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _asked(connection: Connection, number: int) -> list[tuple[int, Exported]]:
    """The case of that number, or the one that it was merged into."""
    wanted: int | None = number
    for _ in range(100):
        found = read(connection, [cases.c.number == wanted], limit=1)
        if not found:
            return []
        if found[0].case.merged_into is None:
            return [(number, found[0])]
        wanted = found[0].case.merged_into
    return []


def _page(
    connection: Connection, conditions: list[ColumnElement[bool]], limit: int, offset: int
) -> list[tuple[int, Exported]]:
    found = read(connection, [cases.c.state != "merged", *conditions], limit=limit, offset=offset, newest=True)
    return [(exported.case.number, exported) for exported in found]


def _span(start: str | None, end: str | None, now_utc: str) -> list[ColumnElement[bool]]:
    """At most 90 days, as the standard has it: before the end, or back from now."""
    until = _time("end_date", end) if end is not None else times.parse(now_utc)
    assert until is not None
    try:
        since = until - timedelta(days=_SPAN_DAYS)
    except OverflowError:
        raise HTTPException(400, "end_date: before all times") from None
    if start is not None:
        since = max(since, _time("start_date", start)) if end is not None else _time("start_date", start)
    return [cases.c.opened_utc >= times.write(since), cases.c.opened_utc <= times.at_most(until)]


def _time(name: str, text: str) -> Any:
    time = times.parse(text[:10] + text[10:].replace(" ", "+"))  # a + that nobody encoded arrives as a space
    if time is None:
        raise HTTPException(400, f"{name}: RFC 3339 is wanted, e.g. 2026-05-04T09:30:00Z")
    return time


def _status(text: str | None) -> list[ColumnElement[bool]]:
    asked = set() if text is None else set(text.split(","))
    if not asked <= {"open", "closed"}:
        raise HTTPException(400, "status: open or closed")
    if len(asked) != 1:
        return []
    return [cases.c.state.in_(words.CLOSED) if asked == {"closed"} else cases.c.state.not_in(words.CLOSED)]


def _updated(connection: Connection, numbers: list[int]) -> dict[int, str]:
    """When each was last decided on."""
    subjects = [str(number) for number in numbers]
    statement = (
        select(audit.c.subject, func.max(audit.c.utc))
        .where(audit.c.kind == "case", audit.c.subject.in_(subjects))
        .group_by(audit.c.subject)
    )
    return {int(subject): utc for subject, utc in connection.execute(statement)}
