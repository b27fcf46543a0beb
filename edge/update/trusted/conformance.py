# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The client in the shape that the public TUF conformance suite drives; on no vehicle's path.

    python -m edge.update.trusted.conformance --metadata-dir DIR init ROOT
    ... --metadata-dir DIR --metadata-url URL refresh
    ... --metadata-dir DIR --metadata-url URL --target-name N --target-base-url URL --target-dir DIR download

Exit code 0: done. 1: refused; one line on stderr says why.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

from tuf.api.exceptions import DownloadHTTPError

from edge.errors import WegewartError
from edge.update.trusted.bundle import check
from edge.update.trusted.client import Client
from edge.update.trusted.disk import write_durably
from edge.update.trusted.pace import Pace
from edge.update.trusted.refusal import UntrustedError
from edge.update.trusted.web import Web

#: The suite sets the clock to years long gone.
_NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of the suite."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "init":
            given.metadata_dir.mkdir(parents=True, exist_ok=True)
            write_durably(given.metadata_dir / "root.json", given.root.read_bytes())
            return 0
        client = Client(
            _web(given.metadata_url, given.metadata_dir).read,
            where=given.metadata_url,
            trust=given.metadata_dir,
            now=None,
            root=None,
            built=_NEVER,
        )
        client.refresh()
        if given.command == "download":
            _download(client, given.target_name, _web(given.target_base_url, given.metadata_dir), given.target_dir)
    except (WegewartError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _download(client: Client, name: str, web: Web, folder: Path) -> None:
    """Raises WegewartError."""
    target, file = client.target(name), folder / quote(name, "")
    try:
        check(target, file.read_bytes(), name)
    except (OSError, UntrustedError):
        try:
            content = web.read(client.place(target), target.length)
        except DownloadHTTPError as error:
            raise UntrustedError("missing", str(error)) from error
        check(target, content, name)
        write_durably(file, content)


def _web(address: str, folder: Path) -> Web:
    pace = Pace(bytes_per_s=0, bytes_per_day=0, file=folder / "spent", wait=lambda _: False)
    return Web(address, pace)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m edge.update.trusted.conformance", description="TUF client")
    parser.add_argument("--metadata-dir", type=Path, required=True)
    parser.add_argument("--target-dir", type=Path)
    for option in ("--metadata-url", "--target-name", "--target-base-url"):
        parser.add_argument(option)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init").add_argument("root", type=Path)
    commands.add_parser("refresh")
    commands.add_parser("download")
    return parser


if __name__ == "__main__":
    sys.exit(main())
