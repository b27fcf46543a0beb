# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Releases and the software of vehicles on the page, in both languages, for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import Select

from depot.config import Config
from depot.updates.config import UpdatesConfig
from tests.browser import no_errors, shot
from tests.depot.page.city import City
from tests.depot.page.desk import Desk
from tests.depot.page.serving import PageDepot, page_depot
from tests.depot.page.test_access import axe, obstacles
from tests.depot.updates.made import repository
from tests.depot.updates.yard import R1, R2, Yard

__all__ = ["axe"]

pytestmark = [pytest.mark.browser, pytest.mark.integration]


@pytest.fixture
def depot(vendor: None, tmp_path: Path) -> Iterator[PageDepot]:
    folder = tmp_path / "repository"
    repository(folder, R1, R2)
    with page_depot(tmp_path, config=Config(updates=UpdatesConfig(repository=folder))) as running:
        yield running


@pytest.fixture
def yard(depot: PageDepot) -> Yard:
    return Yard(depot, City(defects=0))


@pytest.fixture
def desk(browser: WebDriver, yard: Yard) -> Desk:
    """A browser before a depot with five vehicles."""
    return Desk(browser, yard.depot)


WORDS = {
    "de": {
        "draft": "Der Entwurf ist angelegt", "start": "Starten: Verteilung 1", "running": "läuft",
        "paused": "angehalten", "why": "zu viele sind gescheitert", "goon": "Ohne sie fortsetzen: Verteilung 1",
        "step": "Gruppe canary", "done": "fertig", "left": "1 ausgenommen", "fresh": "frisch bis",
        "share": "4 auf 5 Fahrzeuge",
    },
    "en": {
        "draft": "The draft is made", "start": "Start: Roll-out 1", "running": "running",
        "paused": "paused", "why": "too many have failed", "goon": "Go on without them: Roll-out 1",
        "step": "Group canary", "done": "done", "left": "1 left out", "fresh": "fresh until",
        "share": "4 to 5 vehicles",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_release_is_brought_out_step_by_step_and_stops_where_one_fails(yard: Yard, desk: Desk, language: str) -> None:
    says = WORDS[language]
    desk.open_whole("/admin?tab=releases", ".sheet td", language=language)
    desk.shows(".repository", says["fresh"])
    desk.shows(".sheet tbody", R2)
    desk.click(".sheet-head .primary")
    rows = desk.until(lambda: desk.all(".step-row"))
    assert len(rows) == 3
    for number, hours in enumerate(("0", "0", "0"), 1):
        desk.write(f".step-row:nth-child({number}) [data-part=hold]", hours)
    desk.click("dialog form [type=submit]")
    desk.shows(".toast", says["draft"])
    desk.shows(".rollout-steps", says["step"])
    assert yard.told == []
    desk.click(f"[aria-label='{says['start']}']")
    desk.click("dialog .dialog-foot .primary")
    desk.shows(".rollout-state", says["running"])
    yard.roll()
    assert yard.told == ["kehr-3"]
    yard.says("kehr-3", R2, "active")
    yard.roll()
    yard.says("kehr-3", R2, "active")
    yard.roll()
    assert len(yard.told) == 5  # a fifth of five is the canary itself
    yard.says("muell-12", R1, "failed", "self-test: 2 of 9 pictures judged otherwise")
    yard.roll()
    desk.shows(".rollout-state", says["paused"])
    desk.shows(".rollout .wrong", says["why"])
    desk.shows(".rollout .wrong", "muell-12 self-test: 2 of 9 pictures judged otherwise")
    desk.click(f"[aria-label='{says['goon']}']")
    desk.shows(".rollout-state", says["running"])
    for name in ("bus-7", "bus-8", "winter-1"):
        yard.says(name, R2, "active")
    yard.roll()
    desk.shows(".rollout-state", says["done"])
    desk.shows(".phases", says["left"])
    desk.shows(".rollout-bar", says["share"])
    desk.click("[data-rollout='1']")
    desk.shows("#rollout tbody", "muell-12")
    desk.shows("#rollout .past", "rule:roll-out")
    no_errors(desk.browser)


def test_a_vehicle_is_told_anew_from_the_details(yard: Yard, desk: Desk) -> None:
    made = yard.depot.ask("POST", "/api/rollouts", json={"release": R2, "steps": [{"share": 1, "most_failed": 0.5}]})
    yard.depot.ask("POST", f"/api/rollouts/{made.json()['number']}/actions", json={"action": "start"})
    yard.roll()
    yard.says("bus-7", R1, "failed", "disk full")
    desk.open_whole("/admin?tab=releases", ".rollout")
    desk.click("[data-rollout='1']")
    desk.shows("#rollout tbody", "disk full")
    desk.click("[aria-label='Neu anbieten: bus-7']")
    desk.until(lambda: "disk full" not in desk.text("#rollout tbody"))
    yard.told.clear()
    yard.roll()
    assert yard.told == ["bus-7"]


@pytest.mark.parametrize(
    ("language", "words"),
    [("de", ("gescheitert", "Gespeichert", "außer Dienst seit")), ("en", ("failed", "Saved", "retired since"))],
)
def test_who_runs_what_is_filtered_and_a_vehicle_changes_its_group(
    yard: Yard, desk: Desk, language: str, words: tuple[str, str, str]
) -> None:
    failed, saved, retired = words
    yard.says("bus-7", R1, "failed", "disk full")
    yard.says("bus-8", R2, "active")
    desk.open_whole("/vehicles?view=software", "[data-vehicle]", language=language)
    desk.shows("tbody", f"{R2} {failed}")
    Select(desk.browser.find_element(By.CSS_SELECTOR, "[data-filter=release]")).select_by_value(R2)
    desk.until(lambda: len(desk.all("[data-vehicle]")) == 1)
    link = desk.browser.find_element(By.CSS_SELECTOR, "a[download]").get_attribute("href")
    answer = yard.depot.ask("GET", str(link).removeprefix(yard.depot.url))
    assert [line.split(",")[0] for line in answer.text.splitlines()] == ["vehicle", "bus-8"]
    desk.click("[data-vehicle='bus-8']")
    desk.shows("#vehicle .past", R2)
    desk.write("#vehicle [name=group]", "canary")
    desk.click("#vehicle [type=submit]")
    desk.shows(".toast", saved)
    desk.click("#vehicle .danger")
    desk.shows("#vehicle", retired)
    assert yard.depot.ask("GET", "/api/vehicles/bus-8").json()["group"] == "canary"
    desk.press(Keys.ESCAPE)
    desk.until(lambda: not desk.all("dialog[open]"))
    desk.until(lambda: not desk.all("[data-vehicle='bus-8']"))
    no_errors(desk.browser)


def test_who_may_only_look_finds_no_button_to_act(browser: WebDriver, depot: PageDepot, tmp_path: Path) -> None:
    folder = tmp_path / "guarded"
    folder.mkdir()
    config = Config(updates=depot.services.config.updates)
    with page_depot(folder, login="password", config=config) as guarded:
        guarded.add_people()
        desk = Desk(browser, guarded)
        desk.log_in("anna")  # a dispatcher
        desk.open_whole("/admin?tab=releases", ".sheet td")
        assert desk.all(".sheet-head .primary") == []


@pytest.mark.parametrize("language", ["de", "en"])
def test_none_of_it_has_an_obstacle(yard: Yard, desk: Desk, axe: str, language: str, tmp_path: Path) -> None:
    number = yard.depot.ask("POST", "/api/rollouts", json={"release": R2}).json()["number"]
    yard.depot.ask("POST", f"/api/rollouts/{number}/actions", json={"action": "start"})
    yard.roll()
    yard.says("kehr-3", R1, "failed", "disk full")
    yard.roll()
    yard.depot.ask("POST", "/api/rollouts", json={"release": R1})
    found = {}
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    for screen in ("desk", "phone"):
        if screen == "phone":
            desk.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        for path, whole, opener in (
            ("/vehicles", "[data-vehicle]", "[data-vehicle='kehr-3']"),
            ("/vehicles?view=software", "[data-vehicle]", "[data-vehicle='kehr-3']"),
            ("/admin?tab=releases", ".rollout .wrong", "[data-rollout='1']"),
            ("/admin?tab=releases", ".rollout .wrong", ".sheet-head .primary"),
        ):
            desk.open_whole(path, whole, language=language)
            found[screen, path] = obstacles(desk, axe)
            assert screen == "desk" or desk.browser.execute_script("return document.documentElement.scrollWidth") == 360
            desk.click(opener)
            desk.until(lambda: desk.all("dialog[open] h3, dialog[open] form"))
            found[screen, opener] = obstacles(desk, axe)
            shot(desk.browser, tmp_path, f"updates-{screen}-{len(found)}-{language}")
    assert {path: list_ for path, list_ in found.items() if list_} == {}
