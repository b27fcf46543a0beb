# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Large pictures in chunks: what of them is still to be sent on this connection.

Of each the depot is asked first what it has; its every answer names all chunks that it has committed, and only
the others are sent. So nothing about transfers is kept on the vehicle's disk, and a cut, a restart or a depot
that has dropped its chunks all look the same. A picture of one chunk goes whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from messages.chunks import CHUNK_BYTES, MAX_CHUNKS, chunk_bytes, chunk_count, chunk_of
from messages.topics import Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from edge.delivery.outbox import OutboxItem
    from messages.types import Part


@dataclass(frozen=True)
class Piece:
    """What is sent of a picture at a time. `number` None: the question what the depot has; -1: the whole picture."""

    sha256: str
    picture_bytes: int
    number: int | None

    kind = "picture"

    @property
    def key(self) -> str:
        """Its name in the window."""
        return self.sha256 if self.number == -1 else f"{self.sha256}/{'?' if self.number is None else self.number}"

    @property
    def size_bytes(self) -> int:
        """Size of the payload."""
        if self.number is None:
            return 0
        return self.picture_bytes if self.number == -1 else chunk_bytes(self.picture_bytes, self.number)

    def topic(self, vehicle: str) -> Topic:
        """Where it goes."""
        if self.number == -1:
            return Topic(vehicle, "picture", self.sha256)
        return Topic(vehicle, "chunk", self.sha256, self.picture_bytes, self.number or 0)


class Transfers:
    """The pictures under way on one connection. `read` gives a picture's bytes, None where it is damaged."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._told: dict[str, Part] = {}
        self._newest: tuple[str, bytes] | None = None

    def begin(self) -> None:
        """A new connection: who is at its other end, and with which disk, nobody knows."""
        self._told.clear()

    def pieces(self, picture: OutboxItem, under_way: Collection[str], limit: int) -> list[Piece]:
        """Up to `limit` pieces of a picture that are to be sent next; keys in `under_way` were sent already."""
        pieces = (Piece(picture.key, picture.size_bytes, number) for number in self._missing(picture))
        return [piece for piece in pieces if piece.key not in under_way][:limit]

    def _missing(self, picture: OutboxItem) -> list[int | None]:
        if picture.size_bytes <= CHUNK_BYTES:
            return [-1]
        told = self._told.get(picture.key)
        if told is None:
            return [None]
        if told.bytes != picture.size_bytes:  # a mistake at the depot: nothing of it is believed on this connection
            return []
        have = set(told.have)
        return [number for number in range(chunk_count(picture.size_bytes)) if number not in have]

    def payload(self, piece: Piece) -> bytes | None:
        """The bytes of a piece; None where the picture is damaged."""
        if piece.number is None:
            return b""
        if self._newest is None or self._newest[0] != piece.sha256:
            content = self._read(piece.sha256)
            if content is None:
                return None
            self._newest = (piece.sha256, content)
        content = self._newest[1]
        return content if piece.number == -1 else chunk_of(content, piece.number)

    def told(self, part: Part) -> list[str]:
        """The depot has said what it has; returns the keys of the pieces that this answers."""
        self._told[part.sha256] = part
        return [Piece(part.sha256, part.bytes, number).key for number in (None, *part.have)]

    def done(self, sha256: str) -> list[str]:
        """The depot has or refuses the whole picture; returns the keys of all its pieces that it might have had."""
        self._told.pop(sha256, None)
        if self._newest is not None and self._newest[0] == sha256:
            self._newest = None
        return [sha256, f"{sha256}/?", *(f"{sha256}/{number}" for number in range(MAX_CHUNKS))]
