# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The English text of a case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from depot.cases.records import Case
from depot.describing.facts import TIMES, Extent, Facts
from depot.describing.words import class_name, clean

_COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
_SIDES = {"left": "left", "middle": "middle", "right": "right"}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_REASONS = {
    "not_a_defect": "no defect",
    "not_ours": "not our responsibility",
    "duplicate": "recorded twice",
    "already_repaired": "already repaired",
    "bad_picture": "the picture does not allow a judgement",
    "other": "another reason",
}


def sentences(facts: Facts) -> list[str]:
    """Each ends with a full stop."""
    return [_what(facts), _where(facts), _seen(facts), *_development(facts), *_state(facts)]


def line_place(case: Case) -> str:
    """Where on its line: "line U79, track 1, km 12.345"."""
    parts = [f"line {clean(case.line) or '?'}"]
    if clean(case.track):
        parts.append(f"track {clean(case.track)}")
    if case.chainage_m is not None:
        parts.append(f"km {case.chainage_m / 1000:.3f}")
    return ", ".join(parts)


def _what(facts: Facts) -> str:
    parts = [class_name(facts.case.defect_class, "en")]
    if facts.extent is not None:
        parts.append(_size(facts.extent))
    if facts.case.grade is not None:
        parts.append(f"severity {facts.case.grade} of 5")
    return ", ".join(parts) + "."


def _size(extent: Extent) -> str:
    if extent.width_m is None:
        text = f"about {_metres(extent.length_m)} long"
    elif max(extent.length_m, extent.width_m) < 1:
        text = f"about {100 * extent.length_m:.0f} {TIMES} {100 * extent.width_m:.0f} cm"
    else:
        text = f"about {extent.length_m:.1f} {TIMES} {extent.width_m:.1f} m"
    return text if extent.error_m is None else f"{text} (±{_metres(extent.error_m)})"


def _where(facts: Facts) -> str:
    case = facts.case
    if case.line is not None:
        parts = [line_place(case)]
        if case.side is not None:
            parts.append(f"{_SIDES[case.side]} in the direction of growing chainage")
    else:
        road, district = clean(case.road), clean(case.district)
        parts = [f"{road} ({district})" if road and district else road or district]
        if case.lon is None and not parts[0]:
            return "Place not known."
        if facts.compass is not None:
            parts.append(f"driving {_COMPASS[facts.compass]}")
    if case.surface == "lining":
        clock = "" if facts.clock_quarters is None else f" at clock position {_clock(facts.clock_quarters)}"
        parts.append(f"tunnel lining{clock}")
    if facts.within_m is not None:
        parts.append(f"known to within {facts.within_m} m")
    told = ", ".join(part for part in parts if part)
    return f"Place: {told}." if told else "Place: known on the map only."


def _seen(facts: Facts) -> str:
    case, first, last = facts.case, facts.first_day or facts.opened_day, facts.last_day
    reports = "one citizen's report" if case.reports == 1 else f"{case.reports} citizens' reports"
    if case.vehicles == 0:
        if case.reports == 0:
            return "No sighting belongs to it at present."
        day = "" if first is None else f" of {_day(first)}" if case.reports == 1 else f", the first of {_day(first)}"
        return f"{reports[0].upper()}{reports[1:]}{day}; not seen by any vehicle so far."
    passes = "on one pass" if case.passes <= 1 else f"on {case.passes} passes"
    by = "" if case.passes <= 1 else " by one vehicle" if case.vehicles == 1 else f" by {case.vehicles} vehicles"
    if facts.first_day is None or last is None:
        text = f"Seen {passes}{by}, date not known yet"
    elif facts.first_day == last:
        text = f"Seen {passes}{by} on {_day(last)}"
    elif case.reports:
        text = f"Known since {_day(facts.first_day)}, seen {passes}{by}, last on {_day(last)}"
    else:
        text = f"Seen {passes}{by} since {_day(facts.first_day)}, last on {_day(last)}"
    return f"{text}; also {reports}." if case.reports else f"{text}."


def _development(facts: Facts) -> Iterator[str]:
    case, growth = facts.case, facts.growth
    if case.trend == "steady":
        yield "No change of size can be stated."
    elif case.trend is not None:
        text = "Growing" if case.trend == "growing" else "Getting smaller"
        if growth is not None and (growth.last_m > growth.first_m) == (case.trend == "growing"):
            text += (
                f": from about {_metres(growth.first_m)} ({_day(growth.first_day)})"
                f" to about {_metres(growth.last_m)} ({_day(growth.last_day)})"
            )
        yield f"{text}."
    if case.shock_mps2 is not None:
        yield f"A shock of {case.shock_mps2:.1f} m/s² was measured on driving over it."
    if case.looks_without:
        later, last = (
            ("one later pass", "on ") if case.looks_without == 1 else (f"{case.looks_without} later passes", "last on ")
        )
        day = "" if facts.look_day is None else f" ({last}{_day(facts.look_day)})"
        yield f"On {later} the defect was not seen{day}."


def _state(facts: Facts) -> Iterator[str]:
    case = facts.case
    on = "" if facts.decided_day is None else f" on {_day(facts.decided_day)}"
    match case.state:
        case "new":
            yield "Found automatically, not checked yet." if case.vehicles else "Not checked yet."
        case "confirmed":
            yield f"Checked and confirmed{on}."
        case "ordered":
            yield f"Repair ordered{on}."
        case "repaired":
            yield f"Reported as repaired{on}."
        case "reopened":
            yield "Opened again."
        case "rejected":
            reason = _REASONS.get(case.reject_reason or "")
            yield f"Rejected{on}." if reason is None else f"Rejected{on} ({reason})."
        case "merged":
            yield f"Merged into case {case.merged_into}."


def _metres(value_m: float) -> str:
    return f"{100 * value_m:.0f} cm" if value_m < 0.995 else f"{value_m:.1f} m"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _clock(quarters: int) -> str:
    return f"{quarters // 4 or 12}:{quarters % 4 * 15:02d}"
