# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""FP32 -> INT8: static: `scripts/quantize street`.

The ranges of the activations are those that a quantized phase of the training has learnt (`qat.py`); where the recipe
has none, they are calibrated on real pictures of every view.

Activations are unsigned and weights signed, per channel and with seven bits: AVX2 adds two products in 16 bits and
would saturate with eight. In float stay: the prediction layers and all that follows them (a box edge needs more than
256 steps), and the first two stages (most of the error came from there, and with so few channels eight bits bring
little speed).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from edge.types import Picture
from edge.vision.letterbox import fit
from models.training.classes import MODELS
from models.training.dataset import Sample, load
from models.training.export import export, tidy
from models.training.qat import learnt_ranges

SIZE = (640, 384)
PER_VIEW = 24
FIRST_STAGES = ("/net/stem/", "/net/dark2/")
LAYERS = ["Conv", "Relu", "Add", "Concat", "MaxPool", "Resize"]


class Pictures(CalibrationDataReader):
    """The same number of training pictures from every view."""

    def __init__(self, samples: list[Sample], size: tuple[int, int], per_view: int = PER_VIEW) -> None:
        self._canvases = self._prepare(samples, size, per_view)

    def get_next(self) -> dict[str, Picture] | None:
        """The next input, as the calibrator wants it."""
        canvas = next(self._canvases, None)
        return None if canvas is None else {"image": canvas[None]}

    @staticmethod
    def _prepare(samples: list[Sample], size: tuple[int, int], per_view: int) -> Iterator[Picture]:
        rng = np.random.default_rng(0)
        for view in sorted({sample.view for sample in samples}):
            of_view = [sample for sample in samples if sample.view == view]
            for index in rng.permutation(len(of_view))[:per_view]:
                yield fit(np.asarray(cv2.imread(str(of_view[index].path)), np.uint8), *size)[0]


def float_nodes(model: onnx.ModelProto) -> list[str]:
    """The last convolutions and everything behind them."""
    consumers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)

    def behind(node: onnx.NodeProto) -> list[onnx.NodeProto]:
        return [other for name in node.output for other in consumers.get(name, [])]

    kept: set[str] = set()
    for node in reversed(model.graph.node):  # in topological order, so what is behind is already decided
        leads_to_convolution = any(other.op_type == "Conv" or other.name not in kept for other in behind(node))
        if not leads_to_convolution:
            kept.add(node.name)
    return sorted(kept)


def first_stages(model: onnx.ModelProto) -> list[str]:
    """The convolutions at half and quarter size, with 16 and 32 channels."""
    names = [node.name for node in model.graph.node if node.name.startswith(FIRST_STAGES)]
    if not names:
        raise ValueError(f"no node is named {FIRST_STAGES}")
    return names


def ranged(model: onnx.ModelProto) -> list[str]:
    """Activations that get a range of their own, in the order of execution.

    They are what `qat.points` names: the picture after the first stages, then whatever a ReLU, a sum or a join gives.
    Pools and enlargements keep the range of what they are given.
    """
    first, kept = first_stages(model), {*first_stages(model), *float_nodes(model)}
    last = next(node for node in reversed(model.graph.node) if node.name in first)
    own = [node for node in model.graph.node if node.op_type in ("Relu", "Add", "Concat") and node.name not in kept]
    return [node.output[0] for node in (last, *own)]


def overrides(fp32: Path, highs: Sequence[float]) -> dict[str, Any]:
    """Learnt ranges as the quantizer takes them: every activation begins at zero.

    Raises:
        ValueError: the ranges are not those of this network.
    """
    given = zip(ranged(onnx.load(str(fp32))), highs, strict=True)
    return {
        name: [{"scale": np.array(high / 255, np.float32), "zero_point": np.array(0, np.uint8)}] for name, high in given
    }


def quantize(
    fp32: Path,
    int8: Path,
    samples: list[Sample],
    size: tuple[int, int] = SIZE,
    highs: Sequence[float] = (),
) -> None:
    """Write the INT8 model beside the FP32 one; with `highs`, with these ranges."""
    prepared = int8.with_suffix(".prepared.onnx")
    quant_pre_process(str(fp32), str(prepared), skip_symbolic_shape=True)
    plain = onnx.load(str(prepared))
    quantize_static(
        str(prepared),
        str(int8),
        Pictures(samples, size),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=LAYERS,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[*first_stages(plain), *float_nodes(plain)],
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"TensorQuantOverrides": overrides(fp32, highs)} if highs else {},
    )
    prepared.unlink()
    tidy(int8)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Export a run's averaged weights as FP32 and INT8.")
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--run", type=Path, help="default: runs/MODEL")
    arguments = parser.parse_args()
    classes = MODELS[arguments.model]
    run = arguments.run or Path("runs") / arguments.model
    export(run / "last.pt", run / "model-fp32.onnx", SIZE, classes)
    highs = learnt_ranges(run / "last.pt")
    print(f"ranges of {len(highs)} activations: learnt" if highs else "ranges: calibrated")
    quantize(run / "model-fp32.onnx", run / "model-int8.onnx", load(classes, "train"), highs=highs)
    for name in ("model-fp32.onnx", "model-int8.onnx"):
        print(f"{run / name}: {(run / name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
