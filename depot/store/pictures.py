# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures as files, named by their hash: `pictures/ab/abcd….jpg`.

A file appears under its name only when all of it is on the disk, so what is there is whole. Any number of processes
may write into the folder at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from depot.errors import StoreError

#: A file that is still nameless after so many seconds has lost its writer.
_LEFT_S = 3600


class PictureFolder:
    """The folder of the pictures; see `depot.services.Pictures`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        #: Where files are written before they get their names.
        self._new = folder / "new"
        self._sweep()

    def path(self, sha256: str) -> Path:
        """Where the picture lies or will lie."""
        return self._folder / sha256[:2] / f"{sha256}.jpg"

    def read(self, sha256: str) -> bytes | None:
        """The picture's bytes; None where there is none. Raises StoreError."""
        with self._errors():
            try:
                return self.path(sha256).read_bytes()
            except FileNotFoundError:
                return None

    def keep(self, sha256: str, content: bytes) -> None:
        """Write a picture so that it survives a power cut once this returns. A whole copy is left as it is.

        Raises:
            StoreError: the disk is full or cannot be written; nothing appears under the name.
        """
        with self._errors():
            if self._is_whole(sha256):
                return
            path = self.path(sha256)
            self._new.mkdir(parents=True, exist_ok=True)
            if not path.parent.is_dir():
                path.parent.mkdir(exist_ok=True)
                _sync_folder(self._folder)
                _sync_folder(self._folder.parent)
            # A name for each writer: two of them at once must not write into the same file.
            temporary = self._new / f"{os.getpid()}-{threading.get_ident()}-{sha256}"
            try:
                with temporary.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
            _sync_folder(path.parent)

    def remove(self, sha256: str) -> None:
        """Take a picture away, if it is there. Raises StoreError."""
        with self._errors():
            path = self.path(sha256)
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                _sync_folder(path.parent)

    def _is_whole(self, sha256: str) -> bool:
        there = self.read(sha256)
        return there is not None and hashlib.sha256(there).hexdigest() == sha256

    def _sweep(self) -> None:
        """What writers left that were killed."""
        with contextlib.suppress(OSError):  # another one sweeps, or the disk is read-only
            for left in self._new.iterdir():
                if left.stat().st_mtime < time.time() - _LEFT_S:
                    left.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"pictures in {self._folder}: {error.strerror or error}") from error


def _sync_folder(folder: Path) -> None:
    """Put a folder's entries on the disk: without this a power cut can lose a file that was itself synced."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
