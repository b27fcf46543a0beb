# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands of roads, and the check of the proof that docs/condition.md prints."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from depot.errors import ConfigError
from depot.roads import cli, sealing
from depot.roads.cli import ProofError
from depot.roads.projections import CoverageProjection
from depot.roads.working import RoadWorker
from depot.store.database import Database
from depot.store.migration import migrate
from tests.depot.roads.samples import CITY, geojson, import_roads, looked_at, project, store

NOW = "2026-05-06T12:00:00.000Z"


class Depot:
    """A depot on SQLite, opened anew by each command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with_tables = self.open(folder)
        migrate(with_tables)
        with_tables.close()

    def open(self, _config: Path) -> Database:
        return Database(f"sqlite:///{self.folder / 'depot.sqlite'}", now_utc=lambda: NOW)

    def run(self, *arguments: str | Path) -> int:
        parser = argparse.ArgumentParser()
        cli.add(parser.add_subparsers(), self.open)
        options = parser.parse_args(["roads", *map(str, arguments)])
        return int(options.run(options))

    def inspect(self) -> Path:
        """Two days of a road, sealed; gives the file of the proof."""
        database = self.open(self.folder)
        import_roads(database)
        days = [looked_at((0, 0), (200, 0), utc=f"2026-05-0{day}T09:00:00Z") for day in (3, 4)]
        project(database, CoverageProjection(), store(database, *days))
        worker = RoadWorker(database)
        while worker.run_once():
            pass
        file = self.folder / "proof.csv"
        file.write_bytes("".join(sealing.export(database)).encode())
        database.close()
        return file


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    return Depot(tmp_path)


def test_an_import_says_what_it_took_and_left(depot: Depot, capsys: pytest.CaptureFixture[str]) -> None:
    file = depot.folder / "roads.geojson"
    file.write_bytes(geojson(*CITY))
    depot.run("import", "--config", "depot.toml", file)
    assert capsys.readouterr().out == "3 roads, 1.7 km: 3 new, 0 gone, 0 altered; features left out: none\n"


def test_an_import_that_fails_leaves_the_roads_as_they_are(depot: Depot) -> None:
    depot.inspect()
    file = depot.folder / "roads.geojson"
    file.write_bytes(geojson())
    with pytest.raises(ConfigError, match="no road in it"):
        depot.run("import", "--config", "depot.toml", file)
    database = depot.open(depot.folder)
    with database.reading() as connection:
        assert sealing.last_digest(connection)[0] == 2
    database.close()


def test_a_proof_is_verified_from_its_file_and_from_the_database(
    depot: Depot, capsys: pytest.CaptureFixture[str]
) -> None:
    file = depot.inspect()
    depot.run("verify", file)
    depot.run("verify", "--config", "depot.toml")
    first, second = capsys.readouterr().out.splitlines()
    assert "2 rows as they were written" in first
    assert first.rpartition(" ")[2] == second.rpartition(" ")[2]


def test_a_digest_that_was_kept_must_stand_in_the_proof(depot: Depot) -> None:
    file = depot.inspect()
    digest = file.read_text(encoding="utf-8").rstrip().rpartition(",")[2]
    assert depot.run("verify", file, "--digest", digest) == 0
    with pytest.raises(ProofError, match="does not stand in it"):
        depot.run("verify", file, "--digest", "ab" * 32)


def test_a_proof_that_was_changed_is_refused_with_its_own_exit_code(depot: Depot) -> None:
    file = depot.inspect()
    file.write_bytes(file.read_bytes().replace(b"2026-05-04,way/1", b"2026-05-05,way/1"))
    with pytest.raises(ProofError, match=r"line 4 \(row 2\): was changed") as caught:
        depot.run("verify", file)
    assert caught.value.exit_code == 8


def test_a_file_that_is_none_is_refused_with_one_line(depot: Depot) -> None:
    (depot.folder / "junk").write_bytes(b"\xff\xfe")
    for name in ("junk", "missing"):
        with pytest.raises(ConfigError, match="cannot be read"):
            depot.run("verify", depot.folder / name)


def test_the_program_that_the_documentation_prints_checks_a_proof(depot: Depot) -> None:
    text = (Path(__file__).parents[3] / "docs" / "condition.md").read_text(encoding="utf-8")
    program = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert program is not None
    file = depot.inspect()

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", program[1], str(file)], capture_output=True, text=True)

    assert check().stdout.startswith("all rows as they were written")
    file.write_bytes(file.read_bytes().replace(b",200.0,", b",400.0,", 1))
    assert (check().returncode, check().stderr.strip()) == (1, "line 3 is not as it was written")
