# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is known of a case beside itself: its record of changes, passes that looked, and others that may be the same."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection


class Entry(Struct, frozen=True, kw_only=True):
    """One change that a person or a rule made; `before` and `after` as they were recorded."""

    number: int
    utc: str
    who: str
    action: str
    before: Any = None
    after: Any = None


class Look(Struct, frozen=True, kw_only=True):
    """One valid pass over a case's place. `utc` None: not dated yet."""

    utc: str | None
    vehicle: str
    seen: bool


class Duplicate(Struct, frozen=True, kw_only=True):
    """Another case that may be the same defect. `distance_m`: along the line where only that is known."""

    number: int
    distance_m: float


def history(connection: Connection, number: int) -> list[Entry]:
    """Oldest first; with the changes of the cases that were merged into it."""
    raise NotImplementedError


def looks(connection: Connection, number: int, *, limit: int = 100) -> list[Look]:
    """Newest first."""
    raise NotImplementedError


def possible_duplicates(connection: Connection, number: int, *, limit: int = 5) -> list[Duplicate]:
    """Cases of a like class so near that their errors would allow it, nearest first; never one that was split off."""
    raise NotImplementedError
