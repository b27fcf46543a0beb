# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Quantization without training: ranges from real pictures, and what rounding shifts is put back.

Rounding moves the mean of a convolution's output a little, and the next layers move it further. So the float network
and the rounded one walk through the pictures side by side; after each convolution the bias takes back by how much each
channel of the rounded one has moved, before both go on (arXiv:1906.04721, section 4.2, with pictures instead of batch
norms). It costs seconds and no labels. Measured beside training with rounding: models/street/CARD.md.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor, fx

from models.training.model import Unit
from models.training.qat import Folded, Quantized, Round, convolved

#: Of a channel's values lie below its range; the few above are cut.
SHARE = 0.99999


@torch.no_grad()
def calibrate(judge: Quantized, pictures: list[Tensor]) -> None:
    """Set the ranges from pictures, each [B,3,H,W] float, by the mean over them."""
    notes = []
    for some in pictures:
        watch = Watch(judge.graph, judge.points)
        watch.run(some)
        notes.append(torch.stack([watch.highs[node] for node in judge.points]))
    judge.set_ranges(torch.stack(notes).mean(0))


@torch.no_grad()
def correct(judge: Quantized, pictures: Tensor) -> None:
    """Change the biases of the network such that rounding shifts no channel's mean; its float file is another then."""
    _SideBySide(judge).run(torch.cat((pictures, pictures)))


class Watch(Folded):
    """Notes below which value nearly all values of an activation lie."""

    def __init__(self, graph: fx.GraphModule, points: list[fx.Node]) -> None:
        super().__init__(graph)
        self._points = set(points)
        self.highs: dict[fx.Node, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        """The node as it is."""
        result = super().run_node(n)
        if n in self._points:
            values = result.flatten()
            self.highs[n] = values.kthvalue(max(1, int(values.numel() * SHARE))).values.clamp(min=1e-3)
        return result


class _SideBySide(Folded):
    """The first half of the batch is computed in float, the second half rounded."""

    def __init__(self, judge: Quantized) -> None:
        super().__init__(judge.graph)
        self._highs = judge.highs()

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n in self._highs:
            plain, rounded = result.chunk(2)
            result = torch.cat((plain, Round.apply(rounded, self._highs[n])))
        return result

    def unit(self, unit: Unit, x: Tensor, *, rounded: bool) -> Tensor:
        halves = x.chunk(2)
        before, after = convolved(unit, halves[0]), convolved(unit, halves[1], rounded=rounded)
        shift = (after - before).mean((0, 2, 3))
        unit.norm.bias -= shift
        return F.relu(torch.cat((before, after - shift[:, None, None])))
