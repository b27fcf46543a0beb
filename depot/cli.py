# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The command `wegewart-depot`: serve, export, config explain."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from depot import config, geojson
from depot.errors import DepotError
from depot.serve import serve
from depot.store.port import CaseQuery
from depot.store.sqlite import SqliteStore
from settings import explain

_EXIT_CODES = "exit codes: 0 ended as asked, 2 configuration, 5 broker refuses the login, 6 store cannot be used"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; what a user can mend becomes one line on stderr and an exit code."""
    options = _parser().parse_args(arguments)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        return int(options.run(options))
    except DepotError as error:
        print(f"wegewart-depot: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader of an export has had enough
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wegewart-depot",
        description="The depot of Wegewart: takes defects from the vehicles, keeps them and shows them on a map.",
        epilog=_EXIT_CODES,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("serve", help="take in from the broker and serve the page", epilog=_EXIT_CODES)
    _add_config(run)
    run.set_defaults(run=_serve)

    export = commands.add_parser("export", help="write all cases to standard output", epilog=_EXIT_CODES)
    _add_config(export)
    export.add_argument("--format", choices=["geojson"], default="geojson", help="GeoJSON, RFC 7946 (default)")
    export.set_defaults(run=_export)

    settings = commands.add_parser("config", help="about the configuration file")
    about = settings.add_subparsers(required=True, metavar="COMMAND")
    explained = about.add_parser("explain", help="print every key with meaning, bounds and default")
    explained.set_defaults(run=_explain)
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the depot's configuration (TOML)")


def _serve(options: argparse.Namespace) -> int:
    serve(config.read(options.config))
    return 0


def _export(options: argparse.Namespace) -> int:
    store = SqliteStore(config.read(options.config).data.folder)
    try:
        features = map(geojson.case_feature, store.cases(CaseQuery(limit=-1)))
        sys.stdout.buffer.write(msgspec.json.encode(geojson.collection(features)) + b"\n")
        sys.stdout.buffer.flush()
    finally:
        store.close()
    return 0


def _explain(_options: argparse.Namespace) -> int:
    print("\n".join(explain(config.Config)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
