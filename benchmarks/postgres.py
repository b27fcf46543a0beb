# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL with PostGIS for the benchmarks, with its own defaults: fsync and synchronous_commit are on."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psycopg

from benchmarks.servers import HOST, START_TIMEOUT_S, Server, ServerError, wait_for


class Postgres(Server):
    """One server of its own; it refuses to run as root, so root starts it as Debian's user."""

    def __init__(self) -> None:
        # Short: a socket lies in it.
        super().__init__(Path(tempfile.mkdtemp(prefix="wegewart-")), "postgres")
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        if not found:
            raise ServerError("postgresql is not installed; apt-get install postgresql postgresql-postgis")
        self._bin = found[-1]
        if os.geteuid() == 0:
            for folder in (self.folder.parent, self.folder):
                os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        self._run("initdb", "-D", "data", "-U", "wegewart", "-A", "trust", "-E", "UTF8", "--locale=C")

    @property
    def url(self) -> str:
        """Address of the database."""
        return f"postgresql://wegewart@{HOST}:{self.port}/wegewart"

    def command(self) -> Sequence[str | Path]:
        """See `Server.command`."""
        folder = self.folder
        return self._as_server("postgres", "-D", folder / "data", "-p", str(self.port), "-h", HOST, "-k", folder)

    def make_database(self) -> None:
        """An empty database, once the server has finished starting."""
        server = f"postgresql://wegewart@{HOST}:{self.port}/postgres"

        def is_made() -> bool:
            try:
                with psycopg.connect(server, autocommit=True) as connection:
                    connection.execute("CREATE DATABASE wegewart")
            except psycopg.OperationalError:
                return False
            return True

        wait_for(is_made, START_TIMEOUT_S, "postgres is ready")

    def remove(self) -> None:
        """Stop it and delete its data."""
        self.stop()
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    def _as_server(self, program: str, *arguments: str | Path) -> list[str]:
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
        command = [str(self._bin / program), *map(str, arguments)]
        return [*prefix, *command] if os.geteuid() == 0 else command

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            self._as_server(program, *arguments), cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServerError(f"{program}: {done.stderr.strip()[-300:]}")
