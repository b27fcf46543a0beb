# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The German text of a case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from depot.cases.records import Case
from depot.describing.facts import TIMES, Extent, Facts
from depot.describing.words import class_name, clean

_COMPASS = ("Norden", "Nordosten", "Osten", "Südosten", "Süden", "Südwesten", "Westen", "Nordwesten")
_SIDES = {"left": "links", "middle": "Mitte", "right": "rechts"}
_REASONS = {
    "not_a_defect": "kein Schaden",
    "not_ours": "andere Zuständigkeit",
    "duplicate": "doppelt erfasst",
    "already_repaired": "bereits repariert",
    "bad_picture": "auf dem Bild nicht zu beurteilen",
    "other": "sonstiger Grund",
}


def sentences(facts: Facts) -> list[str]:
    """Each ends with a full stop."""
    return [_what(facts), _where(facts), _seen(facts), *_development(facts), *_state(facts)]


def line_place(case: Case) -> str:
    """Where on its line: "Linie U79, Gleis 1, km 12,345"."""
    parts = [f"Linie {clean(case.line) or '?'}"]
    if clean(case.track):
        parts.append(f"Gleis {clean(case.track)}")
    if case.chainage_m is not None:
        parts.append(f"km {_decimal(case.chainage_m / 1000, 3)}")
    return ", ".join(parts)


def _what(facts: Facts) -> str:
    parts = [class_name(facts.case.defect_class, "de")]
    if facts.extent is not None:
        parts.append(_size(facts.extent))
    if facts.case.grade is not None:
        parts.append(f"Schwere {facts.case.grade} von 5")
    return ", ".join(parts) + "."


def _size(extent: Extent) -> str:
    if extent.width_m is None:
        text = f"etwa {_metres(extent.length_m)} lang"
    elif max(extent.length_m, extent.width_m) < 1:
        text = f"etwa {100 * extent.length_m:.0f} {TIMES} {100 * extent.width_m:.0f} cm"
    else:
        text = f"etwa {_decimal(extent.length_m, 1)} {TIMES} {_decimal(extent.width_m, 1)} m"
    return text if extent.error_m is None else f"{text} (±{_metres(extent.error_m)})"


def _where(facts: Facts) -> str:
    case = facts.case
    if case.line is not None:
        parts = [line_place(case)]
        if case.side is not None:
            parts.append(f"{_SIDES[case.side]} in Richtung steigender Kilometrierung")
    else:
        road, district = clean(case.road), clean(case.district)
        parts = [f"{road} ({district})" if road and district else road or district]
        if case.lon is None and not parts[0]:
            return "Ort nicht bekannt."
        if facts.compass is not None:
            parts.append(f"Fahrtrichtung {_COMPASS[facts.compass]}")
    if case.surface == "lining":
        clock = "" if facts.clock_quarters is None else f" bei Uhrlage {_clock(facts.clock_quarters)}"
        parts.append(f"Tunnelschale{clock}")
    if facts.within_m is not None:
        parts.append(f"Lage auf {facts.within_m} m genau")
    told = ", ".join(part for part in parts if part)
    return f"Ort: {told}." if told else "Ort: nur auf der Karte bekannt."


def _seen(facts: Facts) -> str:
    case, first, last = facts.case, facts.first_day or facts.opened_day, facts.last_day
    reports = "eine Bürgermeldung" if case.reports == 1 else f"{case.reports} Bürgermeldungen"
    if case.vehicles == 0:
        if case.reports == 0:
            return "Zurzeit keine Sichtung zugeordnet."
        day = "" if first is None else f" vom {_day(first)}" if case.reports == 1 else f", die erste vom {_day(first)}"
        return f"{reports[0].upper()}{reports[1:]}{day}; bisher von keinem Fahrzeug gesehen."
    passes = "einer Fahrt" if case.passes <= 1 else f"{case.passes} Fahrten"
    by = "" if case.passes <= 1 else " eines Fahrzeugs" if case.vehicles == 1 else f" von {case.vehicles} Fahrzeugen"
    if facts.first_day is None or last is None:
        text = f"Bei {passes}{by} gesehen, Datum noch nicht bekannt"
    elif facts.first_day == last:
        text = f"Am {_day(last)} bei {passes}{by} gesehen"
    elif case.reports:
        text = f"Bekannt seit dem {_day(facts.first_day)}, bei {passes}{by} gesehen, zuletzt am {_day(last)}"
    else:
        text = f"Seit dem {_day(facts.first_day)} bei {passes}{by} gesehen, zuletzt am {_day(last)}"
    return f"{text}; dazu {reports}." if case.reports else f"{text}."


def _development(facts: Facts) -> Iterator[str]:
    case, growth = facts.case, facts.growth
    if case.trend == "steady":
        yield "Keine Änderung der Größe feststellbar."
    elif case.trend is not None:
        text = "Wird größer" if case.trend == "growing" else "Wird kleiner"
        if growth is not None and (growth.last_m > growth.first_m) == (case.trend == "growing"):
            text += (
                f": von etwa {_metres(growth.first_m)} ({_day(growth.first_day)})"
                f" auf etwa {_metres(growth.last_m)} ({_day(growth.last_day)})"
            )
        yield f"{text}."
    if case.shock_mps2 is not None:
        yield f"Beim Überfahren wurde ein Stoß von {_decimal(case.shock_mps2, 1)} m/s² gemessen."
    if case.looks_without:
        later, last = (
            ("einer späteren Fahrt", "am ")
            if case.looks_without == 1
            else (f"{case.looks_without} späteren Fahrten", "zuletzt am ")
        )
        day = "" if facts.look_day is None else f" ({last}{_day(facts.look_day)})"
        yield f"Bei {later} war der Schaden nicht zu sehen{day}."


def _state(facts: Facts) -> Iterator[str]:
    case = facts.case
    on = "" if facts.decided_day is None else f"am {_day(facts.decided_day)} "
    match case.state:
        case "new":
            yield "Automatisch erkannt, noch nicht geprüft." if case.vehicles else "Noch nicht geprüft."
        case "confirmed":
            yield _sentence(f"{on}geprüft und bestätigt")
        case "ordered":
            yield _sentence(f"{on}zur Reparatur beauftragt")
        case "repaired":
            yield _sentence(f"{on}als repariert gemeldet")
        case "reopened":
            yield "Wieder geöffnet."
        case "rejected":
            reason = _REASONS.get(case.reject_reason or "")
            yield _sentence(f"{on}abgelehnt") if reason is None else _sentence(f"{on}abgelehnt ({reason})")
        case "merged":
            yield f"Mit Fall {case.merged_into} zusammengelegt."


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _metres(value_m: float) -> str:
    return f"{100 * value_m:.0f} cm" if value_m < 0.995 else f"{_decimal(value_m, 1)} m"


def _decimal(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace(".", ",")


def _day(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def _clock(quarters: int) -> str:
    return f"{quarters // 4 or 12}:{quarters % 4 * 15:02d}"
