# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Measure a package and write its part of the card: `scripts/report street`.

    scripts/report NAME [--drive DIR] [--no-test] [--no-drives]

1. fits the calibration on `val`, and writes it into model.toml if that has another (no threshold and no file changes);
2. writes `curves.png` and `reliability.png` beside it;
3. rewrites the marked sections of CARD.md; a section that the card lacks is put at its end.

`test` is scored as it stands and chooses nothing. Sections are what stands between `<!-- NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_fields
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np

from benchmarks import false_alarms, real_drive, undamaged
from edge.vision.detector import Detector
from edge.vision.manifest import Manifest, Precision
from edge.vision.package import load_package
from models.training import calibration, curves, sections, thresholds
from models.training.classes import MODELS, Classes
from models.training.dataset import load, shared_folder
from models.training.evaluate import Row, look_all, markdown, score, title
from models.training.teacher import teach
from models.training.thresholds import Look

PRECISIONS: tuple[Precision, ...] = ("int8", "fp32")
#: A score that lies farther than this from the one in model.toml is not that of these files.
SAME = 0.005

Tables = dict[tuple[str, str], list[Row]]


@dataclass(frozen=True)
class Measured:
    """Everything that pictures say: looks of the INT8 file by split, and the tables of both files."""

    looks: dict[str, list[Look]]
    tables: Tables


def measure(folder: Path, classes: Classes, splits: Sequence[str], teacher: Path, threads: int) -> Measured:
    """Look at all pictures with both files."""
    package = load_package(folder)
    taught = teach(teacher) if classes.taught else None
    looks: dict[str, list[Look]] = {}
    tables: Tables = {}
    for split in splits:
        pictures = load(classes, split, taught)
        for precision in PRECISIONS:
            seen = look_all(Detector(package, threads, precision), pictures)
            tables[split, precision] = score(seen, package.manifest)
            if precision == "int8":
                looks[split] = seen
            print(f"{split} {precision}: {len(pictures)} pictures")
    return Measured(looks, tables)


def strangers(manifest: Manifest, tables: Tables) -> list[str]:
    """Scores of model.toml that these files do not have."""
    measured = {
        (precision, split, row.view, row.label): row.count.f1
        for (split, precision), rows in tables.items()
        for row in rows
        if row.size == "all"
    }
    return [
        f"{one.split} {one.onnx} {one.view} {one.label}: model.toml says {one.f1:.3f}, measured {f1:.3f}"
        for one in manifest.scores
        if (f1 := measured.get((one.onnx, one.split, one.view, one.label))) is not None and abs(f1 - one.f1) > SAME
    ]


def with_section(text: str, name: str, body: str) -> str:
    """The text of a card with a section replaced, or put at its end."""
    block = f"<!-- {name} -->\n{body}\n<!-- end -->"
    pattern = re.compile(rf"<!-- {re.escape(name)} -->.*?<!-- end -->", re.DOTALL)
    if pattern.search(text):
        return pattern.sub(lambda _: block, text)
    return f"{text.rstrip()}\n\n### {name}\n\n{block}\n"


def pictures(folder: Path, looks: Sequence[Look], manifest: Manifest, by: Mapping[str, Mapping[str, float]]) -> None:
    """Draw `curves.png` and `reliability.png`, both on `val`."""
    classes = looks[0][0].classes
    names = [name for name in manifest.classes if name not in classes.taught_names]
    trades = []
    for name in names:
        judged = sections.judged_on(looks, manifest, name)
        points = {goal: thresholds.counted(judged, chosen[name]) for goal, chosen in by.items()}
        trades.append(curves.Trade(title(name, classes), judged, points))
    curves.draw_trades(folder / "curves.png", trades)
    told = calibration.told_all(looks, manifest)
    after = {name: boxes.through(manifest.calibration.get(name, calibration.NONE)) for name, boxes in told.items()}
    panels = [curves.Reliability(name, boxes.scores, after[name], boxes.right) for name, boxes in told.items()]
    whole = calibration.joined(told.values())
    panels.append(
        curves.Reliability(sections.TOGETHER, whole.scores, np.concatenate(list(after.values())), whole.right)
    )
    curves.draw_reliability(folder / "reliability.png", panels)


def calibrate(folder: Path, looks: Sequence[Look]) -> Manifest:
    """Fit on these pictures and write model.toml, where it says something else; the manifest as it is then."""
    from models.training import package as packing  # noqa: PLC0415 - what this needs, drawing does without

    package = load_package(folder)
    lines = calibration.fit_all(calibration.told_all(looks, package.manifest))
    if lines != package.manifest.calibration:
        packing.write(with_fields(package, manifest=msgspec.structs.replace(package.manifest, calibration=lines)))
    return load_package(folder).manifest


def alarms(folder: Path, threads: int) -> str:
    """False alarms on simulated and on real undamaged road."""
    package = load_package(folder)
    scene = "tunnel" if package.manifest.task == "tunnel" else "street"
    drives = undamaged.drives(false_alarms.FOLDER, scene, false_alarms.SEEDS, false_alarms.KM)
    lines = false_alarms.table(false_alarms.count(package, drives, threads))
    for split in ("val", "test"):
        lines += false_alarms.negative_lines(false_alarms.negatives(package, split, threads), split)
    return block(lines)


def block(lines: Sequence[str]) -> str:
    """Lines as they were printed."""
    return "\n".join(["```", *lines, "```"])


def write(card: Path, texts: Mapping[str, str]) -> None:
    """Rewrite the sections of a card."""
    text = card.read_text(encoding="utf-8")
    for name, body in texts.items():
        text = with_section(text, name, body)
    card.write_text(text, encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Measure a package and write its part of the card.")
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--package", type=Path, help="default: models/MODEL")
    parser.add_argument("--teacher", type=Path, default=Path("runs/teacher.json"))
    parser.add_argument("--drive", type=Path, help="a real labelled drive; default: br386_a of the shared folder")
    parser.add_argument("--no-test", action="store_true", help="val alone")
    parser.add_argument("--no-drives", action="store_true", help="leave out false alarms and the real drive")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    classes = MODELS[arguments.model]
    folder: Path = arguments.package or Path(__file__).resolve().parents[1] / arguments.model
    splits = ["val"] if arguments.no_test else ["val", "test"]
    found = measure(folder, classes, splits, arguments.teacher, arguments.threads)
    print(*strangers(load_package(folder).manifest, found.tables), sep="\n")
    manifest = calibrate(folder, found.looks["val"])
    goals = {goal: thresholds.choose(found.looks["val"], manifest, goal) for goal in get_args(thresholds.Goal)}
    by = {"shipped": manifest.thresholds, **goals}
    pictures(folder, found.looks["val"], manifest, by)
    told = {split: calibration.told_all(looks, manifest) for split, looks in found.looks.items()}
    texts = {f"{split} {precision}": markdown(rows, classes) for (split, precision), rows in found.tables.items()}
    texts["summary"] = sections.summary(found.tables, classes)
    texts["calibration"] = sections.calibration(told, manifest.calibration)
    texts["thresholds"] = sections.trade(found.looks["val"], manifest, by)
    if not arguments.no_drives:
        texts["false alarms"] = alarms(folder, arguments.threads)
        drive = arguments.drive or shared_folder() / "drive" / "br386_a"
        if classes.task == "road":
            texts["drive"] = block(real_drive.table(*real_drive.run(drive, arguments.threads, folder)))
    write(folder / "CARD.md", texts)
    for name in ("summary", "calibration", "thresholds", "false alarms", "drive"):
        print(f"\n{name}\n{texts.get(name, 'left out')}")


if __name__ == "__main__":
    main()
