# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a file, and which program was missing to say more."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to mend. `line` counts from 1; 0: the whole file."""

    path: Path
    line: int
    why: str
    to_do: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return f"{place}: {self.why}; {self.to_do}"


@dataclass(frozen=True, order=True)
class Missing:
    """A file that nobody could check, because a program is not there (or may not do it)."""

    path: Path
    program: str
    package: str

    def __str__(self) -> str:
        return f"{self.path}: not checked, {self.program} is missing: {self.package}"


@dataclass
class Report:
    """Collects both."""

    findings: list[Finding] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    def add(self, path: Path, line: int, why: str, to_do: str) -> None:
        """One finding."""
        self.findings.append(Finding(path, line, why, to_do))


def nearest(word: str, known: Iterable[str]) -> str:
    """What to do about an unknown word: the known one that looks most like it."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"write {found[0]}" if found else "take it away, or add it to the known words in workshop/firmware"
