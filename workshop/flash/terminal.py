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
        meter = Meter(total, self._clock())
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
    """Bytes and seconds to a line, not too often. Pure but for what it said last."""

    def __init__(self, total: int | None, began: float) -> None:
        self._total = total
        self._began = self._said = began
        self._tenth = 0
        self._ended = False

    def line(self, done: int, now: float, *, live: bool) -> str | None:
        """What to show; None where it is too early. `live`: twice a second, else every tenth."""
        whole = self._total or 0
        tenth = done * 10 // whole if whole else 0
        if self._ended or (done != self._total and (now - self._said < 0.5 if live else tenth <= self._tenth)):
            return None
        self._said, self._tenth, self._ended = now, tenth, done == self._total
        seconds = max(now - self._began, 1e-6)
        speed = done / seconds
        rate = f"{done / 1e6:.0f} MB, {speed / 1e6:.0f} MB/s"
        if not whole:
            return rate
        left = (whole - done) / speed if speed else 0.0
        return (
            f"{done * 100 // whole:3d} %, {done / 1e6:.0f}/{whole / 1e6:.0f} MB, {speed / 1e6:.0f} MB/s, {_clock(left)}"
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
