# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""FP32 -> INT8: `scripts/quantize street`.

Activations are unsigned and weights signed, per channel and with seven bits: AVX2 adds two products in 16 bits and
would saturate with eight. In float stay: the prediction layers and all that follows them (a box edge needs more than
256 steps), and the first two stages (most of the error came from there, and with so few channels eight bits bring
little speed).

The ranges of the activations are those that a quantized phase of the training has learnt (`qat.py`). Where the recipe
has none, they come from real pictures of every view, and the biases are corrected (`correction.py`): then the INT8
file's biases are not those of the FP32 file.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor

from edge.types import Picture
from edge.vision.letterbox import GREY, fit
from models.training.classes import MODELS, STREET, Classes
from models.training.correction import calibrate, correct
from models.training.dataset import Sample, load
from models.training.export import export, load_average, tidy
from models.training.qat import Quantized, learnt_ranges

SIZE = (640, 384)
PER_VIEW = 4
BATCH = 8
FIRST_STAGES = ("/net/stem/", "/net/dark2/")
LAYERS = ["Conv", "Relu", "Add", "Concat", "MaxPool", "Resize"]


class _Grey(CalibrationDataReader):
    """The quantizer insists on a picture, though every range is given."""

    def __init__(self, size: tuple[int, int]) -> None:
        width, height = size
        self._left = [np.full((1, height, width, 3), GREY, np.uint8)]

    def get_next(self) -> dict[str, Picture] | None:
        """The next input, as the calibrator wants it."""
        return {"image": self._left.pop()} if self._left else None


def some_of_every_view(samples: list[Sample], size: tuple[int, int]) -> list[Tensor]:
    """The same number of pictures from every view, as the network takes them, in batches [B,3,H,W]."""
    rng = np.random.default_rng(0)
    chosen: list[Sample] = []
    for view in sorted({sample.view for sample in samples}):
        of_view = [sample for sample in samples if sample.view == view]
        chosen += [of_view[index] for index in rng.permutation(len(of_view))[:PER_VIEW]]
    canvases = [fit(np.asarray(cv2.imread(str(sample.path)), np.uint8), *size)[0] for sample in chosen]
    return list(torch.from_numpy(np.stack(canvases)).permute(0, 3, 1, 2).float().split(BATCH))


def without_training(
    checkpoint: Path, samples: list[Sample], size: tuple[int, int] = SIZE, classes: Classes = STREET
) -> Path:
    """A checkpoint with ranges and corrected biases beside one that has learnt none: for the INT8 file alone."""
    judge = Quantized(load_average(checkpoint, classes))
    pictures = some_of_every_view(samples, size)
    calibrate(judge, pictures)
    correct(judge, torch.cat(pictures)[::2])  # half of them: float and rounded have to fit into memory together
    corrected = checkpoint.with_name("corrected.pt")
    torch.save({"average": judge.net.state_dict()}, corrected)
    return corrected


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


def quantize(fp32: Path, int8: Path, highs: Sequence[float], size: tuple[int, int] = SIZE) -> None:
    """Write the INT8 file of an FP32 file with the ranges of its activations, see `qat.learnt_ranges`."""
    prepared = int8.with_suffix(".prepared.onnx")
    quant_pre_process(str(fp32), str(prepared), skip_symbolic_shape=True)
    plain = onnx.load(str(prepared))
    quantize_static(
        str(prepared),
        str(int8),
        _Grey(size),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=LAYERS,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[*first_stages(plain), *float_nodes(plain)],
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"TensorQuantOverrides": overrides(fp32, highs)},
    )
    prepared.unlink()
    tidy(int8)


def make_files(run: Path, samples: list[Sample], size: tuple[int, int] = SIZE, classes: Classes = STREET) -> None:
    """Write model-fp32.onnx and model-int8.onnx of a run's averaged weights into its folder."""
    checkpoint, fp32, int8 = run / "last.pt", run / "model-fp32.onnx", run / "model-int8.onnx"
    export(checkpoint, fp32, size, classes)
    if learnt_ranges(checkpoint):
        quantize(fp32, int8, learnt_ranges(checkpoint), size)
        return
    corrected, other = without_training(checkpoint, samples, size, classes), run / "corrected.onnx"
    export(corrected, other, size, classes)
    quantize(other, int8, learnt_ranges(corrected), size)
    corrected.unlink()
    other.unlink()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Export a run's averaged weights as FP32 and INT8.")
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--run", type=Path, help="default: runs/MODEL")
    arguments = parser.parse_args()
    classes = MODELS[arguments.model]
    run = arguments.run or Path("runs") / arguments.model
    make_files(run, load(classes, "train"), classes=classes)
    print("ranges: " + ("learnt in training" if learnt_ranges(run / "last.pt") else "from pictures, biases corrected"))
    for name in ("model-fp32.onnx", "model-int8.onnx"):
        print(f"{run / name}: {(run / name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
