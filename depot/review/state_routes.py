# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures, settings, figures, and whether the depot is well."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Response
from msgspec import structs
from sqlalchemy import select

from depot.people.guard import Person, allow
from depot.review import answers
from depot.review.documents import answers as answered
from depot.review.documents import reply, schema_of
from depot.review.summing import Summing
from depot.services import Services
from depot.store.tables import pictures
from messages.topics import SHA256_PATTERN

Reader = Annotated[Person, allow("read")]
#: The name is the content's hash, so a copy never grows old; but retention should reach the browsers within the hour.
_KEPT = {"Cache-Control": "private, max-age=3600, immutable"}


def add(router: APIRouter, services: Services, summing: Summing) -> None:
    """Add the routes."""
    _add_pictures(router, services)

    @router.get("/api/summary", response_class=Response, responses=answered(answers.Summary))
    def summary(_person: Reader) -> Response:
        """Counts of everything: the promise in figures. `as_of_utc` lies seconds back in a very large depot."""
        return reply(summing.current())

    @router.get("/api/settings", response_class=Response, responses=answered(answers.Settings))
    def settings(_person: Reader) -> Response:
        """What the page must know: language, base map, and whether there is an endpoint to hand cases over to."""
        hands_over = services.config.handover.open311.url is not None
        return reply(answers.Settings(**structs.asdict(services.config.page), hands_over=hands_over))

    health = {"application/json": {"schema": schema_of(answers.Health)}}

    @router.get(
        "/healthz",
        response_class=Response,
        responses={
            200: {"description": "taking in and showing", "content": health},
            503: {"description": "ingest has stopped, or the store cannot be read", "content": health},
        },
    )
    def healthz() -> Response:
        """200 while the depot takes in and shows; a broker that is not there yet is no fault of ours. Public."""
        services.database.sequence()
        broker = services.link_state()
        if broker is None:
            return reply(answers.Health(status="failed", broker="ingest has stopped"), status=503)
        return reply(answers.Health(status="ok", broker=broker))


def _add_pictures(router: APIRouter, services: Services) -> None:
    jpeg = {"description": "the picture", "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}

    @router.get(
        "/pictures/{sha256}.jpg",
        response_class=Response,
        responses=answered(answers.Problem, 404, 410) | {200: jpeg},
    )
    def picture(sha256: Annotated[str, Path(pattern=f"^{SHA256_PATTERN}$")], _person: Reader) -> Response:
        """A picture by the SHA-256 of its bytes; 404 while it has not arrived, 410 once it has expired."""
        with services.database.reading() as connection:
            row = connection.execute(select(pictures.c.expired_utc).where(pictures.c.sha256 == sha256)).first()
        if row is None:
            raise HTTPException(404, "this picture has not arrived")
        if row.expired_utc is not None:
            raise HTTPException(410, f"this picture was removed by the rule of retention on {row.expired_utc[:10]}")
        content = services.pictures.read(sha256)
        if content is None:
            raise HTTPException(404, "this picture is not where it should be; a backup may have it")
        return Response(content, media_type="image/jpeg", headers=_KEPT)
