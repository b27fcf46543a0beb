# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A model package as one file: the same bytes for the same content, whoever packs it, whenever."""

from __future__ import annotations

import gzip
import hashlib
import re
import sys
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from workshop.errors import WorkshopError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._]{0,60}\Z")
_EPOCH = 315532800  # 1980, the earliest that every tool can show


@dataclass(frozen=True)
class Packed:
    """`tar` is what counts: gzip may differ between computers."""

    name: str
    version: str
    target: str
    tar: bytes

    def compressed(self) -> bytes:
        """The file."""
        return gzip.compress(self.tar, 9, mtime=0)


def pack(folder: Path) -> Packed:
    """Pack a model package: its files at the top of the archive, in order, without times and owners.

    Raises:
        WorkshopError: no model package, or its files are not those that model.toml names.
    """
    manifest = folder / "model.toml"
    try:
        content = manifest.read_bytes()
        about = tomllib.loads(content.decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WorkshopError(f"{manifest}: {error}") from None
    name, version = _word(about, "name", manifest), _word(about, "version", manifest)
    _check_onnx(folder, about, manifest)
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                continue
            if path.is_symlink() or not path.is_file():
                raise WorkshopError(f"{path}: a model package has plain files only")
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size, member.mtime, member.mode = path.stat().st_size, _EPOCH, 0o644
            archive.addfile(member, BytesIO(path.read_bytes()))
    short = hashlib.sha256(content).hexdigest()[:8]
    return Packed(name, version, f"models/{name}-{version}-{short}.tar.gz", buffer.getvalue())


def _word(about: dict[str, Any], key: str, manifest: Path) -> str:
    word = about.get(key)
    if not isinstance(word, str) or _WORD.match(word) is None:
        raise WorkshopError(f"{manifest}: {key}: a word of letters, digits, dot and underscore is wanted, not {word!r}")
    return word


def _check_onnx(folder: Path, about: dict[str, Any], manifest: Path) -> None:
    """A package that every vehicle would refuse is not worth a download."""
    listed = about.get("onnx")
    if not isinstance(listed, list) or not listed:
        raise WorkshopError(f"{manifest}: names no onnx file")
    for each in listed:
        path = folder / str(each.get("file", ""))
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != each.get("sha256"):
            raise WorkshopError(f"{path}: is not the file that model.toml names (sha256)")
