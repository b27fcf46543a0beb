# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Make a model package from a run's two ONNX files: `scripts/package street`.

Thresholds and calibration are chosen on `val` with the INT8 file. `--test` adds the scores on `test`: for the model
that ships, once. Where an older package stands already, the new one is made beside the run, and takes its place by
`--sign-off` once `scripts/gate` has let it pass.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace as with_fields
from pathlib import Path

import msgspec
import tomli_w

from edge.vision.detector import Detector
from edge.vision.manifest import (
    Expected,
    Input,
    Manifest,
    Nms,
    OnnxFile,
    Origin,
    Output,
    Precision,
    Score,
    SelfTest,
    Superclass,
)
from edge.vision.package import MANIFEST, ModelPackage, load_package, look
from models.training import calibration, gate
from models.training.added import NOTE
from models.training.classes import MODELS, Classes
from models.training.dataset import Sample, load
from models.training.evaluate import Row, look_all, markdown, score
from models.training.export import OPSET
from models.training.quantize import SIZE
from models.training.stored import with_pictures
from models.training.teacher import teach
from models.training.thresholds import choose

PRECISIONS: tuple[Precision, ...] = ("int8", "fp32")
SEEDS = range(60)
TOLERANCE = 0.12
START_WEIGHTS = {
    "street": "YOLOX-nano, COCO, Apache-2.0",
    "tunnel": "models/street (YOLOX-nano, COCO, Apache-2.0)",
}
MORE_DATA = {"street": ("simulated drives",), "tunnel": ()}
DATA_TIERS = {
    "street": (
        "redistributable",
        "redistributable with attribution, as its uploader claims",
        "share-alike, to be checked",
        "not redistributable: from the web",
        "no licence stated",
    ),
    "tunnel": (
        "open licence stated",
        "licence of the repository, none for the pictures",
        "no licence stated",
    ),
}
HEAD = """# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
# Written by scripts/package; read by edge.vision.manifest, which says what every key means.

"""


def draft(classes: Classes, run: Path, folder: Path, version: str, size: tuple[int, int] = SIZE) -> ModelPackage:
    """Copy the files and describe them; thresholds, self test and scores come later."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for precision in PRECISIONS:
        name = f"model-{precision}.onnx"
        shutil.copyfile(run / name, folder / name)
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        files.append(OnnxFile(precision=precision, file=name, sha256=digest, opset=OPSET, expected=()))
    manifest = Manifest(
        format=1,
        name=classes.model,
        version=version,
        task=classes.task,
        licence="Apache-2.0",
        classes=classes.names,
        thresholds=dict.fromkeys(classes.names, 0.3),
        superclass=Superclass(name="crack", members=classes.typed_names),
        input=Input(name="image", width=size[0], height=size[1], layout="NHWC", colour="BGR", dtype="uint8"),
        output=Output(boxes="boxes", scores="scores"),
        nms=Nms(
            overlap=0.35,  # on val 0.3 and 0.4 are better than 0.5 and 0.6
            groups=classes.groups,
            most=300,
        ),
        selftest=SelfTest(seed=0, floor=0.05, score_tolerance=TOLERANCE, least_overlap=0.5),
        origin=Origin(
            start_weights=START_WEIGHTS[classes.model],
            data=(
                *_sources(classes),
                *MORE_DATA[classes.model],
                *_added(run),
            ),
            data_tiers=DATA_TIERS[classes.model],
            made_on=dt.datetime.now(dt.timezone.utc).date().isoformat(),
            card="CARD.md",
        ),
        onnx=tuple(files),
        scores=(),
    )
    return ModelPackage(folder, manifest)


def _sources(classes: Classes) -> list[str]:
    return sorted({sample.source for sample in load(classes, "train")})


def _added(run: Path) -> list[str]:
    """What a city added to the data, where the run had any."""
    note = run / NOTE
    return [note.read_text(encoding="utf-8").strip()] if note.exists() else []


def chosen_on_val(package: ModelPackage, classes: Classes, teacher: Path) -> ModelPackage:
    """Thresholds that are best on `val`, and lines that make the scores of what passes them probabilities."""
    looks = look_all(Detector(package), _pictures(classes, "val", teacher))
    manifest = msgspec.structs.replace(package.manifest, thresholds=choose(looks, package.manifest))
    lines = calibration.fit_all(calibration.told_all(looks, manifest))
    return with_fields(package, manifest=msgspec.structs.replace(manifest, calibration=lines))


def with_selftest(package: ModelPackage) -> ModelPackage:
    """The seed whose picture makes both files find the most, and what they find."""
    sessions = {precision: package.session(precision) for precision in package.precisions}
    best: tuple[float, Manifest] | None = None
    for seed in SEEDS:
        test = msgspec.structs.replace(package.manifest.selftest, seed=seed)
        manifest = msgspec.structs.replace(package.manifest, selftest=test)
        files, strength = [], []
        for file in manifest.onnx:
            found = [one for one in look(sessions[file.precision], manifest) if one.score > test.floor + TOLERANCE]
            expected = tuple(
                Expected(label=one.label, score=round(one.score, 4), box=tuple(round(v, 1) for v in one.box))
                for one in found[:4]
            )
            files.append(msgspec.structs.replace(file, expected=expected))
            strength.append(sum(one.score for one in expected))
        if best is None or min(strength) > best[0]:
            best = (min(strength), msgspec.structs.replace(manifest, onnx=tuple(files)))
    if best is None or not all(file.expected for file in best[1].onnx):
        raise SystemExit("no seed makes the model find anything: the self test would prove nothing")
    return with_fields(package, manifest=best[1])


def scored(
    package: ModelPackage, classes: Classes, splits: Sequence[str], teacher: Path
) -> dict[tuple[str, str], list[Row]]:
    """Score tables of both files."""
    return {
        (split, precision): score(
            look_all(Detector(package, 2, precision), _pictures(classes, split, teacher)), package.manifest
        )
        for split in splits
        for precision in PRECISIONS
    }


def _pictures(classes: Classes, split: str, teacher: Path) -> list[Sample]:
    return load(classes, split, teach(teacher) if classes.taught else None)


def write(package: ModelPackage) -> None:
    """Write model.toml."""
    told = {key: value for key, value in msgspec.to_builtins(package.manifest).items() if value is not None}
    text = HEAD + tomli_w.dumps(told)
    (package.folder / MANIFEST).write_text(text, encoding="utf-8")


def write_card(card: Path, classes: Classes, tables: dict[tuple[str, str], list[Row]]) -> None:
    """Replace what stands between <!-- SPLIT PRECISION --> and <!-- end --> by the table."""
    text = card.read_text(encoding="utf-8")
    for (split, precision), rows in tables.items():
        block = f"<!-- {split} {precision} -->\n{markdown(rows, classes)}\n<!-- end -->"
        text = re.sub(rf"<!-- {split} {precision} -->.*?<!-- end -->", lambda _, new=block: new, text, flags=re.DOTALL)
    card.write_text(text, encoding="utf-8")


def as_scores(tables: dict[tuple[str, str], list[Row]]) -> tuple[Score, ...]:
    """The rows for model.toml: whole classes, by view."""
    return tuple(
        Score(
            onnx=precision,  # type: ignore[arg-type]
            split=split,  # type: ignore[arg-type]
            view=row.view,
            label=row.label,
            boxes=row.count.boxes,
            precision=round(row.count.precision, 4),
            recall=round(row.count.recall, 4),
            f1=round(row.count.f1, 4),
        )
        for (split, precision), rows in tables.items()
        for row in rows
        if row.size == "all" and row.count.boxes
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Make a model package from a run.")
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--run", type=Path, help="default: runs/MODEL")
    parser.add_argument("--out", type=Path, help="default: models/MODEL")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--version", help="make the package")
    what.add_argument("--sign-off", action="store_true", help="put what the gate let pass in the older one's place")
    parser.add_argument("--key", type=Path, default=gate.KEY, help=f"that signed the gate's result ({gate.KEY})")
    parser.add_argument("--teacher", type=Path, default=Path("runs/teacher.json"))
    parser.add_argument("--test", action="store_true", help="also score test; for the model that ships")
    arguments = parser.parse_args()
    classes = MODELS[arguments.model]
    run = arguments.run or Path("runs") / arguments.model
    shipped = arguments.out or Path(__file__).resolve().parents[1] / arguments.model
    folder = run / "package" if (shipped / MANIFEST).exists() else shipped
    if arguments.sign_off:
        gate.sign_off(run / "package", shipped, arguments.key)
        print(f"{run / 'package'} -> {shipped}")
        return
    if folder != shipped and (shipped / "CARD.md").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shipped / "CARD.md", folder / "CARD.md")
    package = chosen_on_val(draft(classes, run, folder, arguments.version), classes, arguments.teacher)
    package = with_pictures(with_selftest(package))
    tables = scored(package, classes, ["val", "test"] if arguments.test else ["val"], arguments.teacher)
    package = with_fields(package, manifest=msgspec.structs.replace(package.manifest, scores=as_scores(tables)))
    write(package)
    for precision in PRECISIONS:
        load_package(folder, precision=precision)
    if (folder / "CARD.md").exists():
        write_card(folder / "CARD.md", classes, tables)
    for (split, precision), rows in tables.items():
        print(f"\n{split} {precision}\n{markdown(rows, classes)}")
    if folder != shipped:
        print(f"\n{shipped} holds an older package. Next: scripts/gate {arguments.model} {shipped} {folder}")
        print(f"If it passes: scripts/package {arguments.model} --run {run} --sign-off")


if __name__ == "__main__":
    main()
