# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Talking with the technician: lines, questions, progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol, TextIO

from workshop.flash.words import Lang, Words, refuse


class Console(Protocol):
    """Who is told and asked."""

    def say(self, words: Words) -> None:
        """One line."""

    def ask(self, words: Words) -> str:
        """A question; the answer without blanks around it."""

    def progress(self, words: Words, total: int | None) -> Callable[[int], None]:
        """Begin something of so many bytes (None: nobody knows); returns what is told the bytes done."""


class Terminal:
    """A person's, or a log file's: there progress is a line every tenth."""

    def __init__(self, lang: Lang, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._lang = lang
        self._out = out or sys.stdout
        self._clock = clock

    def say(self, words: Words) -> None:
        """One line."""
        print(words.say(self._lang), file=self._out, flush=True)

    def ask(self, words: Words) -> str:
        """A question.

        Raises:
            FlashError: nobody is there to answer.
        """
        print(words.say(self._lang), end=" ", file=self._out, flush=True)
        line = sys.stdin.readline()
        if not line:
            self.say(Words("", ""))
            refuse("keine Antwort; in Skripten --serial angeben", "no answer; in scripts give --serial")
        return line.strip()

    def progress(self, words: Words, total: int | None) -> Callable[[int], None]:
        """See Console."""
        meter = Meter(total)
        live = self._out.isatty()
        name = words.say(self._lang)

        def tell(done: int) -> None:
            line = meter.line(done, self._clock(), live=live)
            if line is None:
                return
            end = "\n" if done == total or not live else ""
            print(f"{chr(13) if live else ''}{name}: {line}{chr(32) * live}", end=end, file=self._out, flush=True)

        return tell


class Meter:
    """Bytes and seconds to a line, not too often. The first piece starts the clock."""

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._first: tuple[int, float] | None = None
        self._said = 0.0
        self._tenth = 0
        self._ended = False

    def line(self, done: int, now: float, *, live: bool) -> str | None:
        """What to show; None where it is too early. `live`: twice a second, else every tenth."""
        if self._first is None:
            self._first, self._said = (done, now), now
        tenth = done * 10 // self._total if self._total else 0
        early = now - self._said < 0.5 if live else tenth <= self._tenth
        if self._ended or (early and done != self._total):
            return None
        self._said, self._tenth, self._ended = now, tenth, done == self._total
        bytes_per_s = (done - self._first[0]) / max(now - self._first[1], 1e-6)
        rate = f"{bytes_per_s / 1e6:.0f} MB/s"
        if not self._total:
            return f"{done / 1e6:.0f} MB, {rate}"
        share = f"{done * 100 // self._total:3d} %, {done / 1e6:.0f}/{self._total / 1e6:.0f} MB"
        left = _clock((self._total - done) / bytes_per_s) if bytes_per_s else "?"
        return f"{share}, {rate}, {left}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
