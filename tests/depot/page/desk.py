# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A person before the page: opens it, presses keys, looks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from selenium.common.exceptions import NoSuchElementException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement

from tests.browser import press, text, until
from tests.depot.page.city import City, Defect
from tests.depot.page.serving import PASSWORD, PageDepot

#: The map asks once it stands still; two quiet seconds mean that all has come.
_SETTLE = """
const done = arguments[0];
let last = performance.now();
new PerformanceObserver(() => { last = performance.now(); }).observe({ entryTypes: ["resource"] });
const look = () => (performance.now() - last > 2000 ? done() : setTimeout(look, 100));
look();
"""


class Desk:
    """`city` tells what the vehicles saw; each of its defects is some streets away from the others."""

    def __init__(self, browser: WebDriver, depot: PageDepot) -> None:
        self.browser = browser
        self.depot = depot
        self.city = City(defects=0, now=datetime.now(timezone.utc) + timedelta(hours=1))

    def see(self, number: int = 0, *, days_ago: int = 0, photo: bool = True, **changes: Any) -> Defect:
        """A vehicle passes a defect."""
        known: dict[str, Any] = {"label": "pothole", "length_m": 0.6, "width_m": 0.4, "grade": 3}
        at = {"street": number % 12, "along": 0.3 + 0.02 * (number // 12), "beside_m": 0.0}
        defect = Defect(number, **(known | at | changes))
        self.see_again(defect, days_ago=days_ago, photo=photo)
        return defect

    def see_again(self, defect: Defect, *, days_ago: int = 0, photo: bool = True) -> None:
        moment = self.city.moment(days_ago)
        self.depot.take(self.city.sighting(defect, "kehr-3", f"boot-{days_ago}", moment, days_ago, photo=photo))

    def open(self, path: str = "/", *, language: str = "de") -> None:
        """Go there; with a language in the address."""
        sign = "&" if "?" in path else "?"
        self.browser.get(f"{self.depot.url}{path}{sign}lang={language}")

    def open_whole(self, path: str, whole: str, *, language: str = "de") -> None:
        """Go there and wait for what stands there once the page is whole."""
        self.open(path, language=language)
        try:
            self.until(lambda: self.all(whole))
        except TimeoutException:
            raise AssertionError(f"{path}: there is no {whole}: {self.text('main')[:500]!r}") from None

    def log_in(self, name: str, *, language: str = "de") -> None:
        self.open("/", language=language)
        self.write("form [name=name]", name)
        self.write("form [name=password]", PASSWORD)
        self.click("form [type=submit]")
        until(self.browser, lambda: not self.all("form [name=password]"))

    def all(self, selector: str) -> list[Any]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return text(self.browser, selector).replace("\u00a0", " ")

    def press(self, *keys: str) -> None:
        press(self.browser, *keys)

    def click(self, selector: str) -> None:
        """Click the first one of these, as soon as it is there."""
        self._on(selector, lambda found: found.click())

    def write(self, selector: str, words: str) -> None:
        """Put these words into a field, as soon as it is there."""

        def fill(found: WebElement) -> None:
            found.clear()  # of an attempt before this one
            found.send_keys(words)

        self._on(selector, fill)

    def _on(self, selector: str, do: Callable[[WebElement], object]) -> None:
        """`do` with the element; found again where the page draws it anew between finding and doing."""

        def done() -> bool:
            try:
                do(self.browser.find_element(By.CSS_SELECTOR, selector))
            except NoSuchElementException:
                return False
            return True

        try:
            self.until(done)
        except TimeoutException:
            raise AssertionError(f"{selector} is not there, or never stays: {self.text('main')[:500]!r}") from None

    def until(self, what: Any) -> Any:
        return until(self.browser, what)

    def shows(self, selector: str, words: str) -> None:
        """Wait until it says so; else say what it says."""
        try:
            self.until(lambda: words in self.text(selector))
        except Exception as error:
            raise AssertionError(f"{selector}: {words!r} is not in {self.text(selector)!r}") from error

    def settle(self) -> None:
        """Wait until the map is drawn and every picture is there."""
        self.browser.set_script_timeout(30)
        self.browser.execute_async_script(_SETTLE)

    @property
    def rows(self) -> list[int]:
        """Numbers of the cases in the list."""
        found: list[int] = self.browser.execute_script(
            "return [...document.querySelectorAll('[data-case]')].map(row => Number(row.dataset.case))"
        )
        return found

    @property
    def open_case(self) -> int | None:
        """The case whose decision stands ready: its buttons are there."""
        found: int | None = self.browser.execute_script(
            "const stage = document.querySelector('.stage:not([hidden])[data-shown]');"
            "return stage && stage.querySelector('.decide .button') ? Number(stage.dataset.shown) : null"
        )
        return found
