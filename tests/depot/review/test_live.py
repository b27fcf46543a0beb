# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
from typing import Any

import pytest

from depot.errors import StoreError
from depot.review import live_routes
from depot.store.database import Database
from tests.depot.review.samples import Depot, add_case, add_sighting, change_case


@pytest.fixture
def depot(database: Database) -> Depot:
    return Depot(database)


def test_changes_lead_from_any_number_to_now_without_a_gap(depot: Depot) -> None:
    numbers = [add_case(depot.database) for _ in range(7)]
    change_case(depot.database, numbers[0], state="confirmed")
    after, found, rounds = 0, [], 0
    while True:
        answer = depot.client().get(f"/api/changes?after={after}&limit=3").json()
        found += [case["number"] for case in answer["cases"]]
        after, rounds = answer["sequence"], rounds + 1
        if not answer["more"]:
            break
    assert found == [*numbers[1:], numbers[0]]
    assert (after, rounds) == (depot.database.sequence(), 3)
    assert depot.client().get(f"/api/changes?after={after}").json()["cases"] == []


def test_a_merged_case_is_told_as_gone(depot: Depot) -> None:
    into, other = add_case(depot.database), add_case(depot.database)
    after = depot.database.sequence()
    change_case(depot.database, other, state="merged", merged_into=into)
    answer = depot.client().get(f"/api/changes?after={after}").json()
    assert (answer["cases"], answer["gone"]) == ([], [other])


def test_a_case_that_changed_is_as_it_is_now(depot: Depot) -> None:
    number = add_case(depot.database)
    after = depot.database.sequence()
    _, picture = add_sighting(depot.database, number, best=True)
    change_case(depot.database, number, grade=4)
    (case,) = depot.client().get(f"/api/changes?after={after}").json()["cases"]
    assert (case["number"], case["grade"], case["picture"], case["class"]) == (number, 4, picture, "pothole")


class _Stream:
    """The live stream as a browser gets it, without a network in between."""

    def __init__(self, depot: Depot) -> None:
        self._depot = depot
        self.parts: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.status: int | None = None
        self._left = asyncio.Event()

    async def __aenter__(self) -> Any:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/api/events",
            "query_string": b"",
            "headers": [(b"x-test-person", b"vera")],
            "http_version": "1.1",
            "scheme": "http",
            "server": ("depot", 80),
            "client": ("browser", 1),
            "root_path": "",
        }
        self._task = asyncio.create_task(self._depot.app(scope, self._receive, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._depot.stop = True
        await asyncio.wait_for(self._task, 20)

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message.get("body"):
            await self.parts.put(message["body"])
        elif not message.get("more_body"):
            await self.parts.put(None)

    async def next(self) -> bytes | None:
        return await asyncio.wait_for(self.parts.get(), 20)


def test_the_stream_tells_the_number_at_once_and_whenever_it_grows(depot: Depot, monkeypatch: Any) -> None:
    monkeypatch.setattr(live_routes, "POLL_S", 0.01)
    add_case(depot.database)

    async def look() -> None:
        async with _Stream(depot) as stream:
            assert await stream.next() == b"event: change\nid: 1\ndata: 1\n\n"
            assert stream.status == 200
            await asyncio.to_thread(add_case, depot.database)
            assert await stream.next() == b"event: change\nid: 2\ndata: 2\n\n"

    asyncio.run(look())


def test_a_quiet_stream_says_that_it_is_there_and_ends_with_the_depot(depot: Depot, monkeypatch: Any) -> None:
    monkeypatch.setattr(live_routes, "POLL_S", 0.01)
    monkeypatch.setattr(live_routes, "HEARTBEAT_S", 0.03)

    async def look() -> None:
        async with _Stream(depot) as stream:
            await stream.next()
            assert await stream.next() == b": still here\n\n"
            depot.stop = True
            while (part := await stream.next()) is not None:
                assert part == b": still here\n\n"

    asyncio.run(look())


def test_a_stream_ends_when_the_store_cannot_be_read(depot: Depot, monkeypatch: Any) -> None:
    monkeypatch.setattr(live_routes, "POLL_S", 0.01)

    async def look() -> None:
        async with _Stream(depot) as stream:
            await stream.next()

            def fails() -> int:
                raise StoreError("gone")

            monkeypatch.setattr(depot.database, "sequence", fails)
            assert await stream.next() is None

    asyncio.run(look())


def test_many_streams_ask_the_database_as_often_as_one(depot: Depot, monkeypatch: Any) -> None:
    asked = []
    real = depot.database.sequence

    def sequence() -> int:
        asked.append(1)
        return real()

    monkeypatch.setattr(depot.database, "sequence", sequence)
    watch = live_routes.Watch(depot.database)

    async def look() -> list[int]:
        return await asyncio.gather(*(watch.sequence() for _ in range(50)))

    assert asyncio.run(look()) == [0] * 50
    assert len(asked) == 1


def test_the_stream_is_for_those_who_may_read(depot: Depot) -> None:
    assert depot.client(None).get("/api/events").status_code == 401
    assert depot.client("kiosk").get("/api/events").status_code == 403
