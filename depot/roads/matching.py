# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Lays stretches on the roads, a batch at a time: those that came, and all of them after an import of roads.

What takes time is done while nothing is locked; the transaction only takes over what no other worker took meanwhile.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, and_, delete, func, insert, select, tuple_, update

from depot.roads import looked
from depot.roads.looked import Bytes
from depot.roads.network import RoadNetwork, Roads, version_of
from depot.roads.projections import moment
from depot.roads.tables import WAITS, road_days, road_states, stretches
from depot.store.database import Change, Database
from depot.store.tables import events
from messages import envelope
from messages.types import Coverage

_CHUNK = 200
_RoadDay = tuple[str, str]
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class _Laid:
    """One stretch on one road."""

    seen: Bytes
    code: int
    utc: str
    utc_s: int
    day: str
    vehicle: str


class Matcher:
    """Lays stretches on roads. Several may run."""

    def __init__(self, database: Database, roads: Roads, zone: ZoneInfo, *, within_m: float = 25.0) -> None:
        self._database = database
        self._roads = roads
        self._zone = zone
        self._within_m = within_m

    def run_once(self, limit: int = 200) -> int:
        """Lay stretches that wait, at most `limit`; gives how many it took. Raises StoreError."""
        with self._database.reading() as connection:
            network = self._roads.current(connection)
            rows = _waiting_rows(connection, limit)
        laid = {row.received: self._lay(network, row) for row in rows}
        if not laid:
            return 0
        with self._database.changing() as change:
            if version_of(change.connection) != network.version:
                return 0  # an import came between: next time
            taken = _take(change.connection, network.version, rows)
            by_road: dict[str, list[_Laid]] = defaultdict(list)
            for received in taken:
                for number, part in laid[received].items():
                    by_road[network.roads[number].id].append(part)
            _write(change, by_road)
        return len(taken)

    def _lay(self, network: RoadNetwork, row: Row[Any]) -> dict[int, _Laid]:
        utc = moment(row.utc)
        data = envelope.decode(row.payload).data
        if utc is None or not isinstance(data, Coverage) or data.surface != "road":
            return {}
        code = looked.code_of(data.reason, valid=data.valid)
        day = utc.astimezone(self._zone).date().isoformat()
        return {
            number: _Laid(seen, code, row.utc, int(utc.timestamp()), day, row.vehicle)
            for number, seen in looked.lay(network, data.path, within_m=self._within_m).items()
        }


def _take(connection: Connection, version: int, rows: list[Row[Any]]) -> list[int]:
    """Those of the rows that still wait, now marked as laid; none whose date has changed meanwhile."""
    numbers = [row.received for row in rows]
    mine = and_(stretches.c.received.in_(numbers), stretches.c.matched == WAITS)
    now = {row.received: row.utc for row in connection.execute(select(stretches).where(mine))}
    taken = [row.received for row in rows if row.received in now and now[row.received] == row.utc]
    connection.execute(update(stretches).where(stretches.c.received.in_(taken)).values(matched=version))
    return taken


def waiting(connection: Connection) -> int:
    """Stretches that are not laid on the roads yet."""
    return connection.execute(
        select(func.count()).select_from(stretches).where(stretches.c.matched == WAITS)
    ).scalar_one()


def _waiting_rows(connection: Connection, limit: int) -> list[Row[Any]]:
    columns = (stretches.c.received, stretches.c.utc, stretches.c.vehicle, events.c.payload)
    joined = select(*columns).join(events, events.c.received == stretches.c.received)
    # In no order: after an import there may be a million, and they would be sorted for every batch.
    return list(connection.execute(joined.where(stretches.c.matched == WAITS).limit(limit)))


def _write(change: Change, by_road: dict[str, list[_Laid]]) -> None:
    """A few statements for the whole batch: one for each road and day would be most of the work."""
    by_day: dict[_RoadDay, list[_Laid]] = defaultdict(list)
    for road, parts in by_road.items():
        for part in parts:
            by_day[road, part.day].append(part)
    for some in _chunks(sorted(by_road)):
        _write_states(change, {road: by_road[road] for road in some})
    for keys in _chunks(sorted(by_day)):
        _write_days(change.connection, {key: by_day[key] for key in keys})


def _chunks(keys: list[_Key]) -> Iterator[list[_Key]]:
    return (keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK))


def _write_states(change: Change, by_road: dict[str, list[_Laid]]) -> None:
    mine = road_states.c.road.in_(by_road)
    known = {row.road: row.state for row in change.connection.execute(select(road_states).where(mine))}
    rows = []
    for road, parts in by_road.items():
        state = known.get(road)
        for part in parts:
            state = looked.join_state(state, part.seen, part.code, part.utc_s)
        rows.append({"road": road, "changed": change.next(), "state": state})
    change.connection.execute(delete(road_states).where(mine))
    change.connection.execute(insert(road_states), rows)


def _write_days(connection: Connection, by_day: dict[_RoadDay, list[_Laid]]) -> None:
    mine = tuple_(road_days.c.road, road_days.c.day).in_(list(by_day))
    known = {(row.road, row.day): row for row in connection.execute(select(road_days).where(mine))}
    rows = [_day(key, known.get(key), parts) for key, parts in by_day.items()]
    connection.execute(delete(road_days).where(mine))
    connection.execute(insert(road_days), rows)


def _day(key: _RoadDay, known: Row[Any] | None, parts: list[_Laid]) -> dict[str, Any]:
    state = None if known is None else known.state
    for part in parts:
        state = looked.join_day(state, part.seen, part.code)
    times = [part.utc for part in parts] + ([] if known is None else [known.first_utc, known.last_utc])
    vehicles = {part.vehicle for part in parts} | set([] if known is None else json.loads(known.vehicles))
    return {
        "road": key[0],
        "day": key[1],
        "state": state,
        "vehicles": json.dumps(sorted(vehicles)),
        "looks": len(parts) + (0 if known is None else known.looks),
        "first_utc": min(times),
        "last_utc": max(times),
        "sealed": False,
    }
