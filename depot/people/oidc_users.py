# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From what the identity provider says of a person to a user. The key is issuer and subject, never the name."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from sqlalchemy import select, update

from depot.people import users
from depot.people.errors import PeopleError
from depot.people.roles import UserRole
from depot.people.tables import users as table
from depot.people.users import NAME_PATTERN, RESERVED, UserChange
from depot.store.database import Change

#: Who changed a role, in the record of changes.
RULE = "rule:oidc"


def enter(change: Change, claims: dict[str, Any], role: UserRole, *, name_claim: str) -> str:
    """The name of the user that the claims are about: a new one, or a known one with the role of today.

    Raises:
        PeopleError: an admin has disabled this user (403).
    """
    issuer, subject = str(claims["iss"]), str(claims["sub"])
    known = change.connection.execute(
        select(table.c.name, table.c.disabled).where(table.c.issuer == issuer, table.c.subject == subject)
    ).first()
    title = _title(claims.get("name"))
    if known is None:
        name = _free_name(change, claims.get(name_claim), f"{issuer} {subject}")
        users.add(change, who=RULE, name=name, title=title, role=role, oidc=(issuer, subject))
        return name
    if known.disabled:
        raise PeopleError("this user is disabled; ask an admin", status=403)
    users.alter(change, known.name, UserChange(role=role), who=RULE, keep_admin=False)
    if title:
        change.connection.execute(update(table).where(table.c.name == known.name).values(title=title))
    return str(known.name)


def _title(claim: Any) -> str:
    return "".join(char for char in claim if char.isprintable())[:100] if isinstance(claim, str) else ""


def _free_name(change: Change, claim: Any, unique: str) -> str:
    """A name like the claim. Where another has it already, a mark is added: names of others are never taken over."""
    wanted = re.sub(r"[^a-z0-9._@-]+", "-", claim.lower()).strip("-._@")[:50] if isinstance(claim, str) else ""
    mark = hashlib.sha256(unique.encode()).hexdigest()[:8]
    if not re.fullmatch(NAME_PATTERN, wanted):
        return f"user-{mark}"
    taken = wanted in RESERVED or users.find(change.connection, wanted) is not None
    return f"{wanted}-{mark}" if taken else wanted
