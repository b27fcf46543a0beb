# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Opens the database that the configuration names, of the newest schema, with all that an earlier depot kept."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from depot.errors import ConfigError, StoreError
from depot.secret_file import first_line
from depot.services import Pictures
from depot.store import legacy
from depot.store.config import DatabaseConfig
from depot.store.database import Database
from depot.store.migration import migrate

#: The file's name where no other database is set.
FILE = "depot.sqlite"


def open_database(config: DatabaseConfig, folder: Path, pictures: Pictures) -> Database:
    """The database, ready for use; may be done by several programs at once.

    Args:
        config: the section `database`.
        folder: the depot's own; made if missing.
        pictures: where those of an earlier depot belong.

    Raises:
        ConfigError: `database.url` or `database.password_file` cannot be used.
        StoreError: the database cannot be used now, or a newer depot made it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made: {error.strerror or error}") from None
    url = database_url(config, folder)
    with legacy.alone(folder):
        legacy.set_aside(folder / FILE)
        database = Database(url)
        try:
            migrate(database)
            legacy.take_over(database, pictures, folder)
        except BaseException:
            database.close()
            raise
    return database


def database_url(config: DatabaseConfig, folder: Path) -> str:
    """The address with its password. Raises ConfigError."""
    if config.url is None:
        return URL.create("sqlite", database=str((folder / FILE).absolute())).render_as_string(hide_password=False)
    if config.password_file is None:
        return config.url
    try:
        url = make_url(config.url)
    except ArgumentError:
        raise ConfigError("database.url: not an address of a database, e.g. postgresql://user@host/name") from None
    password = first_line(config.password_file, key="database.password_file")
    return url.set(password=password).render_as_string(hide_password=False)
