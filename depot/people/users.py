# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Users: who they are, what they may do, how they prove it. Every change is recorded, secrets never."""

from __future__ import annotations

import re
from typing import Any, Literal, cast, get_args

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from depot.people import audit
from depot.people.errors import PeopleError
from depot.people.roles import UserRole
from depot.people.secret import check_new_password, hash_password
from depot.people.tables import sessions, users
from depot.store.database import Change

Language = Literal["de", "en"]
#: Colons are left to machines (`token:qgis`, `rule:retention`), so that the record of changes is clear about who.
NAME_PATTERN = r"^[a-z0-9][a-z0-9._@-]{0,62}$"
#: No control characters: PostgreSQL takes no NUL, and a name is one line.
TITLE_PATTERN = r"^[^\x00-\x1f\x7f]*$"
RESERVED = frozenset({"lokal"})


class User(Struct, frozen=True, kw_only=True):
    """A user as admins see one."""

    name: str
    title: str
    role: UserRole
    language: Language | None
    disabled: bool
    has_password: bool
    oidc: bool
    created_utc: str
    login_utc: str | None


class UserChange(Struct, frozen=True, kw_only=True):
    """What is to change of a user; what is not set stays."""

    title: str | UnsetType = UNSET
    role: UserRole | UnsetType = UNSET
    language: Language | UnsetType | None = UNSET
    disabled: bool | UnsetType = UNSET


def every(connection: Connection) -> list[User]:
    """All users by name."""
    return [_user(row) for row in connection.execute(select(users).order_by(users.c.name))]


def find(connection: Connection, name: str) -> User | None:
    """The user of that name."""
    row = connection.execute(select(users).where(users.c.name == name)).first()
    return None if row is None else _user(row)


def count(connection: Connection) -> int:
    """How many there are."""
    return int(connection.execute(select(func.count()).select_from(users)).scalar_one())


def kept_password(connection: Connection, name: str) -> str | None:
    """The password's hash of a user who may log in with one; `name`: whatever was typed."""
    if re.fullmatch(NAME_PATTERN, name) is None:
        return None
    return connection.execute(
        select(users.c.password).where(users.c.name == name, users.c.disabled.is_(False))
    ).scalar_one_or_none()


def add(
    change: Change,
    *,
    who: str,
    name: str,
    title: str,
    role: UserRole,
    language: Language | None = None,
    password: str | None = None,
    oidc: tuple[str, str] | None = None,
) -> User:
    """Add a user. `oidc`: issuer and subject at the identity provider. Raises PeopleError."""
    if name in RESERVED or find(change.connection, name) is not None:
        raise PeopleError(f"the name {name} is taken", status=409)
    issuer, subject = oidc or (None, None)
    change.connection.execute(
        insert(users).values(
            name=name, title=title or name, role=role, language=language, disabled=False, created_utc=change.now_utc,
            password=None if password is None else _hashed(password, name), issuer=issuer, subject=subject,
        )
    )  # fmt: skip
    made = _need(change.connection, name)
    _record(change, who, "added", name, after=_facts(made))
    return made


def alter(change: Change, name: str, wanted: UserChange, *, who: str, keep_admin: bool = True) -> User:
    """Change a user. Raises PeopleError: there is none, or (`keep_admin`) no admin would be left."""
    before = _need(change.connection, name)
    values = {key: value for key, value in asdict(wanted).items() if value is not UNSET}
    if values:
        change.connection.execute(update(users).where(users.c.name == name).values(values))
    after = _need(change.connection, name)
    if keep_admin and before.role == "admin" and not before.disabled and not _admins(change.connection):
        raise PeopleError(f"{name} is the last admin; make another one first", status=409)
    if after.disabled:
        end_sessions(change.connection, name)
    if after != before:
        _record(change, who, "changed", name, before=_facts(before), after=_facts(after))
    return after


def set_password(change: Change, name: str, password: str, *, who: str, keep_session: str | None = None) -> None:
    """Give a user a password; all sessions but `keep_session` (its key) end. Raises PeopleError."""
    _need(change.connection, name)
    hashed = _hashed(password, name)
    change.connection.execute(update(users).where(users.c.name == name).values(password=hashed))
    end_sessions(change.connection, name, but=keep_session)
    _record(change, who, "password", name)


def rehash(connection: Connection, name: str, hashed: str) -> None:
    """Keep the same password with today's work."""
    connection.execute(update(users).where(users.c.name == name).values(password=hashed))


def end_sessions(connection: Connection, name: str, *, but: str | None = None) -> None:
    """Log a user out everywhere, save in the session with the key `but`."""
    statement = delete(sessions).where(sessions.c.user == name)
    connection.execute(statement if but is None else statement.where(sessions.c.key != but))


def _admins(connection: Connection) -> int:
    statement = select(func.count()).select_from(users).where(users.c.role == "admin", users.c.disabled.is_(False))
    return int(connection.execute(statement).scalar_one())


def _need(connection: Connection, name: str) -> User:
    found = find(connection, name)
    if found is None:
        raise PeopleError(f"there is no user {name}", status=404)
    return found


def _hashed(password: str, name: str) -> str:
    check_new_password(password, name=name)
    return hash_password(password)


def _facts(user: User) -> dict[str, Any]:
    return {key: value for key, value in asdict(user).items() if key in {"title", "role", "language", "disabled"}}


def _record(change: Change, who: str, action: str, name: str, *, before: Any = None, after: Any = None) -> None:
    audit.record(
        change.connection, utc=change.now_utc, who=who, action=action, kind="user", subject=name, before=before,
        after=after,
    )  # fmt: skip


def _user(row: Row[Any]) -> User:
    role = row.role if row.role in get_args(UserRole) else "viewer"
    return User(
        name=row.name, title=row.title, role=cast("UserRole", role), language=row.language, disabled=row.disabled,
        has_password=row.password is not None, oidc=row.issuer is not None, created_utc=row.created_utc,
        login_utc=row.login_utc,
    )  # fmt: skip
