# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A real Chromium for the tests of the page."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait

from depot.errors import DepotError
from depot.web import install
from tests.servers import missing, need

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--force-prefers-reduced-motion", "--window-size=1440,900",
]  # fmt: skip
#: Where the screenshots go; kept where a folder is named, else thrown away with the test.
SHOTS = os.environ.get("WEGEWART_SHOTS")


@pytest.fixture(scope="session")
def vendor():
    try:
        install.install()
    except DepotError as error:
        missing(str(error))


@pytest.fixture
def browser(tmp_path):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or need("chromium")
    for flag in [*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(need("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def until(browser, what):
    """Wait for it; an element that the page draws anew meanwhile is asked again."""
    patient = WebDriverWait(browser, 20, poll_frequency=0.05, ignored_exceptions=[StaleElementReferenceException])
    return patient.until(lambda _: what())


def text(browser, selector: str) -> str:
    return " ".join(browser.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector
    ))  # fmt: skip


def press(browser, *keys: str) -> None:
    ActionChains(browser).send_keys(*keys).perform()


def shot(browser, tmp_path: Path, name: str) -> None:
    folder = Path(SHOTS) if SHOTS else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    assert browser.save_screenshot(str(folder / f"{name}.png"))


def no_errors(browser) -> None:
    """The page logged no error: no script failed, nothing was blocked by the policy.

    Asking who is logged in while nobody is (401) is no error, though Chromium logs it as one.
    """
    severe = [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    assert [line for line in severe if "/api/session " not in line] == []
