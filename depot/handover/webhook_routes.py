# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`/api/webhooks`: who is told of changes. For administrators."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, HTTPException, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, delete, insert, select, update

from depot.handover.addresses import problem
from depot.handover.answers import faults, json
from depot.handover.config import HandoverConfig
from depot.handover.tables import webhook_deliveries, webhooks
from depot.handover.webhooks import add_delivery, new_secret, newest
from depot.people import audit
from depot.people.guard import Person, allow
from depot.services import Services
from depot.store.database import Change

Kind = Annotated[str, Field(pattern=r"^(\*|case\.[a-z][a-z_:-]{0,40})$")]
Kinds = Annotated[list[Kind], Field(min_length=1, max_length=50)]
Url = Annotated[str, Field(min_length=8, max_length=2000)]
Number = Annotated[int, Path(ge=1, le=2**53)]
Manager = Annotated[Person, allow("manage")]
_BODY = faults(_400="the body is no text")
_NONE = faults(_400="the body is no text", _404="there is no such webhook")
_SHOWN = ("number", "url", "active", "created_utc")


class NewHook(BaseModel):
    """A webhook to be. `events`: kinds, e.g. `case.opened`, `case.confirm`; `*` is all."""

    model_config = ConfigDict(extra="forbid")
    url: Url
    events: Kinds = ["*"]


class ChangedHook(BaseModel):
    """What is to change."""

    model_config = ConfigDict(extra="forbid")
    url: Url | None = None
    events: Kinds | None = None
    active: bool | None = None


def router(services: Services, settings: HandoverConfig) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/webhooks", tags=["webhooks"])
    api = _Api(services, settings)
    routes.add_api_route("", api.every, responses=faults(), response_class=Response)
    routes.add_api_route("", api.add, methods=["POST"], status_code=201, responses=_BODY, response_class=Response)
    routes.add_api_route("/{number}", api.change, methods=["PATCH"], responses=_NONE, response_class=Response)
    routes.add_api_route("/{number}", api.remove, methods=["DELETE"], status_code=204, responses=_NONE)
    routes.add_api_route(
        "/{number}/test", api.test, methods=["POST"], status_code=202, responses=_NONE, response_class=Response
    )
    routes.add_api_route("/{number}/deliveries", api.deliveries, responses=_NONE, response_class=Response)
    return routes


class _Api:
    """The answers."""

    def __init__(self, services: Services, settings: HandoverConfig) -> None:
        self._database = services.database
        self._settings = settings.webhooks

    def every(self, _person: Manager) -> Response:
        """All webhooks; secrets are never shown again."""
        with self._database.reading() as connection:
            rows = connection.execute(select(webhooks).order_by(webhooks.c.number)).all()
        return json({"webhooks": [_shown(row) for row in rows]})

    def add(self, person: Manager, hook: NewHook) -> Response:
        """Make a webhook. The answer holds its `secret`, for this once."""
        self._check(hook.url)
        secret = new_secret()
        with self._database.changing() as change:
            values = {"url": hook.url, "events": msgspec.json.encode(hook.events).decode(), "active": True}
            number = change.connection.execute(
                insert(webhooks)
                .values(secret=secret, created_utc=change.now_utc, **newest(change.connection), **values)
                .returning(webhooks.c.number)
            ).scalar_one()
            row = _row(change.connection, number)
            _record(change, person, "added", number, after=_shown(row))
        return json({**_shown(row), "secret": secret}, status=201)

    def change(self, person: Manager, number: Number, hook: ChangedHook) -> Response:
        """Change a webhook; one that is switched on again is told what comes from then on."""
        if hook.url is not None:
            self._check(hook.url)
        with self._database.changing() as change:
            before = _row(change.connection, number)
            values: dict[str, Any] = {
                name: value for name, value in (("url", hook.url), ("active", hook.active)) if value is not None
            }
            if hook.events is not None:
                values["events"] = msgspec.json.encode(hook.events).decode()
            if hook.active and not before.active:
                values |= newest(change.connection)
            if values:
                change.connection.execute(update(webhooks).where(webhooks.c.number == number).values(**values))
            after = _row(change.connection, number)
            _record(change, person, "changed", number, before=_shown(before), after=_shown(after))
        return json(_shown(after))

    def remove(self, person: Manager, number: Number) -> None:
        """Remove a webhook and what it was still to be told."""
        with self._database.changing() as change:
            before = _row(change.connection, number)
            mine = webhook_deliveries.c.webhook == number
            change.connection.execute(delete(webhook_deliveries).where(mine))
            change.connection.execute(delete(webhooks).where(webhooks.c.number == number))
            _record(change, person, "removed", number, before=_shown(before))

    def test(self, person: Manager, number: Number) -> Response:
        """Send a delivery of the kind `test`; look at the deliveries what came of it."""
        now_utc = self._database.now_utc()
        with self._database.writing() as connection:
            _row(connection, number)
            name = f"{number}-test-{secrets.token_hex(8)}"
            body = {"type": "test", "timestamp": now_utc, "data": {"who": person.name}}
            add_delivery(connection, number, name=name, kind="test", body=body, now_utc=now_utc)
        return json({"id": name}, status=202)

    def deliveries(
        self,
        _person: Manager,
        number: Number,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """What it was told, the newest first; what is done with stays for a week."""
        table = webhook_deliveries
        names = ("id", "kind", "state", "created_utc", "attempts", "next_try_utc", "answer")
        wanted = select(*(table.c[name] for name in names)).where(table.c.webhook == number)
        with self._database.reading() as connection:
            _row(connection, number)
            rows = connection.execute(wanted.order_by(table.c.number.desc()).limit(limit)).all()
        return json({"deliveries": [dict(row._mapping) for row in rows]})  # noqa: SLF001 - its public name

    def _check(self, url: str) -> None:
        wrong = problem(url, self._settings)
        if wrong is not None:
            raise HTTPException(422, wrong)


def _row(connection: Connection, number: int) -> Any:
    row = connection.execute(select(webhooks).where(webhooks.c.number == number)).first()
    if row is None:
        raise HTTPException(404, f"there is no webhook {number}")
    return row


def _shown(row: Any) -> dict[str, Any]:
    return {**{name: getattr(row, name) for name in _SHOWN}, "events": msgspec.json.decode(row.events)}


def _record(change: Change, person: Person, action: str, number: int, **values: Any) -> None:
    audit.record(
        change.connection,
        utc=change.now_utc,
        who=person.name,
        action=action,
        kind="webhook",
        subject=number,
        **values,
    )
