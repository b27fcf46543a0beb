# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the updater expects of the trusted client, of systemd, of the daemon and of the new software."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.heartbeat import Heartbeat
from messages.release import File, Release


class Bundle(Protocol):
    """Targets that were verified: `edge.update.trusted.Verified`."""

    def release(self, release: str) -> Release:
        """The release as it was signed. Raises WegewartError."""

    def manifest(self, release: str) -> bytes:
        """The bytes that were signed."""

    def fetch(self, file: File) -> Path:
        """The target's verified copy in the cache. Raises WegewartError."""


@dataclass(frozen=True)
class Unit:
    """The daemon's service as systemd sees it. `restarts`: by systemd itself, since somebody started it."""

    active: str = "inactive"
    sub: str = "dead"
    restarts: int = 0
    result: str = "success"
    exit_status: int = 0


class Service(Protocol):
    """The daemon's service."""

    def state(self) -> Unit:
        """How it is now."""

    def restart(self) -> None:
        """Begin a restart; does not wait until the daemon is ready. Raises WegewartError."""

    def beat(self) -> Heartbeat | None:
        """The daemon's newest heartbeat."""


class Proof(Protocol):
    """The new software's own test of itself."""

    def __call__(self, release: Path) -> None:
        """Judge stored pictures with the release in this folder. Raises RefusedError."""
