# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the newest event of each vehicle says of its fixes, and how long events were under way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select

from depot.cases.ports import StoredEvent
from depot.fleet.tables import vehicle_facts
from depot.roads.projections import believed
from depot.store.database import Change
from messages.types import Coverage, Observation, Roughness


class FleetProjection:
    """Table `vehicle_facts`."""

    def project(self, change: Change, events: Sequence[StoredEvent]) -> None:
        """See `depot.cases.ports.Projection`."""
        by_vehicle: dict[str, list[StoredEvent]] = {}
        for stored in events:
            data = stored.event.data
            if isinstance(data, Observation | Coverage | Roughness) and believed(data.time.utc, stored.received_utc):
                by_vehicle.setdefault(stored.event.vehicle, []).append(stored)
        for vehicle, told in by_vehicle.items():
            key = vehicle_facts.c.vehicle == vehicle
            row = change.connection.execute(select(vehicle_facts).where(key)).mappings().first()
            known: dict[str, Any] = {} if row is None else dict(row)
            after = known.copy()
            for stored in told:
                _take(after, stored)
            if after != known:
                change.connection.execute(delete(vehicle_facts).where(key))
                change.connection.execute(insert(vehicle_facts).values(**{**after, "vehicle": vehicle}))


def _take(facts: dict[str, Any], stored: StoredEvent) -> None:
    data = stored.event.data
    assert isinstance(data, Observation | Coverage | Roughness)
    utc = data.time.utc or ""
    if utc > (facts.get("event_utc") or ""):
        facts.update(event_utc=utc, received_utc=stored.received_utc, time_quality=data.time.quality)
    position = data.position if isinstance(data, Observation) else None
    if position is not None and utc > (facts.get("fix_utc") or ""):
        facts.update(fix_utc=utc, fix_method=position.method, fix_quality=position.quality)
