# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Start weights: YOLOX-nano trained on COCO (Apache-2.0), or a model of ours, moved into our network.

Its convolutions come with batch norm folded in and were trained with SiLU. So one pass with SiLU notes mean and
spread of every convolution's output; a second pass, with ReLU, sets each batch norm such that mean and spread stay
what they were. The network then starts where COCO left off and not with dead channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from edge.vision.manifest import read_manifest
from edge.vision.package import MANIFEST
from models.training.classes import STREET, Classes
from models.training.model import StreetNet, Unit

COCO = {"person": 0, "vehicle": 2}
SLICES = ((0, 0), (1, 0), (0, 1), (1, 1))  # row and column offset of YOLOX's four picture slices


def load_start(net: StreetNet, weights: Path, pictures: Tensor, classes: Classes = STREET) -> None:
    """Fill the network, of its classes people and vehicles. `pictures` [B,3,H,W], BGR 0..255, set the batch norms."""
    tensors = list(convolutions(weights))
    biases: list[tuple[Unit, Tensor]] = []
    for layer in in_order(net):
        if isinstance(layer, Unit):
            weight, bias = tensors.pop(0)
            fill(layer, weight)
            biases.append((layer, bias))
    for head in net.heads:
        head.box_out.weight.data, head.box_out.bias.data = pop(tensors, 4)
        coco_weight, _ = pop(tensors, 80)
        for name, coco in COCO.items():
            if name in classes.names:
                head.class_out.weight.data[classes.index(name)] = coco_weight[coco]
    _match_statistics(net, biases, pictures, nn.SiLU())


def load_own(net: StreetNet, weights: Path, pictures: Tensor, classes: Classes) -> None:
    """Fill the network from an ONNX file of a package of ours; classes of the same name keep what they know.

    The exporter writes each convolution where it is executed: within a head, the class's layers come before the box's.
    """
    theirs = read_manifest(weights.with_name(MANIFEST)).classes
    graph = onnx.load(str(weights)).graph
    values = {value.name: torch.from_numpy(numpy_helper.to_array(value).copy()) for value in graph.initializer}
    folded = [node.input[1:3] for node in graph.node if node.op_type == "Conv" and "_out." not in node.input[1]]
    biases: list[tuple[Unit, Tensor]] = []
    units = [layer for layer in in_order(net) if isinstance(layer, Unit)]
    for unit, (weight, bias) in zip(units, folded, strict=True):
        unit.conv.weight.data.copy_(values[weight])
        biases.append((unit, values[bias]))
    for number, head in enumerate(net.heads):
        known = f"net.heads.{number}"
        head.box_out.weight.data.copy_(values[f"{known}.box_out.weight"])
        head.box_out.bias.data.copy_(values[f"{known}.box_out.bias"])
        for name in set(classes.names) & set(theirs):
            label, old = classes.index(name), theirs.index(name)
            head.class_out.weight.data[label] = values[f"{known}.class_out.weight"][old]
            head.class_out.bias.data[label] = values[f"{known}.class_out.bias"][old]
    _match_statistics(net, biases, pictures, nn.ReLU(inplace=True))


def in_order(net: StreetNet) -> Iterator[nn.Module]:
    """Units in the order in which YOLOX executes them."""
    stages = (
        net.stem, net.dark2, net.dark3, net.dark4, net.dark5, net.lateral5, net.top4, net.lateral4, net.top3,
        net.down3, net.bottom4, net.down4, net.bottom5, net.heads,
    )  # fmt: skip
    for stage in stages:
        yield from (module for module in stage.modules() if isinstance(module, Unit))


def convolutions(weights: Path) -> Iterator[tuple[Tensor, Tensor]]:
    """Weight and bias of every convolution, those of the prediction layers last."""
    graph = onnx.load(str(weights)).graph
    values = {value.name: value for value in graph.initializer}
    last = []
    for node in graph.node:
        if node.op_type != "Conv":
            continue
        pair = tuple(torch.from_numpy(numpy_helper.to_array(values[name]).copy()) for name in node.input[1:3])
        if "preds" in node.input[1]:
            last.append(pair)
        else:
            yield pair  # type: ignore[misc]
    yield from last  # type: ignore[misc]


def pop(tensors: list[tuple[Tensor, Tensor]], outputs: int) -> tuple[Tensor, Tensor]:
    """The first remaining prediction layer with that many outputs."""
    index = next(i for i, (weight, _) in enumerate(tensors) if weight.shape[0] == outputs)
    return tensors.pop(index)


def fill(unit: Unit, weight: Tensor) -> None:
    """Set a convolution; YOLOX's first one, on four slices of the picture, becomes one on the picture."""
    target = unit.conv.weight.data
    if target.shape == weight.shape:
        target.copy_(weight)
        return
    for index, (row, column) in enumerate(SLICES):  # four slices of 3 channels -> one 6x6 kernel
        target[:, :, row::2, column::2] = weight[:, 3 * index : 3 * index + 3]


@torch.no_grad()
def _match_statistics(
    net: StreetNet, biases: list[tuple[Unit, Tensor]], pictures: Tensor, activation: nn.Module
) -> None:
    for unit, bias in biases:  # pass one: the original network
        unit.act = activation
        plain(unit.norm, bias)
        unit.handle = unit.conv.register_forward_hook(_note(unit, bias))
    net.eval()
    net(pictures)
    for unit, _ in biases:  # pass two: the same mean and spread, now with ReLU
        unit.handle.remove()
        unit.act = nn.ReLU(inplace=True)
        unit.norm.weight.data, unit.norm.bias.data = unit.spread.clone(), unit.mean.clone()
        unit.norm.momentum = None
        unit.norm.reset_running_stats()
    net.train()
    net(pictures)
    for unit, _ in biases:
        unit.norm.momentum = 0.03
        del unit.spread, unit.mean, unit.handle


def plain(norm: nn.BatchNorm2d, bias: Tensor) -> None:
    """Make a batch norm add a bias and do nothing else."""
    norm.running_mean.zero_()  # type: ignore[union-attr]
    norm.running_var.fill_(1 - norm.eps)  # type: ignore[union-attr]
    norm.weight.data.fill_(1)
    norm.bias.data.copy_(bias)


def _note(unit: Unit, bias: Tensor) -> Callable[[nn.Module, object, Tensor], None]:
    def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        unit.mean = output.mean((0, 2, 3)) + bias
        unit.spread = output.std((0, 2, 3)).clamp(min=1e-3)

    return hook
