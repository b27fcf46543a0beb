# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A house on each database; passwords that cost little, save where their cost is the point."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from depot.people import secret
from tests.depot.people.house import House


@pytest.fixture
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(secret, "_HASHER", hasher)
    nobody = hasher.hash("nobody")
    monkeypatch.setattr(secret, "_nobody", lambda: nobody)


@pytest.fixture
def house(database, cheap_passwords) -> House:
    return House(database)
