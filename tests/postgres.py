# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL with PostGIS for the tests, and both databases as one parametrised fixture.

`database` gives an empty, migrated database, once on SQLite and once on PostgreSQL; `database_url` only its address.
The server refuses to run as root, so root starts it as the user that Debian's package brings.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from depot.store.database import Database
from depot.store.migration import migrate
from tests.servers import HOST, free_port, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

_counter = itertools.count()


def _bin() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        missing("postgresql is not installed (apt-get install postgresql postgresql-postgis)")
    extension = Path("/usr/share/postgresql", found[-1].parent.name, "extension", "postgis.control")
    if not extension.exists():
        missing("PostGIS is not installed (apt-get install postgresql-postgis)")
    return found[-1]


def _as_server(*command: str | Path) -> list[str]:
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    return [*prefix, *map(str, command)]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a running server, with the name of its first database; its data is gone afterwards."""
    programs = _bin()
    folder = Path(tempfile.mkdtemp(prefix="wegewart-postgres-"))  # short: a socket lies in it
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    port = free_port()
    data = folder / "data"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    # Nobody cuts the power here; tests that kill processes kill ours, not the server.
    options = f"-p {port} -h {HOST} -k {folder} -c fsync=off -c full_page_writes=off -c max_connections=200"
    try:
        subprocess.run(
            _as_server(programs / "initdb", "-D", data, "-U", "wegewart", "-A", "trust", "-E", "UTF8", "--locale=C"),
            **quiet,
        )
        subprocess.run(
            _as_server(programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start"), **quiet
        )
        yield f"postgresql://wegewart@{HOST}:{port}/postgres"
        subprocess.run(_as_server(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"), **quiet)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: str) -> str:
    """A database with PostGIS that new ones are copied from: making the extension anew takes seconds."""
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE with_postgis")
    with psycopg.connect(_named(postgres_server, "with_postgis"), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION postgis")
    return "with_postgis"


def _named(server: str, name: str) -> str:
    return f"{server.rpartition('/')[0]}/{name}"


@contextlib.contextmanager
def _copied(server: str, template: str) -> Iterator[str]:
    name = f"test_{next(_counter)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _named(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: str, _postgres_template: str) -> Iterator[str]:
    """Address of an empty PostgreSQL database with PostGIS."""
    with _copied(postgres_server, _postgres_template) as url:
        yield url


@pytest.fixture(scope="session")
def _postgres_with_tables(postgres_server: str, _postgres_template: str) -> str:
    """One with all tables: copying it is much quicker than making them."""
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE with_tables TEMPLATE {_postgres_template}")
    _make_tables(_named(postgres_server, "with_tables"))
    return "with_tables"


@pytest.fixture(scope="session")
def _sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("with-tables") / "depot.sqlite"
    _make_tables(f"sqlite:///{path}")
    return path


def _make_tables(url: str) -> None:
    made = Database(url)
    migrate(made)
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database, of each kind in turn; without tables, unless the test asks for `database`, too."""
    has_tables = "database" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "depot.sqlite"
        if has_tables:
            shutil.copyfile(request.getfixturevalue("_sqlite_with_tables"), path)
        yield f"sqlite:///{path}"
        return
    template = request.getfixturevalue("_postgres_with_tables" if has_tables else "_postgres_template")
    with _copied(request.getfixturevalue("postgres_server"), template) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with all tables, of each kind in turn."""
    opened = Database(database_url)
    yield opened
    opened.close()
