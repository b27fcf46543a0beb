# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The review section: live, filters, keys, several at once, and what stands there when something is missing."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from messages.types import Position
from tests.browser import no_errors
from tests.depot.page.desk import Desk
from tests.servers import free_port

pytestmark = [pytest.mark.browser, pytest.mark.integration]


def open_first(desk: Desk, count: int) -> int:
    desk.open()
    desk.until(lambda: len(desk.rows) == count)
    desk.press("j")
    desk.until(lambda: desk.open_case == desk.rows[0])
    return desk.rows[0]


def test_a_case_appears_without_a_reload(desk):
    desk.open()
    desk.shows(".empty", "Noch keine Fälle")
    desk.browser.execute_script("window.neverReloaded = true")
    desk.see(1)
    desk.until(lambda: desk.rows == [1])
    desk.see(2)
    desk.until(lambda: sorted(desk.rows) == [1, 2])
    assert desk.browser.execute_script("return window.neverReloaded")
    assert desk.all("[data-case='2'].fresh"), "what is new is marked for a moment"
    desk.until(lambda: "2" in desk.text("[data-queue=open] .count"))
    no_errors(desk.browser)


def test_the_list_is_walked_and_the_picture_enlarged_by_keyboard_alone(desk):
    for number in (1, 2, 3):
        desk.see(number)
    first = open_first(desk, 3)
    order = desk.rows
    desk.press("jj")
    desk.until(lambda: desk.open_case == order[2])
    desk.press("j")
    assert f"case={order[2]}" in desk.browser.current_url, "the end stays the end"
    desk.press("k")
    desk.until(lambda: desk.open_case == order[1])
    desk.press("g")
    desk.until(lambda: desk.all("#large[open] image"))
    desk.press("g")
    desk.until(lambda: not desk.all("#large"))
    desk.press(Keys.ESCAPE)
    desk.until(lambda: not desk.browser.find_element(By.CSS_SELECTOR, ".stage").is_displayed())
    assert desk.browser.switch_to.active_element.get_attribute("id") == "list"
    desk.press(Keys.ARROW_DOWN)
    desk.until(lambda: desk.open_case == first)


def test_after_a_decision_the_next_case_stands_ready(desk):
    for number in (1, 2, 3):
        desk.see(number)
    first = open_first(desk, 3)
    second = desk.rows[1]
    desk.press("b")
    desk.until(lambda: desk.open_case == second)
    assert first not in desk.rows
    desk.until(lambda: desk.depot.state_of(first) == "confirmed")


def test_single_keys_can_be_switched_off(desk):
    desk.see()
    number = open_first(desk, 1)
    desk.press("?")
    desk.shows(".help", "Nächster Fall")
    desk.click(".help input[type=checkbox]")
    desk.press(Keys.ESCAPE)
    desk.until(lambda: not desk.all("dialog"))
    desk.press("b")
    desk.click("[data-action=note]")
    desk.until(lambda: desk.all(".choosing-list textarea"))
    assert desk.depot.state_of(number) == "new"


def test_a_key_within_a_field_is_a_letter(desk):
    desk.see()
    number = open_first(desk, 1)
    desk.press("/")
    desk.press("b")
    assert desk.browser.switch_to.active_element.get_attribute("value") == "b"
    assert desk.depot.state_of(number) == "new"


def test_filters_are_kept_in_the_address(desk):
    desk.see(1, grade=2)
    desk.see(2, grade=5)
    desk.see(3, label="alligator_crack", grade=4)
    desk.open()
    desk.until(lambda: len(desk.rows) == 3)
    desk.click("#filter-open")
    desk.click("[data-filter=grade_min][data-value='4']")
    desk.until(lambda: sorted(desk.rows) == [2, 3])
    desk.click("input[data-filter='class'][value='pothole']")
    desk.until(lambda: desk.rows == [2])
    assert "grade_min=4" in desk.browser.current_url
    assert "class=pothole" in desk.browser.current_url
    desk.browser.refresh()
    desk.until(lambda: desk.rows == [2])
    assert [chip.text for chip in desk.all(".chip")] == ["Schlagloch", "ab Stufe 4"]
    desk.click(".chip[data-filter=class]")
    desk.until(lambda: sorted(desk.rows) == [2, 3])
    desk.click(".chip[data-filter=grade_min]")
    desk.until(lambda: len(desk.rows) == 3)
    desk.open("/?q=2")
    desk.until(lambda: desk.rows == [2])
    desk.open("/?trend=growing")
    desk.shows(".empty", "Kein Fall passt")


def test_several_are_decided_at_once(desk):
    for number in (1, 2, 3):
        desk.see(number)
    open_first(desk, 3)
    desk.press("x")
    desk.press("j")
    desk.press("x")
    desk.shows(".bulk", "2 markiert")
    marked = [int(row.get_attribute("data-case")) for row in desk.all(".row.marked")]
    desk.press("a")
    desk.until(lambda: desk.all(".choice"))
    desk.press("1")
    desk.shows(".toast", "2 Fälle entschieden")
    desk.until(lambda: len(desk.rows) == 1)
    assert [desk.depot.state_of(number) for number in marked] == ["rejected", "rejected"]


def test_what_somebody_else_decided_meanwhile_is_said_and_shown(desk):
    desk.see(1)
    desk.see(2)
    number = open_first(desk, 2)
    desk.browser.execute_cdp_cmd("Network.enable", {})
    desk.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/changes*"]})  # the news are late
    changed = desk.depot.column_of(number, "changed")
    other = desk.depot.ask(
        "POST", f"/api/cases/{number}/actions", json={"action": "reject", "reason": "not_ours", "changed": changed}
    )
    assert other.status_code == 200
    desk.press("b")
    desk.shows(".toast.bad", f"Fall {number}")
    assert desk.depot.state_of(number) == "rejected"
    desk.click(".toast.bad button")
    desk.shows(".stage-title", "abgelehnt")


def test_a_list_that_does_not_come_says_so_and_is_asked_again(desk):
    desk.see()
    desk.browser.execute_cdp_cmd("Network.enable", {})
    desk.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/cases?*"]})
    desk.open()
    desk.shows(".empty[role=alert]", "antwortet nicht")
    desk.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    desk.click(".empty button")
    desk.until(lambda: desk.rows == [1])


def test_a_picture_that_is_still_on_its_way_comes_by_itself(desk):
    made = list(desk.city.sighting(desk.see(9, photo=False), "kehr-3", "boot-x", desk.city.moment(), 0))
    observation, picture = made
    desk.depot.take([observation])
    desk.open("/?case=1")
    desk.shows(".no-picture", "noch unterwegs")
    desk.depot.take([picture])
    desk.until(lambda: desk.all(".picture image"))


def test_what_a_vehicle_sends_never_becomes_markup(desk):
    evil = "<img src=x onerror=document.title='x'>"
    desk.see(label=evil)
    desk.open("/?case=1")
    desk.shows(".stage-title", "<img")
    assert "<img" in desk.text(".row-name")
    assert desk.browser.title == "Fälle · Wegewart"
    assert not desk.all(".stage img, .row img, .facts-room img")


def test_a_base_map_that_does_not_answer_leaves_the_grid(desk):
    from msgspec.structs import replace

    page = desk.depot.services.config.page
    config = replace(
        desk.depot.services.config, page=replace(page, style_url=f"http://127.0.0.1:{free_port()}/style.json")
    )
    object.__setattr__(desk.depot.services, "config", config)
    desk.open()
    desk.shows(".map-message", "Die Grundkarte antwortet nicht")
    desk.shows(".grid-note", "Raster")


def test_without_the_map_library_the_list_still_works(desk):
    desk.see()
    desk.browser.execute_cdp_cmd("Network.enable", {})
    desk.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*maplibre-gl.mjs*"]})
    desk.open()
    desk.shows(".map-message", "depot.web.install")
    desk.until(lambda: desk.rows == [1])
    desk.press("j")
    desk.until(lambda: desk.open_case == 1)


def test_who_may_only_read_has_no_buttons(browser, guarded):
    desk = Desk(browser, guarded)
    desk.see()
    desk.log_in("vera")
    desk.until(lambda: desk.rows == [1])
    desk.press("j")
    desk.shows(".facts", "Größe")
    assert desk.all(".decide .button") == []
    assert not desk.all("[data-section=admin]")
    desk.press("b")
    desk.shows(".toast", "Das geht in diesem Zustand nicht")
    assert guarded.state_of(1) == "new"


def test_a_wrong_password_is_said_and_a_right_one_leads_where_one_wanted_to_go(browser, guarded):
    desk = Desk(browser, guarded)
    desk.open("/vehicles")
    desk.until(lambda: desk.all("[name=password]"))
    desk.press("ben", Keys.TAB, "falsch", Keys.ENTER)
    desk.shows(".wrong", "Name oder Passwort")
    from tests.depot.page.serving import PASSWORD

    desk.press(PASSWORD, Keys.ENTER)
    desk.until(lambda: desk.text("h1") == "Fahrzeuge")
    desk.click("#person summary")
    desk.click("#logout")
    desk.until(lambda: desk.all("[name=password]"))


def test_a_place_that_was_corrected_moves_on_the_map_and_says_so(desk):
    from messages.types import Revision
    from tests.depot.page.city import timed

    defect = desk.see(1)
    desk.open("/?case=1")
    desk.shows(".facts", "GNSS, mit Korrekturdaten")
    event = desk.depot.last_event()
    better = Position(lon=6.7700, lat=51.4300, error_m=0.02, method="gnss", quality="rtk_fixed", revised=True)
    revision = Revision(
        observation=event.id, number=1, reason="fix_returned", time=timed("boot-0", desk.city.moment()), position=better
    )
    desk.depot.take([desk.city.event("kehr-3", "boot-0", revision)])
    desk.shows(".facts", "nachträglich korrigiert")
    desk.shows(".facts", "RTK fix")
    assert defect.number == 1


def test_a_key_before_the_next_case_is_on_the_screen_decides_nothing(desk):
    desk.browser.execute_cdp_cmd("Network.enable", {})
    for number in (1, 2, 3, 4, 5, 6):
        desk.see(number)
    desk.open("/?case=1")
    desk.until(lambda: len(desk.rows) == 6 and desk.open_case == 1)
    desk.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/cases/*"]})
    fourth = desk.rows[4]  # further down than what was fetched ahead
    desk.click(f"[data-case='{fourth}']")
    desk.until(lambda: desk.open_case != 1)
    desk.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    desk.press("b")
    assert not desk.all(".toast")
    assert desk.depot.state_of(1) == "new"
    assert desk.depot.state_of(fourth) == "new"


def test_a_depot_that_does_not_answer_is_no_login(desk):
    desk.browser.execute_cdp_cmd("Network.enable", {})
    desk.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/session"]})
    desk.open()
    desk.shows(".empty[role=alert]", "antwortet nicht")
    assert not desk.all("[name=password]")
    desk.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    desk.click(".empty button")
    desk.shows(".empty", "Noch keine Fälle")


def test_another_kind_is_two_keys_and_the_page_says_who_said_so(desk):
    desk.see(1, label="alligator_crack")
    number = open_first(desk, 1)
    desk.press("p")
    desk.shows(".choosing-list", "Was ist es?")
    assert [one.text.split("\n")[-1] for one in desk.all(".choice[aria-pressed=true]")] == ["wie gesehen"]
    desk.press("4")
    desk.shows(".stage h2", "Querriss")
    desk.shows(".facts-room .changeable", "gesehen als: Netzriss")
    desk.shows(".history", "Art geändert: Querriss")
    desk.press("b")
    desk.until(lambda: desk.depot.state_of(number) == "confirmed")
    desk.open(f"/?queue=all&case={number}")
    desk.shows(".facts-room .changeable", "gesehen als: Netzriss")
    desk.press("p")
    desk.press("2")  # as seen: the word is taken back
    desk.until(lambda: "gesehen als" not in desk.text(".facts-room .changeable"))
    desk.shows(".facts-room .changeable", "Netzriss")
    no_errors(desk.browser)
