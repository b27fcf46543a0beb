# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Words: what the classes of defects are called, and names from elsewhere made fit for a text."""

from __future__ import annotations

from typing import Literal

#: As the page calls them.
_NAMES: dict[str, tuple[str, str]] = {
    "pothole": ("Schlagloch", "Pothole"),
    "longitudinal_crack": ("Längsriss", "Longitudinal crack"),
    "transverse_crack": ("Querriss", "Transverse crack"),
    "alligator_crack": ("Netzriss", "Alligator crack"),
    "crack": ("Riss", "Crack"),
    "spalling": ("Abplatzung", "Spalling"),
    "water_leakage": ("Wasseraustritt", "Water leakage"),
    "efflorescence": ("Ausblühung", "Efflorescence"),
    "exposed_rebar": ("Freiliegende Bewehrung", "Exposed rebar"),
    "corrosion": ("Korrosion", "Corrosion"),
    #: A citizen's picture in which nothing was found: a person has to say what it is.
    "unclear": ("Unklarer Schaden", "Unclear defect"),
}

#: A box around one of these says how long it is; how wide it gapes, no box says.
LINES = frozenset({"crack", "longitudinal_crack", "transverse_crack"})


def class_name(defect_class: str, language: Literal["de", "en"]) -> str:
    """The name of a class; of one that a newer model brings, its own name in plain letters."""
    names = _NAMES.get(defect_class)
    if names is not None:
        return names[0 if language == "de" else 1]
    plain = clean(defect_class.replace("_", " ")) or "?"
    return plain[:1].upper() + plain[1:]


def clean(text: str | None) -> str:
    """A name from elsewhere (a map, a clerk) on one line, without what cannot be printed."""
    if text is None:
        return ""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
