# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures as files, named by their hash: `pictures/ab/abcd….jpg`.

A file appears under its name only when all of it is on the disk, so what is there is whole.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


class PictureFolder:
    """The folder of the pictures."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Where the picture lies or will lie."""
        return self._folder / sha256[:2] / f"{sha256}.jpg"

    def read(self, sha256: str) -> bytes | None:
        """The picture's bytes; None where there is none."""
        try:
            return self.path(sha256).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, sha256: str, content: bytes) -> None:
        """Write a picture so that it survives a power cut once this returns. A whole copy is left as it is.

        Raises:
            OSError: the disk is full or cannot be written; nothing appears under the name.
        """
        if self._is_whole(sha256):
            return
        path = self.path(sha256)
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            _sync_folder(self._folder)
            _sync_folder(self._folder.parent)
        temporary = path.with_suffix(".new")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)

    def _is_whole(self, sha256: str) -> bool:
        there = self.read(sha256)
        return there is not None and hashlib.sha256(there).hexdigest() == sha256


def _sync_folder(folder: Path) -> None:
    """Put a folder's entries on the disk: without this a power cut can lose a file that was itself synced."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
