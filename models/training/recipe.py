# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The training recipe, read from one TOML file."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Phase:
    """Some steps at one size."""

    steps: int
    size: tuple[int, int]
    zoom: tuple[float, float]
    cells: tuple[float, float, float]
    rate: float
    last_rate: float
    simulated_share: float
    #: Of pictures that `scripts/train --add FOLDER` mixes in.
    added_share: float = 0.0
    #: How often a real picture gets a defect of another one (`paste.py`), and how often rain or a wet road.
    pasted: float = 0.0
    weather: float = 0.0
    #: With the rounding of the INT8 file, see `qat.py`.
    quantized: bool = False


@dataclass(frozen=True)
class Recipe:
    """Everything that decides about the weights, besides data and code."""

    seed: int
    batch: int
    weight_decay: float
    ema_decay: float
    gradient_limit: float
    warmup_steps: int
    open_data_only: bool
    start_weights: str
    view_weights: dict[str, float]
    phases: tuple[Phase, ...]
    stretch: float = 0.15
    left_out: tuple[str, ...] = ()  # sequences that are marked for the test
    #: Channels behind the first convolution; all others are multiples of it.
    width: int = 16
    #: Only the heads learn; all before them stays as it starts, so that another model can share it.
    held: bool = False
    #: Steps from one checkpoint to the next.
    save_every: int = 100

    @property
    def steps(self) -> int:
        """Of all phases."""
        return sum(phase.steps for phase in self.phases)

    def in_a_row(self, step: int) -> int:
        """Steps since quantization last came into the loop or left it."""
        first = since = 0
        for before, phase in zip((self.phases[0], *self.phases), self.phases, strict=False):
            since = since if phase.quantized == before.quantized else first
            if step < first + phase.steps:
                return step - since
            first += phase.steps
        raise IndexError(f"step {step} is after the last phase")

    def at(self, step: int) -> tuple[Phase, float]:
        """Phase and learning rate of a step."""
        first = 0
        for phase in self.phases:
            if step < first + phase.steps:
                done = (step - first) / phase.steps
                rate = phase.last_rate + (phase.rate - phase.last_rate) * (1 + math.cos(math.pi * done)) / 2
                return phase, rate * min(1.0, (step + 1) / self.warmup_steps)
            first += phase.steps
        raise IndexError(f"step {step} is after the last phase")


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; an unknown or missing key is a TypeError that names it."""
    raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    phases = tuple(
        Phase(**{key: tuple(value) if isinstance(value, list) else value for key, value in phase.items()})
        for phase in raw.pop("phase")
    )
    return Recipe(phases=phases, left_out=tuple(raw.pop("left_out", ())), **raw)
