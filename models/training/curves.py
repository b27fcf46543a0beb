# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws precision over recall and reliability diagrams for a model's card. Needs matplotlib, which only cards need."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.training.calibration import bins
from models.training.metric import Count, Judged, curve

Floats = NDArray[np.float64]

COLUMNS, SIDE_IN, DPI = 3, 2.6, 80
BEFORE, AFTER, GREY = "#b35806", "#2166ac", "#888888"


@dataclass(frozen=True)
class Trade:
    """One class: its judged pictures, and what thresholds give, by the name of the threshold."""

    title: str
    judged: Sequence[Judged]
    points: Mapping[str, Count]


@dataclass(frozen=True)
class Reliability:
    """One class: scores before and after calibration, and which boxes were right."""

    title: str
    before: Floats
    after: Floats
    right: NDArray[np.bool_]


def draw_trades(path: Path, trades: Sequence[Trade]) -> None:
    """Precision over recall per class, thresholds marked; the shipped one comes first."""
    figure, axes = _grid(len(trades))
    for axis, trade in zip(axes, trades, strict=False):
        _, recall, precision = curve(trade.judged)
        axis.plot(recall, precision, color=AFTER, linewidth=1.2)
        for marker, (name, count) in zip("o^sD", trade.points.items(), strict=False):
            filled = "black" if marker == "o" else "none"
            style = {"color": "black", "markerfacecolor": filled, "linestyle": "none", "markersize": 6}
            axis.plot([count.recall], [count.precision], marker, label=name, **style)
        _finish(axis, trade.title, "recall", "precision")
    axes[0].legend(fontsize=7, loc="lower left")
    _save(figure, path)


def draw_reliability(path: Path, classes: Sequence[Reliability]) -> None:
    """Share of right boxes over the score told, before and after; the size of a point tells the number of boxes."""
    figure, axes = _grid(len(classes))
    for axis, one in zip(axes, classes, strict=False):
        axis.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
        for name, scores, colour in (("before", one.before, BEFORE), ("after", one.after, AFTER)):
            points = bins(scores, one.right)
            x, y = [point[0] for point in points], [point[1] for point in points]
            axis.plot(x, y, color=colour, linewidth=0.8)
            axis.scatter(x, y, s=[4 + 2 * point[2] for point in points], color=colour, alpha=0.5, label=name)
        _finish(axis, one.title, "score told", "share that is right")
    axes[0].legend(fontsize=7, loc="lower right", markerscale=0.6)
    _save(figure, path)


def _grid(count: int) -> tuple[Any, list[Any]]:
    import matplotlib as mpl  # noqa: PLC0415 - only who draws a card needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    rows = math.ceil(count / COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(COLUMNS * SIDE_IN, rows * SIDE_IN), squeeze=False)
    for unused in axes.flat[count:]:
        unused.axis("off")
    return figure, list(axes.flat)


def _finish(axis: Any, title: str, across: str, up: str) -> None:
    axis.set(title=title, xlabel=across, ylabel=up, xlim=(0, 1.02), ylim=(0, 1.02))
    axis.title.set_fontsize(9)
    for label in (axis.xaxis.label, axis.yaxis.label):
        label.set_fontsize(8)
    axis.tick_params(labelsize=7)
    axis.grid(color="#dddddd", linewidth=0.5)


def _save(figure: Any, path: Path) -> None:
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure.tight_layout()
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    plt.close(figure)
