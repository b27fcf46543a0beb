# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the delivery tests."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

#: In memory where there is such a folder: hundreds of short-lived stores need no real disk.
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None


@pytest.fixture
def fast_path() -> Iterator[Path]:
    """A folder for tests that open very many stores."""
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        yield Path(folder)
