# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The order in which a card is written: whenever it is cut, the card is either not bootable or complete.

The sector with the partition table is wiped first and written last, after everything else lies on the card and was
read back from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from workshop.flash.image import CHUNK
from workshop.flash.words import refuse

#: Written bytes after which the card is made to have them: progress tells the truth, and memory stays free.
FLUSH_BYTES = 16 * CHUNK
#: Where the copy of a GPT lies, at the end of a card.
_TAIL = 1024 * 1024

Phase = Literal["write", "verify"]
#: What is being done, bytes done.
Progress = Callable[[Phase, int], None]


class Target(Protocol):
    """A card. Every call may raise OSError."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def block(self) -> int:
        """What it writes at once, bytes."""

    def write(self, at: int, content: bytes) -> None:
        """Hand over bytes; they may still be on their way."""

    def flush(self) -> None:
        """Wait until all of them are on the card."""

    def read(self, at: int, size: int) -> bytes:
        """What the card itself returns, not the computer's memory of it."""


@dataclass(frozen=True)
class Written:
    """What lies on the card. `sha256`: of the whole."""

    size: int
    sha256: str


def write_card(
    target: Target, chunks: Iterable[bytes], progress: Progress, before_end: Callable[[], None] = lambda: None
) -> Written:
    """Write pieces of CHUNK bytes from the beginning, read all back, make it bootable last.

    Args:
        target: the card.
        chunks: its content; only the last piece may be shorter.
        progress: told the bytes done.
        before_end: a last check, with all but the first piece on the card; may raise.

    Raises:
        FlashError: the card does not return what was written; it is not bootable then.
        OSError: it cannot be written or read.
    """
    _wipe(target)
    head, digests, size, whole = b"", [], 0, hashlib.sha256()
    for number, chunk in enumerate(chunks):
        whole.update(chunk)
        digests.append(hashlib.sha256(chunk).digest())
        if number == 0:
            head = chunk
        else:
            target.write(size, chunk)
        size += len(chunk)
        if size % FLUSH_BYTES == 0:
            target.flush()
        progress("write", size)
    target.flush()
    progress("write", size)
    for number, digest in enumerate(digests[1:], 1):
        at = number * CHUNK
        _compare(target.read(at, min(CHUNK, size - at)), digest, at)
        progress("verify", min(at + CHUNK, size))
    before_end()
    _write_head(target, head)
    try:
        _compare(target.read(0, len(head)), digests[0], 0)
    except BaseException:
        _wipe_first(target)
        raise
    progress("verify", size)
    return Written(size, whole.hexdigest())


def _wipe(target: Target) -> None:
    """Neither the old table nor its copy at the end may start anything any more."""
    _wipe_first(target)
    tail = min(_TAIL, target.size)
    target.write(target.size - tail, bytes(tail))
    target.flush()


def _wipe_first(target: Target) -> None:
    """The first sector before the others: without it the rest starts nothing, whatever becomes of it."""
    target.write(0, bytes(target.block))
    target.flush()
    target.write(target.block, bytes(min(_TAIL, target.size) - target.block))
    target.flush()


def _write_head(target: Target, head: bytes) -> None:
    target.write(target.block, head[target.block :])
    target.flush()
    target.write(0, head[: target.block])
    target.flush()


def _compare(found: bytes, digest: bytes, at: int) -> None:
    if hashlib.sha256(found).digest() != digest:
        where = f"{at // 1_000_000} MB"
        refuse(
            f"die Karte gibt bei {where} anderes zurück, als geschrieben wurde: sie ist defekt oder gefälscht;"
            " sie startet nicht, eine andere nehmen",
            f"at {where} the card returns something else than was written: it is defective or counterfeit;"
            " it does not start, take another one",
        )
