# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Brings a database to the newest schema.

A new database gets all tables as the code has them and is marked as newest; one that is there already goes through
the migrations that it has not had. Tests hold the two ways together. After a change of the tables:

    python -m depot.store.migration "what changes"

writes the draft of the next migration.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select, text

from depot.errors import StoreError
from depot.store import every_table
from depot.store.database import Database
from depot.store.tables import meta

logging.getLogger("alembic").setLevel(logging.WARNING)

_FOLDER = Path(__file__).parent / "migrations"
#: In `PRAGMA user_version`. Depots before this counted 1 to 4 there and refuse what is higher.
SQLITE_VERSION = 100
#: Of the lock that all who migrate share on PostgreSQL.
_LOCK = 0x6D696772


def migrate(database: Database) -> None:
    """Make or change what is missing, all or nothing; may run in several programs at once.

    Raises:
        StoreError: the database cannot be written, or a newer depot made it.
    """
    with database.writing() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        context = MigrationContext.configure(connection)
        script = ScriptDirectory.from_config(_config(connection))
        version = context.get_current_revision()
        if version is None:
            _make(connection)
            context.stamp(script, "head")
        elif version not in {revision.revision for revision in script.walk_revisions()}:
            raise StoreError(f"{database.name}: made by a newer depot (schema {version}); update the depot")
        else:
            command.upgrade(_config(connection), "head")


def _make(connection: Connection) -> None:
    every_table.METADATA.create_all(connection)
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"PRAGMA user_version = {SQLITE_VERSION}"))
    if connection.execute(select(meta.c.name).where(meta.c.name == "sequence")).first() is None:
        connection.execute(insert(meta).values(name="sequence", value=0))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def upgrade_from_nothing(connection: Connection) -> None:
    """The way through all migrations, which a new database does not go: for tests, and to draft the next one."""
    command.upgrade(_config(connection), "head")


def _draft(message: str) -> None:
    """Compare the code's tables with those that all migrations make, and write the difference down."""
    database = Database("sqlite://")
    with database.writing() as connection:
        upgrade_from_nothing(connection)
        config = _config(connection)
        number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    _draft(" ".join(sys.argv[1:]))
