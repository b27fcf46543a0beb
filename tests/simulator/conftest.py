# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.simulator import DriveSummary, simulate
from edge.simulator.truth import Truth, load


@dataclass(frozen=True)
class Drive:
    folder: Path
    summary: DriveSummary
    truth: Truth


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Drive:
    """120 m with a tunnel, drawn once for all tests."""
    folder = tmp_path_factory.mktemp("simulated") / "drive"
    summary = simulate(folder, seed=7, km=0.12, frame_every_m=3.0)
    return Drive(folder, summary, load(folder / "truth.json"))
