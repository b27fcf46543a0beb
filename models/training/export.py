# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoint -> ONNX: a picture goes in as the camera gives it, boxes and probabilities come out."""

from __future__ import annotations

import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from models.training.classes import STREET, Classes
from models.training.model import StreetNet
from models.training.qat import HIGHS

OPSET = 17
IR_VERSION = 8  # opset 17 and this go together; every onnxruntime since 1.12 reads both


class Shipped(nn.Module):
    """uint8 [1,H,W,3] BGR -> boxes [1,N,4] in pixels of the input, scores [1,N,C]."""

    def __init__(self, net: StreetNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """What the vehicle calls."""
        logits, boxes = self.net(image.permute(0, 3, 1, 2).float())
        return boxes, logits.sigmoid()


def load_average(checkpoint: Path, classes: Classes = STREET) -> StreetNet:
    """The averaged weights of a run, ready to judge."""
    weights = torch.load(checkpoint, map_location="cpu", weights_only=True)["average"]
    weights.pop(HIGHS, None)  # quantize.py reads them
    net = StreetNet(len(classes), len(weights["stem.conv.weight"]))
    net.load_state_dict(weights)
    return net.eval()


def export(checkpoint: Path, out: Path, size: tuple[int, int], classes: Classes = STREET) -> None:
    """Write the FP32 model; batch norms are folded into the convolutions."""
    width, height = size
    picture = torch.zeros((1, height, width, 3), dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Shipped(load_average(checkpoint, classes)),
            (picture,),
            str(out),
            input_names=["image"],
            output_names=["boxes", "scores"],
            opset_version=OPSET,
            dynamo=False,
        )
    tidy(out)


def tidy(path: Path) -> None:
    """Say only what is needed: the standard operators in one version, and no tool's name."""
    model = onnx.load(str(path))
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version = "wegewart", ""
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
