# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One review API for tests that change nothing and ask the database nothing of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from depot.store.database import Database
from depot.store.migration import migrate
from tests.depot.review.samples import Depot, add_case


@pytest.fixture(scope="module")
def unchanging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Depot]:
    """With one case."""
    folder: Path = tmp_path_factory.mktemp("review")
    database = Database(f"sqlite:///{folder / 'depot.sqlite'}")
    migrate(database)
    add_case(database)
    yield Depot(database)
    database.close()
