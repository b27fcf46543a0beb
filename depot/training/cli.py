# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-depot export-training`: decided cases as pictures for training (docs/models.md)."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from depot import config
from depot.cases.records import Case
from depot.handover.cli import filter_of
from depot.review.filters import conditions
from depot.services import Pictures
from depot.store.database import Database
from depot.store.opening import open_database
from depot.store.picture_store import open_pictures
from depot.training.choosing import CLASSES, Lesson, Model, lesson, sides
from depot.training.reading import decided, sights
from depot.training.writing import Chosen, Outcome, told, write


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `wegewart-depot`."""
    export = commands.add_parser("export-training", help="write decided cases as pictures that a model can learn from")
    export.add_argument("folder", type=Path, metavar="FOLDER", help="must not be there yet, or be empty")
    export.add_argument("--config", type=Path, required=True, metavar="FILE", help="the depot's configuration (TOML)")
    export.add_argument("--model", choices=sorted(CLASSES), default="street", help="for which model (street)")
    export.add_argument(
        "--filter", default="", metavar="QUERY", help="as in the page's address, e.g. 'since=2026-10-01T00:00:00Z'"
    )
    export.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    wanted = filter_of(options.filter)
    settings = config.read(options.config)
    pictures = open_pictures(settings.pictures, folder=settings.data.folder)
    with closing(open_database(settings.database, settings.data.folder, pictures)) as database:
        found = decided(database, conditions(wanted, now_utc=database.now_utc()))
        outcome = export(database, pictures, found, options.folder, options.model)
    for (split, what), count in sorted(outcome.written.items()):
        print(f"{options.folder}: {split}: {count} pictures with {what}")
    print(f"left out: {told(outcome.left_out)}")
    return 0


def export(database: Database, pictures: Pictures, found: Sequence[Case], folder: Path, model: Model) -> Outcome:
    """Write what these cases teach the model. Raises ExportError, StoreError."""
    left_out: Counter[str] = Counter()
    lessons: list[tuple[Case, Lesson]] = []
    for case in found:
        taught = lesson(case, model)
        if isinstance(taught, Lesson):
            lessons.append((case, taught))
        else:
            left_out[taught] += 1
    side_of, without = sides([case for case, _ in lessons])
    seen = sights(database, [case for case, _ in lessons])
    chosen = [
        Chosen(case, taught, side_of[case.number], seen.get(case.number, ()))
        for case, taught in lessons
        if case.number in side_of
    ]
    return write(folder, chosen, pictures, model, left_out + without)
