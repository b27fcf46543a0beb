# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands `migrate` and `ingest`."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from depot import config
from depot.ingesting import take_in
from depot.store.opening import open_database
from depot.store.picture_store import open_pictures


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to those of `wegewart-depot`."""
    migrating = commands.add_parser(
        "migrate", help="bring the database to the newest schema (`serve` and `ingest` do so, too)"
    )
    _add_config(migrating)
    migrating.set_defaults(run=_migrate)

    ingesting = commands.add_parser("ingest", help="only take in from the broker; any number of such processes")
    _add_config(ingesting)
    ingesting.add_argument(
        "--number", type=_number, default=1, metavar="N", help="which of the processes this is, each its own (1)"
    )
    ingesting.set_defaults(run=_ingest)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the depot's configuration (TOML)")


def _number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1000:
        raise argparse.ArgumentTypeError("1 to 1000")
    return number


def _migrate(options: argparse.Namespace) -> int:
    read = config.read(options.config)
    pictures = open_pictures(read.pictures, folder=read.data.folder)
    with closing(open_database(read.database, read.data.folder, pictures)) as made:
        print(f"{made.name}: ready")
    return 0


def _ingest(options: argparse.Namespace) -> int:
    read = config.read(options.config)
    take_in(read, open_pictures(read.pictures, folder=read.data.folder), options.number)
    return 0
