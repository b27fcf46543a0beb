# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A whole drive, from pictures to the map in a real Chromium, over a real broker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from edge.cli import main
from tests.browser import no_errors, press, shot, text, until
from tests.depot import samples
from tests.servers import mosquitto

pytestmark = [pytest.mark.browser, pytest.mark.integration]


def drive(capsys: pytest.CaptureFixture[str], source: Path, port: int, data: Path) -> dict[str, int]:
    code = main(["replay", str(source), "--broker", f"mqtt://127.0.0.1:{port}", "--data", str(data)])
    told = capsys.readouterr()
    assert code == 0, told.err
    return json.loads(told.out.splitlines()[-1])


def look(browser, depot, summary: dict[str, int], folder: Path, name: str) -> None:
    """Open the page: all that was confirmed in its cases, a scale on the map, a picture that opens."""
    count = len(depot.cases())
    assert len(depot.shown()) == summary["observations_confirmed"]
    browser.get(depot.url)
    until(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, "[data-case]")) == min(count, 50))
    until(browser, lambda: text(browser, ".maplibregl-ctrl-scale").endswith("m"))
    if count:
        press(browser, "j")
        until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".picture image"))
    shot(browser, folder, name)
    no_errors(browser)


def test_the_rendered_drive_is_on_the_map(browser, vendor, small_drive: Path, tmp_path: Path, capsys):
    with mosquitto(tmp_path) as broker, samples.depot_process(tmp_path, broker.port) as depot:
        summary = drive(capsys, small_drive, broker.port, tmp_path / "vehicle")
        assert summary["drained"]
        look(browser, depot, summary, tmp_path, "rendered")


@pytest.mark.data
def test_the_real_highway_drive_is_on_the_map(browser, vendor, shared: Path, tmp_path: Path, capsys):
    with mosquitto(tmp_path) as broker, samples.depot_process(tmp_path, broker.port) as depot:
        summary = drive(capsys, shared / "drive" / "br386_a", broker.port, tmp_path / "vehicle")
        assert summary["observations_confirmed"] >= 1
        look(browser, depot, summary, tmp_path, "br386")
