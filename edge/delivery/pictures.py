# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A folder of picture files, each named by the SHA-256 of its content.

A file either has its full content under its name or is not there: temporary file, fsync, rename, fsync
of the folder. The content is checked against the name on reading, so a bad card is noticed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from typing import TYPE_CHECKING

from edge.durable import fsync_folder, write_durably
from messages.topics import SHA256_PATTERN

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

#: So many things that were in the way are kept; then somebody has to look.
BAD_KEPT = 5
_OURS = re.compile(rf"({SHA256_PATTERN})\.jpg(\.tmp)?")


class PictureFolder:
    """The pictures of an outbox. Other files in the folder are left alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = False

    def make(self) -> None:
        """Make the folder. One that is not ours to write, or is no folder, is renamed to `NAME.bad`. Raises OSError."""
        folder = self._folder
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            names = [folder.with_name(f"{folder.name}.bad{number or ''}") for number in range(BAD_KEPT)]
            with contextlib.suppress(FileNotFoundError):
                folder.rename(next((name for name in names if not name.exists()), names[0]))
            folder.mkdir()
        fsync_folder(folder.parent)
        self._made = True

    def path(self, sha256: str) -> Path:
        """Where a picture lies."""
        return self._folder / f"{sha256}.jpg"

    def free_bytes(self) -> int:
        """What the file system has left for us. Raises OSError."""
        about = os.statvfs(self._folder.parent)
        return about.f_bavail * about.f_frsize

    def write(self, sha256: str, content: bytes) -> None:
        """Store a picture; does nothing where it already lies there undamaged. Raises OSError."""
        if not self._made:
            self.make()
        if self.read(sha256) is None:
            write_durably(self.path(sha256), content)

    def read(self, sha256: str) -> bytes | None:
        """The picture, or None where it is missing or is no longer what its name says."""
        try:
            content = self.path(sha256).read_bytes()
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == sha256 else None

    def remove(self, sha256: str) -> bool:
        """Delete a picture; False where it is not there or cannot be deleted."""
        try:
            self.path(sha256).unlink()
        except OSError:
            return False
        return True

    def sweep(self, wanted: Collection[str]) -> int:
        """Delete what an interrupted write or delete left behind: our names that nobody wants. Returns how many."""
        swept = 0
        for sha256, path in self._ours():
            if path.suffix == ".tmp" or sha256 not in wanted:
                with contextlib.suppress(OSError):
                    path.unlink()
                    swept += 1
        return swept

    def unwanted(self, wanted: Collection[str]) -> list[tuple[str, int]]:
        """Hash and size of the pictures that are not in `wanted`, the oldest first."""
        found: list[tuple[int, str, int]] = []
        for sha256, path in self._ours():
            if path.suffix != ".tmp" and sha256 not in wanted:
                with contextlib.suppress(OSError):
                    about = path.stat()
                    found.append((about.st_mtime_ns, sha256, about.st_size))
        return [(sha256, size) for _, sha256, size in sorted(found)]

    def _ours(self) -> list[tuple[str, Path]]:
        try:
            matches = [(_OURS.fullmatch(path.name), path) for path in self._folder.iterdir()]
        except OSError:
            return []
        return [(match[1], path) for match, path in matches if match]
