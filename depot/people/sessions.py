# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Sessions of people's browsers. They stand in the database, so that they can be ended and processes share them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, cast

from sqlalchemy import Connection, delete, insert, or_, select, update

from depot.people.config import PeopleConfig
from depot.people.guard import Person
from depot.people.moment import later
from depot.people.roles import UserRole
from depot.people.secret import csrf_of, key_of, new_secret
from depot.people.tables import oidc_visits, sessions, users

#: A session's last use is written to the minute: a write for each request would be one too many.
TOUCH = timedelta(minutes=1)
#: People who have not come back from the identity provider by then have to start anew.
VISIT = timedelta(minutes=10)


@dataclass(frozen=True)
class Login:
    """A person, and how this request showed who it is. `session`: the session's key, where there is one."""

    person: Person
    by: Literal["password", "oidc", "token", "off"]
    csrf: str = ""
    session: str | None = None
    #: The session's last use is to be written again.
    touch: bool = False


def begin(
    connection: Connection, name: str, *, by: Literal["password", "oidc"], now_utc: str, people: PeopleConfig
) -> str:
    """Begin a session and give the cookie's content. Those that have run out are swept away."""
    secret = new_secret()
    _sweep(connection, now_utc, people)
    connection.execute(
        insert(sessions).values(key=key_of(secret), user=name, login=by, created_utc=now_utc, used_utc=now_utc)
    )
    connection.execute(update(users).where(users.c.name == name).values(login_utc=now_utc))
    return secret


def find(connection: Connection, secret: str, *, now_utc: str, people: PeopleConfig) -> Login | None:
    """Whose session it is; None where it is unknown, ended, too old, or its user may not log in any more."""
    key = key_of(secret)
    row = connection.execute(
        select(sessions.c.login, sessions.c.used_utc, users.c.name, users.c.role)
        .join(users, users.c.name == sessions.c.user)
        .where(sessions.c.key == key, users.c.disabled.is_(False))
        .where(sessions.c.created_utc > _oldest(now_utc, people), sessions.c.used_utc > _idlest(now_utc, people))
    ).first()
    if row is None:
        return None
    return Login(
        person=Person(name=row.name, role=cast("UserRole", row.role)),
        by=row.login,
        csrf=csrf_of(secret),
        session=key,
        touch=row.used_utc <= later(now_utc, -TOUCH),
    )


def touch(connection: Connection, key: str, *, now_utc: str) -> None:
    """Note that it is in use."""
    connection.execute(update(sessions).where(sessions.c.key == key).values(used_utc=now_utc))


def end(connection: Connection, key: str) -> None:
    """End one session."""
    connection.execute(delete(sessions).where(sessions.c.key == key))


def _sweep(connection: Connection, now_utc: str, people: PeopleConfig) -> None:
    out = or_(sessions.c.created_utc <= _oldest(now_utc, people), sessions.c.used_utc <= _idlest(now_utc, people))
    connection.execute(delete(sessions).where(out))
    connection.execute(delete(oidc_visits).where(oidc_visits.c.created_utc <= later(now_utc, -VISIT)))


def _oldest(now_utc: str, people: PeopleConfig) -> str:
    return later(now_utc, -timedelta(hours=people.session_hours))


def _idlest(now_utc: str, people: PeopleConfig) -> str:
    return later(now_utc, -timedelta(minutes=people.idle_minutes))
