# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The privacy detector: people and vehicles, to be made unrecognisable before a picture is stored or sent.

It runs only on pictures that are kept, so it may cost more than the street model, and what it misses is worse. So
everything that COCO's weights know stays: SiLU and objectness as in YOLOX-nano, the classes of COCO that are people
or vehicles, float arithmetic. Several of COCO's classes are one of ours: the most convincing one speaks.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from models.training.export import OPSET, tidy
from models.training.model import STRIDES, Head, StreetNet, Unit, decode
from models.training.start import convolutions, fill, in_order, plain, pop

#: Index in COCO's 80 classes. A bicycle shows no plate; who rides it is a person.
COCO = {"person": (0,), "vehicle": (2, 3, 5, 7)}
NAMES = tuple(COCO)
_KINDS = tuple(index for indices in COCO.values() for index in indices)
_GROUPS = tuple(len(indices) for indices in COCO.values())


class PrivacyHead(Head):
    """A head with objectness, as YOLOX has it: a class is told given that there is something."""

    def __init__(self, inp: int, width: int) -> None:
        super().__init__(inp, width, len(_KINDS))
        self.object_out = nn.Conv2d(width, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of person and vehicle, and box offsets: [B,2,h,w] and [B,4,h,w]."""
        x = self.stem(x)
        boxes = self.box_tower(x)
        kinds = self.class_out(self.class_tower(x)).split(_GROUPS, 1)
        classes = torch.cat([kind.amax(1, keepdim=True) for kind in kinds], 1)
        return logit_of_both(classes, self.object_out(boxes)), self.box_out(boxes)


class PrivacyNet(StreetNet):
    """BGR picture 0..255, float [B,3,H,W] -> logits [B,N,2] and boxes [B,N,4] (x1,y1,x2,y2 in pixels)."""

    def __init__(self, width: int = 16) -> None:
        super().__init__(1, width)
        self.heads = nn.ModuleList(PrivacyHead(channels * width, 4 * width) for channels in (4, 8, 16))
        for unit in self.units():
            unit.act = nn.SiLU(inplace=True)

    def units(self) -> list[Unit]:
        """All convolutions with a batch norm, in the order of YOLOX."""
        return [layer for layer in in_order(self) if isinstance(layer, Unit)]

    def train(self, mode: bool = True) -> PrivacyNet:
        """Batch norms keep COCO's statistics: a batch of streets says little about the world."""
        super().train(mode)
        for unit in self.units():
            unit.norm.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        logits, boxes = [], []
        for stride, head, feature in zip(STRIDES, self.heads, self.features(x), strict=True):
            classes, offsets = head(feature)
            logits.append(classes.flatten(2).transpose(1, 2))
            boxes.append(decode(offsets, stride))
        return torch.cat(logits, 1), torch.cat(boxes, 1)


def logit_of_both(a: Tensor, b: Tensor) -> Tensor:
    """The logit of sigmoid(a) * sigmoid(b), exact also where both are far from zero."""
    # 1/p = (1 + e^-a)(1 + e^-b), so logit p = -log(1/p - 1) = -log(e^-a + e^-b + e^-(a+b)).
    return -torch.logsumexp(torch.stack(torch.broadcast_tensors(-a, -b, -a - b)), 0)


def load_coco(net: PrivacyNet, weights: Path) -> None:
    """Fill the network with YOLOX-nano's weights: it then computes what YOLOX-nano does."""
    tensors = list(convolutions(weights))
    for unit in net.units():
        weight, bias = tensors.pop(0)
        fill(unit, weight)
        plain(unit.norm, bias)
    for head in net.heads:
        head.box_out.weight.data, head.box_out.bias.data = pop(tensors, 4)
        head.object_out.weight.data, head.object_out.bias.data = pop(tensors, 1)
        weight, bias = pop(tensors, 80)
        head.class_out.weight.data, head.class_out.bias.data = weight[list(_KINDS)], bias[list(_KINDS)]


class Shipped(nn.Module):
    """uint8 [1,H,W,3] BGR -> boxes [1,N,4] in pixels of the input, scores [1,N,2]."""

    def __init__(self, net: PrivacyNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """What the vehicle calls."""
        logits, boxes = self.net(image.permute(0, 3, 1, 2).float())
        return boxes, logits.sigmoid()


def export_net(net: PrivacyNet, out: Path, size: tuple[int, int], *, any_size: bool = False) -> None:
    """Write ONNX for pictures of `size` (width, height), or of any size whose sides are multiples of 32."""
    axes = {"image": {1: "height", 2: "width"}, "boxes": {1: "cells"}, "scores": {1: "cells"}} if any_size else None
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Shipped(net.eval()),
            (torch.zeros((1, size[1], size[0], 3), dtype=torch.uint8),),
            str(out),
            input_names=["image"],
            output_names=["boxes", "scores"],
            opset_version=OPSET,
            dynamo=False,
            dynamic_axes=axes,
        )
    tidy(out)
