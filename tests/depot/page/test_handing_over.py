# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A dispatcher hands a confirmed case over to the city's system, from the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from depot.config import Config
from depot.handover.config import HandoverConfig, Open311Config
from tests.depot.page.desk import Desk
from tests.depot.page.serving import page_depot

pytestmark = [pytest.mark.browser, pytest.mark.integration]

CITY = Open311Config(url="http://127.0.0.1:9/open311/v2", services={"*": "strassenschaden"})


def confirmed_case(desk: Desk) -> None:
    desk.see()
    desk.until(lambda: desk.rows == [1])
    answer = desk.depot.ask(
        "POST", "/api/cases/1/actions", json={"action": "confirm", "changed": desk.depot.column_of(1, "changed")}
    )
    assert answer.status_code == 200, answer.text
    desk.until(lambda: desk.rows == [])
    desk.click("[data-queue=confirmed]")
    desk.until(lambda: desk.rows == [1])
    desk.press("j")
    desk.until(lambda: desk.open_case == 1)


def test_a_confirmed_case_is_handed_over_by_one_button_and_once(browser, vendor, tmp_path: Path):
    with page_depot(tmp_path, config=Config(handover=HandoverConfig(open311=CITY))) as depot:
        desk = Desk(browser, depot)
        desk.open()
        confirmed_case(desk)
        desk.click("[data-action=handover]")
        desk.until(lambda: "wird übergeben" in desk.text(".facts"))
        assert not desk.all("[data-action=handover]")


def test_where_the_city_has_no_such_system_there_is_no_button(browser, vendor, tmp_path: Path):
    with page_depot(tmp_path) as depot:
        desk = Desk(browser, depot)
        desk.open()
        confirmed_case(desk)
        desk.until(lambda: desk.all(".facts-part.office"))
        assert not desk.all("[data-action=handover]")
