# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Packages of earlier versions, out of this repository's history: what a recipe started from is replaced one day."""

from __future__ import annotations

import subprocess
from pathlib import Path

from edge.vision.package import MANIFEST

ROOT = Path(__file__).resolve().parents[2]


def take_out(name: str, folder: Path) -> Path:
    """The file `COMMIT:models/NAME/FILE`, written into the folder with the manifest of its package beside it.

    Raises SystemExit: the history does not have it (a shallow clone, an archive without history).
    """
    commit, _, path = name.partition(":")
    target = folder / Path(path).name
    folder.mkdir(parents=True, exist_ok=True)
    for file in (target, target.with_name(MANIFEST)):
        file.write_bytes(_show(f"{commit}:{Path(path).with_name(file.name).as_posix()}"))
    return target


def _show(name: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", ROOT, "show", name], check=True, capture_output=True).stdout  # noqa: S603, S607
    except FileNotFoundError:
        raise SystemExit(f"start weights {name}: they are in the history; install git") from None
    except subprocess.CalledProcessError as error:
        why = error.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise SystemExit(
            f"start weights {name}: not in this checkout's history ({why}); "
            f"get all of it (`git fetch --unshallow`) or name others (--weights)"
        ) from None
