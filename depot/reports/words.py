# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a citizen is told of a report."""

from __future__ import annotations

from depot.describing import Language
from depot.reports.judging import Reason

_REFUSED: dict[Reason, tuple[str, str]] = {
    "people": (
        (
            "Auf dem Bild ist vermutlich eine Person zu sehen. Es wurde nicht gespeichert."
            " Bitte senden Sie ein Bild, auf dem nur der Schaden zu sehen ist."
        ),
        (
            "There is probably a person in the picture. It was not stored."
            " Please send a picture that shows the defect alone."
        ),
    ),
    "vehicle": (
        (
            "Dicht am Schaden ist ein Fahrzeug zu sehen, sein Kennzeichen könnte lesbar sein."
            " Das Bild wurde nicht gespeichert. Bitte nehmen Sie den Schaden ohne Fahrzeug auf."
        ),
        (
            "There is a vehicle close to the defect, and its number plate might be legible. The picture was not stored."
            " Please take the defect without the vehicle."
        ),
    ),
}
_ACCEPTED: dict[Reason | None, tuple[str, str]] = {
    None: (
        "Vielen Dank. Ihre Meldung gehört zu Fall {case}. Vom Bild wurde nur der Schaden selbst scharf gespeichert.",
        "Thank you. Your report belongs to case {case}. Of the picture only the defect itself was stored sharp.",
    ),
    "nothing": (
        (
            "Vielen Dank. Ihre Meldung gehört zu Fall {case}. Auf dem Bild wurde kein Schaden erkannt,"
            " es wurde deshalb nicht gespeichert; die Stelle wird geprüft."
        ),
        (
            "Thank you. Your report belongs to case {case}. No defect was recognised in the picture,"
            " so it was not stored; the place will be checked."
        ),
    ),
    "none": (
        "Vielen Dank. Ihre Meldung gehört zu Fall {case}; die Stelle wird geprüft.",
        "Thank you. Your report belongs to case {case}; the place will be checked.",
    ),
}


def refused(reason: Reason) -> dict[Language, str]:
    """Why, and what to do."""
    german, english = _REFUSED[reason]
    return {"de": german, "en": english}


def accepted(case: int, reason: Reason | None) -> dict[Language, str]:
    """What becomes of it."""
    german, english = _ACCEPTED[reason]
    return {"de": german.format(case=case), "en": english.format(case=case)}
