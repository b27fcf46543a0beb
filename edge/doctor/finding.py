# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the doctor found out about one part of the vehicle, in German and English."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Grade = Literal["ok", "warn", "bad", "skip"]
Language = Literal["de", "en"]


@dataclass(frozen=True)
class Words:
    """The same in both languages."""

    de: str
    en: str

    def __getitem__(self, language: Language) -> str:
        return self.de if language == "de" else self.en


NOTHING = Words("", "")


@dataclass(frozen=True)
class Finding:
    """One part. `advice`: what to do, empty where all is well. `figures`: what was measured, units in their names."""

    part: Words
    grade: Grade
    text: Words
    advice: Words = NOTHING
    figures: dict[str, float] = field(default_factory=dict)

    def line(self, language: Language) -> str:
        """One line for the technician."""
        mark = _MARKS[self.grade][language]
        advice = f" -> {self.advice[language]}" if self.advice[language] else ""
        return f"{mark:8} {self.part[language]}: {self.text[language]}{advice}"

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "part": self.part.en,
            "grade": self.grade,
            "text": self.text.en,
            "advice": self.advice.en,
            "figures": self.figures,
        }


_MARKS: dict[Grade, Words] = {
    "ok": Words("gut", "good"),
    "warn": Words("ACHTUNG", "WARNING"),
    "bad": Words("FEHLER", "FAULT"),
    "skip": Words("-", "-"),
}
