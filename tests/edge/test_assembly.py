# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the stages come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge import release
from edge.release import delivered_models


def test_the_models_are_the_releases_or_else_the_checkouts(tmp_path: Path) -> None:
    assert delivered_models({"WEGEWART_MODELS": str(tmp_path)}) == tmp_path
    for environment in ({}, {"WEGEWART_MODELS": ""}, {"WEGEWART_MODELS": str(tmp_path / "none")}):
        assert (delivered_models(environment) / "street" / "model.toml").is_file()


def test_a_command_typed_on_a_vehicle_finds_the_models_of_the_release_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "__file__", str(tmp_path / "site-packages" / "edge" / "release.py"))
    assert delivered_models({}) == Path("/opt/wegewart/current/models")
