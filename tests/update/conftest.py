# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.update.world import Depot, Vehicle


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Syncs wait for whatever else this computer writes; when they are asked for has a test of its own."""
    monkeypatch.setattr(os, "sync", lambda: None)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    return Depot(tmp_path / "bundles")


@pytest.fixture
def vehicle(tmp_path: Path, depot: Depot) -> Vehicle:
    """It runs 2026.1.1, which has been confirmed."""
    made = Vehicle(tmp_path / "vehicle", depot)
    assert made.install(depot.publish("2026.1.1", 1)) == 0
    made.daemon.boot()
    made.daemon.pause(30)
    return made
