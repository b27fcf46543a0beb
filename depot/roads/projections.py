# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Stretches and rides from the events, dated by their vehicle's clock where they came without a date.

A stretch is only written down here; `depot.roads.matching` lays it on the roads, so that a new import of roads and a
date that comes late take the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, insert, select, tuple_, update

from depot.cases.ports import StoredEvent
from depot.dating import dated
from depot.roads.importing import lay_anew
from depot.roads.tables import WAITS, boot_clocks, rides, stretches
from depot.store.database import Change
from messages.types import Clock, Coverage, Roughness, Time

#: A vehicle that says a time so far ahead of the depot's is not believed, seconds.
_AHEAD_S = 3600.0
#: A date that moves by less needs no laying anew, seconds.
_MOVED_S = 60.0
_CHUNK = 200

Boot = tuple[str, str]


class CoverageProjection:
    """Table `stretches`."""

    def project(self, change: Change, events: Sequence[StoredEvent]) -> None:
        """See `depot.cases.ports.Projection`."""
        boots = learn_clocks(change.connection, events)
        _redate_stretches(change, boots)
        told = [(stored, stored.event.data) for stored in events if isinstance(stored.event.data, Coverage)]
        clocks = _clocks(change.connection, {(stored.event.vehicle, data.time.boot) for stored, data in told})
        rows = [_stretch(change, stored, data, clocks) for stored, data in told]
        _insert_new(change.connection, stretches, rows)


class RoughnessProjection:
    """Table `rides`."""

    def project(self, change: Change, events: Sequence[StoredEvent]) -> None:
        """See `depot.cases.ports.Projection`."""
        boots = learn_clocks(change.connection, events)
        _redate_rides(change, boots)
        told = [(stored, stored.event.data) for stored in events if isinstance(stored.event.data, Roughness)]
        clocks = _clocks(change.connection, {(stored.event.vehicle, data.time.boot) for stored, data in told})
        rows = [_common(change, stored, data.time, clocks) for stored, data in told if data.sections or data.shocks]
        _insert_new(change.connection, rides, rows)


def learn_clocks(connection: Connection, events: Iterable[StoredEvent]) -> set[Boot]:
    """Keep the highest clock of each boot; gives the boots that clocks were told for. Twice is as good as once."""
    best: dict[Boot, tuple[int, str, Clock]] = {}
    for stored in events:
        data = stored.event.data
        if not isinstance(data, Clock) or data.time.utc is None:
            continue
        boot = (stored.event.vehicle, data.time.boot)
        rank = (data.number, stored.event.id)
        if boot not in best or rank > best[boot][:2]:
            best[boot] = (*rank, data)
    for (vehicle, boot_id), (number, event, clock) in best.items():
        values = {"number": number, "event": event, "monotonic_s": clock.time.monotonic_s, "utc": clock.time.utc}
        key = and_(boot_clocks.c.vehicle == vehicle, boot_clocks.c.boot == boot_id)
        known = connection.execute(select(boot_clocks.c.number, boot_clocks.c.event).where(key)).first()
        if known is None:
            connection.execute(insert(boot_clocks).values(vehicle=vehicle, boot=boot_id, **values))
        elif (number, event) > (known.number, known.event):
            connection.execute(update(boot_clocks).where(key).values(**values))
    return set(best)


def moment(utc: str | None) -> datetime | None:
    """A time of a message; None where there is none or it is none, like 30 February."""
    if utc is None:
        return None
    seconds, _, fraction = utc.removesuffix("Z").partition(".")
    try:
        # Python 3.10 reads 3 or 6 digits only.
        return datetime.fromisoformat(f"{seconds}.{fraction:0<6}").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def believed(utc: str | None, received_utc: str) -> bool:
    """Whether it may count as the time of a look: it is one, and not in the depot's future."""
    told, received = moment(utc), moment(received_utc)
    return told is not None and received is not None and told - received <= timedelta(seconds=_AHEAD_S)


def _clocks(connection: Connection, boots: set[Boot]) -> dict[Boot, Row[Any]]:
    found: dict[Boot, Row[Any]] = {}
    wanted = sorted(boots)
    for start in range(0, len(wanted), _CHUNK):
        keys = tuple_(boot_clocks.c.vehicle, boot_clocks.c.boot).in_(wanted[start : start + _CHUNK])
        for row in connection.execute(select(boot_clocks).where(keys)):
            found[row.vehicle, row.boot] = row
    return found


def _utc(time: Time, clock: Row[Any] | None) -> str | None:
    if clock is None or time.utc is not None:
        return time.utc
    known = Time(boot=time.boot, monotonic_s=clock.monotonic_s, quality="gnss", utc=clock.utc)
    return dated(time, Clock(number=clock.number, time=known)).utc


def _common(change: Change, stored: StoredEvent, time: Time, clocks: dict[Boot, Row[Any]]) -> dict[str, Any]:
    return {
        "received": stored.received,
        "changed": change.next(),
        "vehicle": stored.event.vehicle,
        "boot": time.boot,
        "monotonic_s": time.monotonic_s,
        "own_utc": time.utc is not None,
        "utc": _utc(time, clocks.get((stored.event.vehicle, time.boot))),
    }


def _stretch(change: Change, stored: StoredEvent, data: Coverage, clocks: dict[Boot, Row[Any]]) -> dict[str, Any]:
    row = _common(change, stored, data.time, clocks)
    line = data.line
    return row | {
        "received_utc": stored.received_utc,
        "valid": data.valid,
        "reason": data.reason,
        "surface": data.surface,
        "length_m": data.length_m,
        "line": None if line is None else line.line,
        "track": None if line is None else line.track,
        "from_m": None if line is None else line.from_m,
        "to_m": None if line is None else line.to_m,
        "matched": WAITS if believed(row["utc"], stored.received_utc) else None,
    }


def _insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Rows that are not there yet: a projection that is made anew meets its own."""
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        keys = [row["received"] for row in part]
        there = set(connection.execute(select(table.c.received).where(table.c.received.in_(keys))).scalars())
        new = [row for row in part if row["received"] not in there]
        if new:
            connection.execute(insert(table), new)


def _undated(connection: Connection, table: Table, boots: set[Boot]) -> list[tuple[Row[Any], str | None]]:
    """Rows of these boots that did not say their time themselves and whose date is another now, with the new one."""
    found: list[tuple[Row[Any], str | None]] = []
    clocks = _clocks(connection, boots)
    for (vehicle, boot), clock in clocks.items():
        mine = and_(table.c.vehicle == vehicle, table.c.boot == boot, table.c.own_utc.is_(False))
        for row in connection.execute(select(table).where(mine)):
            utc = _utc(Time(boot=boot, monotonic_s=row.monotonic_s, quality="unset"), clock)
            if utc != row.utc:
                found.append((row, utc))
    return found


def _redate_rides(change: Change, boots: set[Boot]) -> None:
    for row, utc in _undated(change.connection, rides, boots):
        key = rides.c.received == row.received
        change.connection.execute(update(rides).where(key).values(utc=utc, changed=change.next()))


def _redate_stretches(change: Change, boots: set[Boot]) -> None:
    """Date what was told in these boots. What lies on the roads with a wrong date cannot be taken away alone."""
    anew = False
    for row, utc in _undated(change.connection, stretches, boots):
        matched = WAITS if believed(utc, row.received_utc) else None
        before, after = moment(row.utc), moment(utc)
        if row.matched is not None and row.matched >= 0 and before is not None:
            anew = anew or after is None or abs((after - before).total_seconds()) > _MOVED_S
            matched = row.matched
        key = stretches.c.received == row.received
        values = {"utc": utc, "changed": change.next(), "matched": matched}
        change.connection.execute(update(stretches).where(key).values(**values))
    if anew:
        lay_anew(change)
