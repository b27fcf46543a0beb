# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A case in plain words, German and English, made from facts alone.

    describe(case, "de")  ->  "Schlagloch, etwa 60 x 40 cm (±14 cm), Schwere 3 von 5. Ort: Königstraße (Mitte), ..."
    title(case, "de")     ->  "Schlagloch, Königstraße"

Pure. Nothing is guessed: what is not known is not told, or told as not known. Each ± and each "to within" covers 95 of
100 cases, where the stated standard deviations hold. A person's note is never part of a text: texts are handed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from depot.cases.records import Case, Sighting
from depot.describing import english, german
from depot.describing.facts import Facts, facts_of
from depot.describing.words import class_name, clean

Language = Literal["de", "en"]

__all__ = ["Language", "class_name", "describe", "describe_both", "title", "title_both"]


def describe(case: Case, language: Language, *, sightings: Sequence[Sighting] = ()) -> str:
    """Some sentences on one line. `sightings`: of this case, in any order; they tell from what size to what it grew."""
    facts = facts_of(case, sightings)
    return " ".join(_sentences(facts, language))


def describe_both(case: Case, *, sightings: Sequence[Sighting] = ()) -> dict[Language, str]:
    """The same in both languages."""
    facts = facts_of(case, sightings)
    return {"de": " ".join(german.sentences(facts)), "en": " ".join(english.sentences(facts))}


def title(case: Case, language: Language) -> str:
    """What and where in a few words, for lists."""
    name = class_name(case.defect_class, language)
    if case.line is not None:
        place = german.line_place(case) if language == "de" else english.line_place(case)
    else:
        place = clean(case.road) or clean(case.district)
    return f"{name}, {place}" if place else name


def title_both(case: Case) -> dict[Language, str]:
    """The same in both languages."""
    return {"de": title(case, "de"), "en": title(case, "en")}


def _sentences(facts: Facts, language: Language) -> list[str]:
    return german.sentences(facts) if language == "de" else english.sentences(facts)
