# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Who runs what: what a vehicle runs and what its updater is at, one row for each change. The deciding part is pure.

Of two things that an updater says the later one counts, by its own clock; where it tells no time, or one that the
depot cannot believe, the one that came last.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, insert, select

from depot.fleet.tables import vehicle_software
from depot.roads.projections import believed
from messages.types import Health, Status, Update

_MOST_MODELS = 20


class Software(Struct, frozen=True, kw_only=True):
    """A vehicle's software. `models`: name and version. `update_*`: what its updater said last, None: it has none.

    `noted_utc`: when the depot learned it; `update_noted_utc`: when it learned what the updater said last.
    `update_utc`: the vehicle's clock. `*_since_utc`: since when it is so.
    """

    vehicle: str
    noted_utc: str
    release: str | None = None
    release_since_utc: str | None = None
    software: str | None = None
    models: tuple[str, ...] = ()
    update_release: str | None = None
    update_state: str | None = None
    update_reason: str | None = None
    update_running: str | None = None
    update_attempts: int | None = None
    update_utc: str | None = None
    update_since_utc: str | None = None
    update_noted_utc: str | None = None


def heard(
    before: Software | None, vehicle: str, status: Status | None, health: Health | None, now_utc: str
) -> Software:
    """What a vehicle runs after its newest status and health; `before` itself where nothing has changed."""
    known = before or Software(vehicle=vehicle, noted_utc=now_utc)
    update = _newer(known, health, now_utc)
    release = status.release if status is not None else None
    if update is None and release is not None:  # resting, it may say less of itself; its updater is still there
        update = _update_of(known)
    running = release or (None if update is None else update.running)
    found = msgspec.structs.replace(
        known,
        release=running,
        release_since_utc=known.release_since_utc if running == known.release else now_utc,
        software=known.software if status is None else status.software,
        models=known.models if status is None else _models(status),
        **_columns(known, update, now_utc),
    )
    if before is not None and found == before:
        return before
    return msgspec.structs.replace(found, noted_utc=now_utc)


def _newer(known: Software, health: Health | None, now_utc: str) -> Update | None:
    """Of what the updater says now and what it said before, what counts."""
    told = None if health is None else health.update
    if told is None or told.utc is None or not believed(told.utc, now_utc):
        return told
    is_late = known.update_utc is not None and believed(known.update_utc, now_utc) and told.utc < known.update_utc
    return _update_of(known) if is_late else told


def _update_of(known: Software) -> Update | None:
    if known.update_release is None:
        return None
    return Update(
        release=known.update_release,
        state=known.update_state,  # type: ignore[arg-type]  # it came from an Update
        reason=known.update_reason or "",
        running=known.update_running,
        attempts=known.update_attempts or 0,
        utc=known.update_utc,
    )


def _columns(known: Software, update: Update | None, now_utc: str) -> dict[str, Any]:
    before = _update_of(known)
    if update is None:
        return {name: None for name in Software.__struct_fields__ if name.startswith("update_")}
    is_same_state = before is not None and (before.release, before.state) == (update.release, update.state)
    # Said again with another time it is no news, save a failure: that one failed once more.
    if before is not None and msgspec.structs.replace(update, utc=before.utc) == before and update.state != "failed":
        update = before
    since_utc = update.utc if believed(update.utc, now_utc) else now_utc
    return {
        "update_release": update.release,
        "update_state": update.state,
        "update_reason": update.reason,
        "update_running": update.running,
        "update_attempts": update.attempts,
        "update_utc": update.utc,
        "update_since_utc": known.update_since_utc if is_same_state else since_utc,
        "update_noted_utc": known.update_noted_utc if update == before else now_utc,
    }


def _models(status: Status) -> tuple[str, ...]:
    return tuple(f"{model.name} {model.version}" for model in status.models[:_MOST_MODELS])


def newest(connection: Connection) -> dict[str, Software]:
    """What each vehicle runs, by name."""
    last = select(func.max(vehicle_software.c.number)).group_by(vehicle_software.c.vehicle)
    rows = connection.execute(select(vehicle_software).where(vehicle_software.c.number.in_(last)))
    return {row.vehicle: _software(row) for row in rows}


def history(connection: Connection, vehicle: str | None = None, *, limit: int = 100) -> list[Software]:
    """Changes, newest first; of one vehicle or of all."""
    wanted = select(vehicle_software).order_by(vehicle_software.c.number.desc()).limit(limit)
    if vehicle is not None:
        wanted = wanted.where(vehicle_software.c.vehicle == vehicle)
    return [_software(row) for row in connection.execute(wanted)]


def note(connection: Connection, found: Iterable[Software]) -> None:
    """Add rows."""
    rows = [{**msgspec.structs.asdict(one), "models": msgspec.json.encode(one.models).decode()} for one in found]
    if rows:
        connection.execute(insert(vehicle_software), rows)


def _software(row: Any) -> Software:
    values = {name: getattr(row, name) for name in Software.__struct_fields__}
    return Software(**{**values, "models": msgspec.json.decode(row.models, type=tuple[str, ...])})
