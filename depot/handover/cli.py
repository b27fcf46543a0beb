# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-depot export`: the cases of any filter as a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from fastapi import HTTPException

from depot import config
from depot.errors import ConfigError
from depot.handover import geopackage, text_files
from depot.handover.exported import Exported, Wording, pages
from depot.review.filters import CaseFilter, box, conditions, moment
from depot.store.opening import open_database
from depot.store.pictures import PictureFolder

#: Names of an address -> fields of the filter.
_MANY = {
    "class": "classes", "state": "states", "district": "districts", "office": "offices", "line": "lines",
    "vehicle": "vehicles", "trend": "trends",
}  # fmt: skip
_ONE = ("road", "surface", "grade_min", "score_min", "since", "seen_days", "looks_min", "bbox", "q", "place")

_BOUNDS = {"grade_min": (1, 5), "score_min": (0, 1), "seen_days": (0, 36_500), "looks_min": (0, 1_000_000)}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `export`."""
    export = commands.add_parser("export", help="write cases to a file")
    export.add_argument("--config", type=Path, required=True, metavar="FILE", help="the depot's configuration (TOML)")
    export.add_argument("--format", choices=["geojson", "csv", "gpkg", "kml"], default="geojson")
    export.add_argument("--output", type=Path, metavar="FILE", help="default: standard output (not for gpkg)")
    export.add_argument(
        "--filter", default="", metavar="QUERY", help="as in the page's address, e.g. 'state=confirmed&grade_min=3'"
    )
    export.add_argument("--language", choices=["de", "en"], default="de", help="of title and text")
    export.add_argument(
        "--dialect", choices=["rfc4180", "excel-de"], default="rfc4180", help="of CSV; excel-de: semicolon, comma"
    )
    export.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    if options.format == "gpkg" and options.output is None:
        raise ConfigError("--output: a GeoPackage needs a file")
    wanted = filter_of(options.filter)
    settings = config.read(options.config)
    database = open_database(settings.database, settings.data.folder, PictureFolder(settings.data.folder / "pictures"))
    wording = Wording(language=options.language, base_url=(settings.handover.public_url or "").rstrip("/"))
    try:
        found = pages(database, conditions(wanted, now_utc=database.now_utc()))
        if options.format == "gpkg":
            geopackage.write(options.output, found, wording)
        else:
            _write(options, found, wording)
    finally:
        database.close()
    return 0


def _write(options: argparse.Namespace, found: Iterable[list[Exported]], wording: Wording) -> None:
    if options.format == "csv":
        parts = text_files.csv_text(found, wording, options.dialect)
    else:
        parts = (text_files.geojson if options.format == "geojson" else text_files.kml)(found, wording)
    if options.output is None:
        for part in parts:
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
        return
    try:
        with options.output.open("wb") as file:
            file.writelines(parts)
    except OSError as error:
        raise ConfigError(f"--output: {options.output} cannot be written: {error.strerror}") from None


def filter_of(query: str) -> CaseFilter:
    """The filter of an address' query. Raises ConfigError."""
    given: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in _MANY:
            given.setdefault(_MANY[name], []).append(value)
        elif name in _ONE:
            given[name] = value
        else:
            raise ConfigError(f"--filter: {name!r} is not known; known: {', '.join([*_MANY, *_ONE])}")
    try:
        if "bbox" in given:
            given["bbox"] = box(given["bbox"])
        if "since" in given:
            given["since"] = moment(given["since"])
        found = msgspec.convert(given, CaseFilter, strict=False)
    except HTTPException as error:
        raise ConfigError(f"--filter: {error.detail}") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"--filter: {error}") from None
    for name, (least, most) in _BOUNDS.items():
        value = getattr(found, name)
        if value is not None and not least <= value <= most:
            raise ConfigError(f"--filter: {name} is {least} to {most}")
    return found
