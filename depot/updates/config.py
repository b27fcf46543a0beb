# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Section `updates` of the depot's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from depot.sections import Section


class UpdatesConfig(Section, frozen=True):
    """The repository of signed releases (`scripts/release` makes it)."""

    repository: Annotated[
        Path | None,
        Meta(description="its folder, with metadata/ and targets/; served below /updates/. Not set: no updates"),
    ] = None


def problem(updates: UpdatesConfig) -> str | None:
    """What no single key shows."""
    folder = updates.repository
    if folder is not None and not folder.is_dir():
        return f"updates.repository: {folder} is not a folder; make it with scripts/release"
    return None
