# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: RUF001 - the texts have a true multiplication sign
"""The texts of cases: true, rounded as finely as known, in grammar that a clerk would write."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.cases.records import Case, Sighting, State
from depot.describing import describe, describe_both, title, title_both

FIRST, LAST = "2026-10-12T08:00:00.000Z", "2026-11-03T09:00:00.000Z"


def case(**changes: Any) -> Case:
    made = Case(
        number=7,
        changed=1,
        state="new",
        defect_class="pothole",
        surface="road",
        sightings=9,
        passes=7,
        vehicles=3,
        looks_without=0,
        opened_utc=FIRST,
        pinned=False,
        reports=0,
        lon=6.76,
        lat=51.43,
        error_m=1.2,
        heading_deg=88.0,
        length_m=0.42,
        width_m=0.31,
        size_error_m=0.05,
        grade=3,
        first_seen_utc=FIRST,
        last_seen_utc=LAST,
        road="Königstraße",
        district="Mitte",
    )
    return msgspec.structs.replace(made, **changes)


def seen(utc: str, length_m: float) -> Sighting:
    return Sighting(
        number=1, case=7, defect_class="pothole", utc=utc, length_m=length_m, width_m=0.2, size_error_m=0.02
    )


def test_a_pothole_in_a_street_is_told_in_german_with_all_that_is_known() -> None:
    grown = [seen(LAST, 0.45), seen(FIRST, 0.30)]
    assert describe(case(trend="growing"), "de", sightings=grown) == (
        "Schlagloch, etwa 40 × 30 cm (±10 cm), Schwere 3 von 5."
        " Ort: Königstraße (Mitte), Fahrtrichtung Osten, Lage auf 3 m genau."
        " Seit dem 12.10.2026 bei 7 Fahrten von 3 Fahrzeugen gesehen, zuletzt am 03.11.2026."
        " Wird größer: von etwa 30 cm (12.10.2026) auf etwa 45 cm (03.11.2026)."
        " Automatisch erkannt, noch nicht geprüft."
    )


def test_the_same_in_english() -> None:
    assert describe(case(trend="growing"), "en", sightings=[seen(FIRST, 0.30), seen(LAST, 0.45)]) == (
        "Pothole, about 40 × 30 cm (±10 cm), severity 3 of 5."
        " Place: Königstraße (Mitte), driving east, known to within 3 m."
        " Seen on 7 passes by 3 vehicles since 12 October 2026, last on 3 November 2026."
        " Growing: from about 30 cm (12 October 2026) to about 45 cm (3 November 2026)."
        " Found automatically, not checked yet."
    )


def test_in_a_tunnel_line_track_chainage_and_clock_say_where() -> None:
    tunnel = case(
        defect_class="spalling",
        surface="lining",
        line="U79",
        track="1",
        chainage_m=12_345.2,
        chainage_error_m=2.0,
        lining_clock=3.1,
        road=None,
        heading_deg=None,
    )
    assert "Ort: Linie U79, Gleis 1, km 12,345, Tunnelschale bei Uhrlage 3:00, Lage auf 4 m genau." in describe(
        tunnel, "de"
    )
    assert "Place: line U79, track 1, km 12.345, tunnel lining at clock position 3:00" in describe(tunnel, "en")
    assert title_both(tunnel) == {
        "de": "Abplatzung, Linie U79, Gleis 1, km 12,345",
        "en": "Spalling, line U79, track 1, km 12.345",
    }


@pytest.mark.parametrize(
    ("changes", "german", "english"),
    [
        (
            {"passes": 1, "vehicles": 1, "last_seen_utc": FIRST},
            "Am 12.10.2026 bei einer Fahrt gesehen.",
            "Seen on one pass on 12 October 2026.",
        ),
        (
            {"passes": 2, "vehicles": 1, "reports": 2},
            "bei 2 Fahrten eines Fahrzeugs gesehen, zuletzt am 03.11.2026; dazu 2 Bürgermeldungen.",
            "Known since 12 October 2026, seen on 2 passes by one vehicle, last on 3 November 2026; also 2 citizens'",
        ),
        (
            {"passes": 0, "vehicles": 0, "reports": 1},
            "Eine Bürgermeldung vom 12.10.2026; bisher von keinem Fahrzeug gesehen.",
            "One citizen's report of 12 October 2026; not seen by any vehicle so far.",
        ),
        (
            {"passes": 0, "vehicles": 0, "reports": 3},
            "3 Bürgermeldungen, die erste vom 12.10.2026; bisher von keinem Fahrzeug gesehen.",
            "3 citizens' reports, the first of 12 October 2026; not seen by any vehicle so far.",
        ),
        (
            {"first_seen_utc": None, "last_seen_utc": None, "passes": 1, "vehicles": 1},
            "Bei einer Fahrt gesehen, Datum noch nicht bekannt.",
            "Seen on one pass, date not known yet.",
        ),
        (
            {"looks_without": 1, "last_look_utc": LAST},
            "Bei einer späteren Fahrt war der Schaden nicht zu sehen (am 03.11.2026).",
            "On one later pass the defect was not seen (on 3 November 2026).",
        ),
        (
            {"looks_without": 4, "last_look_utc": LAST},
            "Bei 4 späteren Fahrten war der Schaden nicht zu sehen (zuletzt am 03.11.2026).",
            "On 4 later passes the defect was not seen (last on 3 November 2026).",
        ),
        ({"trend": "steady"}, "Keine Änderung der Größe feststellbar.", "No change of size can be stated."),
        ({"shock_mps2": 12.53}, "Stoß von 12,5 m/s² gemessen.", "A shock of 12.5 m/s² was measured"),
        ({"lon": None, "lat": None, "road": None, "district": None}, "Ort nicht bekannt.", "Place not known."),
    ],
)
def test_singular_plural_and_what_is_not_known(changes: dict[str, Any], german: str, english: str) -> None:
    told = describe_both(case(**changes))
    assert german in told["de"]
    assert english in told["en"]


@pytest.mark.parametrize(
    ("changes", "german"),
    [
        ({"state": "confirmed", "decided_utc": LAST}, "Am 03.11.2026 geprüft und bestätigt."),
        ({"state": "confirmed"}, "Geprüft und bestätigt."),
        ({"state": "ordered", "decided_utc": LAST}, "Am 03.11.2026 zur Reparatur beauftragt."),
        ({"state": "repaired", "decided_utc": LAST}, "Am 03.11.2026 als repariert gemeldet."),
        (
            {"state": "rejected", "decided_utc": LAST, "reject_reason": "not_ours"},
            "Am 03.11.2026 abgelehnt (andere Zuständigkeit).",
        ),
        ({"state": "rejected"}, "Abgelehnt."),
        ({"state": "reopened"}, "Wieder geöffnet."),
        ({"state": "merged", "merged_into": 3}, "Mit Fall 3 zusammengelegt."),
        ({"vehicles": 0, "passes": 0, "reports": 1}, "Noch nicht geprüft."),
    ],
)
def test_the_state_ends_the_text(changes: dict[str, Any], german: str) -> None:
    assert describe(case(**changes), "de").endswith(" " + german)


def test_a_crack_has_a_length_and_no_width_because_a_box_does_not_say_how_wide_it_gapes() -> None:
    text = describe(case(defect_class="transverse_crack", length_m=0.3, width_m=2.43, size_error_m=0.11), "de")
    assert text.startswith("Querriss, etwa 2,4 m lang (±22 cm), ")


@pytest.mark.parametrize(
    ("error_m", "told"), [(0.01, "62 × 41 cm"), (0.03, "60 × 40 cm"), (0.08, "60 × 40 cm"), (0.3, "50 × 50 cm")]
)
def test_a_size_is_told_no_finer_than_it_is_known(error_m: float, told: str) -> None:
    assert told in describe(case(length_m=0.62, width_m=0.41, size_error_m=error_m), "de")


def test_days_are_local_ones() -> None:
    late = "2026-11-03T23:30:00.000Z"
    assert "zuletzt am 04.11.2026" in describe(case(last_seen_utc=late), "de")


def test_growth_is_told_only_where_the_sizes_say_the_same_as_the_trend() -> None:
    against = [seen(FIRST, 0.5), seen(LAST, 0.3)]
    assert "Wird größer. " in describe(case(trend="growing"), "de", sightings=against)


def test_a_note_of_a_person_is_never_told() -> None:
    assert "Müller" not in "".join(describe_both(case(note="Anruf von Frau Müller")).values())


def test_a_class_of_a_newer_model_is_told_by_its_own_name() -> None:
    assert title(case(defect_class="manhole_sunken"), "de") == "Manhole sunken, Königstraße"


FLOAT = st.none() | st.floats()
TIME = st.none() | st.sampled_from([FIRST, LAST, "", "yesterday", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
WORD = st.none() | st.text(max_size=20)


@given(
    changes=st.fixed_dictionaries(
        {
            "state": st.sampled_from(get_args(State)),
            "defect_class": st.text(min_size=1, max_size=20),
            "passes": st.integers(0, 3),
            "vehicles": st.integers(0, 3),
            "reports": st.integers(0, 3),
            "looks_without": st.integers(0, 3),
            "grade": st.none() | st.integers(1, 5),
            "trend": st.sampled_from([None, "growing", "steady", "shrinking"]),
            "surface": st.sampled_from(["road", "lining"]),
            "reject_reason": WORD,
            **dict.fromkeys(("road", "district", "line", "track"), WORD),
            **dict.fromkeys(("first_seen_utc", "last_seen_utc", "last_look_utc", "decided_utc", "opened_utc"), TIME),
            **dict.fromkeys(
                ("error_m", "chainage_error_m", "heading_deg", "lining_clock", "length_m", "width_m", "size_error_m"),
                FLOAT,
            ),
            "chainage_m": st.none() | st.floats(-1e6, 1e6),
        }
    )
)
def test_any_case_gives_clean_sentences_on_one_line(changes: dict[str, Any]) -> None:
    made = case(**changes)
    for language, text in describe_both(made, sightings=[seen(FIRST, 0.3), seen(LAST, 0.4)]).items():
        assert text.endswith(".")
        assert text.isprintable()
        for odd in ("None", " nan", "inf ", "  ", "1 Fahrten", " 1 Fahrzeugen", "1 Bürgermeldungen", "1 passes"):
            if not any(odd in str(value) for value in changes.values()):
                assert odd not in text, (language, text)
        assert title(made, language)
        assert re.match(r"\S", title(made, language))
