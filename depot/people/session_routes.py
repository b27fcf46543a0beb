# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Logging in and out, and what a person may change of their own."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from depot.people import sessions, users
from depot.people.answers import faults, json, refused
from depot.people.config import PeopleConfig
from depot.people.entering import is_secure, read_cookie, set_cookie
from depot.people.errors import PeopleError
from depot.people.guard import Person, logged_in
from depot.people.roles import PERMISSIONS
from depot.people.secret import MAX_PASSWORD, MIN_PASSWORD, check_password, hash_password, is_weaker, key_of
from depot.people.sessions import Login
from depot.people.tries import Tries
from depot.people.users import Language, UserChange
from depot.services import Services
from depot.store.database import Database

_WRONG = "name or password is wrong"


class Credentials(BaseModel):
    """What the login form sends."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=MAX_PASSWORD)


class Wishes(BaseModel):
    """What a person may choose."""

    model_config = ConfigDict(extra="forbid", strict=True)
    language: Language | None


class NewPassword(BaseModel):
    """A person's own password, old and new."""

    model_config = ConfigDict(extra="forbid", strict=True)
    old: str = Field(min_length=1, max_length=MAX_PASSWORD)
    new: str = Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)


def router(services: Services) -> APIRouter:
    """`/api/login`, `/api/logout`, `/api/session`."""
    made = APIRouter(tags=["session"])
    database, people = services.database, services.config.people
    language = services.config.page.language

    @made.get("/api/login")
    def methods() -> Response:
        """How one can log in here: `password`, `oidc`, both, or nothing at all where nobody needs to."""
        return json({"methods": _methods(people), "notice": _notice(database, people, language)})

    @made.post("/api/login", responses=faults(400, 401, 403, 404, 422, 429))
    def login(request: Request, credentials: Credentials) -> Response:
        """Log in with a password; the answer sets the session's cookie and is that of `GET /api/session`."""
        if "password" not in _methods(people):
            raise HTTPException(404, "there is no login by password here")
        secure = is_secure(request.scope, people)
        address = None if request.client is None else request.client.host
        secret = _log_in(
            database, people, credentials, address=address, old=read_cookie(request.headers, secure=secure)
        )
        with database.reading() as connection:
            found = sessions.find(connection, secret, now_utc=database.now_utc(), people=people)
            if found is None:  # disabled at this very moment
                raise HTTPException(401, _WRONG)
            response = json(_session(found, users.find(connection, found.person.name), language))
        set_cookie(response, secret, secure=secure)
        return response

    @made.post("/api/logout", status_code=204, responses=faults(401, 403))
    def logout(request: Request, _person: Annotated[Person, logged_in()]) -> Response:
        """End this session."""
        found: Login = request.state.login
        if found.session is not None:
            with database.writing() as connection:
                sessions.end(connection, found.session)
        response = Response(status_code=204)
        set_cookie(response, None, secure=is_secure(request.scope, people))
        return response

    @made.get("/api/session", responses=faults(401))
    def session(request: Request, person: Annotated[Person, logged_in()]) -> Response:
        """Who is logged in, what that person may do, and the `csrf` to send back as X-CSRF-Token."""
        with database.reading() as connection:
            return json(_session(request.state.login, users.find(connection, person.name), language))

    @made.patch("/api/session", responses=faults(400, 401, 403, 409, 422))
    def choose(request: Request, wishes: Wishes, person: Annotated[Person, logged_in()]) -> Response:
        """Choose the page's language; null: that of the depot."""
        _need_user(request)
        try:
            with database.changing() as change:
                user = users.alter(change, person.name, UserChange(language=wishes.language), who=person.name)
        except PeopleError as error:
            raise refused(error) from None
        return json(_session(request.state.login, user, language))

    @made.post("/api/session/password", status_code=204, responses=faults(400, 401, 403, 409, 422, 429))
    def password(request: Request, wanted: NewPassword, person: Annotated[Person, logged_in()]) -> Response:
        """Change one's own password; one's other sessions end."""
        _need_user(request)
        address = None if request.client is None else request.client.host
        if not _is_right(database, people, person.name, wanted.old, address=address):
            raise HTTPException(422, "the old password is wrong")
        try:
            with database.changing() as change:
                users.set_password(
                    change, person.name, wanted.new, who=person.name, keep_session=request.state.login.session
                )
        except PeopleError as error:
            raise refused(error) from None
        return Response(status_code=204)

    return made


def _methods(people: PeopleConfig) -> list[str]:
    if people.login == "oidc":
        return ["oidc", "password"] if people.passwords_too else ["oidc"]
    return ["password"] if people.login == "password" else []


def _notice(database: Database, people: PeopleConfig, language: Language) -> str | None:
    if people.login == "password":
        with database.reading() as connection:
            if users.count(connection) == 0:
                command = "wegewart-depot user add NAME --role admin"
                if language == "de":
                    return f"Es gibt noch keine Benutzer. Auf dem Server: {command}"
                return f"There are no users yet. On the server: {command}"
    return people.notice


def _log_in(
    database: Database, people: PeopleConfig, credentials: Credentials, *, address: str | None, old: str | None
) -> str:
    """The new session's secret. Raises HTTPException: 401 or 429."""
    name = credentials.name.strip().lower()
    if not _is_right(database, people, name, credentials.password, address=address):
        raise HTTPException(401, _WRONG)
    with database.writing() as connection:
        if old is not None:
            sessions.end(connection, key_of(old))
        return sessions.begin(connection, name, by="password", now_utc=database.now_utc(), people=people)


def _is_right(database: Database, people: PeopleConfig, name: str, password: str, *, address: str | None) -> bool:
    """Whether it is this user's password. Raises HTTPException: 429 after too many tries."""
    tries = Tries.of(name, address)
    with database.writing() as connection:
        wait_s = tries.wait_s(connection, now_utc=database.now_utc(), people=people)
        kept = users.kept_password(connection, name)
    if wait_s is not None:
        raise HTTPException(429, f"too many tries; wait {wait_s} s", headers={"Retry-After": str(wait_s)})
    if not check_password(password, kept):
        return False
    assert kept is not None, "nothing is right where nothing is kept"
    with database.writing() as connection:
        tries.good(connection, now_utc=database.now_utc())
        if is_weaker(kept):
            users.rehash(connection, name, hash_password(password))
    return True


def _need_user(request: Request) -> None:
    if request.state.login.session is None:
        raise HTTPException(409, "this is for people who logged in, not for machines and not without a login")


def _session(login: Login, user: users.User | None, language: Language) -> dict[str, Any]:
    return {
        "name": login.person.name,
        "title": login.person.name if user is None else user.title,
        "role": login.person.role,
        "language": (None if user is None else user.language) or language,
        "permissions": sorted(PERMISSIONS[login.person.role]),
        "csrf": login.csrf,
        "login": login.by,
    }
