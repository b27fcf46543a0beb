# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The page in a real Chromium: a case appears live, is opened by keyboard, in German and in English."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from messages.types import LinePosition, Position
from tests.browser import no_errors, press, shot, text, until
from tests.depot import samples
from tests.servers import free_port, mosquitto

pytestmark = [pytest.mark.browser, pytest.mark.integration]


@pytest.fixture
def broker(tmp_path):
    with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def depot(vendor, broker, tmp_path):
    with samples.depot_process(tmp_path, broker.port) as running:
        yield running


@pytest.fixture
def vehicle(broker):
    with samples.fake_vehicle(broker.host, broker.port) as made:
        yield made


WORDS = {
    "de": {"kind": "Schlagloch", "size": "0,41 m", "without": "Ohne Position", "online": "1 von 1 online",
           "method": "Koppelnavigation", "grid": "Raster"},
    "en": {"kind": "Pothole", "size": "0.41 m", "without": "Without position", "online": "1 of 1 online",
           "method": "Dead reckoning", "grid": "Grid"},
}  # fmt: skip


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_case_appears_live_with_its_picture_and_facts(browser, depot, vehicle, tmp_path, language):
    words = WORDS[language]
    browser.get(f"{depot.url}/?lang={language}" if language == "en" else depot.url)
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == language
    until(browser, lambda: text(browser, ".empty"))

    content = samples.jpeg(1, 640, 360)
    where = Position(lon=6.7623, lat=51.4344, error_m=1.8, method="dead_reckoned")
    vehicle.send(samples.status(), 100)
    vehicle.send(samples.coverage(), 101)
    vehicle.send(samples.observation(position=where, picture=samples.picture_ref(content, 640, 360)), 1)
    tunnel = LinePosition(line="U79", chainage_m=1200.0, error_m=3.0, side="left")
    vehicle.send(samples.observation(defect_class="crack", position=None, line=tunnel), 2)
    until(browser, lambda: text(browser, "[data-case='1'] .row-name") == words["kind"])
    until(browser, lambda: words["without"] in text(browser, ".group-title"))
    until(browser, lambda: words["online"] in text(browser, "#vehicles-title"))

    press(browser, "j")
    until(browser, lambda: words["size"] in text(browser, ".facts"))
    assert words["method"] in text(browser, ".facts")
    assert browser.find_element(By.CSS_SELECTOR, "[aria-selected='true']").get_attribute("data-case") == "1"
    assert not browser.find_elements(By.CSS_SELECTOR, ".picture image"), "not there yet"
    vehicle.send_picture(content)
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".picture image"))
    box = browser.find_element(By.CSS_SELECTOR, ".picture .box")
    assert float(box.get_attribute("x")) <= 0.4 * 640 <= float(box.get_attribute("x")) + 10

    until(browser, lambda: text(browser, "#grid-note").startswith(words["grid"]))
    until(browser, lambda: text(browser, ".maplibregl-ctrl-scale").endswith("m"))
    shot(browser, tmp_path, f"case-{language}")
    no_errors(browser)


def test_the_list_is_walked_and_the_picture_enlarged_by_keyboard_alone(browser, depot, vehicle):
    content = samples.jpeg(2)
    for number in (1, 2, 3):
        vehicle.send(samples.observation(picture=samples.picture_ref(content)), number)
    vehicle.send_picture(content)
    browser.get(depot.url)
    until(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, "[data-case]")) == 3)

    def selected() -> str:
        return text(browser, "[aria-selected='true'] .row-number")

    press(browser, "j")
    assert selected() == "Fall 3"
    press(browser, "jj")
    assert selected() == "Fall 1"
    press(browser, "j")
    assert selected() == "Fall 1", "the end stays the end"
    press(browser, "k")
    assert selected() == "Fall 2"
    assert "case=2" in browser.current_url
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".picture image"))
    press(browser, "b")
    until(browser, lambda: browser.find_element(By.ID, "large").get_attribute("open"))
    press(browser, Keys.ESCAPE)
    until(browser, lambda: not browser.find_element(By.ID, "large").get_attribute("open"))
    press(browser, Keys.ESCAPE)
    until(browser, lambda: not browser.find_element(By.ID, "detail").is_displayed())
    assert browser.switch_to.active_element.get_attribute("id") == "list"
    press(browser, Keys.ARROW_DOWN)
    assert selected() == "Fall 3"


def test_filter_language_and_link_to_a_case(browser, depot, vehicle):
    vehicle.send(samples.observation(), 1)
    vehicle.send(samples.observation(defect_class="spalling"), 2)
    browser.get(f"{depot.url}/?case=1")
    until(browser, lambda: "0,62" in text(browser, ".facts"))
    until(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, ".chip")) == 2)
    browser.find_element(By.CSS_SELECTOR, ".chip[data-class='pothole']").click()
    until(browser, lambda: text(browser, "#side-title") == "1 von 2 Fällen")
    browser.find_element(By.ID, "language").click()
    until(browser, lambda: text(browser, "#side-title") == "1 of 2 cases")
    assert "lang=en" in browser.current_url
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"


def test_what_a_vehicle_sends_never_becomes_markup(browser, depot, vehicle):
    evil = "<img src=x onerror=document.title='x'>"
    vehicle.send(samples.observation(defect_class=evil, software=evil, calibration=evil), 1)
    browser.get(f"{depot.url}/?case=1")
    until(browser, lambda: evil in text(browser, ".facts"))
    assert evil in text(browser, ".row-name")
    assert browser.title == "Wegewart"
    assert not browser.find_elements(By.CSS_SELECTOR, ".facts img, .row img")


def test_a_base_map_that_does_not_answer_leaves_the_grid(browser, vendor, broker, vehicle, tmp_path):
    style = f"http://127.0.0.1:{free_port()}/style.json"
    with samples.depot_process(tmp_path, broker.port, f'[page]\nstyle_url = "{style}"') as depot:
        vehicle.send(samples.observation(), 1)
        browser.get(depot.url)
        until(browser, lambda: text(browser, "#map-message").startswith("Die Grundkarte antwortet nicht"))
        until(browser, lambda: text(browser, "#grid-note").startswith("Raster"))


def test_without_the_map_library_the_list_still_works(browser, depot, vehicle):
    vehicle.send(samples.observation(), 1)
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*maplibre-gl.mjs*"]})
    browser.get(depot.url)
    until(browser, lambda: "depot.web.install" in text(browser, "#map-message"))
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "[data-case='1']"))
    press(browser, "j")
    until(browser, lambda: "0,62" in text(browser, ".facts"))


def test_on_a_phone_nothing_is_wider_than_the_screen(browser, depot, vehicle, tmp_path):
    content = samples.jpeg(3)
    vehicle.send(samples.observation(picture=samples.picture_ref(content)), 1)
    vehicle.send_picture(content)
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.get(depot.url)
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "[data-case]"))
    shot(browser, tmp_path, "phone-list")
    for selector in ("[data-goto='map']", "[data-goto='list']", "[data-case]"):
        browser.find_element(By.CSS_SELECTOR, selector).click()
        assert browser.execute_script("return document.documentElement.scrollWidth") == 360
    assert browser.find_element(By.ID, "detail").is_displayed()
    shot(browser, tmp_path, "phone-case")
    browser.find_element(By.CSS_SELECTOR, "[data-goto='map']").click()
    assert not browser.find_element(By.ID, "detail").is_displayed()
    until(browser, lambda: browser.find_element(By.CSS_SELECTOR, ".maplibregl-ctrl-scale").is_displayed())
    shot(browser, tmp_path, "phone-map")
