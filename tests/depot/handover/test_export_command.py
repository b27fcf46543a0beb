# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-depot export`: the same files as over HTTP, by the same filter."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

import pyogrio
import pytest

from depot.errors import ConfigError
from depot.handover import cli
from depot.handover.cli import filter_of
from depot.review.filters import Bbox, CaseFilter
from depot.store.database import Database
from depot.store.migration import migrate
from tests.depot.handover.samples import add_case

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    database = Database(f"sqlite:///{tmp_path / 'data' / 'depot.sqlite'}")
    migrate(database)
    add_case(database, 1)
    add_case(database, 2, state="confirmed", road="Düsseldorfer Straße")
    database.close()
    file = tmp_path / "depot.toml"
    file.write_text('[data]\nfolder = "data"\n[handover]\npublic_url = "https://depot.example/"\n')
    return file


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    cli.add(parser.add_subparsers())
    options = parser.parse_args(["export", *map(str, arguments)])
    result: int = options.run(options)
    return result


def test_each_format_is_written_by_the_same_filter(config: Path, tmp_path: Path) -> None:
    for name in ("geojson", "csv", "kml", "gpkg"):
        file = tmp_path / f"cases.{name}"
        assert run("--config", config, "--format", name, "--output", file, "--filter", "state=confirmed") == 0
        assert pyogrio.read_info(file)["features"] == 1, name


def test_without_a_file_it_writes_to_standard_output(config: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    run("--config", config, "--language", "en")
    features = json.loads(capfdbinary.readouterr().out)["features"]
    assert [feature["id"] for feature in features] == [1, 2]
    assert features[0]["properties"]["title"].startswith("Pothole")


def test_what_cannot_be_done_is_said_in_one_line(config: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.gpkg"
    there.write_bytes(b"mine")
    for arguments, words in (
        (["--format", "gpkg"], "needs a file"),
        (["--format", "gpkg", "--output", there], "there.gpkg"),
        (["--output", tmp_path / "none" / "x"], "cannot be written"),
        (["--filter", "colour=red"], "'colour' is not known"),
        (["--filter", "grade_min=9"], "grade_min"),
        (["--filter", "bbox=1"], "bbox"),
    ):
        with pytest.raises(Exception, match=words) as raised:
            run("--config", config, *arguments)
        assert "\n" not in str(raised.value)
    assert there.read_bytes() == b"mine"


def test_a_filter_is_read_as_the_page_writes_it() -> None:
    query = "class=pothole&class=crack&grade_min=3&score_min=0.5&bbox=1,2,3,4&since=2026-10-01T00:00:00Z&q=K%C3%B6nig"
    assert filter_of(query) == CaseFilter(
        classes=("pothole", "crack"),
        grade_min=3,
        score_min=0.5,
        bbox=Bbox(1, 2, 3, 4),
        since="2026-10-01T00:00:00.000Z",
        q="König",
    )
    with pytest.raises(ConfigError):
        filter_of("state=done")
