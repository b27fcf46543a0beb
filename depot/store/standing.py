# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is known of each vehicle, from what it sends: the newest wins, whatever the order of arrival.

Of two statuses that of the later session wins, of two health reports of one boot the later one, of two places that
with the later UTC. An old retained message, or the late will of an earlier session, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from depot.intake import Accepted, Chunk, Picture
from depot.store.ingest_tables import boots
from depot.store.tables import events, vehicles
from depot.store.upserting import upsert
from messages.types import Coverage, Health, Observation, Status

#: Within one session: an unclean end is worse news than a birth, and a clean stop says more than a will.
_RANK = {"online": 0, "offline": 1, "stopped": 2}
_status_decoder = msgspec.json.Decoder(Status)
_health_decoder = msgspec.json.Decoder(Health)

Heard: TypeAlias = Accepted | Picture | Chunk


@dataclass
class Standing:
    """One vehicle. `boots`: all that it is known to have had. `has_news`: what is shown of it has changed."""

    seen_utc: str | None = None
    status: Status | None = None
    health: Health | None = None
    health_utc: str | None = None
    place: tuple[float, float] | None = None
    position_utc: str | None = None
    boots: set[str] = field(default_factory=set)
    has_news: bool = False

    def hear(self, item: Heard, now_utc: str, *, is_new: bool) -> None:
        """Take over what one message says. `is_new`: an event that was not stored before."""
        data = item.event.data if isinstance(item, Accepted) else None
        if isinstance(data, Status):
            self._hear_status(data, now_utc)
            return
        self.seen_utc = now_utc
        if isinstance(data, Health):
            self._hear_health(data, now_utc)
        elif is_new and isinstance(data, Observation | Coverage):
            self._hear_place(_place(data), data.time.utc)

    def _hear_status(self, status: Status, now_utc: str) -> None:
        if self.status is not None:
            if status.boot == self.status.boot:
                before = (self.status.session, _RANK[self.status.state])
                is_late = (status.session, _RANK[status.state]) <= before
            else:
                is_late = status.boot in self.boots
            if is_late:
                return
        self.status = status
        self.boots.add(status.boot)
        self.has_news = True
        if status.state != "offline":  # that one comes from the broker, not from the vehicle
            self.seen_utc = now_utc

    def _hear_health(self, health: Health, now_utc: str) -> None:
        known = None if self.health is None else self.health.time
        if known is not None and known.boot == health.time.boot and known.monotonic_s > health.time.monotonic_s:
            return
        self.health, self.health_utc = health, now_utc
        self.has_news = True

    def _hear_place(self, place: tuple[float, float] | None, utc: str | None) -> None:
        """Where one of the two times is unknown, the one that came last wins."""
        if place is None or (self.position_utc is not None and utc is not None and utc < self.position_utc):
            return
        self.place, self.position_utc = place, utc


def _place(data: Observation | Coverage) -> tuple[float, float] | None:
    if isinstance(data, Coverage):
        return data.path[-1] if data.path else None
    return None if data.position is None else (data.position.lon, data.position.lat)


def is_undated_place(item: Heard) -> bool:
    """Whether its place wins only by having come last, so that one who says it again must not be heard again."""
    data = item.event.data if isinstance(item, Accepted) else None
    return isinstance(data, Observation | Coverage) and data.time.utc is None and _place(data) is not None


def stored_before(connection: Connection, items: Iterable[Accepted]) -> set[tuple[str, str]]:
    """Keys (source, id) of those that stand in `events`."""
    by_source: dict[str, list[str]] = {}
    for item in items:
        by_source.setdefault(item.event.source, []).append(item.event.id)
    return {
        (source, identity)
        for source, ids in by_source.items()
        for identity in connection.scalars(select(events.c.id).where(events.c.source == source, events.c.id.in_(ids)))
    }


def hear(connection: Connection, items: Sequence[Heard], known: set[tuple[str, str]], now_utc: str) -> list[str]:
    """Take over what vehicles say; `known`: keys of events that came before. Names of those with news.

    The vehicles' rows stay locked until the transaction ends: call it last.
    """
    standings = _load(connection, sorted({item.vehicle for item in items}))
    said = {item.vehicle for item in items if isinstance(item, Accepted) and isinstance(item.event.data, Status)}
    if said:
        for row in connection.execute(select(boots).where(boots.c.vehicle.in_(sorted(said)))):
            standings[row.vehicle].boots.add(row.boot)
    had = {name: set(standing.boots) for name, standing in standings.items()}
    for item in items:
        is_new = not isinstance(item, Accepted) or (item.event.source, item.event.id) not in known
        standings[item.vehicle].hear(item, now_utc, is_new=is_new)
    _write(connection, standings)
    new_boots = [
        {"vehicle": name, "boot": boot} for name in sorted(said) for boot in sorted(standings[name].boots - had[name])
    ]
    if new_boots:
        connection.execute(upsert(connection, boots).on_conflict_do_nothing(), new_boots)
    return sorted(name for name, standing in standings.items() if standing.has_news)


def _load(connection: Connection, names: Sequence[str]) -> dict[str, Standing]:
    query = select(vehicles).order_by(vehicles.c.name).with_for_update()
    rows = connection.execute(query.where(vehicles.c.name.in_(names))).all()
    missing = sorted(set(names) - {row.name for row in rows})
    if missing:
        connection.execute(upsert(connection, vehicles).on_conflict_do_nothing(), [{"name": name} for name in missing])
        rows = [*rows, *connection.execute(query.where(vehicles.c.name.in_(missing)))]
    return {row.name: _standing(row) for row in rows}


def _standing(row: Any) -> Standing:
    return Standing(
        seen_utc=row.seen_utc,
        status=None if row.status is None else _status_decoder.decode(row.status),
        health=None if row.health is None else _health_decoder.decode(row.health),
        health_utc=row.health_utc,
        place=None if row.lon is None else (row.lon, row.lat),
        position_utc=row.position_utc,
    )


_UPDATE = (
    update(vehicles)
    .where(vehicles.c.name == bindparam("its_name"))
    .values({
        name: bindparam(name)
        for name in ("seen_utc", "status", "health", "health_utc", "lon", "lat", "position_utc")
    })
)  # fmt: skip


def _write(connection: Connection, standings: dict[str, Standing]) -> None:
    rows = []
    for name, standing in standings.items():
        lon, lat = standing.place or (None, None)
        rows.append({
            "its_name": name,
            "seen_utc": standing.seen_utc,
            "status": None if standing.status is None else msgspec.json.encode(standing.status),
            "health": None if standing.health is None else msgspec.json.encode(standing.health),
            "health_utc": standing.health_utc,
            "lon": lon,
            "lat": lat,
            "position_utc": standing.position_utc,
        })  # fmt: skip
    if rows:
        connection.execute(_UPDATE, rows)
