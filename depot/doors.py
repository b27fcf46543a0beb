# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What every request and every answer passes: bounds on the size, headers that keep the browser to our own page."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from depot.config import PageConfig

#: The largest request: a city's network of roads or areas as GeoJSON. Photos have a bound of their own.
MAX_BODY_BYTES = 64 * 1024 * 1024


def said(status: int, detail: str) -> Response:
    """An error's answer: one line."""
    return Response(msgspec.json.encode({"detail": detail}), status, media_type="application/json")


class SecurityHeaders:
    """Adds headers to every response. Plain ASGI: streams pass through it as they are."""

    def __init__(self, app: ASGIApp, *, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI's
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class _TooLargeError(Exception):
    pass


class Bounds:
    """Refuses a body that is too large: at once where its length is told, else when it has become so."""

    def __init__(self, app: ASGIApp, *, most: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI's
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "0")
        if not told.isascii() or not told.isdigit() or int(told) > self._most:
            await self._refuse(scope, receive, send)
            return
        got, started = 0, False

        async def receive_bounded() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self._most:
                raise _TooLargeError
            return message

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive_bounded, send_noted)
        except _TooLargeError:
            if not started:
                await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await said(413, f"at most {self._most} bytes are taken")(scope, receive, send)


def security_headers(page: PageConfig) -> dict[str, str]:
    """Nothing but our own files, and the base map where one is configured. A route may set its own instead."""
    origins = {_origin(url) for url in (page.style_url, page.tiles_url) if url is not None}
    map_hosts = "".join(f" {origin}" for origin in sorted(origins))
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; font-src 'self';"
        f" connect-src 'self'{map_hosts}; img-src 'self' data: blob:{map_hosts};"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
