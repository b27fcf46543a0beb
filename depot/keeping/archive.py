# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The file of a backup: a plain tar that other programs can open, too.

about.json       what it is, when and of what it was made, hash of the database
database         SQLite's file, or what `pg_dump --format=custom` wrote
pictures.txt     all pictures that the database speaks of: hash, bytes, "expired" where retention took the bytes
pictures/….jpg   their bytes, unless the backup was made without
end.json         written last: without it the file is cut short
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import msgspec

from depot.keeping.errors import BackupError

VERSION = 1
_PART = 1 << 20


class About(msgspec.Struct, frozen=True, kw_only=True):
    """`about.json`."""

    version: int
    made_utc: str
    dialect: Literal["sqlite", "postgresql"]
    events: int
    sequence: int
    database_sha256: str
    with_pictures: bool


class End(msgspec.Struct, frozen=True, kw_only=True):
    """`end.json`. `pictures`: how many are in the file."""

    pictures: int
    pictures_txt_sha256: str


@dataclass(frozen=True)
class Entry:
    """A line of `pictures.txt`."""

    sha256: str
    bytes: int
    expired: bool


class Writer:
    """Writes an archive, its parts in the order above."""

    def __init__(self, file: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by `end`
        self._pictures = 0
        self._listed = ""

    def database(self, about: About, path: Path) -> None:
        """`about.json` and the database from its file."""
        self._add("about.json", msgspec.json.format(msgspec.json.encode(about), indent=2))
        self._tar.add(path, arcname="database", filter=_plain)

    def manifest(self, entries: list[Entry]) -> None:
        """`pictures.txt`."""
        lines = [f"{entry.sha256} {entry.bytes}{' expired' if entry.expired else ''}\n" for entry in entries]
        content = "".join(lines).encode()
        self._listed = hashlib.sha256(content).hexdigest()
        self._add("pictures.txt", content)

    def picture(self, sha256: str, content: bytes) -> None:
        """A picture's bytes."""
        self._pictures += 1
        self._add(f"pictures/{sha256[:2]}/{sha256}.jpg", content)

    def end(self) -> None:
        """`end.json`."""
        self._add("end.json", msgspec.json.encode(End(pictures=self._pictures, pictures_txt_sha256=self._listed)))
        self._tar.close()

    def _add(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        self._tar.addfile(_plain(member), io.BytesIO(content))


class Reader:
    """Reads an archive. `check` first: it has looked at every byte before anything is brought back."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> tuple[About, list[Entry]]:
        """Read all of it; what it is, and its list of pictures. Raises BackupError."""
        about: About | None = None
        entries: list[Entry] = []
        database, listed, pictures, end = None, "", 0, None
        with self._errors():
            for name, file in self._members():
                if name == "about.json":
                    about = self._about(file.read())
                elif name == "database":
                    database = digest(file)
                elif name == "pictures.txt":
                    content = file.read()
                    listed, entries = hashlib.sha256(content).hexdigest(), _entries(content)
                elif name.startswith("pictures/"):
                    pictures += 1
                    if digest(file) != Path(name).stem:
                        raise self._broken(f"{name} in it is damaged")
                elif name == "end.json":
                    end = msgspec.json.decode(file.read(), type=End)
        if about is None or end is None:
            raise self._broken("it is cut short")
        if database != about.database_sha256:
            raise self._broken("its database is damaged")
        if end != End(pictures=pictures, pictures_txt_sha256=listed):
            raise self._broken("parts of it are missing")
        return about, entries

    def database(self, into: Path) -> None:
        """Write the database into a new file. Raises BackupError, OSError."""
        for name, file in self._members():
            if name == "database":
                with into.open("xb") as out:
                    while part := file.read(_PART):
                        out.write(part)
                return

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """All pictures in it: hash and bytes. Raises BackupError."""
        with self._errors():
            for name, file in self._members():
                if name.startswith("pictures/"):
                    yield Path(name).stem, file.read()

    def _members(self) -> Iterator[tuple[str, IO[bytes]]]:
        with tarfile.open(self._path, "r:") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file is None:
                    raise self._broken(f"{member.name!r} in it is no plain file")
                yield member.name, file

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BackupError(f"{self._path}: cannot be read: {error.strerror or error}") from None
        except (tarfile.TarError, EOFError, msgspec.DecodeError, ValueError) as error:
            raise self._broken(str(error)) from None

    def _about(self, content: bytes) -> About:
        version = msgspec.json.decode(content, type=dict).get("version")
        if version != VERSION:
            raise BackupError(f"{self._path}: written by another depot (format {version}, this one reads {VERSION})")
        return msgspec.json.decode(content, type=About)

    def _broken(self, why: str) -> BackupError:
        return BackupError(f"{self._path}: no whole backup of a depot: {why}")


def _entries(content: bytes) -> list[Entry]:
    """Lines of `pictures.txt`. Raises ValueError."""
    entries = []
    for line in content.decode("ascii").splitlines():
        sha256, size, *more = line.split(" ")
        entries.append(Entry(sha256, int(size), more == ["expired"]))
    return entries


def digest(file: IO[bytes]) -> str:
    """SHA-256 of what is left to read of a file."""
    found = hashlib.sha256()
    while part := file.read(_PART):
        found.update(part)
    return found.hexdigest()


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same wherever and by whomever it is made; whoever unpacks it is the only one who may read it."""
    member.mode, member.mtime = 0o600, 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
