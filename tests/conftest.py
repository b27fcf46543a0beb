# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What many tests share: one small rendered drive, and the folder with real pictures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.browser import browser, vendor
from tests.servers import missing

__all__ = ["browser", "vendor"]


@pytest.fixture(scope="session")
def small_drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 m of a rendered street with its truth; do not write into it."""
    from edge.simulator import simulate

    drive = tmp_path_factory.mktemp("drive") / "small"
    simulate(drive, seed=3, km=0.08, scene="street")
    return drive


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real pictures and drives."""
    folder = Path(os.environ.get("WEGEWART_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (folder / "drive").is_dir():
        missing(f"real drives in {folder}; set WEGEWART_SHARED")
    return folder
