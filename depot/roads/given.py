# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the routes of roads share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

from depot.people.guard import Person, allow
from depot.roads.coverage import Covered
from depot.roads.network import Roads
from depot.roads.sections import SectionIndex
from depot.store.database import Database

Reader: TypeAlias = Annotated[Person, allow("read")]
Manager: TypeAlias = Annotated[Person, allow("manage")]


@dataclass(frozen=True)
class Given:
    """What all these routes use."""

    database: Database
    roads: Roads
    zone: ZoneInfo
    sections: SectionIndex
    covered: Covered
