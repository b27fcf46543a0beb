# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures: what was asked, what it must show, what was measured; and the table of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Figure:
    """One line of the table. `ok` None: told, but nothing is asked of it. `values`: the numbers, for machines."""

    row: str
    what: str
    must: str
    measured: str
    ok: bool | None
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """How much to run."""

    seeds: tuple[int, ...]
    short: bool = False

    def some(self, count: int, *, short: int) -> tuple[int, ...]:
        """The first seeds: `count` of them, or so many where it has to be short."""
        return self.seeds[: short if self.short else count]


@dataclass(frozen=True)
class Job:
    """One piece of work for a process of its own: a module's function and what it is called with."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()

    def run(self) -> Any:
        """Do it."""
        return self.function(*self.arguments)


class Row(Protocol):
    """A module of `benchmarks.geometry.rows`."""

    def jobs(self, plan: Plan) -> list[Job]:
        """What has to run."""

    def figures(self, results: Sequence[Any]) -> list[Figure]:
        """What came out of it; `results` in the order of the jobs."""


def below(values: Sequence[float], bound: float) -> bool:
    """Whether all are numbers below a bound, and there are any."""
    return bool(values) and all(math.isfinite(value) and value < bound for value in values)


def table(figures: Sequence[Figure]) -> str:
    """Aligned plain text."""
    head = ("what", "must show", "measured", "ok?")
    rows = [head] + [(f.what, f.must, f.measured, {True: "yes", False: "NO", None: "-"}[f.ok]) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
