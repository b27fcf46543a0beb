# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Routes of who runs what: a table and its CSV, the changes, and the group of a vehicle."""

from __future__ import annotations

import csv
import io
import re
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from depot.fleet import reading, software
from depot.fleet.choices import GROUP_PATTERN, choose
from depot.fleet.condition import VehicleState
from depot.fleet.config import FleetConfig
from depot.people.guard import Person, allow
from depot.roads.answers import Named, Word, described, json
from depot.store.database import Database

Viewer: TypeAlias = Annotated[Person, allow("fleet")]
COLUMNS = (
    "vehicle", "group", "state", "release", "release_since_utc", "software", "models", "update_release",
    "update_state", "update_reason", "update_attempts", "update_since_utc", "system_version", "system_state",
    "system_reason", "seen_utc", "retired_utc",
)  # fmt: skip
#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = re.compile(r"\s*[=+\-@\uff0b\uff0d\uff1d\uff20]|[\t\r\n]")


class Choose(BaseModel):
    """What is to change of a vehicle."""

    model_config = ConfigDict(extra="forbid")
    group: str | None = Field(default=None, pattern=rf"^{GROUP_PATTERN}$", max_length=40)
    retired: bool | None = None


def add(made: APIRouter, database: Database, config: FleetConfig) -> None:
    """`/api/fleet`, and the group of a vehicle."""
    _add_table(made, database, config)

    @made.get("/api/fleet/changes", responses=described("changes", "application/json"))
    def changes(
        _person: Viewer, vehicle: Word | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> Response:
        """What changed of the vehicles' software, newest first; rows are only ever added."""
        with database.reading() as connection:
            return json({"changes": software.history(connection, vehicle, limit=limit)})

    @made.patch("/api/vehicles/{name}", responses=described("a vehicle", "application/json", 404))
    def change_vehicle(person: Annotated[Person, allow("manage")], name: Named, wanted: Choose) -> Response:
        """Put a vehicle into a group, retire it or bring it back. One that is heard again comes back by itself."""
        with database.changing() as change:
            choice = choose(change, name, who=person.name, group=wanted.group, retired=wanted.retired)
        if choice is None:
            raise HTTPException(404, "no such vehicle")
        return json({"vehicle": name, "group": choice.group, "retired_utc": choice.retired_utc})


def _add_table(made: APIRouter, database: Database, config: FleetConfig) -> None:
    def rows(wanted: dict[str, str | None], *, retired: bool) -> list[dict[str, Any]]:
        with database.reading() as connection:
            found = reading.states(connection, config, database.now_utc(), retired=retired)
        return [
            {name: getattr(state, name) for name in COLUMNS} for state in found if _fits(state, wanted)
        ]  # fmt: skip

    @made.get("/api/fleet/software", responses=described("who runs what", "application/json"))
    def table(
        _person: Viewer,
        group: Word | None = None,
        release: Word | None = None,
        update_state: Word | None = None,
        retired: bool = False,
    ) -> Response:
        """Release, models and updates of each vehicle; `system_*`: its operating system's, where it has had one.

        `release=none`: those without an updater.
        """
        wanted = {"group": group, "release": release, "update_state": update_state}
        return json({"vehicles": rows(wanted, retired=retired)})

    @made.get("/api/fleet/software.csv", responses=described("who runs what", "text/csv"), response_class=Response)
    def table_csv(
        _person: Viewer,
        group: Word | None = None,
        release: Word | None = None,
        update_state: Word | None = None,
        retired: bool = False,
    ) -> Response:
        """The same as CSV (RFC 4180), safe to open in a spreadsheet."""
        wanted = {"group": group, "release": release, "update_state": update_state}
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        writer.writerows([_cell(value) for value in row.values()] for row in rows(wanted, retired=retired))
        headers = {"Content-Disposition": 'attachment; filename="software.csv"'}
        return Response(text.getvalue().encode(), media_type="text/csv; charset=utf-8", headers=headers)


def _fits(state: VehicleState, wanted: dict[str, str | None]) -> bool:
    return all(value is None or (getattr(state, name) or "none") == value for name, value in wanted.items())


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return f"'{text}" if _FORMULA.match(text) else text
