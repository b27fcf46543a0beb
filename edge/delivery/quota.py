# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How much the outbox may hold, and what goes first when there is too little room: decisions only.

Pictures go before facts: first those that the depot has answered, the oldest first, then waiting ones, the oldest
first. Facts go only when more of their kind wait than its quota allows, the oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Quota:
    """Bounds of the outbox.

    pictures_bytes: all picture files together.
    free_bytes: no picture is written when less would stay free: room for some 10,000 facts and the store's log.
    waiting: facts of a kind that the depot has not answered. A kind that is not named has no bound.
    in_memory: facts that are kept while the disk takes none.
    """

    pictures_bytes: int = 4096 * _MIB
    free_bytes: int = 32 * _MIB
    waiting: Mapping[str, int] = field(default_factory=lambda: {"coverage": 200_000, "roughness": 200_000})
    in_memory: int = 2000


@dataclass(frozen=True)
class Shelf:
    """What lies there: hash and size of each picture, in the order in which they would go."""

    answered: Sequence[tuple[str, int]]
    waiting: Sequence[tuple[str, int]]

    @property
    def total_bytes(self) -> int:
        """Size of all."""
        return sum(size for _, size in self.answered) + sum(size for _, size in self.waiting)


@dataclass(frozen=True)
class Clearance:
    """Pictures that have to go, in this order."""

    answered: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


def clear(shelf: Shelf, needed_bytes: int) -> Clearance | None:
    """What has to go so that `needed_bytes` become free; None where all of it would not be enough."""
    if shelf.total_bytes < needed_bytes:
        return None
    answered, missing = _take(shelf.answered, needed_bytes)
    waiting, _ = _take(shelf.waiting, missing)
    return Clearance(answered, waiting)


def _take(pictures: Sequence[tuple[str, int]], needed_bytes: int) -> tuple[tuple[str, ...], int]:
    taken: list[str] = []
    for sha256, size in pictures:
        if needed_bytes <= 0:
            break
        taken.append(sha256)
        needed_bytes -= size
    return tuple(taken), needed_bytes
