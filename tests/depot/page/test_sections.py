# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Coverage, condition, vehicles and administration before a small city."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from messages.types import Health, SystemUpdate
from tests.browser import no_errors
from tests.depot.page.city import City, timed

pytestmark = [pytest.mark.browser, pytest.mark.integration]


@pytest.fixture
def city(desk):
    """A small city with a few days of drives."""
    desk.depot.lay_out()
    desk.depot.add_people()
    desk.depot.take(City(defects=10, days=4, now=desk.city.now).intakes())
    return desk


def test_coverage_says_which_road_was_looked_at_and_gives_the_proof(city):
    city.open_whole("/coverage", ".road")
    city.shows(".figures", "km")
    names = city.text(".road-name")
    assert "Hafenstraße" in names
    city.write("input[type=search]", "kant")
    city.until(lambda: len(city.all(".road")) == 1)
    assert "q=kant" in city.browser.current_url
    city.until(lambda: city.all("#layer-roughness"))
    city.click("#layer-roughness")
    city.shows(".legend", "nur ein Anhalt")
    link = city.browser.find_element(By.CSS_SELECTOR, "a[href*='proof.csv']").get_attribute("href")
    answer = city.depot.ask("GET", link.removeprefix(city.depot.url))
    assert answer.status_code == 200
    city.click(".side-foot button")
    city.shows(".toast", "unverändert")
    no_errors(city.browser)


def test_a_section_leads_to_its_cases(city):
    city.open_whole("/condition", ".section-row")
    city.shows(".side-note", "kein ZEB-Wert")
    city.click(".section-row a")
    city.until(lambda: city.rows)
    assert "road=" in city.browser.current_url


@pytest.mark.parametrize(
    ("language", "words"), [("de", "von einer Prüferin"), ("en", "to be confirmed by an inspector")]
)
def test_a_tunnel_lies_unrolled_with_marks_that_are_only_proposed(city, language, words):
    city.open_whole("/condition?tab=tunnels", ".unrolled a", language=language)
    city.shows(".proposal-note", words)
    spots = city.all(".unrolled circle")
    assert len(spots) == len(city.all(".tunnel-room tbody tr"))
    city.click(".tunnel-room tbody a")
    city.until(lambda: city.open_case is not None)
    city.shows(".facts", "U79")


def test_vehicles_say_how_they_are(city):
    city.open_whole("/vehicles", "[data-vehicle]")
    city.shows("tbody", "85 °C")
    city.shows("tbody", "camera front: no frame for 12 s")
    city.click("[data-vehicle='muell-12']")
    city.shows("#vehicle", "frames judged")
    no_errors(city.browser)


@pytest.mark.parametrize(("language", "words"), [("de", "2026.11.22 gescheitert"), ("en", "2026.11.22 failed")])
def test_who_runs_what_names_the_operating_system_s_update(city, language, words):
    told = SystemUpdate(state="failed", version="2026.11.22", reason="not healthy for 15 minutes")
    health = Health(time=timed("kehr-3-0", city.city.now), counters={}, system=told)
    city.depot.take([city.city.event("kehr-3", "kehr-3-0", health)])
    city.open_whole("/vehicles?view=software", "[data-vehicle]", language=language)
    city.shows(".software", words)
    city.shows(".software", "not healthy for 15 minutes")
    no_errors(city.browser)


def test_a_user_is_added_and_the_password_shown_once(city):
    city.open_whole("/admin?tab=users", ".sheet td")
    city.click(".sheet-head .primary")
    city.write("[name=name]", "jana")
    city.write("[name=title]", "Jana Wolf")
    city.click("dialog form .primary")
    city.until(lambda: city.all(".secret code"))
    assert len(city.text(".secret code")) >= 12
    city.click("dialog .dialog-foot .primary")
    city.shows("tbody", "Jana Wolf")
    Select(city.browser.find_element(By.CSS_SELECTOR, "[aria-label='Rolle: jana']")).select_by_value("dispatcher")
    city.shows(".toast", "Gespeichert")
    city.click("[data-tab=audit]")
    city.shows("tbody", "jana")
    no_errors(city.browser)


def test_a_rule_is_moved_tried_and_saved_and_cases_get_another_office(city):
    city.open_whole("/admin?tab=rules", ".rule")
    before = city.text(".rule strong")
    city.click("[aria-label='Nach oben: Regel 5']")
    city.click(".sheet-acts button:nth-child(2)")
    city.shows(".effect", "bekämen eine andere Stelle")
    city.click(".sheet-acts .primary")
    city.shows(".toast", "neu zugeordnet")
    city.until(lambda: city.text(".rule strong") != before)


def test_an_office_that_rules_name_cannot_be_switched_off_and_the_page_says_why(city):
    city.open_whole("/admin?tab=offices", ".sheet td")
    city.click(".sheet td input[type=checkbox]")
    city.shows(".toast.bad", "change the rule first")
