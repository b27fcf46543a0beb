# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A depot with a page, and a browser that looks at it."""

from __future__ import annotations

import pytest

from tests.browser import browser, vendor
from tests.depot.page.desk import Desk
from tests.depot.page.serving import page_depot

__all__ = ["browser", "vendor"]


@pytest.fixture
def depot(vendor, tmp_path):
    """Nobody has to log in."""
    with page_depot(tmp_path) as running:
        yield running


@pytest.fixture
def guarded(vendor, tmp_path):
    """One logs in with a password."""
    with page_depot(tmp_path, login="password") as running:
        running.add_people()
        yield running


@pytest.fixture
def desk(browser, depot):
    """The browser, sitting before `depot`."""
    return Desk(browser, depot)
