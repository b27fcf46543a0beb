# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Cases as columns: the row of a case is its number, so a row says which case it is. Row 0 and gaps are no case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BITS = 64


class Vocabulary:
    """Words as numbers: 0 is "none", 1 the first word."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.words: list[str] = []
        self._codes: dict[str | None, int] = {None: 0}
        self.codes(words)

    def codes(self, words: Iterable[str | None]) -> list[int]:
        """The numbers of words; new words are taken in."""
        found = []
        for word in words:
            code = self._codes.get(word)
            if code is None:
                assert word is not None
                self.words.append(word)
                code = self._codes[word] = len(self.words)
            found.append(code)
        return found

    def chosen(self, wanted: Callable[[str], bool], *, none: bool = False) -> NDArray[np.bool_]:
        """By code, whether the word is wanted. Shape (words + 1,)."""
        return np.array([none, *map(wanted, self.words)], dtype=np.bool_)


class Columns:
    """One element a case number in each array; `size` rows are in use.

    Attributes:
        sequence: the last change that is in here; -1: none.
        state: 0 no case, else the place in the list of states + 1.
        words: codes of `vocabulary`.
        floats: NaN where not known. Times are seconds since 1970.
        counts: whole numbers; 0 where not known.
    """

    def __init__(
        self, states: Sequence[str], words: Sequence[str], floats: Sequence[str], counts: Sequence[str]
    ) -> None:
        self.sequence = -1
        self.size = 1
        self.states = Vocabulary(states)
        self.vocabulary = {name: Vocabulary() for name in words}
        self.vehicles = Vocabulary()
        self.state = np.zeros(1, np.int8)
        self.words = {name: np.zeros(1, np.int32) for name in words}
        self.floats = {name: np.full(1, np.nan) for name in floats}
        self.counts = {name: np.zeros(1, np.int64) for name in counts}
        self._seen_by = np.zeros((1, 1), np.uint64)  # a bit a vehicle

    def reserve(self, size: int) -> None:
        """Make room for the case numbers below `size`."""
        if size <= self.size:
            return
        self.size = size
        if size <= len(self.state):
            return
        room = 2 * size
        self.state = _longer(self.state, room, 0)
        self.words = {name: _longer(column, room, 0) for name, column in self.words.items()}
        self.floats = {name: _longer(column, room, np.nan) for name, column in self.floats.items()}
        self.counts = {name: _longer(column, room, 0) for name, column in self.counts.items()}
        self._seen_by = _longer(self._seen_by, room, 0)

    def unsee(self, rows: NDArray[np.int64]) -> None:
        """Forget which vehicles have seen these cases."""
        self._seen_by[rows] = 0

    def see(self, pairs: Sequence[Any]) -> None:
        """Take in which vehicles have seen which cases: (case, vehicle), at least one."""
        numbers, names = zip(*pairs, strict=True)
        codes = np.array(self.vehicles.codes(names), dtype=np.int64)
        words = len(self.vehicles.words) // _BITS + 1
        if words > self._seen_by.shape[1]:
            wider = np.zeros((len(self._seen_by), words), np.uint64)
            wider[:, : self._seen_by.shape[1]] = self._seen_by
            self._seen_by = wider
        bits = np.uint64(1) << (codes % _BITS).astype(np.uint64)
        np.bitwise_or.at(self._seen_by, (np.array(numbers, dtype=np.int64), codes // _BITS), bits)

    def seen_by(self, names: Iterable[str]) -> NDArray[np.bool_]:
        """Which cases any of these vehicles has seen. Shape (size,)."""
        wanted = set(names)
        mask = np.zeros(self._seen_by.shape[1], np.uint64)
        for code, name in enumerate(self.vehicles.words, start=1):
            if name in wanted:
                mask[code // _BITS] |= np.uint64(1) << np.uint64(code % _BITS)
        found: NDArray[np.bool_] = ((self._seen_by[: self.size] & mask) != 0).any(axis=1)
        return found


def _longer(column: NDArray[Any], room: int, fill: float) -> NDArray[Any]:
    longer = np.full((room, *column.shape[1:]), fill, dtype=column.dtype)
    longer[: len(column)] = column
    return longer


def seconds(times: Iterable[str | None]) -> NDArray[np.float64]:
    """Seconds since 1970 of times as the tables write them; NaN where there is none, or no such day."""
    texts = ["NaT" if time is None else time.removesuffix("Z") for time in times]
    try:
        moments = np.array(texts, dtype="datetime64[us]")
    except ValueError:  # 30 February has the right form, too
        moments = np.array([_moment(text) for text in texts], dtype="datetime64[us]")
    since = moments.astype(np.int64) / 1e6
    return np.where(np.isnat(moments), np.nan, since)


def _moment(text: str) -> np.datetime64:
    try:
        return np.datetime64(text, "us")
    except ValueError:
        return np.datetime64("NaT", "us")
