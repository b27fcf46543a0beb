# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Tokens of machines: QGIS, Grafana, the citizens' channel. Shown once when made, kept as a hash, revocable."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct
from sqlalchemy import Connection, insert, or_, select, update

from depot.people import audit
from depot.people.errors import PeopleError
from depot.people.guard import Person
from depot.people.moment import later
from depot.people.roles import Role
from depot.people.secret import TOKEN_PREFIX, key_of, new_secret
from depot.people.sessions import Login
from depot.people.tables import tokens
from depot.store.database import Change

#: A token's last use is written to the hour.
TOUCH = timedelta(hours=1)


class Token(Struct, frozen=True, kw_only=True):
    """A token as admins see it."""

    name: str
    role: Role
    created_utc: str
    created_by: str
    expires_utc: str | None
    used_utc: str | None
    revoked_utc: str | None


def every(connection: Connection) -> list[Token]:
    """All tokens by name, revoked ones too."""
    columns = [tokens.c[field] for field in Token.__struct_fields__]
    return [Token(**row._mapping) for row in connection.execute(select(*columns).order_by(tokens.c.name))]  # noqa: SLF001 - its public name


def add(change: Change, *, who: str, name: str, role: Role, days: int | None = None) -> str:
    """Make a token and give its text, which nobody can read again. `days`: how long it holds. Raises PeopleError."""
    if change.connection.execute(select(tokens.c.name).where(tokens.c.name == name)).first() is not None:
        raise PeopleError(f"the name {name} is taken; a revoked token keeps its name for the record", status=409)
    secret = TOKEN_PREFIX + new_secret()
    expires_utc = None if days is None else later(change.now_utc, timedelta(days=days))
    change.connection.execute(
        insert(tokens).values(
            name=name,
            role=role,
            key=key_of(secret),
            created_utc=change.now_utc,
            created_by=who,
            expires_utc=expires_utc,
        )
    )
    audit.record(
        change.connection, utc=change.now_utc, who=who, action="added", kind="token", subject=name,
        after={"role": role, "expires_utc": expires_utc},
    )  # fmt: skip
    return secret


def revoke(change: Change, name: str, *, who: str) -> None:
    """End a token; one that has ended already stays as it is. Raises PeopleError: there is none."""
    row = change.connection.execute(select(tokens.c.revoked_utc).where(tokens.c.name == name)).first()
    if row is None:
        raise PeopleError(f"there is no token {name}", status=404)
    if row.revoked_utc is not None:
        return
    change.connection.execute(update(tokens).where(tokens.c.name == name).values(revoked_utc=change.now_utc))
    audit.record(change.connection, utc=change.now_utc, who=who, action="revoked", kind="token", subject=name)


def find(connection: Connection, secret: str, *, now_utc: str) -> Login | None:
    """The machine that holds this token; None where it is unknown, revoked or too old."""
    row = connection.execute(
        select(tokens.c.name, tokens.c.role, tokens.c.used_utc)
        .where(tokens.c.key == key_of(secret), tokens.c.revoked_utc.is_(None))
        .where(or_(tokens.c.expires_utc.is_(None), tokens.c.expires_utc > now_utc))
    ).first()
    if row is None:
        return None
    old = row.used_utc is None or row.used_utc <= later(now_utc, -TOUCH)
    return Login(person=Person(name=f"token:{row.name}", role=row.role, token=row.name), by="token", touch=old)


def touch(connection: Connection, name: str, *, now_utc: str) -> None:
    """Note that it is in use."""
    connection.execute(update(tokens).where(tokens.c.name == name).values(used_utc=now_utc))
