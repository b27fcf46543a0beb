# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the interfaces' answers share: JSON, our own address, and errors in a standard's own form."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlencode

import msgspec
from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel

from depot.handover.config import HandoverConfig

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Fault(BaseModel):
    """What went wrong, as one line."""

    detail: str


def faults(**texts: str) -> dict[int | str, dict[str, Any]]:
    """For the API's description: `faults(_404="there is none")`; what every guarded route may answer is among them."""
    usual = {
        "_401": "nobody is logged in",
        "_403": "the role does not allow it",
        "_422": "a parameter is wrong",
        "_503": "the store cannot be used now",
    }
    return {int(name[1:]): {"model": Fault, "description": text} for name, text in {**usual, **texts}.items()}


def json(value: Any, *, status: int = 200, kind: str = "application/json") -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(value), status, media_type=kind)


def base_url(settings: HandoverConfig, request: Request) -> str:
    """Our address: as set, else as we were asked. Without a slash at its end."""
    return (settings.public_url or str(request.base_url)).rstrip("/")


def with_query(url: str, values: dict[str, Any]) -> str:
    """An address with its query; values that are None are left out."""
    given = [(name, value) for name, value in values.items() if value is not None]
    return f"{url}?{urlencode(given, doseq=True, safe=',:/$')}" if given else url


def wrong(error: RequestValidationError) -> str:
    """What is wrong in a request, as one line."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first.get("loc", ())[1:])
    return f"{place}: {first.get('msg', 'is wrong')}" if place else str(first.get("msg", "is wrong"))


def route_that_answers(answer: Callable[[Request, int, str], Response]) -> type[APIRoute]:
    """A route class for a standard with errors of its own: `answer(request, status, line)` writes one.

    A request that does not fit the route is a 400 then.
    """

    class Route(APIRoute):
        def get_route_handler(self) -> Handler:
            handler = super().get_route_handler()

            async def handle(request: Request) -> Response:
                try:
                    return await handler(request)
                except RequestValidationError as error:
                    return answer(request, 400, wrong(error))
                except HTTPException as error:
                    response = answer(request, error.status_code, str(error.detail))
                    response.headers.update(error.headers or {})
                    return response

            return handle

    return Route
