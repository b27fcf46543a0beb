# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Asks a router without a network in between, as somebody of a role."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI
from starlette.types import Receive, Scope, Send

from depot.config import Config
from depot.people.guard import Person
from depot.people.roles import Role
from depot.services import Services
from depot.store.database import Database


def services(database: Database) -> Services:
    return Services(Config(), database, None, lambda: "connected", lambda: False)  # type: ignore[arg-type]


class Web:
    def __init__(self, router: APIRouter, role: Role = "admin", name: str = "maria") -> None:
        self.app = FastAPI()
        self.app.include_router(router)
        self._person = Person(name, role)
        self._transport = httpx.ASGITransport(app=self._enter)  # type: ignore[arg-type]

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"person": self._person}
        await self.app(scope, receive, send)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://depot") as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.ask("GET", path, params=params or None)

    def json(self, path: str, **params: Any) -> Any:
        return self.get(path, **params).raise_for_status().json()
