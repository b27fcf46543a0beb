# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is done for roads beside the taking in: lay stretches on the roads, seal days that are over."""

from __future__ import annotations

from depot.roads.config import RoadsConfig, zone
from depot.roads.matching import Matcher
from depot.roads.network import Roads
from depot.roads.sealing import Sealer
from depot.store.database import Database


class RoadWorker:
    """`run_once` is to be called every few seconds, from one thread; several processes may have one each."""

    def __init__(self, database: Database, settings: RoadsConfig | None = None, roads: Roads | None = None) -> None:
        """Prepare. Raises ConfigError where the time zone is not known."""
        settings = settings or RoadsConfig()
        calendar = zone(settings)
        self._matcher = Matcher(database, roads or Roads(), calendar, within_m=settings.within_m)
        self._sealer = Sealer(database, calendar, after_h=settings.seal_after_h)

    def run_once(self) -> int:
        """A batch of each; gives how much was done, 0: nothing waits. Raises StoreError."""
        return self._matcher.run_once() or self._sealer.run_once()
