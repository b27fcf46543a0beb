# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A small depot with a door: the routes about people, one guarded route of each permission, and a clock to turn."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, get_args

import httpx
from fastapi import FastAPI

from depot.config import Config
from depot.people import users
from depot.people.config import PeopleConfig
from depot.people.entering import Entering
from depot.people.guard import Person, allow
from depot.people.moment import later
from depot.people.roles import Permission
from depot.people.routes import router
from depot.services import Services

PASSWORD = "ein langer Weg"


class House:
    """`ask` without a network; `browser()` gives one with cookies of its own."""

    def __init__(self, database, people: PeopleConfig | None = None) -> None:
        self.database = database
        self.people = people or PeopleConfig()
        self.now_utc = "2026-11-22T08:00:00.000Z"
        database.now_utc = lambda: self.now_utc
        services = Services(
            config=Config(people=self.people),
            database=database,
            pictures=None,
            link_state=lambda: "connected",
            stopping=lambda: False,
        )
        self.app = FastAPI()
        self.app.include_router(router(services))
        for permission in get_args(Permission):
            self._add(permission)
        self.app.add_middleware(Entering, database=database, people=self.people)

    def _add(self, permission: Permission) -> None:
        @self.app.api_route(f"/may/{permission}", methods=["GET", "POST"])
        def route(person: Person = allow(permission)) -> dict[str, Any]:  # noqa: B008 - FastAPI's way
            return {"name": person.name, "role": person.role, "token": person.token}

    def user(self, name: str, role: str = "reviewer", password: str = PASSWORD) -> None:
        with self.database.changing() as change:
            users.add(change, who="test", name=name, title=name.title(), role=role, password=password)

    def wait(self, **span: float) -> None:
        self.now_utc = later(self.now_utc, timedelta(**span))

    def browser(self, *, address: str = "192.0.2.7", base_url: str = "http://depot.test") -> Browser:
        return Browser(self.app, address=address, base_url=base_url)


class Browser:
    """Keeps cookies, and sends the CSRF token once it has one, as the page does."""

    def __init__(self, app, *, address: str, base_url: str) -> None:
        self._app, self._address, self._base_url = app, address, base_url
        self.cookies = httpx.Cookies()
        self.csrf: str | None = None

    def ask(
        self, method: str, path: str, body: Any = None, *, content: str | None = None, **headers: str
    ) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app, client=(self._address, 1234))
            async with httpx.AsyncClient(
                transport=transport, base_url=self._base_url, cookies=self.cookies
            ) as client:  # fmt: skip
                sent = {key.replace("_", "-"): value for key, value in headers.items()}
                if self.csrf is not None and method not in {"GET", "HEAD"}:
                    sent.setdefault("X-CSRF-Token", self.csrf)
                if content is not None:
                    sent["Content-Type"] = "application/json"
                    raw = content.encode("utf-8", "surrogatepass")
                    answer = await client.request(method, path, content=raw, headers=sent)
                else:
                    answer = await client.request(method, path, json=body, headers=sent)
                self.cookies = client.cookies
                return answer

        return asyncio.run(go())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.ask("POST", path, body, **headers)

    def log_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        answer = self.post("/api/login", {"name": name, "password": password})
        if answer.status_code == 200:
            self.csrf = answer.json()["csrf"]
        return answer
