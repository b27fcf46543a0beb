# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles as ingest writes them down, and the depot's clock, moved by hand."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import msgspec
from sqlalchemy import delete, insert

from depot.store.database import Database
from depot.store.tables import vehicles
from messages.types import Health, ModelRef, SystemUpdate, Time, Update
from tests.depot import samples


class Clock:
    """The depot's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 9, 30, tzinfo=timezone.utc)

    def __call__(self) -> str:
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Vehicle:
    """A vehicle as ingest writes it down."""

    def __init__(self, database: Database, clock: Clock, name: str = "sweeper-1") -> None:
        self._database, self._clock, self._name = database, clock, name
        self._status = samples.status()
        self._health: Health | None = None
        self._seen_s = 0.0

    def says(
        self,
        *,
        counters: dict[str, int] | None = None,
        faults: tuple[str, ...] = (),
        boot: str = "b1",
        update: Update | None = None,
        system: SystemUpdate | None = None,
        **gauges: float,
    ) -> None:
        self._seen_s = self._clock.now.timestamp()
        time = Time(boot=boot, monotonic_s=self._seen_s, quality="ntp", utc=self._clock())
        self._health = Health(
            time=time, counters=counters or {}, gauges=gauges, faults=faults, update=update, system=system
        )
        self._write()

    def is_(self, state: str) -> None:
        self._status = samples.status(state)
        self._write()

    def runs(self, release: str | None, *models: str, software: str = "0.1.0") -> None:
        """It starts with this release."""
        refs = tuple(ModelRef(name=name, version="0.3.0", sha256="ab" * 32) for name in models)
        self._status = msgspec.structs.replace(samples.status(), release=release, models=refs, software=software)
        self._write()

    def updates(self, release: str, state: str, reason: str = "", *, attempts: int = 0, utc: str | None = None) -> None:
        """Its updater says so, now or at a time of its own clock."""
        self.says(
            update=Update(
                release=release,
                state=state,
                reason=reason,
                attempts=attempts,
                utc=utc or self._clock(),  # type: ignore[arg-type]
            )
        )

    def _write(self) -> None:
        row = {
            "name": self._name,
            "seen_utc": self._clock(),
            "status": msgspec.json.encode(self._status),
            "health": None if self._health is None else msgspec.json.encode(self._health),
            "health_utc": None if self._health is None else self._clock(),
            "lon": 6.76,
            "lat": 51.43,
            "position_utc": self._clock(),
        }
        with self._database.writing() as connection:
            connection.execute(delete(vehicles).where(vehicles.c.name == self._name))
            connection.execute(insert(vehicles).values(**row))
