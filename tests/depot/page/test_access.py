# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""For everybody: no obstacle that axe-core finds (WCAG 2.2 AA) on any page, in both languages, and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from depot.errors import DepotError
from depot.web import install
from tests.browser import shot
from tests.depot.page.city import City
from tests.depot.page.desk import Desk
from tests.servers import missing

pytestmark = [pytest.mark.browser, pytest.mark.integration]

AXE = Path(__file__).parent / "axe"
LIBRARY = Path("node_modules/axe-core/axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: What stands there once the page is whole.
PAGES = {
    "/": "[data-case]", "/?case=1": ".facts", "/coverage": ".road", "/condition": ".section-row, .side-list .empty",
    "/condition?tab=tunnels": ".unrolled a", "/vehicles": "[data-vehicle]", "/admin?tab=users": ".sheet td",
    "/admin?tab=rules": ".rule", "/admin?tab=areas": ".sheet td", "/admin?tab=alarms": ".sheet td",
    "/admin?tab=webhooks": ".sheet .empty", "/admin?tab=tokens": ".sheet .empty", "/admin?tab=offices": ".sheet td",
    "/admin?tab=audit": ".sheet td",
}  # fmt: skip


_LOOK = """
const [rules, done] = arguments;
const told = ({ html, failureSummary }) => `${html.slice(0, 160)} | ${failureSummary.slice(0, 200)}`;
axe.run(document, { runOnly: rules, resultTypes: ["violations"] }).then(({ violations }) =>
  done(violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(told).join(" // ")}`)));
"""


@pytest.fixture(scope="session")
def axe() -> str:
    try:
        install.install(AXE, LIBRARY)
    except DepotError as error:
        missing(str(error))
    return (AXE / LIBRARY).read_text(encoding="utf-8")


@pytest.fixture
def city(desk):
    """A small city with a few weeks of drives."""
    desk.depot.lay_out()
    desk.depot.add_people()
    desk.depot.take(City(defects=14, days=8, now=desk.city.now).intakes())
    return desk


def obstacles(desk: Desk, axe: str) -> list[str]:
    desk.browser.execute_script(axe)
    return list(desk.browser.execute_async_script(_LOOK, RULES))


@pytest.mark.parametrize("language", ["de", "en"])
def test_no_page_has_an_obstacle(city, axe, language):
    found = {}
    for path, whole in PAGES.items():
        city.open_whole(path, whole, language=language)
        found[path] = obstacles(city, axe)
    city.open("/?case=1", language=language)
    city.until(lambda: city.open_case == 1)
    for keys in ("?", "d", "t" if language == "de" else "s", "a" if language == "de" else "r", "n"):
        city.press(keys)
        city.until(lambda: city.all("dialog[open], .choosing-list"))
        found[f"key {keys}"] = obstacles(city, axe)
        city.press(Keys.ESCAPE)
        city.until(lambda: not city.all("dialog[open], .choosing-list"))
    city.click("#filter-open")
    found["filters"] = obstacles(city, axe)
    assert {path: list_ for path, list_ in found.items() if list_} == {}


def test_the_login_has_no_obstacle(browser, guarded, axe):
    desk = Desk(browser, guarded)
    desk.open()
    desk.until(lambda: desk.all("[name=password]"))
    assert obstacles(desk, axe) == []


def test_on_a_phone_nothing_is_wider_than_the_screen_or_too_small_for_a_thumb(city, axe, tmp_path):
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    city.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    for number, (path, whole) in enumerate(PAGES.items()):
        city.open_whole(path, whole)
        assert city.browser.execute_script("return document.documentElement.scrollWidth") == 360, path
        assert obstacles(city, axe) == [], path
        shot(city.browser, tmp_path, f"phone-{number}")
    city.open("/")
    city.click("[data-goto=map]")
    city.until(lambda: city.browser.find_element("css selector", ".maplibregl-ctrl-scale").is_displayed())
    city.click("[data-goto=list]")
    city.click("[data-case]")
    city.until(lambda: city.open_case is not None)
    small = city.browser.execute_script(
        "return [...document.querySelectorAll('.decide button, .stage-steps button, .nav a')]"
        ".filter(b => b.offsetParent && Math.min(b.offsetWidth, b.offsetHeight) < 38).map(b => b.outerHTML)"
    )
    assert small == []
    city.click("[data-action=confirm]")
    city.shows(".toast", "bestätigt")


def test_the_focus_goes_through_the_page_in_the_order_of_sight(desk):
    desk.see()
    desk.open()
    desk.until(lambda: desk.rows == [1])
    seen = []
    for _ in range(18):
        desk.press(Keys.TAB)
        seen.append(desk.browser.execute_script(
            "const e = document.activeElement;"
            "return e.id || e.dataset.section || e.dataset.queue || e.className || e.tagName"
        ))  # fmt: skip
    order = ["skip", "brand", "review", "help", "language", "open", "list"]
    at = [seen.index(name) for name in order if name in seen]
    assert len(at) >= 6, seen
    assert at == sorted(at), seen
