# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands `backup`, `restore` and `retention`."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from pathlib import Path

from depot import config
from depot.keeping import backup
from depot.keeping.backup import Outcome
from depot.keeping.retention import Retention
from depot.store.database import Database
from depot.store.opening import database_url, open_database
from depot.store.picture_store import open_pictures


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to those of `wegewart-depot`."""
    saving = commands.add_parser("backup", help="write database and pictures into one file, while the depot runs")
    saving.add_argument("file", type=Path, metavar="FILE", help="must not be there yet; only its owner may read it")
    saving.add_argument(
        "--without-pictures", action="store_true", help="only the database and the list of pictures, for those who"
        " save the pictures otherwise",
    )  # fmt: skip
    _add_config(saving)
    saving.set_defaults(run=_backup)

    restoring = commands.add_parser("restore", help="bring a backup back into a new, empty depot")
    restoring.add_argument("file", type=Path, metavar="FILE")
    _add_config(restoring)
    restoring.set_defaults(run=_restore)

    retaining = commands.add_parser("retention", help="let pictures go as [retention] says (`serve` does so daily)")
    retaining.add_argument("--dry-run", action="store_true", help="only say what would go")
    _add_config(retaining)
    retaining.set_defaults(run=_retention)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the depot's configuration (TOML)")


def _backup(options: argparse.Namespace) -> int:
    read = config.read(options.config)
    pictures = open_pictures(read.pictures, folder=read.data.folder)
    with closing(open_database(read.database, read.data.folder, pictures)) as database:
        outcome = backup.save(database, pictures, options.file, with_pictures=not options.without_pictures)
    print(f"{options.file}: {outcome.events} events, {outcome.pictures} pictures")
    _tell_missing(outcome, "are not in the store and so not in the backup")
    return 0


def _restore(options: argparse.Namespace) -> int:
    read = config.read(options.config)
    pictures = open_pictures(read.pictures, folder=read.data.folder)
    with closing(Database(database_url(read.database, read.data.folder))) as database:
        outcome = backup.restore(database, pictures, options.file)
    open_database(read.database, read.data.folder, pictures).close()  # a backup of an older depot becomes a newer one
    print(f"{outcome.events} events and {outcome.pictures} pictures are back; everybody has to log in anew")
    _tell_missing(outcome, "are neither in the backup nor in the store")
    return 0


def _retention(options: argparse.Namespace) -> int:
    read = config.read(options.config)
    pictures = open_pictures(read.pictures, folder=read.data.folder)
    with closing(open_database(read.database, read.data.folder, pictures)) as database:
        retention = Retention(database, pictures, read.retention)
        gone = retention.plan() if options.dry_run else retention.run_once()
    what = "would go" if options.dry_run else "are gone"
    print(f"{gone.pictures} pictures ({gone.bytes} bytes) of {gone.cases} cases {what}")
    return 0


def _tell_missing(outcome: Outcome, where: str) -> None:
    if outcome.missing:
        print(
            f"wegewart-depot: {len(outcome.missing)} pictures {where}:", *outcome.missing, sep="\n  ", file=sys.stderr
        )
