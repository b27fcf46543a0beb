# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Cards that are cut, defective or counterfeit."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.flash import writing
from workshop.flash.words import FlashError
from workshop.flash.writing import write_card

CHUNK = 4096
SECTOR = 512


class CutError(Exception):
    """The power is gone."""


class Card:
    """A card in memory. What was not flushed may or may not be on it after a cut, each sector by itself."""

    def __init__(self, size: int, *, cut_at: int | None = None, lost: random.Random | None = None) -> None:
        self.size = size
        self.block = SECTOR
        self.content = bytearray(b"\xee" * size)
        self._waiting: list[tuple[int, bytes]] = []
        self._left = cut_at
        self._lost = lost or random.Random(0)

    def _step(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                self._cut()
                raise CutError

    def _cut(self) -> None:
        # Nothing reaches the card after it.
        self.write = self.flush = self.read = self._dead  # type: ignore[method-assign, assignment]
        for at, part in self._waiting:
            if self._lost.random() < 0.5:
                self.content[at : at + len(part)] = part
        self._waiting = []

    def _dead(self, *_: object) -> bytes:
        raise CutError

    def write(self, at: int, content: bytes) -> None:
        assert at + len(content) <= self.size
        for offset in range(0, len(content), SECTOR):
            self._waiting.append((at + offset, content[offset : offset + SECTOR]))
        self._step()

    def flush(self) -> None:
        self._step()
        for at, part in self._waiting:
            self.content[at : at + len(part)] = part
        self._waiting = []

    def read(self, at: int, size: int) -> bytes:
        self._step()
        return bytes(self.content[at : at + size])


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "CHUNK", CHUNK)
    monkeypatch.setattr(writing, "FLUSH_BYTES", 2 * CHUNK)
    monkeypatch.setattr(writing, "_TAIL", 1024)


def image(size: int = 5 * CHUNK + SECTOR) -> list[bytes]:
    content = random.Random(3).randbytes(size)
    return [content[at : at + CHUNK] for at in range(0, size, CHUNK)]


def quiet(phase: str, done: int) -> None:
    pass


def test_what_was_written_is_on_the_card_and_the_rest_is_not_touched() -> None:
    pieces = image()
    card = Card(10 * CHUNK)
    written = write_card(card, pieces, quiet)
    content = b"".join(pieces)
    assert bytes(card.content[: len(content)]) == content
    assert written.sha256 == hashlib.sha256(content).hexdigest()
    assert bytes(card.content[-1024:]) == bytes(1024)
    assert set(card.content[len(content) : -1024]) == {0xEE}


def steps_of(size: int) -> int:
    class Counting(Card):
        steps = 0

        def _step(self) -> None:
            self.steps += 1

    card = Counting(size)
    write_card(card, image(), quiet)
    return card.steps


def bootable(card: Card) -> bool:
    return any(card.content[:SECTOR])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 40), st.randoms(use_true_random=False))
def test_a_cut_at_any_step_leaves_a_card_that_is_not_bootable_or_complete(cut_at: int, lost: random.Random) -> None:
    pieces = image()
    card = Card(10 * CHUNK, cut_at=cut_at, lost=lost)
    before = bytes(card.content)
    try:
        write_card(card, pieces, quiet)
    except CutError:
        if bytes(card.content[:SECTOR]) == before[:SECTOR]:
            # Cut in the very first step: nothing had begun.
            assert bytes(card.content) == before
            return
    if bootable(card):
        content = b"".join(pieces)
        assert bytes(card.content[: len(content)]) == content


def test_every_step_is_reached_by_the_cuts_above() -> None:
    assert steps_of(10 * CHUNK) <= 40


class Bad(Card):
    """Returns other bytes than it got, from a place on or only once."""

    def __init__(self, size: int, wrong_at: int) -> None:
        super().__init__(size)
        self._wrong_at = wrong_at

    def read(self, at: int, size: int) -> bytes:
        found = bytearray(super().read(at, size))
        if at <= self._wrong_at < at + size:
            found[self._wrong_at - at] ^= 1
        return bytes(found)


@given(st.integers(0, 5 * CHUNK + SECTOR - 1))
@settings(max_examples=60, deadline=None)
def test_one_wrong_bit_is_noticed_and_the_card_does_not_start(wrong_at: int) -> None:
    card = Bad(10 * CHUNK, wrong_at)
    with pytest.raises(FlashError) as caught:
        write_card(card, image(), quiet)
    assert "defective or counterfeit" in caught.value.words.en
    assert "defekt oder gefälscht" in caught.value.words.de
    assert not bootable(card)


def test_a_counterfeit_card_that_writes_over_its_own_beginning_is_noticed() -> None:
    class Counterfeit(Card):
        """Says 10 pieces, has 4."""

        def write(self, at: int, content: bytes) -> None:
            super().write(at % (4 * CHUNK), content)

        def read(self, at: int, size: int) -> bytes:
            return super().read(at % (4 * CHUNK), size)

    with pytest.raises(FlashError, match="defekt"):
        write_card(Counterfeit(10 * CHUNK), image(), quiet)


def test_a_card_that_returns_too_little_is_noticed() -> None:
    class Short(Card):
        def read(self, at: int, size: int) -> bytes:
            return super().read(at, size)[:-1]

    with pytest.raises(FlashError):
        write_card(Short(10 * CHUNK), image(), quiet)


def test_what_the_last_check_refuses_does_not_start() -> None:
    def refuse() -> None:
        raise FlashError("nein", "no")

    card = Card(10 * CHUNK)
    with pytest.raises(FlashError, match="nein"):
        write_card(card, image(), quiet, refuse)
    assert not bootable(card)


def test_an_image_that_ends_in_an_error_does_not_start() -> None:
    def broken() -> object:
        yield from image()
        raise FlashError("kaputt", "broken")

    card = Card(10 * CHUNK)
    with pytest.raises(FlashError, match="kaputt"):
        write_card(card, broken(), quiet)  # type: ignore[arg-type]
    assert not bootable(card)


def test_progress_goes_from_nothing_to_all_in_both_phases() -> None:
    told: dict[str, list[int]] = {"write": [], "verify": []}
    size = write_card(Card(10 * CHUNK), image(), lambda phase, done: told[phase].append(done)).size
    for counts in told.values():
        assert counts == sorted(counts)
        assert counts[-1] == size
