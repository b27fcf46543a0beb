# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the parts of the depot are given: made once in `depot.serve`, handed to every `router(services)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from depot.config import Config
from depot.store.database import Database


class Pictures(Protocol):
    """Where the pictures' bytes lie: a folder, or an S3-compatible store. Names are SHA-256 in hex."""

    def read(self, sha256: str) -> bytes | None:
        """The bytes; None where there are none. Raises StoreError."""

    def keep(self, sha256: str, content: bytes) -> None:
        """Write so that it survives a power cut once this returns. Raises StoreError."""

    def remove(self, sha256: str) -> None:
        """Take the bytes away, if there are any. Raises StoreError."""


@dataclass(frozen=True)
class Services:
    """Shared by all routers and workers. `link_state`: "connected", "waiting", or None where ingest has died."""

    config: Config
    database: Database
    pictures: Pictures
    link_state: Callable[[], str | None]
    stopping: Callable[[], bool]
