# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Only a certificate that will let the vehicle in goes onto a card."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tests.workshop.flash.making import NOW, fleet
from workshop.desk import Desk
from workshop.flash.keys import vehicle_keys
from workshop.flash.words import FlashError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fleet(tmp_path / "fleet", "wagen-7", "wagen-8", days=100)


def refused(folder: Path, vehicle: str = "wagen-7", *, days: int = 0) -> str:
    with pytest.raises(FlashError) as caught:
        vehicle_keys(folder, vehicle, NOW + timedelta(days=days))
    said = caught.value.words
    assert f"scripts/provision {folder} vehicle {vehicle}" in said.de
    assert "\n" not in said.en
    return said.en


def test_a_good_one_is_taken_with_the_days_it_has_left(folder: Path) -> None:
    keys = vehicle_keys(folder, "wagen-7", NOW)
    assert keys.days == 100
    assert b"BEGIN PRIVATE KEY" in keys.key


def test_a_revoked_one_is_refused_until_a_new_one_is_issued(folder: Path) -> None:
    Desk(folder, NOW).revoke("wagen-7", "stolen")
    assert "is revoked" in refused(folder)
    Desk(folder, NOW).vehicle("wagen-7", days=10)
    assert vehicle_keys(folder, "wagen-7", NOW).days == 10


@pytest.mark.parametrize("days", [100, -5])
def test_an_expired_one_or_one_of_the_future_is_refused(folder: Path, days: int) -> None:
    assert "is not valid" in refused(folder, days=days)


def test_another_vehicles_is_refused(folder: Path) -> None:
    shutil.copytree(folder / "vehicles/wagen-8", folder / "vehicles/wagen-7", dirs_exist_ok=True)
    assert "is given to wagen-8, not to wagen-7" in refused(folder)


def test_a_key_of_another_is_refused(folder: Path) -> None:
    shutil.copy(folder / "vehicles/wagen-8/vehicle.key", folder / "vehicles/wagen-7/vehicle.key")
    assert "do not belong together" in refused(folder)


def test_one_of_another_fleet_is_refused(folder: Path, tmp_path: Path) -> None:
    other = fleet(tmp_path / "other", "wagen-7")
    shutil.copy(other / "vehicles/wagen-7/ca.pem", folder / "vehicles/wagen-7/ca.pem")
    assert "is not by the ca.pem beside it" in refused(folder)
    shutil.copytree(other / "vehicles/wagen-7", folder / "vehicles/wagen-7", dirs_exist_ok=True)
    assert "is not this fleet's authority" in refused(folder)


def test_a_vehicle_without_one_and_a_damaged_one_are_refused(folder: Path) -> None:
    assert "cannot be read" in refused(folder, "wagen-9")
    # Made from the vehicle's own request: its key never leaves it, so a new card has none.
    (folder / "vehicles/wagen-8/vehicle.key").unlink()
    assert "vehicle.key: cannot be read" in refused(folder, "wagen-8")
    (folder / "vehicles/wagen-7/vehicle.pem").write_text("nonsense")
    assert "a file is damaged" in refused(folder)
