# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The hand-over's work in the background, as the settings ask for it."""

from __future__ import annotations

from typing import Protocol

from depot.handover.config import HandoverConfig
from depot.handover.mail import Digests
from depot.handover.open311_client import Open311Client
from depot.handover.picture_links import PictureLinks
from depot.handover.webhooks import Webhooks
from depot.store.database import Database


class Worker(Protocol):
    """Does what is due and says how much that was. Safe if several processes run it."""

    def run_once(self) -> int:
        """Raises StoreError."""


def workers(database: Database, settings: HandoverConfig) -> dict[str, Worker]:
    """What the settings ask for, by name. Raises ConfigError."""
    found: dict[str, Worker] = {"webhooks": Webhooks(database, settings)}
    if settings.open311.url is not None:
        found["open311"] = Open311Client(database, settings, PictureLinks(database))
    if settings.email.host is not None and settings.email.receivers:
        found["email"] = Digests(database, settings)
    return found
