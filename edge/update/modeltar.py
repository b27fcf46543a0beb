# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Unpacks a model package: plain files with plain names, and no more bytes than a model can have."""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
import zlib
from pathlib import Path

from edge.update.refusal import RefusedError

_NAME = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}/){0,2}[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_MOST_FILES = 200
_MOST_BYTES = 2**30
_MANIFEST = "model.toml"


def unpack(archive: Path, into: Path, name: str) -> None:
    """Unpack the files of a package into a folder that is there and empty.

    Args:
        archive: the verified NAME-VERSION-SHA8.tar.gz; its files lie at its root.
        into: the folder.
        name: NAME-VERSION-SHA8; SHA8 has to be that of model.toml.

    Raises:
        RefusedError: it is no such package.
        OSError: the disk takes nothing.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for path, member in _members(tar, name):
                content = tar.extractfile(member)
                assert content is not None, "a regular file"
                place = into / path
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("wb") as file:
                    shutil.copyfileobj(content, file)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise RefusedError(f"model: {name}: cannot be unpacked: {error}", for_good=True) from error
    manifest = into / _MANIFEST
    if not manifest.is_file():
        raise RefusedError(f"model: {name}: has no {_MANIFEST}", for_good=True)
    sha8 = hashlib.sha256(manifest.read_bytes()).hexdigest()[:8]
    if not name.endswith(f"-{sha8}"):
        raise RefusedError(f"model: {name}: its {_MANIFEST} is {sha8}", for_good=True)


def _members(tar: tarfile.TarFile, name: str) -> list[tuple[str, tarfile.TarInfo]]:
    found: list[tuple[str, tarfile.TarInfo]] = []
    total = 0
    for member in tar:
        path = member.name
        if member.isdir():
            continue
        total += member.size
        if not member.isreg() or _NAME.fullmatch(path) is None or path == "COMPLETE":
            raise RefusedError(f"model: {name}: holds {member.name!r}, which is no plain file", for_good=True)
        if total > _MOST_BYTES or len(found) >= _MOST_FILES:
            raise RefusedError(f"model: {name}: holds more than a model can have", for_good=True)
        found.append((path, member))
    return found
