# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Users, tokens and the record of changes, for those who manage them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import Connection, select

from depot.people import tokens, users
from depot.people.answers import faults, json, refused
from depot.people.errors import PeopleError
from depot.people.guard import Person, allow
from depot.people.roles import Role, UserRole
from depot.people.secret import MAX_PASSWORD, MIN_PASSWORD, new_password
from depot.people.users import NAME_PATTERN, TITLE_PATTERN, Language, UserChange
from depot.services import Services
from depot.store.database import Database
from depot.store.tables import audit

Name = Annotated[str, Path(pattern=NAME_PATTERN, max_length=63)]
#: The largest number that JavaScript holds exactly.
_MOST = 2**53 - 1


def _as_whole(given: Any) -> Any:
    """JSON knows one kind of number: 30.0 is as whole as 30 (and true is none)."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


_Whole = Annotated[int, BeforeValidator(_as_whole)]


class NewUser(BaseModel):
    """A user to add; without a password one is made and given back once."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: str = Field(pattern=NAME_PATTERN, max_length=63)
    title: str = Field(default="", max_length=100, pattern=TITLE_PATTERN)
    role: UserRole
    language: Language | None = None
    password: str | None = Field(default=None, min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)


class Alteration(BaseModel):
    """What is to change of a user; what is not named stays."""

    model_config = ConfigDict(extra="forbid", strict=True)
    title: str = Field(default="", max_length=100, pattern=TITLE_PATTERN)
    role: UserRole = "viewer"
    language: Language | None = None
    disabled: bool = False


class Password(BaseModel):
    """A password for somebody else; null: one is made and given back once."""

    model_config = ConfigDict(extra="forbid", strict=True)
    password: str | None = Field(default=None, min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)


class NewToken(BaseModel):
    """A token to make. `days`: how long it holds; null: until it is revoked."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: str = Field(pattern=NAME_PATTERN, max_length=63)
    role: Role
    days: _Whole | None = Field(default=None, ge=1, le=3660)


def router(services: Services) -> APIRouter:
    """`/api/users`, `/api/tokens`, `/api/audit`."""
    made = APIRouter(tags=["people"])
    _add_users(made, services.database)
    _add_tokens(made, services.database)
    _add_audit(made, services.database)
    return made


def _add_users(made: APIRouter, database: Database) -> None:
    @made.get("/api/users", responses=faults(401, 403))
    def every(_person: Annotated[Person, allow("manage")]) -> Response:
        """All users, disabled ones too."""
        with database.reading() as connection:
            return json({"users": users.every(connection)})

    @made.post("/api/users", status_code=201, responses=faults(400, 401, 403, 409, 422))
    def add(new: NewUser, person: Annotated[Person, allow("manage")]) -> Response:
        """Add a user; `password` in the answer is the one that was made, null where one was given."""
        password = new_password() if new.password is None else None
        try:
            with database.changing() as change:
                user = users.add(
                    change, who=person.name, name=new.name, title=new.title, role=new.role, language=new.language,
                    password=new.password or password,
                )  # fmt: skip
        except PeopleError as error:
            raise refused(error) from None
        return json(msgspec.structs.asdict(user) | {"password": password}, status=201)

    @made.patch("/api/users/{name}", responses=faults(400, 401, 403, 404, 409, 422))
    def alter(name: Name, wanted: Alteration, person: Annotated[Person, allow("manage")]) -> Response:
        """Change a user. A disabled one is logged out everywhere; the last admin stays one."""
        wishes = UserChange(**wanted.model_dump(exclude_unset=True))
        try:
            with database.changing() as change:
                return json(users.alter(change, name, wishes, who=person.name))
        except PeopleError as error:
            raise refused(error) from None

    @made.post("/api/users/{name}/password", responses=faults(400, 401, 403, 404, 409, 422))
    def password(name: Name, wanted: Password, person: Annotated[Person, allow("manage")]) -> Response:
        """Give a user a new password; all sessions of the user end. The answer is as for a new user."""
        made_up = new_password() if wanted.password is None else None
        try:
            with database.changing() as change:
                users.set_password(change, name, wanted.password or made_up or "", who=person.name)
        except PeopleError as error:
            raise refused(error) from None
        return json({"password": made_up})


def _add_tokens(made: APIRouter, database: Database) -> None:
    @made.get("/api/tokens", responses=faults(401, 403))
    def every(_person: Annotated[Person, allow("manage")]) -> Response:
        """All tokens, without their text."""
        with database.reading() as connection:
            return json({"tokens": tokens.every(connection)})

    @made.post("/api/tokens", status_code=201, responses=faults(400, 401, 403, 409, 422))
    def add(new: NewToken, person: Annotated[Person, allow("manage")]) -> Response:
        """Make a token; the answer holds its text, this once."""
        try:
            with database.changing() as change:
                text = tokens.add(change, who=person.name, name=new.name, role=new.role, days=new.days)
        except PeopleError as error:
            raise refused(error) from None
        return json({"name": new.name, "role": new.role, "token": text}, status=201)

    @made.delete("/api/tokens/{name}", status_code=204, responses=faults(401, 403, 404, 422))
    def revoke(name: Name, person: Annotated[Person, allow("manage")]) -> Response:
        """End a token at once."""
        try:
            with database.changing() as change:
                tokens.revoke(change, name, who=person.name)
        except PeopleError as error:
            raise refused(error) from None
        return Response(status_code=204)


Word = Annotated[str | None, Query(max_length=100, pattern=TITLE_PATTERN)]


def _add_audit(made: APIRouter, database: Database) -> None:
    @made.get("/api/audit", responses=faults(401, 403, 422))
    def record(
        *,
        _person: Annotated[Person, allow("audit")],
        kind: Word = None,
        subject: Word = None,
        who: Word = None,
        after: Annotated[int | None, Query(ge=0, le=_MOST, description="only later ones, oldest first")] = None,
        before: Annotated[int | None, Query(ge=1, le=_MOST, description="only earlier ones, newest first")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """The record of changes, newest first; with `after` oldest first. `next` goes on: as `before` or `after`."""
        conditions = [audit.c[name] == value for name, value in (("kind", kind), ("subject", subject), ("who", who))
                      if value is not None]  # fmt: skip
        if after is not None:
            conditions.append(audit.c.number > after)
        if before is not None:
            conditions.append(audit.c.number < before)
        order = audit.c.number.asc() if after is not None else audit.c.number.desc()
        with database.reading() as connection:
            found = _changes(connection, select(audit).where(*conditions).order_by(order).limit(limit))
        return json({"changes": found, "next": found[-1]["number"] if len(found) == limit else None})


def _changes(connection: Connection, statement: Any) -> list[dict[str, Any]]:
    return [
        dict(row._mapping) | {"before": _raw(row.before), "after": _raw(row.after)}  # noqa: SLF001 - its public name
        for row in connection.execute(statement)
    ]


def _raw(text: str | None) -> msgspec.Raw | None:
    """JSON that goes out as it was written."""
    return None if text is None else msgspec.Raw(text.encode())
