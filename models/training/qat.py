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

    Args:
        net: gets one more weight, the logarithm of every activation's range in the order of execution.
        pictures: [B,3,H,W] float, set the ranges; without them ranges are expected to be loaded into `net`.
    """

    def __init__(self, net: StreetNet, pictures: Tensor | None = None) -> None:
        super().__init__()
        self.net = net
        self._graph = fx.GraphModule(net, _Tracer(autowrap_functions=(decode,)).trace(net))
        self._points = points(self._graph)
        highs = torch.ones(len(self._points))
        if pictures is not None:
            watch = _Pass(self._graph, {})
            with torch.no_grad():
                watch.run(pictures)
            highs = torch.stack([watch.highs[node] for node in self._points])
        device = next(net.parameters()).device
        net.register_parameter(HIGHS, nn.Parameter(highs.log().to(device) / HASTE))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See `StreetNet`."""
        highs = ranges(self.net.get_parameter(HIGHS))
        result: tuple[Tensor, Tensor] = _Pass(self._graph, dict(zip(self._points, highs, strict=True))).run(x)
        return result


def ranges(weights: Tensor) -> Tensor:
    """The highest value of every activation, from what is learnt."""
    return (weights * HASTE).exp()


def learnt_ranges(checkpoint: Path) -> list[float]:
    """The averaged ranges of a run; none where it had no quantized phase."""
    weights = torch.load(checkpoint, map_location="cpu", weights_only=True)["average"].get(HIGHS)
    return [] if weights is None else [float(high) for high in ranges(weights)]


def points(graph: fx.GraphModule) -> list[fx.Node]:
    """Activations that get a range of their own, in the order of execution: behind units, sums and joins."""
    nodes = list(graph.graph.nodes)
    start = max(index for index, node in enumerate(nodes) if _is_float(node))  # the last of the float stages
    return [
        node
        for index, node in enumerate(nodes)
        if index >= start
        and (_is_unit(node, graph) or node.target is operator.add or (node.target is torch.cat and _joins_maps(node)))
    ]


def _is_float(node: fx.Node) -> bool:
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


class _Pass(fx.Interpreter):
    """Runs the network once: with ranges it rounds, without ranges it notes them."""

    def __init__(self, graph: fx.GraphModule, given: dict[fx.Node, Tensor]) -> None:
        super().__init__(graph)
        self._given = given
        self.highs: dict[fx.Node, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        if n.op == "call_module" and isinstance(unit := self.fetch_attr(str(n.target)), Unit):
            (x,), _ = self.fetch_args_kwargs_from_env(n)
            result: Any = folded(unit, x, rounded=bool(self._given) and not _is_float(n))
        else:
            result = super().run_node(n)
        if n in self._given:
            return Round.apply(result, self._given[n])
        if not self._given and isinstance(result, Tensor) and result.ndim == 4:
            self.highs[n] = result.amax((1, 2, 3)).mean().clamp(min=1e-3)
        return result


def folded(unit: Unit, x: Tensor, *, rounded: bool) -> Tensor:
    """A unit with its batch norm folded into the convolution, as it is exported."""
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
    return F.relu(F.conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation, conv.groups))


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
