# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Before and after: a picture from a later pass, what it speaks for, and the one key that says yes."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from depot.store.tables import audit
from messages.types import Status
from tests.browser import no_errors, shot
from tests.depot.page.city import Defect
from tests.depot.page.desk import Desk
from tests.depot.page.test_access import axe, obstacles
from tests.depot.page.test_life import KEYS, WORDS

__all__ = ["axe"]

pytestmark = [pytest.mark.browser, pytest.mark.integration]

SAID = {
    "de": {
        "before": "Vorher, ", "after": "Nachher, ", "propose": "Repariert? kehr-3 fuhr am",
        "nothing": "An der Stelle gesehen: nichts (in 4 Bildern)", "hole": "An der Stelle gesehen: Schlagloch",
        "asked": "Bild erbetenkehr-3", "with": "mit Bild einer späteren Fahrt",
        "awaited": "Das Bild ist noch unterwegs",
    },
    "en": {
        "before": "Before, ", "after": "After, ", "propose": "Repaired? kehr-3 passed at",
        "nothing": "Seen at the place: nothing (in 4 frames)", "hole": "Seen at the place: Pothole",
        "asked": "Picture asked forkehr-3", "with": "with a picture from a later pass",
        "awaited": "The picture is still on its way",
    },
}  # fmt: skip


@pytest.fixture(params=["de", "en"])
def language(request):
    return request.param


@pytest.fixture
def anna(browser, guarded, language) -> Desk:
    guarded.seed_offices()
    desk = Desk(browser, guarded)
    desk.log_in("anna", language=language)
    return desk


@pytest.fixture
def ordered(anna, language) -> tuple[Defect, str]:
    """A case that anna has ordered and looks at; kehr-3 was asked for a picture: the command's id."""
    keys = KEYS[language]
    defect = anna.see(days_ago=1)
    anna.depot.take([anna.city.event("kehr-3", "b", Status(state="online", boot="b", session=1, software="1"))])
    anna.until(lambda: anna.rows == [1])
    anna.press("j")
    anna.until(lambda: anna.open_case == 1)
    anna.press(keys["confirm"])
    anna.click("[data-queue=all]")
    anna.until(lambda: anna.rows == [1])
    anna.press("j")
    anna.until(lambda: anna.open_case == 1)
    anna.until(lambda: anna.depot.state_of(1) == "confirmed")
    anna.until(lambda: anna.all("[data-action=order]"))
    anna.press(keys["order"])
    anna.until(lambda: anna.depot.state_of(1) == "ordered")
    return defect, anna.depot.ask_vehicles()["kehr-3"].id


def test_the_place_before_and_after_and_one_key_confirms(anna, ordered, language, axe, tmp_path):
    words, said, keys = WORDS[language], SAID[language], KEYS[language]
    defect, asked = ordered
    anna.open("/?case=1", language=language)
    anna.shows(".facts", said["asked"])
    assert not anna.all(".compare")

    look, picture = anna.city.look(defect, asked, "kehr-3", anna.city.moment())
    anna.depot.take([look])
    anna.shows(".compare", said["awaited"])  # live
    anna.shows(".proposal", said["propose"])
    anna.depot.take([picture])
    anna.until(lambda: len(anna.all(".compare button image")) == 2)
    assert len(anna.all(".compare figure image")) == 2, "and from near"
    captions = anna.text(".compare .caption")
    assert said["before"] in captions
    assert said["after"] in captions
    anna.shows(".after-note", said["nothing"])
    assert anna.depot.state_of(1) == "ordered", "a person decides"
    assert obstacles(anna, axe) == []
    shot(anna.browser, tmp_path, f"later-{language}")

    anna.press("g")
    anna.until(lambda: anna.all("#large[open] image"))
    anna.press("g")
    anna.until(lambda: not anna.all("#large"))
    anna.press(keys["repaired"])
    anna.shows(".toast", words["repaired"])
    anna.until(lambda: anna.depot.state_of(1) == "repaired")
    with anna.depot.database.reading() as connection:
        row = connection.execute(select(audit).where(audit.c.action == "repaired")).one()
    assert (row.who, json.loads(row.after)["picture"]) == ("anna", picture.sha256)
    anna.open("/?case=1", language=language)
    anna.shows(".history", said["with"])
    assert len(anna.all(".compare button image")) == 2
    assert not anna.all(".proposal")
    no_errors(anna.browser)


def test_a_defect_that_is_still_there_proposes_nothing_and_both_passes_can_be_seen(anna, ordered, language):
    said = SAID[language]
    defect, asked = ordered
    anna.open("/?case=1", language=language)
    anna.until(lambda: anna.open_case == 1)
    anna.depot.take(anna.city.look(defect, asked, "kehr-3", anna.city.moment(), found=("pothole",)))
    anna.shows(".after-note", said["hole"])
    assert not anna.all(".proposal")
    assert "repaired" in [button.get_attribute("data-action") for button in anna.all(".decide button")]


def test_on_a_phone_the_two_pictures_stand_one_below_the_other(anna, ordered, axe, language, tmp_path):
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    anna.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    defect, asked = ordered
    anna.depot.take(anna.city.look(defect, asked, "kehr-3", anna.city.moment()))
    anna.open("/?case=1", language=language)
    anna.until(lambda: len(anna.all(".compare button image")) == 2)
    first, second, *_ = (tile.rect for tile in anna.all(".compare .tile"))
    assert first["y"] + first["height"] <= second["y"]
    assert anna.browser.execute_script("return document.documentElement.scrollWidth") == 360
    assert obstacles(anna, axe) == []
    shot(anna.browser, tmp_path, f"later-phone-{language}")
