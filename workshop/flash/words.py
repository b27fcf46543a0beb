# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a technician reads: every line in German and in English."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NoReturn

from workshop.errors import WorkshopError

Lang = Literal["de", "en"]


@dataclass(frozen=True)
class Words:
    """One line in both languages."""

    de: str
    en: str

    def say(self, lang: Lang) -> str:
        """The line in one of them."""
        return self.de if lang == "de" else self.en


class FlashError(WorkshopError):
    """What, where, why and what to do, in both languages."""

    def __init__(self, de: str, en: str) -> None:
        super().__init__(de)
        self.words = Words(de, en)


def refuse(de: str, en: str) -> NoReturn:
    """Raise FlashError."""
    raise FlashError(de, en)
