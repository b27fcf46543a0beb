# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The texts of a card that come from measurements alone: no I/O, no running of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edge.vision.manifest import Line, Manifest
from models.training import thresholds
from models.training.calibration import NONE, Told, crossed, error
from models.training.classes import Classes
from models.training.evaluate import ALL_VIEWS, Row, is_in, title
from models.training.metric import Judged
from models.training.thresholds import Look

#: Views with fewer boxes in `test` say nothing in a summary.
FEWEST = 8
TOGETHER = "all together"
Tables = Mapping[tuple[str, str], Sequence[Row]]


def lines_of(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown."""
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in cells)


def summary(tables: Tables, classes: Classes) -> str:
    """F1 of whole classes in all views together and in views with enough boxes, and AP50 of the INT8 file."""
    columns = (("val", "int8"), ("val", "fp32"), ("test", "int8"), ("test", "fp32"))
    found = {
        column: {(row.label, row.view): row for row in tables.get(column, ()) if row.size == "all"}
        for column in columns
    }
    splits = [split for split in ("val", "test") if (split, "int8") in tables]
    keys = list(dict.fromkeys(key for split in splits for key in found[split, "int8"]))
    rows = []
    for label, view in sorted(keys, key=lambda key: (classes.index(key[0]), key[1] != ALL_VIEWS)):
        boxes = [found[split, "int8"].get((label, view)) for split in ("val", "test")]
        counts = [0 if row is None else row.count.boxes for row in boxes]
        if view != ALL_VIEWS and counts[-1 if "test" in splits else 0] < FEWEST:
            continue
        f1 = [found[column].get((label, view)) for column in columns]
        rows.append(
            [
                title(label, classes), view, f"{counts[0]} / {counts[1]}",
                *("" if row is None or not row.count.boxes else f"{row.count.f1:.3f}" for row in f1),
                *("" if row is None or row.ap50 is None or not row.count.boxes else f"{row.ap50:.3f}" for row in boxes),
            ]
        )  # fmt: skip
    head = ["class", "view", "boxes val / test", "val INT8", "val FP32", "test INT8", "test FP32"]
    return lines_of([*head, "AP50 val INT8", "AP50 test INT8"], rows)


def calibration(told: Mapping[str, Mapping[str, Told]], lines: Mapping[str, Line]) -> str:
    """How honest the scores of the INT8 file are, by class. `told`: by split and class."""
    measured = {split: _honesty(boxes, lines) for split, boxes in told.items()}
    left_out = crossed(told["val"])
    names = list(told["val"])
    rows = []
    for name in [*names, TOGETHER]:
        val, *test = (measured[split][name] for split in measured)
        parts = names if name == TOGETHER else [name]
        right = np.concatenate([told["val"][part].right for part in parts])
        others = error(np.concatenate([left_out[part] for part in parts]), right)
        rows.append([name, *val, f"{others:.3f}", *(cell for one in test for cell in one)])
    head = ["class", "boxes val", "ECE before", "after", "after, lines of other sequences"]
    return lines_of(head + (["boxes test", "test before", "test after"] if "test" in told else []), rows)


def _honesty(told: Mapping[str, Told], lines: Mapping[str, Line]) -> dict[str, list[str]]:
    """By class: boxes, error before, error after."""
    parts = {name: (boxes.scores, boxes.through(lines.get(name, NONE)), boxes.right) for name, boxes in told.items()}
    parts[TOGETHER] = tuple(np.concatenate(column) for column in zip(*parts.values(), strict=True))  # type: ignore[assignment]
    return {
        name: [str(len(right)), f"{error(before, right):.3f}", f"{error(after, right):.3f}"]
        for name, (before, after, right) in parts.items()
    }


def judged_on(looks: Sequence[Look], manifest: Manifest, name: str) -> list[Judged]:
    """One class in all pictures that count."""
    found = thresholds.judge_candidates(looks, manifest, manifest.classes.index(name))
    return [one for sample, one in found if is_in(sample, ALL_VIEWS)]


def trade(looks: Sequence[Look], manifest: Manifest, by: Mapping[str, Mapping[str, float]]) -> str:
    """What the thresholds of each goal give on these pictures. `by`: thresholds by the goal's name."""
    classes = looks[0][0].classes
    rows = []
    for name in manifest.classes:
        if name in classes.taught_names:
            continue
        judged = judged_on(looks, manifest, name)
        for goal, chosen in by.items():
            count = thresholds.counted(judged, chosen[name])
            rows.append(
                [
                    title(name, classes), goal, f"{chosen[name]:.2f}", f"{count.precision:.3f}", f"{count.recall:.3f}",
                    f"{count.f1:.3f}", count.wrong, count.missed, f"{thresholds.cost_s(count, name):.0f}",
                ]
            )  # fmt: skip
    head = ["class", "chosen by", "threshold", "precision", "recall", "F1", "wrong", "missed", "cost, s"]
    return lines_of(head, rows)
