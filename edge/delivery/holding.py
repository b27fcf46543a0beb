# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the disk has not got yet: facts, pictures' names and answers on their way into the store.

On a healthy disk it is empty after every call of the outbox. While the disk takes nothing (full, read-only, broken)
it keeps the newest things in memory, bounded, and the uplink sends from it as from the store.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from edge.delivery.database import KINDS

if TYPE_CHECKING:
    from edge.delivery.port import Counts

#: So many facts at most are written in one transaction: on a nearly full disk a part may find room.
_BATCH = 100


@dataclass(frozen=True)
class Fact:
    """An event with its id. `sha256`: its picture."""

    id: str
    kind: str
    payload: bytes
    sha256: str | None = None


@dataclass(frozen=True)
class PictureName:
    """A picture of this run. `stored`: its file is on the disk."""

    sha256: str
    size_bytes: int
    stored: bool


@dataclass(frozen=True)
class Answer:
    """What became of something in the store. `table`: event or picture."""

    table: str
    key: str
    state: str
    reason: str | None = None


@dataclass(frozen=True)
class Batch:
    """What is to be written in one transaction. `settled`: states of facts answered before the disk had them."""

    facts: tuple[Fact, ...]
    pictures: tuple[PictureName, ...]
    answers: tuple[Answer, ...]
    settled: dict[str, int]


class Holding:
    """At most `limit` facts. Used by one thread at a time. `lost`: facts that found no room here either."""

    def __init__(self, limit: int) -> None:
        self.facts: dict[str, Fact] = {}
        self.pictures: dict[str, PictureName] = {}
        self.answers: dict[tuple[str, str], Answer] = {}
        self.settled: Counter[str] = Counter()
        self.lost = 0
        self._limit = limit

    def __bool__(self) -> bool:
        return bool(self.facts or self.pictures or self.answers or self.settled)

    def add(self, fact: Fact, picture: PictureName | None) -> None:
        """Take a fact; where there is no room the oldest of the least important kind goes."""
        self.facts[fact.id] = fact
        if picture is not None:
            self.pictures[picture.sha256] = picture
        if len(self.facts) > self._limit:
            kinds = {held.kind for held in self.facts.values()}
            least = next(kind for kind in reversed(KINDS) if kind in kinds)
            gone = next(held for held in self.facts.values() if held.kind == least)
            self.facts.pop(gone.id)
            self.lost += 1
            if gone.sha256 is not None:
                self.pictures.pop(gone.sha256, None)

    def answer(self, answer: Answer) -> None:
        """Note an answer to a fact here or to something in the store."""
        if answer.table == "event" and self.facts.pop(answer.key, None) is not None:
            self.settled[answer.state] += 1
        else:
            self.answers[answer.table, answer.key] = answer

    def batch(self) -> Batch:
        """What to write next."""
        return Batch(
            tuple(islice(self.facts.values(), _BATCH)),
            tuple(self.pictures.values()),
            tuple(self.answers.values()),
            dict(self.settled),
        )

    def written(self, batch: Batch) -> None:
        """The disk has it now."""
        for fact in batch.facts:
            self.facts.pop(fact.id, None)
        self.pictures.clear()
        self.answers.clear()
        self.settled.clear()

    def counted(self, stored: Counts) -> Counts:
        """The store's counts with what it has not got."""
        events, pictures = Counter(self.settled), Counter[str]()
        for answer in self.answers.values():
            (events if answer.table == "event" else pictures)[answer.state] += 1
        missing = sum(not picture.stored for picture in self.pictures.values())
        return replace(
            stored,
            confirmed=stored.confirmed + len(self.facts) + sum(self.settled.values()),
            published=stored.published + sum(events.values()),
            acknowledged=stored.acknowledged + events["acknowledged"],
            refused=stored.refused + events["refused"],
            pictures_confirmed=stored.pictures_confirmed + len(self.pictures),
            pictures_acknowledged=stored.pictures_acknowledged + pictures["acknowledged"],
            pictures_refused=stored.pictures_refused + pictures["refused"],
            pictures_lost=stored.pictures_lost + pictures["lost"] + missing,
        )
