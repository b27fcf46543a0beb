# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Training that feels the eight bits: a phase with `quantized = true` in the recipe.

The network computes what its INT8 file will compute (`quantize.py`): weights with seven bits per channel, activations
with eight bits unsigned, float in the first two stages and from the prediction layers on. Rounding lets gradients pass
as if it were not there. Batch norms are folded with the statistics they had. Every activation behind a ReLU begins at
zero, so one number says its range, its `high`; all of them are learnt and go into the INT8 file as they are.
"""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor, fx, nn

from models.training.model import StreetNet, Unit, decode

HIGHS = "highs"  # their name among the network's weights
WEIGHT_STEPS = 64  # on either side of zero: seven bits, see quantize.py
STEPS = 255
FLOAT_STAGES = ("stem", "dark2")
#: A step of the weights' learning rate changes a range by so many times that rate, relative to the range.
HASTE = 20.0


class Quantized(nn.Module):
    """Judges like the INT8 file of `net`, whose weights it trains.

    `net` gets one more weight: the logarithm of every activation's range, in the order of execution. Ranges are set by
    `correction.calibrate`, or loaded with the other weights of `net`.
    """

    def __init__(self, net: StreetNet) -> None:
        super().__init__()
        self.net = net
        self.graph = fx.GraphModule(net, _Tracer(autowrap_functions=(decode,)).trace(net))
        self.points = _points(self.graph)
        self.set_ranges(torch.ones(len(self.points)))

    def set_ranges(self, highs: Tensor) -> None:
        """One range for every point."""
        device = next(self.net.parameters()).device
        self.net.register_parameter(HIGHS, nn.Parameter(highs.log().to(device) / HASTE))

    def highs(self) -> dict[fx.Node, Tensor]:
        """The range of every point."""
        return dict(zip(self.points, ranges(self.net.get_parameter(HIGHS)), strict=True))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See `StreetNet`."""
        result: tuple[Tensor, Tensor] = _Rounding(self.graph, self.highs()).run(x)
        return result


def ranges(weights: Tensor) -> Tensor:
    """The highest value of every activation, from what is learnt."""
    return (weights * HASTE).exp()


def learnt_ranges(checkpoint: Path) -> list[float]:
    """The averaged ranges of a run; none where it had no quantized phase."""
    weights = torch.load(checkpoint, map_location="cpu", weights_only=True)["average"].get(HIGHS)
    return [] if weights is None else [float(high) for high in ranges(weights)]


def _points(graph: fx.GraphModule) -> list[fx.Node]:
    """Activations that get a range of their own, in the order of execution: behind units, sums and joins."""
    nodes = list(graph.graph.nodes)
    start = max(index for index, node in enumerate(nodes) if in_float(node))  # the last of the float stages
    return [
        node
        for index, node in enumerate(nodes)
        if index >= start
        and (_is_unit(node, graph) or node.target is operator.add or (node.target is torch.cat and _joins_maps(node)))
    ]


def in_float(node: fx.Node) -> bool:
    """Whether the INT8 file computes this module in float."""
    return node.op == "call_module" and str(node.target).split(".")[0] in FLOAT_STAGES


def _is_unit(node: fx.Node, graph: fx.GraphModule) -> bool:
    return node.op == "call_module" and isinstance(graph.get_submodule(str(node.target)), Unit)


def _joins_maps(node: fx.Node) -> bool:
    """Channels are joined within the network; at its end boxes and scores of the three scales are."""
    parts: Any = node.args[0]
    return all(part.op == "call_module" or part.target is operator.add for part in parts)


class _Tracer(fx.Tracer):
    """Units are taken as a whole."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, Unit) or super().is_leaf_module(m, module_qualified_name)


class Folded(fx.Interpreter):
    """Runs the network once with its batch norms folded, as it is exported."""

    def run_node(self, n: fx.Node) -> Any:
        """A unit as `unit` says, everything else as it is."""
        if n.op == "call_module" and isinstance(unit := self.fetch_attr(str(n.target)), Unit):
            (x,), _ = self.fetch_args_kwargs_from_env(n)
            return self.unit(unit, x, rounded=not in_float(n))
        return super().run_node(n)

    def unit(self, unit: Unit, x: Tensor, *, rounded: bool) -> Tensor:
        """What a unit gives. `rounded`: its weights are in the INT8 file."""
        del rounded
        return F.relu(convolved(unit, x))


class _Rounding(Folded):
    """Runs the network once as its INT8 file will run."""

    def __init__(self, graph: fx.GraphModule, highs: dict[fx.Node, Tensor]) -> None:
        super().__init__(graph)
        self._highs = highs

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        return Round.apply(result, self._highs[n]) if n in self._highs else result

    def unit(self, unit: Unit, x: Tensor, *, rounded: bool) -> Tensor:
        return F.relu(convolved(unit, x, rounded=rounded))


def convolved(unit: Unit, x: Tensor, *, rounded: bool = False) -> Tensor:
    """A unit up to its ReLU, with its batch norm folded into the convolution as it is exported."""
    norm, conv = unit.norm, unit.conv
    if norm.running_var is None or norm.running_mean is None:
        raise ValueError("a batch norm without statistics cannot be folded")
    factor = norm.weight / (norm.running_var + norm.eps).sqrt()
    weight = conv.weight * factor[:, None, None, None]
    if rounded:
        scale = (weight.detach().abs().amax((1, 2, 3)) / WEIGHT_STEPS).clamp(min=1e-12)
        zero = torch.zeros_like(scale, dtype=torch.int32)
        weight = torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -WEIGHT_STEPS, WEIGHT_STEPS)
    bias = norm.bias - norm.running_mean * factor
    return F.conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation, conv.groups)


class Round(torch.autograd.Function):
    """Values 0..high in 256 steps; above `high` they are cut.

    The gradient of the range is that of learnt step sizes (arXiv:1902.08153): the rounding error where nothing is cut.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, high: Tensor) -> Tensor:
        """Round x, of any shape; high is one number."""
        scale = high.reshape(1) / STEPS
        y = torch.fake_quantize_per_tensor_affine(
            x, scale, torch.zeros(1, dtype=torch.int32, device=x.device), 0, STEPS
        )
        ctx.save_for_backward(x, y, high)
        return y

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Slopes of x and high."""
        x, y, high = ctx.saved_tensors
        inside = x <= high
        of_high = torch.where(inside, (y - x) / high, 1.0)
        return slope * inside, (slope * of_high).sum() / (x.numel() * STEPS) ** 0.5
