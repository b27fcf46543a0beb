# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Commands of roads: `roads import`, `roads proof`, `roads verify`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from depot.errors import ConfigError, DepotError
from depot.roads import proof, sealing
from depot.roads.files import read_file
from depot.roads.importing import Mapping, build, replace_roads
from depot.store.database import Database

#: Opens the depot's database from the file of its configuration.
Open = Callable[[Path], Database]


class ProofError(DepotError):
    """The proof of inspection is not as it was written."""

    exit_code = 8


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], open_database: Open) -> None:
    """Add `roads` to the commands."""
    roads = commands.add_parser("roads", help="the city's roads, and the proof of their inspection")
    about = roads.add_subparsers(required=True, metavar="COMMAND")
    _add_import(
        about.add_parser("import", help="take the roads of a file in the place of all there are"), open_database
    )

    written = about.add_parser("proof", help="write the proof of inspection to standard output")
    _add_config(written)
    written.set_defaults(run=lambda options: _proof(open_database(options.config)))

    verify = about.add_parser("verify", help="check a file of the proof, or the database's own")
    either = verify.add_mutually_exclusive_group(required=True)
    either.add_argument("file", nargs="?", type=Path, metavar="FILE", help="as `roads proof` or the page wrote it")
    either.add_argument("--config", type=Path, metavar="FILE", help="the depot's configuration: check its database")
    verify.add_argument("--digest", metavar="HEX", help="a digest that was kept elsewhere: it must stand in the proof")
    verify.set_defaults(run=lambda options: _verify(options, open_database))


def _add_import(parser: argparse.ArgumentParser, open_database: Open) -> None:
    _add_config(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="GeoJSON, GeoPackage or what else GDAL reads")
    parser.add_argument("--layer", metavar="NAME", help="of a GeoPackage (its first)")
    parser.add_argument("--name-field", default="name", metavar="FIELD", help="the street's name (name)")
    parser.add_argument("--class-field", default="highway", metavar="FIELD", help="the road's class (highway)")
    parser.add_argument("--district-field", default="district", metavar="FIELD", help="the city's district (district)")
    parser.add_argument(
        "--id-field", metavar="FIELD", help="lines of one value of it are one road (else: of one name, class, district)"
    )
    parser.set_defaults(run=lambda options: _import(options, open_database))


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the depot's configuration (TOML)")


def _import(options: argparse.Namespace, open_database: Open) -> int:
    mapping = Mapping(
        name=options.name_field,
        road_class=options.class_field,
        district=options.district_field,
        id=options.id_field,
    )
    imported = build(read_file(options.file, options.layer), mapping)
    with closing(open_database(options.config)) as database, database.changing() as change:
        done = replace_roads(change, imported, "command line")
    left_out = ", ".join(f"{count} {reason}" for reason, count in done.left_out.items()) or "none"
    print(
        f"{done.roads} roads, {done.length_km:g} km: {done.added} new, {done.removed} gone, {done.altered} altered;"
        f" features left out: {left_out}"
    )
    return 0


def _proof(database: Database) -> int:
    with closing(database):
        for line in sealing.export(database):
            sys.stdout.buffer.write(line.encode())
        sys.stdout.buffer.flush()
    return 0


def _verify(options: argparse.Namespace, open_database: Open) -> int:
    if options.config is not None:
        name = str(options.config)
        with closing(open_database(options.config)) as database:
            lines = list(sealing.export(database))
    else:
        name = str(options.file)
        try:
            lines = options.file.read_bytes().decode().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{name}: cannot be read: {error}") from None
    found = proof.check(lines)
    if found.problem is not None:
        raise ProofError(f"{name}: {found.problem}; the {found.rows} rows before it are as they were written")
    if options.digest is not None and not any(line.rstrip().endswith(f",{options.digest}") for line in lines):
        raise ProofError(f"{name}: the digest {options.digest[:64]} does not stand in it")
    print(f"{name}: {found.rows} rows as they were written; last digest {found.digest}")
    return 0
