# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The page in a real Chromium: a case appears live, is opened by keyboard, in German and in English."""

from __future__ import annotations

import io

import msgspec
import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from messages.types import LinePosition, LineStretch, LiningPlace, Position
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
           "method": "gekoppelt", "grid": "Raster"},
    "en": {"kind": "Pothole", "size": "0.41 m", "without": "Without position", "online": "1 of 1 online",
           "method": "Dead reckoning", "grid": "Grid"},
}  # fmt: skip


POTHOLE, TRACK = (179, 38, 30), (167, 187, 190)
ROUGH, SMOOTH, BLOW = (159, 85, 143), (242, 208, 114), (91, 31, 105)


def map_image(browser) -> np.ndarray:
    """The map without its legend, which has the same colours: rows x columns x RGB."""
    browser.execute_script("document.querySelector('.notes').style.visibility = 'hidden'")
    image = Image.open(io.BytesIO(browser.find_element(By.ID, "map").screenshot_as_png)).convert("RGB")
    browser.execute_script("document.querySelector('.notes').style.visibility = ''")
    return np.asarray(image, int)


def painted(browser, colour: tuple[int, int, int]) -> tuple[float, float, int] | None:
    """Middle (x, y in pixels of the map) and number of the map's pixels in a colour; None where there are none."""
    rows, columns = np.nonzero(np.abs(map_image(browser) - colour).max(axis=2) <= 10)
    return (float(np.median(columns)), float(np.median(rows)), len(rows)) if len(rows) >= 20 else None


def metres_per_pixel(browser) -> float:
    scale = browser.find_element(By.CSS_SELECTOR, ".maplibregl-ctrl-scale")
    return float(scale.text.split()[0]) / scale.size["width"]


TUNNEL_WORDS = {
    "de": {
        "list": "U79, Gleis 1, km 3,412, links", "basis": "gekoppelt (Tunnel), 340 m seit letztem Fix",
        "accuracy": "± 9,0 mmit 95 % im Umkreis von 22,1 m", "lining": "Uhrlage 2:30 (rechts), 3,1 m über",
        "moved": "nachträglich korrigiert, um 22 m verschoben",
        "short": "U79, Gleis 1, km 3,390, links · Lage korrigiert",
        "now": "entlang Linie U79, Gleis 1, km 3,390, links± 3 m", "wheel": "vom Rad bestätigtStoß 12,5 m/s²",
        "gnss": "± 0,02 mmit 95 % im Umkreis von 0,05 mOrtungGNSS, RTK fix",
        "track": "befahren, beurteilt · Tunnelschale · U79, Gleis 1, km 3,500 bis 3,330",
    },
    "en": {
        "list": "U79, track 1, km 3.412, left", "basis": "Dead reckoning (tunnel), 340 m since the last fix",
        "accuracy": "± 9.0 m95 % within 22.1 m", "lining": "at 2:30 o'clock (right), 3.1 m above",
        "moved": "corrected afterwards, moved by 22 m", "short": "U79, track 1, km 3.390, left · place corrected",
        "now": "Along line U79, track 1, km 3.390, left± 3 m", "wheel": "confirmed by the wheelshock 12.5 m/s²",
        "gnss": "± 0.02 m95 % within 0.05 mFound byGNSS, RTK fix",
        "track": "driven and judged · Tunnel lining · U79, track 1, km 3.500 to 3.330",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_case_in_a_tunnel_says_where_and_how_well_and_moves_without_a_reload(
    browser, depot, vehicle, tmp_path, language
):
    words = TUNNEL_WORDS[language]
    reckoned = Position(lon=6.7623, lat=51.4344, error_m=9.0, method="dead_reckoned", since_fix_m=340.0)
    line = LinePosition(line="U79", chainage_m=3412.0, error_m=9.0, track="1", side="left")
    stretch = LineStretch(line="U79", from_m=3500.0, to_m=3330.0, error_m=9.0, track="1")
    vehicle.send(samples.status(), 100)
    vehicle.send(samples.coverage(line=stretch, surface="lining"), 101)
    vehicle.send(
        samples.observation(
            surface="lining", position=reckoned, line=line, lining=LiningPlace(clock=2.5, height_m=3.1, side="right")
        ),
        1,
    )
    browser.get(f"{depot.url}/?lang={language}&case=1")
    until(browser, lambda: words["list"] in text(browser, "[data-case='1'] .row-place"))
    browser.execute_script("window.neverReloaded = true")
    facts = plain(text(browser, ".facts"))
    assert words["basis"] in facts
    assert words["accuracy"] in facts
    assert words["lining"] in facts
    before = until(browser, lambda: painted(browser, POTHOLE))
    shot(browser, tmp_path, f"tunnel-before-{language}")

    exact = Position(lon=6.7623, lat=51.4346, error_m=3.0, method="line", since_fix_m=340.0)
    vehicle.send(
        samples.revision(1, 1, position=exact, line=msgspec.structs.replace(line, chainage_m=3390.0, error_m=3.0)), 2
    )
    until(browser, lambda: text(browser, "[data-case='1'] .row-place") == words["short"])
    facts = plain(text(browser, ".facts"))
    assert words["moved"] in facts
    assert words["now"] in facts
    after = until(browser, lambda: (now := painted(browser, POTHOLE)) and abs(now[1] - before[1]) > 40 and now)
    assert before[1] - after[1] == pytest.approx(22.2 / metres_per_pixel(browser), rel=0.1)
    assert after[0] == pytest.approx(before[0], abs=3)
    ring = map_image(browser)[round(after[1]), round(after[0]) + 16]
    assert ring == pytest.approx([18, 52, 59], abs=20), "what marks it has moved with it"

    vehicle.send(samples.roughness(1), 3)
    until(browser, lambda: words["wheel"] in plain(text(browser, ".facts")))
    shot(browser, tmp_path, f"tunnel-after-{language}")
    fixed = Position(lon=6.7623, lat=51.4346, error_m=0.02, method="gnss", quality="rtk_fixed")
    vehicle.send(samples.revision(1, 2, position=fixed), 4)
    until(browser, lambda: words["gnss"] in plain(text(browser, ".facts")))
    point_at(browser, painted(browser, TRACK))
    until(browser, lambda: text(browser, ".hint") == words["track"])
    assert browser.execute_script("return window.neverReloaded")
    no_errors(browser)


def point_at(browser, place: tuple[float, float, int]) -> None:
    """Move the mouse to a place of `painted`."""
    area = browser.find_element(By.ID, "map")
    dx, dy = (round(at - size / 2) for at, size in zip(place, (area.size["width"], area.size["height"]), strict=False))
    ActionChains(browser).move_to_element_with_offset(area, dx, dy).perform()


def plain(words: str) -> str:
    return words.replace("\u00a0", " ")


def test_roughness_is_a_layer_that_is_switched_on_and_off(browser, depot, vehicle, tmp_path):
    vehicle.send(samples.coverage(), 101)
    vehicle.send(samples.observation(), 1)
    placeless = samples.roughness(sections=(), shocks=samples.roughness().shocks[1:])
    for number in range(200):  # a whole page of what is not drawn; what is drawn comes on the next
        vehicle.send(placeless, 1000 + number)
    vehicle.send(samples.roughness(1), 2)
    browser.get(depot.url)
    until(browser, lambda: painted(browser, POTHOLE))
    button = browser.find_element(By.ID, "roughness")
    assert button.text == "Rauheit"
    assert painted(browser, ROUGH) is None
    assert not browser.find_element(By.CSS_SELECTOR, ".legend .ramp").is_displayed()
    button.click()
    until(browser, lambda: painted(browser, ROUGH) and painted(browser, SMOOTH))
    assert button.get_attribute("aria-pressed") == "true"
    assert "nur ein Anhalt" in browser.find_element(By.CSS_SELECTOR, ".legend .ramp").text

    point_at(browser, until(browser, lambda: painted(browser, BLOW)))
    until(browser, lambda: "Stoß 12,5 m/s², gehört zu Fall 1" in text(browser, ".hint"))
    shot(browser, tmp_path, "roughness")

    before = painted(browser, ROUGH)[2]
    section = msgspec.structs.replace(samples.roughness().sections[1], path=((6.7623, 51.4347), (6.7626, 51.4347)))
    vehicle.send(samples.roughness(sections=(section,), shocks=()), 3)
    until(browser, lambda: painted(browser, ROUGH)[2] > 1.5 * before)
    browser.find_element(By.ID, "language").click()
    assert button.text == "Roughness"
    button.click()
    until(browser, lambda: painted(browser, ROUGH) is None)
    no_errors(browser)


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
