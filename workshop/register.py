# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which certificates were given out and taken back: a file to which lines are only ever added."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from workshop.errors import WorkshopError
from workshop.files import append, write

Kind = Literal["vehicle", "depot", "broker"]


class Issued(Struct, frozen=True, kw_only=True, tag="issued"):
    """A certificate was made. `until`: RFC 3339, when it ends. `serial`: hexadecimal."""

    serial: str
    kind: Kind
    name: str
    at: str
    until: str


class Revoked(Struct, frozen=True, kw_only=True, tag="revoked"):
    """It was taken back."""

    serial: str
    at: str
    reason: Annotated[str, Meta(max_length=200)]


_decoder: msgspec.json.Decoder[Issued | Revoked] = msgspec.json.Decoder(Issued | Revoked)


class Register:
    """The file. A last line that a power cut left incomplete is ignored: its certificate was not handed out yet."""

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            WorkshopError: it is damaged before its last line.
        """
        self._path = path
        self.issued: dict[str, Issued] = {}
        self.revoked: dict[str, Revoked] = {}
        lines = path.read_bytes().split(b"\n") if path.is_file() else [b""]
        for number, line in enumerate(lines[:-1], 1):
            self._take(self._read(line, number))
        if lines[-1]:
            write(path, b"".join(line + b"\n" for line in lines[:-1]))

    def _read(self, line: bytes, number: int) -> Issued | Revoked:
        try:
            return _decoder.decode(line)
        except msgspec.DecodeError as error:
            raise WorkshopError(f"{self._path}, line {number}: {error}; bring it back from a backup") from None

    def add(self, entry: Issued | Revoked) -> None:
        """Write an entry down for good. Raises OSError."""
        append(self._path, msgspec.json.encode(entry))
        self._take(entry)

    def of(self, name: str) -> list[Issued]:
        """What was given out under a name and not taken back, oldest first."""
        return [one for one in self.issued.values() if one.name == name and one.serial not in self.revoked]

    def _take(self, entry: Issued | Revoked) -> None:
        if isinstance(entry, Issued):
            self.issued[entry.serial] = entry
        else:
            self.revoked[entry.serial] = entry
