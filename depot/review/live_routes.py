# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What changes while one looks: a stream that says that something did, and a list that says what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from depot.errors import StoreError
from depot.people.guard import Person, allow
from depot.review import answers
from depot.review.documents import answers as answered
from depot.review.documents import reply
from depot.review.showing import shown_by
from depot.services import Services
from depot.store.database import Database
from depot.store.tables import cases, meta

#: How often the streams look whether anything changed, and how often they say that they are still there.
POLL_S = 0.25
HEARTBEAT_S = 15.0


class Watch:
    """The sequence, asked of the database at most every `POLL_S` however many streams there are."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = asyncio.Lock()
        self._sequence = -1
        self._asked_s = float("-inf")

    async def sequence(self) -> int:
        """The last one known. Raises StoreError."""
        async with self._lock:
            if time.monotonic() - self._asked_s >= POLL_S / 2:
                self._sequence = await run_in_threadpool(self._database.sequence)
                self._asked_s = time.monotonic()
            return self._sequence


def add(router: APIRouter, services: Services) -> None:
    """Add the routes."""
    watch = Watch(services.database)
    streamed = answered(answers.Changes)
    streamed[200] = {"description": "a stream without end", "content": {"text/event-stream": {}}}

    async def stream() -> AsyncIterator[str]:
        told, quiet_s = -1, 0.0
        while not services.stopping():
            try:
                sequence = await watch.sequence()
            except StoreError:
                return  # the page comes back by itself, and /healthz says what is wrong
            if sequence != told:
                told, quiet_s = sequence, 0.0
                yield f"event: change\nid: {sequence}\ndata: {sequence}\n\n"
            elif quiet_s >= HEARTBEAT_S:
                quiet_s = 0.0
                yield ": still here\n\n"
            await asyncio.sleep(POLL_S)
            quiet_s += POLL_S

    @router.get("/api/events", response_class=StreamingResponse, responses=streamed)
    async def events(_person: Annotated[Person, allow("read")]) -> Response:
        """Server-Sent Events: `change` with the sequence, at once and whenever it has grown.

        Only the number travels; who wants the news asks `/api/changes?after=`. So nobody can miss one.
        """
        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    @router.get("/api/changes", response_class=Response, responses=answered(answers.Changes))
    def changes(
        _person: Annotated[Person, allow("read")],
        after: Annotated[int, Query(ge=0, le=2**53, description="the `sequence` of the answer before")],
        limit: Annotated[int, Query(ge=1, le=500)] = 200,
    ) -> Response:
        """Cases that changed after a number, oldest change first, each as it is now."""
        return reply(_changes(services.database, after, limit))


def _changes(database: Database, after: int, limit: int) -> answers.Changes:
    query = select(cases).where(cases.c.changed > after).order_by(cases.c.changed).limit(limit)
    with database.reading() as connection:
        sequence = connection.execute(select(meta.c.value).where(meta.c.name == "sequence")).scalar_one()
        found = shown_by(connection, query)
    more = len(found) == limit
    return answers.Changes(
        sequence=found[-1].changed if more else sequence,
        more=more,
        cases=[case for case in found if case.state != "merged"],
        gone=[case.number for case in found if case.state == "merged"],
    )
