# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-depot backup`, `restore` and `retention` with configuration files, on both databases."""

from __future__ import annotations

import argparse
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert

from depot.keeping.cli import add
from depot.keeping.errors import BackupError
from depot.store.database import Database
from depot.store.pictures import PictureFolder
from depot.store.tables import cases, sightings
from tests.depot import samples
from tests.depot.keeping.test_backup import contents, fill


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers(required=True))
    options = parser.parse_args(words)
    return options.run(options)


class Site:
    """A depot as its configuration file describes it."""

    def __init__(self, folder: Path, url: str | None) -> None:
        folder.mkdir()
        self.folder, self.config = folder, folder / "depot.toml"
        database = "" if url is None else f'[database]\nurl = "{url}"\n'
        self.config.write_text(f'[data]\nfolder = "data"\n{database}')
        self.url = url or f"sqlite:///{folder / 'data' / 'depot.sqlite'}"
        self.pictures = PictureFolder(folder / "data" / "pictures")

    def run(self, *words: str) -> int:
        return run(*words, "--config", str(self.config))


@pytest.fixture
def sites(database_url, tmp_path, request):
    """An old depot and a new one."""
    if database_url.startswith("sqlite"):
        yield Site(tmp_path / "old", None), Site(tmp_path / "new", None)
        return
    server = request.getfixturevalue("postgres_server")
    name = f"{database_url.rpartition('/')[2]}_new"
    subprocess.run(["psql", "-q", server, "-c", f"CREATE DATABASE {name}"], check=True)
    yield Site(tmp_path / "old", database_url), Site(tmp_path / "new", f"{server.rpartition('/')[0]}/{name}")
    subprocess.run(["psql", "-q", server, "-c", f"DROP DATABASE {name} WITH (FORCE)"], check=True)


def all_of(site: Site) -> dict[str, list]:
    with closing(Database(site.url)) as database:
        return contents(database)


def test_a_depot_moves_to_another_machine(sites, tmp_path, capsys):
    old, new = sites
    old.run("retention", "--dry-run")  # makes the database
    with closing(Database(old.url)) as database:
        fill(database, old.pictures, count=5)
    before = all_of(old)
    capsys.readouterr()
    assert old.run("backup", str(tmp_path / "b.tar")) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'b.tar'}: 5 events, 5 pictures\n"
    assert new.run("restore", str(tmp_path / "b.tar")) == 0
    assert capsys.readouterr().out.startswith("5 events and 5 pictures are back")
    assert all_of(new) == before
    content = samples.jpeg(0, 320, 180)
    assert new.pictures.read(samples.sha256(content)) == content
    with pytest.raises(BackupError, match="is not empty"):
        new.run("restore", str(tmp_path / "b.tar"))


def test_pictures_that_are_missing_are_named_on_stderr(sites, tmp_path, capsys):
    old, new = sites
    old.run("retention", "--dry-run")
    gone = samples.sha256(samples.jpeg(1, 321, 180))
    with closing(Database(old.url)) as database:
        fill(database, old.pictures, count=3)
    old.pictures.remove(gone)
    assert old.run("backup", str(tmp_path / "b.tar")) == 0
    assert gone in capsys.readouterr().err
    assert new.run("restore", str(tmp_path / "b.tar")) == 0
    assert gone in capsys.readouterr().err


def test_retention_says_first_and_does_then(sites, capsys):
    site, _ = sites
    site.run("retention", "--dry-run")
    sha256 = samples.sha256(samples.jpeg(0, 320, 180))
    with closing(Database(site.url)) as database:
        fill(database, site.pictures, count=1)
        with database.writing() as connection:
            connection.execute(
                insert(cases).values({
                    "number": 1, "changed": 0, "state": "rejected", "class": "pothole", "surface": "road",
                    "sightings": 1, "passes": 1, "vehicles": 1, "looks_without": 0, "pinned": False, "reports": 0,
                    "opened_utc": "2020-01-01T00:00:00Z", "decided_utc": "2020-01-01T00:00:00Z",
                })
            )  # fmt: skip
            connection.execute(insert(sightings).values({"case": 1, "class": "pothole", "picture": sha256}))
    capsys.readouterr()
    site.run("retention", "--dry-run")
    assert capsys.readouterr().out.endswith("of 1 cases would go\n")
    assert site.pictures.read(sha256) is not None
    site.run("retention")
    assert capsys.readouterr().out.startswith("1 pictures (")
    assert site.pictures.read(sha256) is None
