# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Follows the events: sightings, better places, dates, passes that looked, blows to the wheels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, select

from depot.cases import recalling
from depot.cases.board import Board
from depot.cases.bulk import add_new
from depot.cases.joining import join
from depot.cases.passing import date_looks, note_looks
from depot.cases.ports import Placing, StoredEvent
from depot.cases.recalling import Key
from depot.cases.records import Seen, Sighting
from depot.cases.saving import save
from depot.cases.sighting import seen_of
from depot.cases.tables import clocks, revisions, shocks, undated
from depot.store.database import Change
from depot.store.tables import events as stored_events
from messages.envelope import Event
from messages.types import Clock, Coverage, Observation, Revision, Roughness, Time

#: What says where a sighting is: when it becomes another, its case may.
_PLACE = ("lon", "lat", "error_m", "heading_deg", "line", "track", "chainage_m", "chainage_error_m", "side")


class CaseProjection:
    """A `Projection` that keeps cases and sightings."""

    def __init__(self, placing: Placing) -> None:
        """`placing` says where a case lies in the city's terms and who is to act."""
        self._placing = placing

    def project(self, change: Change, events: Sequence[StoredEvent]) -> None:
        """See `Projection`."""
        _note(change, events)
        board = Board(change.connection)
        fresh = _fresh(change, events)
        moved = []
        for before, now in _renewed(change, events):
            if any(getattr(before, name) != getattr(now, name) for name in _PLACE):
                moved.append(now)
            else:
                board.change(now)
        join(board, fresh, moved)
        save(change, board, self._placing)
        looked = note_looks(change, events) | date_looks(change, events)
        if looked:
            again = Board(change.connection)
            again.touched |= looked
            save(change, again, self._placing)


def _note(change: Change, events: Sequence[StoredEvent]) -> None:
    """Keep what may concern events that have not come yet."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in events:
        data, source = one.event.data, one.event.source
        key: dict[str, Any] = {"received": one.received}
        match data:
            case Revision():
                rows["revisions"].append(
                    key | {"source": source, "observation": data.observation, "number": data.number}
                )
            case Clock():
                boot = {"vehicle": one.event.vehicle, "boot": data.time.boot}
                rows["clocks"].append(key | boot | {"number": data.number})
            case Roughness():
                rows["shocks"] += [
                    key | {"number": n, "source": source, "observation": s.observation, "peak_mps2": s.peak_mps2}
                    for n, s in enumerate(data.shocks)
                    if s.observation is not None
                ]
        if isinstance(data, Observation | Coverage) and data.time.utc is None:
            rows["undated"].append(key | {"vehicle": one.event.vehicle, "boot": data.time.boot})
    for table in (revisions, clocks, shocks, undated):
        if rows[table.name]:
            add_new(change.connection, table, rows[table.name])


def _fresh(change: Change, events: Sequence[StoredEvent]) -> list[Seen]:
    return _seen(change, [(one.received, one.event) for one in events if isinstance(one.event.data, Observation)])


def _seen(change: Change, observed: Collection[tuple[int, Event]]) -> list[Seen]:
    """Observations as their vehicles know them by now."""
    keys = {(event.source, event.id) for _, event in observed}
    better = recalling.highest_revisions(change.connection, keys)
    blows = recalling.hardest_shocks(change.connection, keys)
    boots = {(event.vehicle, time.boot) for _, event in observed if (time := _time(event)).utc is None}
    known = recalling.best_clocks(change.connection, boots)
    return [
        seen_of(
            received,
            event,
            revision=better.get((event.source, event.id)),
            clock=known.get((event.vehicle, _time(event).boot)),
            shock_mps2=blows.get((event.source, event.id)),
        )
        for received, event in observed
    ]


def _time(event: Event) -> Time:
    assert isinstance(event.data, Observation)
    return event.data.time


def _renewed(change: Change, events: Sequence[StoredEvent]) -> list[tuple[Sighting, Sighting]]:
    """Stored sightings that these events say something new about: as they were and as they are."""
    keys: set[Key] = set()
    boots: set[Key] = set()
    for one in events:
        match one.event.data:
            case Revision(observation=name):
                keys.add((one.event.source, name))
            case Roughness(shocks=blows):
                keys.update((one.event.source, blow.observation) for blow in blows if blow.observation is not None)
            case Clock(time=time):
                boots.add((one.event.vehicle, time.boot))
    conditions = [*recalling.of_keys(keys), *(stored_events.c.received.in_(_undated(*boot)) for boot in boots)]
    found = {
        before.number: (before, event)
        for condition in conditions
        for before, event in recalling.stored(change.connection, condition)
    }
    pairs = [(before, before.received or 0, event) for before, event in found.values()]
    now = _seen(change, [(received, event) for _, received, event in pairs])
    renewed = [_as_sighting(seen, before) for (before, _, _), seen in zip(pairs, now, strict=True)]
    return [(before, after) for (before, _, _), after in zip(pairs, renewed, strict=True) if before != after]


def _undated(vehicle: str, boot: str) -> Select[tuple[int]]:
    return select(undated.c.received).where(undated.c.vehicle == vehicle, undated.c.boot == boot)


def _as_sighting(seen: Seen, stored: Sighting) -> Sighting:
    fields = {name: getattr(seen, name) for name in Seen.__struct_fields__}
    return Sighting(number=stored.number, case=stored.case, **fields)
