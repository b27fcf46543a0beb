# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the stages come from."""

from __future__ import annotations

from pathlib import Path

from edge.release import delivered_models


def test_the_models_are_the_releases_or_else_the_checkouts(tmp_path: Path) -> None:
    assert delivered_models({"WEGEWART_MODELS": str(tmp_path)}) == tmp_path
    for environment in ({}, {"WEGEWART_MODELS": ""}, {"WEGEWART_MODELS": str(tmp_path / "none")}):
        assert (delivered_models(environment) / "street" / "model.toml").is_file()
