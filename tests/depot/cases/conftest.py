# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A depot on each database, and one on SQLite where the database makes no difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from depot.store.database import Database
from depot.store.migration import migrate
from tests.depot.cases.world import Depot


@pytest.fixture
def depot(database: Database) -> Depot:
    return Depot(database)


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Depot]:
    database = Database(f"sqlite:///{tmp_path / 'lite.sqlite'}")
    migrate(database)
    yield Depot(database)
    database.close()
