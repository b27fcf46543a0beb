# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Both databases for the depot's tests."""

from __future__ import annotations

from tests.postgres import (
    _postgres_template,
    _postgres_with_tables,
    _sqlite_with_tables,
    database,
    database_url,
    postgres_server,
    postgres_url,
)

__all__ = [
    "_postgres_template",
    "_postgres_with_tables",
    "_sqlite_with_tables",
    "database",
    "database_url",
    "postgres_server",
    "postgres_url",
]
