# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Who is asking? Every request passes here first; `depot.people.guard` then asks whether that person may.

A browser shows its session's cookie, a machine its token as Bearer or as the password of HTTP Basic. What changes
something must come from our own page: the browser's own words on that (Origin, Sec-Fetch-Site) are checked for all,
and with a cookie the header X-CSRF-Token, too. With people.login = "off" everybody on this machine is admin; then the
Host must be this machine as well, or any web page could reach us by a name that it lets point here.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

import msgspec
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from depot.errors import StoreError
from depot.people import sessions, tokens
from depot.people.config import PeopleConfig, is_loopback
from depot.people.guard import Person
from depot.people.secret import same
from depot.people.sessions import Login
from depot.store.database import Database

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: The page's own files: the same for all.
_PUBLIC = ("/static/", "/vendor/")
LOCAL = Login(person=Person(name="lokal", role="admin"), by="off")


class _Stop(Exception):  # noqa: N818 - no error of ours
    """Answered here already."""

    def __init__(self, status: int, detail: str, challenge: str | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.challenge = status, detail, challenge


class Entering:
    """ASGI middleware: sets `request.state.person` and `request.state.login` (`Login`), None where nobody is known."""

    def __init__(self, app: ASGIApp, *, database: Database, people: PeopleConfig) -> None:
        self._app = app
        self._database = database
        self._people = people

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI's
        if scope["type"] != "http" or scope["path"].startswith(_PUBLIC):
            await self._app(scope, receive, send)
            return
        try:
            login = await self._login(scope)
        except _Stop as stop:
            await _answer(stop.status, stop.detail, stop.challenge)(scope, receive, send)
            return
        except StoreError as error:
            await _answer(503, f"the store cannot be read now: {error}")(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["login"] = login
        state["person"] = None if login is None else login.person
        await self._app(scope, receive, send)

    async def _login(self, scope: Scope) -> Login | None:
        headers = Headers(scope=scope)
        if self._people.login == "off" and not is_loopback(_host(headers.get("host", ""))):
            raise _Stop(403, "people.login is off, so only http://127.0.0.1 and http://localhost lead here")
        changes = scope["method"] not in _SAFE
        if changes:
            self._check_origin(headers)
        if self._people.login == "off":
            return LOCAL
        if "authorization" in headers:
            return await run_in_threadpool(self._by_token, _token(headers["authorization"]))
        secret = read_cookie(headers, secure=is_secure(scope, self._people))
        login = None if secret is None else await run_in_threadpool(self._by_cookie, secret)
        if login is not None and changes and not same(headers.get("x-csrf-token", ""), login.csrf):
            raise _Stop(403, "the header X-CSRF-Token is missing or wrong; load the page again")
        return login

    def _check_origin(self, headers: Headers) -> None:
        """Browsers say where a request comes from; others say nothing, and nobody can make them send our cookie."""
        if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            raise _Stop(403, "this request comes from another site")
        origin = headers.get("origin")
        ours = {headers.get("host", "").lower()}
        if self._people.public_url is not None:
            ours.add(_netloc(self._people.public_url))
        if origin is not None and _netloc(origin) not in ours:
            raise _Stop(403, "this request comes from another site")

    def _by_token(self, secret: str | None) -> Login:
        now_utc = self._database.now_utc()
        login = None
        if secret is not None:
            with self._database.reading() as connection:
                login = tokens.find(connection, secret, now_utc=now_utc)
        if login is None or login.person.token is None:
            raise _Stop(
                401, "this token is unknown, revoked or too old", 'Bearer realm="wegewart", error="invalid_token"'
            )
        if login.touch:
            with contextlib.suppress(StoreError), self._database.writing() as connection:
                tokens.touch(connection, login.person.token, now_utc=now_utc)
        return login

    def _by_cookie(self, secret: str) -> Login | None:
        now_utc = self._database.now_utc()
        with self._database.reading() as connection:
            login = sessions.find(connection, secret, now_utc=now_utc, people=self._people)
        if login is not None and login.touch and login.session is not None:
            # A disk that is full now is no reason to log people out.
            with contextlib.suppress(StoreError), self._database.writing() as connection:
                sessions.touch(connection, login.session, now_utc=now_utc)
        return login


def is_secure(scope: Scope, people: PeopleConfig) -> bool:
    """Whether the browser came by https, be it that a proxy took the s away."""
    return scope.get("scheme") == "https" or (people.public_url or "").startswith("https://")


def cookie_name(*, secure: bool) -> str:
    """With https the browser itself sees to it that nobody else on the domain can set it."""
    return "__Host-wegewart" if secure else "wegewart"


def read_cookie(headers: Headers, *, secure: bool) -> str | None:
    """The session's secret."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(cookie_name(secure=secure))
    except CookieError:
        return None
    return None if morsel is None or not morsel.value.isascii() else morsel.value


def set_cookie(response: Response, secret: str | None, *, secure: bool) -> None:
    """Give the browser its session; None takes it away. It ends with the browser, and here by its age."""
    response.set_cookie(
        cookie_name(secure=secure), secret or "", max_age=None if secret else 0, path="/", secure=secure, httponly=True,
        samesite="strict",
    )  # fmt: skip


def _token(authorization: str) -> str | None:
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
    return None


def _host(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _answer(status: int, detail: str, challenge: str | None = None) -> Response:
    headers = {} if challenge is None else {"WWW-Authenticate": challenge}
    return Response(msgspec.json.encode({"detail": detail}), status, headers, "application/json")
