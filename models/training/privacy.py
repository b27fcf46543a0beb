# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Make the privacy package from a run: `python -m models.training.privacy --version V --person T --vehicle T`.

It computes in float: its curves (SiLU) gain nothing from eight bits, see CARD.md. The weights are stored in 16 bits and
widened when the file is loaded, which halves the download. The thresholds come from
`python -m benchmarks.privacy --marks`: pictures on which is marked who is to be seen (`marks.py`).

The package is then scored on those pictures and on rendered ones (`covered.py`), and the scores are written into
model.toml and CARD.md. `--scores` does that alone, for the package as it stands.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import sys
import tempfile
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import onnx
import torch
from onnx import numpy_helper

from edge.errors import WegewartError
from edge.vision.detector import Detector
from edge.vision.manifest import Input, Manifest, Nms, OnnxFile, Origin, Output, Precision, SelfTest
from edge.vision.package import ModelPackage, load_package
from edge.vision.proof import prove
from models.training import covered, marks, report
from models.training.classes import PRIVACY
from models.training.dataset import load_road
from models.training.export import OPSET
from models.training.package import DATA_TIERS, TOLERANCE, with_selftest, write
from models.training.privacy_net import PrivacyNet, export_net
from models.training.stored import with_pictures

PRECISION: Precision = "fp32"
NAME = f"model-{PRECISION}.onnx"
SPLITS: tuple[Literal["val", "test"], ...] = ("val", "test")
SIZE = (640, 384)
#: Smaller tensors (biases) stay as they are.
LEAST_VALUES = 64


def export(checkpoint: Path, out: Path, size: tuple[int, int] = SIZE) -> None:
    """The averaged weights of a run as ONNX."""
    net = PrivacyNet()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["average"])
    export_net(net, out, size)
    halve(out)


def halve(path: Path) -> None:
    """Store weights in 16 bits, with a node behind each that widens it again."""
    model = onnx.load(str(path))
    casts = []
    for value in model.graph.initializer:
        weights = numpy_helper.to_array(value)
        if weights.dtype != np.float32 or weights.size < LEAST_VALUES:
            continue
        short = f"{value.name}.short"
        casts.append(onnx.helper.make_node("Cast", [short], [value.name], to=onnx.TensorProto.FLOAT))
        value.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), short))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def draft(folder: Path, version: str, thresholds: dict[str, float], size: tuple[int, int] = SIZE) -> ModelPackage:
    """Describe the file in the folder; the self-test comes later."""
    digest = hashlib.sha256((folder / NAME).read_bytes()).hexdigest()
    manifest = Manifest(
        format=1,
        name=PRIVACY.model,
        version=version,
        task=PRIVACY.task,
        licence="Apache-2.0",
        classes=PRIVACY.names,
        thresholds=thresholds,
        input=Input(name="image", width=size[0], height=size[1], layout="NHWC", colour="BGR", dtype="uint8"),
        output=Output(boxes="boxes", scores="scores"),
        # All boxes are taken away, so one too many costs less than one too few.
        nms=Nms(overlap=0.6, groups=tuple((name,) for name in PRIVACY.names), most=300),
        selftest=SelfTest(seed=0, floor=0.05, score_tolerance=TOLERANCE, least_overlap=0.5),
        origin=Origin(
            start_weights="YOLOX-nano, COCO, Apache-2.0",
            data=(*sorted({sample.source for sample in load_road("train")}), "simulated drives"),
            data_tiers=DATA_TIERS["street"],
            made_on=dt.datetime.now(dt.timezone.utc).date().isoformat(),
            card="CARD.md",
        ),
        onnx=(OnnxFile(precision=PRECISION, file=NAME, sha256=digest, opset=OPSET, expected=()),),
        scores=(),
    )
    return ModelPackage(folder, manifest)


def scored(package: ModelPackage, folder: Path) -> dict[Literal["val", "test"], list[covered.Row]]:
    """Score tables by split: the real pictures of a folder of marks, and with `test` the rendered ones.

    Raises:
        InputError: there are no marks, or a picture is missing.
    """
    detector = Detector(package)
    tables = {split: covered.score(covered.look_all(detector, marks.load_marked(folder, split))) for split in SPLITS}
    with tempfile.TemporaryDirectory() as out:
        drawn = [one for drive in marks.render(Path(out)) for one in marks.load_rendered(drive)]
        tables["test"] += covered.score(covered.look_all(detector, drawn))
    return tables


def write_scores(folder: Path, tables: dict[Literal["val", "test"], list[covered.Row]]) -> None:
    """Put the scores into model.toml and the tables into CARD.md; nothing else changes."""
    package = load_package(folder)
    scores = [one for split, rows in tables.items() for one in covered.as_scores(rows, split, PRECISION)]
    write(with_fields(package, manifest=msgspec.structs.replace(package.manifest, scores=tuple(scores))))
    load_package(folder)
    blocks = {f"{split} {PRECISION}": covered.markdown(rows) for split, rows in tables.items()}
    report.write(folder / "CARD.md", blocks)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Make the privacy package from a run, or score the one that is there.")
    parser.add_argument("--run", type=Path, default=Path("runs/privacy"))
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / PRIVACY.model)
    parser.add_argument("--version")
    parser.add_argument("--person", type=float, help="threshold")
    parser.add_argument("--vehicle", type=float, help="threshold")
    parser.add_argument("--again", action="store_true", help="keep the ONNX file that is there, describe it anew")
    parser.add_argument("--scores", action="store_true", help="only score the package that is there")
    parser.add_argument("--marks", type=Path, default=marks.marks_folder(), help="WEGEWART_MARKS, else the project's")
    arguments = parser.parse_args()
    if not arguments.scores:
        if None in (arguments.version, arguments.person, arguments.vehicle):
            parser.error("name --version, --person and --vehicle, or --scores")
        make(arguments)
    try:
        tables = scored(load_package(arguments.out), arguments.marks)
        write_scores(arguments.out, tables)
    except WegewartError as error:
        print(f"privacy: {error}", file=sys.stderr)
        return error.exit_code
    for split, rows in tables.items():
        print(f"\n{split} {PRECISION}\n{covered.markdown(rows)}")
    return 0


def make(arguments: argparse.Namespace) -> None:
    """Export and describe the model."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    if not arguments.again:
        export(arguments.run / "last.pt", arguments.out / NAME)
    package = draft(arguments.out, arguments.version, {"person": arguments.person, "vehicle": arguments.vehicle})
    package = with_pictures(with_selftest(package))
    write(package)
    shipped = load_package(arguments.out)
    print(f"{prove(shipped)} pictures hold; {(arguments.out / NAME).stat().st_size} bytes")


if __name__ == "__main__":
    sys.exit(main())
