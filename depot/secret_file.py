# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Secrets that the configuration names by their file, so that they stand in no configuration."""

from __future__ import annotations

from pathlib import Path

from depot.errors import ConfigError


def first_line(path: Path, *, key: str) -> str:
    """The secret in the first line. `key` of the configuration names it in the error. Raises ConfigError."""
    try:
        first = path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{key}: {path} cannot be read: {error}") from None
    if not first:
        raise ConfigError(f"{key}: the first line of {path} is empty")
    return first
