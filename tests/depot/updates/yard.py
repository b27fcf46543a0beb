# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles with releases for tests of the page and its pictures."""

from __future__ import annotations

from datetime import datetime, timezone

from depot.updates.repository import Repository
from depot.updates.rolling import RollOuts
from messages.types import Health, ModelRef, Reply, Status, Time, Update
from tests.depot.page.city import City
from tests.depot.page.serving import PageDepot

R1, R2 = "2026.11.1", "2026.11.2"
FLEET = {"kehr-3": "canary", "muell-12": "fleet", "bus-7": "fleet", "bus-8": "fleet", "winter-1": "fleet"}


class Yard:
    """Five vehicles of a depot with a page and two releases; who is told is only written down."""

    def __init__(self, depot: PageDepot, city: City) -> None:
        self.depot, self.city = depot, city
        self.told: list[str] = []
        config = depot.services.config
        self.rolling = RollOuts(depot.database, Repository(config.updates.repository), config.fleet, self._send)
        for name, group in FLEET.items():
            self.says(name, R1)
            self.depot.ask("PATCH", f"/api/vehicles/{name}", json={"group": group})

    def _send(self, commands: object) -> dict[str, Reply]:
        names = list(commands)  # type: ignore[call-overload]
        self.told += names
        return {name: Reply(command="x", ok=True, text="is fetched") for name in names}

    def says(self, name: str, runs: str, state: str = "", reason: str = "") -> None:
        """Its status and its health."""
        now = datetime.now(timezone.utc)
        utc = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        update = Update(release=R2, state=state, reason=reason, utc=utc) if state else None  # type: ignore[arg-type]
        model = ModelRef(name="street", version="0.3.0", sha256="ab" * 32)
        time = Time(boot="b", monotonic_s=now.timestamp(), quality="ntp", utc=utc)
        session = int(now.timestamp() * 1000)
        status = Status(state="online", boot="b", session=session, software="0.9.0", models=(model,), release=runs)
        self.depot.take(
            self.city.event(name, "b", data)
            for data in (status, Health(time=time, counters={"events_pending": 0}, update=update))
        )

    def roll(self, times: int = 3) -> None:
        for _ in range(times):
            self.rolling.run_once()
