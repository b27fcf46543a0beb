# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A model that a vehicle may have or not."""

from __future__ import annotations

from pathlib import Path

from edge.vision.detector import Detector
from edge.vision.package import MANIFEST, load_package


def installed(models: Path, name: str, threads: int) -> Detector | None:
    """The model of this name; None where none is installed or wanted (an empty name).

    Raises:
        ModelError: a package is there and is refused. Going on without it would do without what it was installed for.
    """
    folder = models / name
    if not name or not (folder / MANIFEST).is_file():
        return None
    return Detector(load_package(folder, threads=threads), threads)
