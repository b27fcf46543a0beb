# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The one question that every route asks: may this person do that?

    @router.get("/api/cases")
    def cases(person: Annotated[Person, allow("read")]) -> Response: ...

Who it is was found out before, by the middleware in `depot.people.entering`. A route without `allow` and not listed
as public is found by tests/depot/people/test_matrix.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, HTTPException, Request

from depot.people.roles import PERMISSIONS, Permission, Role


@dataclass(frozen=True)
class Person:
    """Who asks: a user, or a machine with a token (`token` is its name)."""

    name: str
    role: Role
    token: str | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the role allows it."""
        return permission in PERMISSIONS[self.role]


def allow(permission: Permission) -> Any:
    """A dependency that gives the `Person`, or answers 401 (nobody logged in) or 403 (the role does not allow it)."""
    return Depends(_check(permission))


def logged_in() -> Any:
    """A dependency that gives the `Person` whatever the role, or answers 401."""
    return Depends(_check(None))


def _check(permission: Permission | None) -> Callable[[Request], Person]:
    def check(request: Request) -> Person:
        person: Person | None = getattr(request.state, "person", None)
        if person is None:
            raise HTTPException(401, "log in first", headers={"WWW-Authenticate": 'Bearer realm="wegewart"'})
        if permission is not None and not person.may(permission):
            raise HTTPException(403, f"the role {person.role} does not allow this ({permission})")
        return person

    check.permission = permission  # type: ignore[attr-defined]  # for the authorisation matrix
    return check
