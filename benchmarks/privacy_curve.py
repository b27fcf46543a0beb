# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a threshold of the privacy model covers and what it hides without need: to choose on `val`, and as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.privacy_marks import Part, Sums, mean, needless, of_views
from models.training.covered import LABELS

MARKERS = dict(zip(LABELS, "osv^", strict=True))
#: What hides without need, by name in the picture: which sums, and whether of pictures from vehicles alone.
COSTS = {
    "of a picture": ("needless", False),
    "of a sharp part": ("needless_sharp", False),
    "of a picture from a vehicle": ("needless", True),
    "of its sharp part": ("needless_sharp", True),
}


@dataclass(frozen=True)
class Step:
    """One threshold, the same for people and vehicles, and what it gives."""

    threshold: float
    sums: Sums

    def covered(self, label: str) -> float:
        """Share of the marks of a label."""
        return self.sums.covered[label] / max(self.sums.marks[label], 1)


def look(part: Part, thresholds: Sequence[float]) -> list[Step]:
    """Count for every threshold."""
    return [Step(each, part.count({"person": each, "vehicle": each})) for each in sorted(thresholds)]


def lines(steps: Sequence[Step]) -> Iterator[str]:
    """Line by line."""
    for step in steps:
        shares = ", ".join(f"{label} {step.covered(label):.3f}" for label in LABELS)
        readable = sum(step.sums.readable["privacy"].values())
        yield f"{step.threshold:.3f}: covered {shares}; readable {readable}; {needless(step.sums)}"


def draw(steps: Sequence[Step], shipped: float, file: Path) -> None:
    """Recall per label and area hidden without need over the threshold; a line where the shipped one is."""
    import matplotlib as mpl  # noqa: PLC0415 - only drawing needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    at = [step.threshold for step in steps]
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    left, right = axes
    for label, marker in MARKERS.items():
        marks = steps[0].sums.marks[label]
        left.plot(at, [step.covered(label) for step in steps], marker=marker, markersize=4, label=f"{label} ({marks})")
    left.set_ylabel("share of the marks that are covered")
    for name, (of, from_vehicles) in COSTS.items():
        shares = [mean(of_views(getattr(step.sums, of), from_vehicles=from_vehicles)) for step in steps]
        right.plot(at, shares, linestyle="-" if from_vehicles else "--", marker=".", label=name)
    right.set_ylabel("hidden without need, mean share")
    for axis in axes:
        _finish(axis, shipped)
    left.set_ylim(top=1.005)
    right.set_ylim(bottom=0)
    figure.savefig(file, dpi=90, metadata={"Software": None})
    plt.close(figure)


def _finish(axis: Any, shipped: float) -> None:
    axis.axvline(shipped, color="black", linewidth=0.8, linestyle=":")
    axis.set_xlabel(f"threshold for person and vehicle (shipped: {shipped})")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
