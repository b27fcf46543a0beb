# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the stages come from."""

from __future__ import annotations

from pathlib import Path

from edge.assembly import delivered_models


def test_the_models_are_the_releases_or_else_the_checkouts() -> None:
    folder = "/opt/wegewart/current/models"
    assert delivered_models({"WEGEWART_MODELS": folder}) == Path(folder)
    for environment in ({}, {"WEGEWART_MODELS": ""}):
        assert (delivered_models(environment) / "street" / "model.toml").is_file()
