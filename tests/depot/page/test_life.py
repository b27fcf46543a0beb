# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole life of a case before the page, in German and in English, by keys alone."""

from __future__ import annotations

import pytest

from tests.browser import no_errors, shot
from tests.depot.page.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.integration]

WORDS = {
    "de": {
        "new": "neu", "confirmed": "Fall 1 bestätigt", "reopened": "wieder offen", "office": "gewählt von anna",
        "reasons": "Kein Schaden", "ordered": "Fall 1 beauftragt", "repaired": "Fall 1 ist repariert",
        "rejected": "Fall 1 abgelehnt", "undone": "zurückgenommen", "split": "Aus Fall 1 ist Fall 2 geworden",
        "merged": "Fall 2 mit Fall 1 zusammengeführt", "note": "Notiz zu Fall 1",
        "history": ("Wieder geöffnet", "Als repariert vermerkt", "Beauftragt", "Stelle geändert", "Bestätigt"),
    },
    "en": {
        "new": "new", "confirmed": "Case 1 confirmed", "reopened": "reopened", "office": "chosen by anna",
        "reasons": "Not a defect", "ordered": "Case 1 ordered", "repaired": "Case 1 is repaired",
        "rejected": "Case 1 rejected", "undone": "taken back", "split": "Case 2 made out of Case 1",
        "merged": "Case 2 merged into Case 1", "note": "Note on Case 1",
        "history": ("Reopened", "Marked as repaired", "Ordered", "Office changed", "Confirmed"),
    },
}  # fmt: skip
#: Each decision has the first letter of its word.
KEYS = {
    "de": {"confirm": "b", "reject": "a", "order": "v", "assign": "s", "repaired": "r", "note": "n", "merge": "d",
           "split": "t", "undo": "z"},
    "en": {"confirm": "c", "reject": "r", "order": "o", "assign": "a", "repaired": "f", "note": "n", "merge": "d",
           "split": "s", "undo": "z"},
}  # fmt: skip


@pytest.fixture(params=["de", "en"])
def language(request):
    return request.param


@pytest.fixture
def anna(browser, guarded, language):
    """A dispatcher who has logged in; the depot knows its offices."""
    guarded.seed_offices()
    desk = Desk(browser, guarded)
    desk.log_in("anna", language=language)
    return desk


def test_a_case_from_the_first_sighting_to_the_repair_and_back(anna, language, tmp_path):
    words, keys = WORDS[language], KEYS[language]
    anna.until(lambda: anna.all(".empty"))
    defect = anna.see(days_ago=1)
    anna.until(lambda: anna.rows == [1])  # live
    anna.press("j")
    anna.until(lambda: anna.open_case == 1)
    assert words["new"] in anna.text(".stage-title .state")
    assert anna.all(".picture .box"), "the best picture with the defect's box"

    anna.press(keys["confirm"])
    anna.shows(".toast", words["confirmed"])
    anna.until(lambda: anna.rows == [])
    anna.click("[data-queue=confirmed]")
    anna.until(lambda: anna.rows == [1])
    anna.press("j")
    anna.until(lambda: anna.open_case == 1)
    anna.press(keys["assign"])
    anna.until(lambda: anna.all(".choice"))
    anna.press("3")
    anna.shows(".facts-part.office", words["office"])
    anna.press(keys["order"])
    anna.shows(".toast", words["ordered"])
    anna.click("[data-queue=ordered]")
    anna.until(lambda: anna.rows == [1])
    anna.press("j")
    anna.until(lambda: anna.open_case == 1)
    anna.press(keys["repaired"])
    anna.shows(".toast", words["repaired"])

    anna.click("[data-queue=open]")
    anna.until(lambda: anna.rows == [])
    anna.see_again(defect)
    anna.until(lambda: anna.rows == [1])
    assert words["reopened"] in anna.text("[data-case='1'] .state")
    anna.press("j")
    anna.until(lambda: anna.open_case == 1)
    history = anna.text(".history")
    at = [history.find(word) for word in words["history"]]
    assert -1 not in at, history
    assert at == sorted(at), "newest first"
    shot(anna.browser, tmp_path, f"life-{language}")
    no_errors(anna.browser)


def test_a_rejection_wants_a_reason_and_is_taken_back(anna, language):
    words, keys = WORDS[language], KEYS[language]
    anna.see()
    anna.until(lambda: anna.rows == [1])
    anna.press("j")
    anna.until(lambda: anna.open_case == 1)
    anna.press(keys["reject"])
    anna.shows(".choice", words["reasons"])
    assert anna.depot.state_of(1) == "new", "nothing is decided before the reason"
    anna.press("2")
    anna.shows(".toast", words["rejected"])
    anna.until(lambda: anna.depot.column_of(1, "reject_reason") == "not_ours")
    anna.press(keys["undo"])
    anna.shows(".toast", words["undone"])
    anna.until(lambda: anna.rows == [1] and anna.open_case == 1)
    assert anna.depot.state_of(1) == "new"


def test_a_case_is_parted_and_put_together_again(anna, language):
    words, keys = WORDS[language], KEYS[language]
    defect = anna.see(days_ago=2)
    anna.see_again(defect, days_ago=1)
    anna.until(lambda: anna.rows == [1])
    anna.press("j")
    anna.until(lambda: anna.open_case == 1)
    anna.press(keys["split"])
    anna.click("#split .sighting input")
    anna.click("#split .primary")
    anna.shows(".toast", words["split"])
    anna.until(lambda: sorted(anna.rows) == [1, 2])

    anna.click("[data-case='2']")
    anna.until(lambda: anna.open_case == 2)
    anna.press(keys["merge"])
    anna.until(lambda: anna.all("#merge input"))
    anna.press("1\n")  # the number of the other: a pair that people parted is not offered
    anna.shows(".toast", words["merged"])
    anna.until(lambda: anna.rows == [1])
    assert anna.depot.state_of(2) == "merged"
    no_errors(anna.browser)


def test_a_note_is_kept(anna, language):
    anna.see()
    anna.until(lambda: anna.rows == [1])
    anna.press("j")
    anna.until(lambda: anna.open_case == 1)
    anna.press(KEYS[language]["note"])
    anna.until(lambda: anna.all(".choosing-list textarea"))
    anna.press("am Gully, Höhe Nr. 12")
    anna.click(".choice-foot .primary")
    anna.shows(".toast", WORDS[language]["note"])
    anna.shows(".facts", "am Gully, Höhe Nr. 12")
