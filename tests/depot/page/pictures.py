# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes the pictures of docs/depot.md: python -m tests.depot.page.pictures

The whole depot with a made-up city of rendered drives (nothing that anybody filmed), looked at by Chromium.
The rendered drives are kept in var/pages and made once.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from selenium import webdriver

from depot.config import Config
from depot.updates.config import UpdatesConfig
from depot.web import install
from edge.simulator import simulate
from tests.browser import FLAGS
from tests.depot.page.city import City
from tests.depot.page.desk import Desk
from tests.depot.page.photos import rendered
from tests.depot.page.serving import PageDepot, page_depot
from tests.depot.updates.made import repository
from tests.depot.updates.yard import R1, R2, Yard

ROOT = Path(__file__).resolve().parents[3]
PICTURES = ROOT / "docs" / "pictures"
DRIVES = {"street": (21, 0.4), "tunnel": (8, 0.2)}
DESKTOP = {"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": False}
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}


def main() -> int:
    """All pictures."""
    install.install()
    PICTURES.mkdir(parents=True, exist_ok=True)
    drives = [_drive(name, *of) for name, of in DRIVES.items()]
    with tempfile.TemporaryDirectory() as folder:
        repository(Path(folder, "repository"), R1, R2)
        with page_depot(
            Path(folder), config=Config(updates=UpdatesConfig(repository=Path(folder, "repository")))
        ) as depot:
            _look(depot, Path(folder), drives)
    return 0


def _look(depot: PageDepot, folder: Path, drives: list[Path]) -> None:
    depot.lay_out()
    depot.add_people()
    city = City(photos=rendered(*drives), now=datetime.now(timezone.utc))
    depot.take(city.intakes())
    browser = _browser(Path(folder))
    try:
        _shoot(Desk(browser, depot))
        _shoot_updates(Desk(browser, depot), Yard(depot, city))
    finally:
        browser.quit()


def _drive(scene: str, seed: int, km: float) -> Path:
    folder = ROOT / "var" / "pages" / scene
    if not (folder / "truth.json").is_file():
        simulate(folder, seed=seed, km=km, scene=scene)  # type: ignore[arg-type]
    return folder


def _browser(folder: Path) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for flag in [*FLAGS, f"--user-data-dir={folder / 'profile'}"]:
        options.add_argument(flag)
    return webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))


def _shoot(desk: Desk) -> None:
    browser = desk.browser

    def keep(name: str) -> None:
        desk.settle()
        assert browser.save_screenshot(str(PICTURES / f"{name}.png"))
        print(name)

    def page(name: str, path: str, whole: str, *, then: Callable[[], None] | None = None, language: str = "de") -> None:
        desk.open_whole(path, whole, language=language)
        if then is not None:
            then()
        keep(name)

    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESKTOP)
    page("review-map", "/", "[data-case]")
    page("review-case", "/?sort=grade", "[data-case]", then=lambda: _first(desk))
    desk.press("a")
    desk.until(lambda: desk.all(".choice"))
    keep("review-reason")
    page("review-english", "/?sort=grade", "[data-case]", then=lambda: _first(desk), language="en")
    page("coverage", "/coverage", ".road")
    page("condition", "/condition", ".section-row")
    page("tunnel", "/condition?tab=tunnels", ".unrolled a")
    page("vehicles", "/vehicles", "[data-vehicle]")
    page("admin-rules", "/admin?tab=rules", ".rule")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    page("phone-list", "/", "[data-case]")
    desk.click("[data-case]")
    desk.until(lambda: desk.open_case is not None)
    keep("phone-case")


def _shoot_updates(desk: Desk, yard: Yard) -> None:
    """A roll-out that one vehicle stopped, and who runs what."""
    body = {"release": R2, "steps": [{"group": "canary", "hold_h": 0}, {"share": 0.4, "hold_h": 0}, {"share": 1}]}
    number = yard.depot.ask("POST", "/api/rollouts", json=body).json()["number"]
    yard.depot.ask("POST", f"/api/rollouts/{number}/actions", json={"action": "start"})
    yard.roll()
    yard.says("kehr-3", R2, "active")
    yard.roll()
    yard.says(yard.told[-1], R1, "failed", "self-test: 2 of 9 pictures judged otherwise")
    yard.roll()
    desk.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESKTOP)
    for name, path, whole in (
        ("vehicles-software", "/vehicles?view=software", "[data-vehicle]"),
        ("admin-releases", "/admin?tab=releases", ".rollout .wrong"),
    ):
        desk.open_whole(path, whole)
        desk.settle()
        assert desk.browser.save_screenshot(str(PICTURES / f"{name}.png"))
        print(name)


def _first(desk: Desk) -> None:
    desk.press("j")
    desk.until(lambda: desk.open_case is not None and desk.all(".picture image"))


if __name__ == "__main__":
    sys.exit(main())
