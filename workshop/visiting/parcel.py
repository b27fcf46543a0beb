# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A bundle as a list of files. Whether it is believed is for the vehicle to say; here only that it arrives whole."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from messages.release import BUNDLE, Bundle
from workshop.errors import WorkshopError

#: No name may mean anything to a shell on the other side.
_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]*\Z")


@dataclass(frozen=True)
class Item:
    """A file. `path`: below the bundle, with slashes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Parcel:
    """A bundle's files in the order in which they travel: bundle.json last, with it the bundle is whole."""

    folder: Path
    release: str
    items: tuple[Item, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(item.size for item in self.items)


def read(folder: Path) -> Parcel:
    """Look at a bundle.

    Raises:
        WorkshopError: it is none, or not whole.
    """
    try:
        about = msgspec.json.decode((folder / BUNDLE).read_bytes(), type=Bundle)
    except (OSError, msgspec.DecodeError) as error:
        raise WorkshopError(
            f"{folder}: is no bundle ({error}); make one: scripts/release REPO bundle {folder}"
        ) from None
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for name in names:
        if _PATH.match(name) is None or ".." in name:
            raise WorkshopError(f"{folder}: {name!r} does not belong into a bundle")
    if "metadata/timestamp.json" not in names:
        raise WorkshopError(f"{folder}: has no metadata; make it again: scripts/release REPO bundle {folder}")
    names.sort(key=lambda name: (name == BUNDLE, not name.startswith("targets/"), name))
    items = (Item(name, (folder / name).stat().st_size, sha256(folder / name)) for name in names)
    return Parcel(folder, about.release, tuple(items))


def sha256(path: Path, *, from_disk: bool = False) -> str:
    """Hexadecimal SHA-256. `from_disk`: not from the memory in which it was just written. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if from_disk:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
