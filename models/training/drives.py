# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames of simulated drives as training pictures."""

from __future__ import annotations

from pathlib import Path

from models.training.dataset import Sample


def load_drives(folder: Path) -> list[Sample]:
    """Every frame of every drive below the folder."""
    raise NotImplementedError(folder)
