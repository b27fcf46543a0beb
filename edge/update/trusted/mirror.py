# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Fetches a release from the depot's repository into a bundle folder, without root's rights, piece by piece."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event

from edge.config_update import UpdateConfig


@dataclass(frozen=True)
class Fetched:
    """What a run came to. `complete`: bundle.json stands; otherwise `why` it ended (stopped, allowance used up)."""

    complete: bool
    received_bytes: int
    why: str = ""


def fetch(
    config: UpdateConfig,
    *,
    wanted: str,
    into: Path,
    root: bytes | None = None,
    ca: Path | None = None,
    held: Collection[str] = (),
    machine: str | None = None,
    python: str | None = None,
    now: datetime | None = None,
    stop: Event | None = None,
) -> Fetched:
    """Bring the bundle folder `into` to release `wanted`.

    Args:
        config: `update` of the vehicle's configuration.
        wanted: the release's id.
        into: the bundle folder; the client's own trust store and partial files lie in `.fetch` below it.
        root: first root of trust where the client's own store holds none (the updater's `trust/root.json`).
        ca: certificates of who may sign the depot's (PEM); None: the system's.
        held: SHA-256 of targets that need not be fetched (installed, or in the updater's cache).
        machine: as `platform.machine()`; None: this computer's.
        python: "3.13"; None: this interpreter's.
        now: the time where somebody trusted told it; None: this computer's clock.
        stop: ends the run cleanly once it is set.

    Raises:
        UntrustedError: what the repository serves is refused.
        FetchError: the network, the disk or the address; what has come stays.
    """
    raise NotImplementedError
