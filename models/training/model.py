# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The street detector: a small CSP network with three scales and one head.

The layout (channels, order of convolutions) is that of YOLOX-nano, so that its Apache-2.0 COCO
weights can be a start, with three changes made for quantized inference on a small board:

* ReLU instead of SiLU: a clamp survives eight bits, a curve does not;
* one 6x6 convolution with stride 2 instead of slicing the picture into four;
* no objectness: a class that nobody annotated in a picture can be left out of the loss only when
  every class has a probability of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

STRIDES = (8, 16, 32)
PRIOR = 0.01


class Unit(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inp: int, out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        padding = (kernel - stride + 1) // 2
        self.conv = nn.Conv2d(inp, out, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out, eps=1e-3, momentum=0.03)
        self.act: nn.Module = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Same size, or half of it with a stride of two."""
        result: Tensor = self.act(self.norm(self.conv(x)))
        return result


def separable(inp: int, out: int, stride: int = 1) -> nn.Sequential:
    """A 3x3 convolution in two cheap steps: each channel alone, then all channels at one point."""
    return nn.Sequential(Unit(inp, inp, 3, stride, groups=inp), Unit(inp, out))


class Bottleneck(nn.Module):
    """1x1, then a separable 3x3, added to its input where `add`."""

    def __init__(self, channels: int, *, add: bool) -> None:
        super().__init__()
        self.squeeze = Unit(channels, channels)
        self.spread = separable(channels, channels)
        self.add = add

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        y: Tensor = self.spread(self.squeeze(x))
        return x + y if self.add else y


class Csp(nn.Module):
    """Half of the channels go through the bottlenecks, the other half goes past them."""

    def __init__(self, inp: int, out: int, depth: int, *, add: bool) -> None:
        super().__init__()
        self.through = Unit(inp, out // 2)
        self.past = Unit(inp, out // 2)
        self.blocks = nn.Sequential(*(Bottleneck(out // 2, add=add) for _ in range(depth)))
        self.merge = Unit(out, out)

    def forward(self, x: Tensor) -> Tensor:
        """Same size."""
        through, past = self.through(x), self.past(x)
        result: Tensor = self.merge(torch.cat((self.blocks(through), past), 1))
        return result


class Pyramid(nn.Module):
    """Sees the same place through windows of 1, 5, 9 and 13 cells."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = Unit(channels, channels // 2)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.merge = Unit(channels * 2, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        x0 = self.squeeze(x)
        x1 = self.pool(x0)  # two 5-windows in a row see 9 cells, three see 13
        x2 = self.pool(x1)
        result: Tensor = self.merge(torch.cat((x0, x1, x2, self.pool(x2)), 1))
        return result


class Head(nn.Module):
    """One scale: class logits and box offsets, each with two separable convolutions of its own."""

    def __init__(self, inp: int, width: int, classes: int) -> None:
        super().__init__()
        self.stem = Unit(inp, width)
        self.class_tower = nn.Sequential(separable(width, width), separable(width, width))
        self.class_out = nn.Conv2d(width, classes, 1)
        self.box_tower = nn.Sequential(separable(width, width), separable(width, width))
        self.box_out = nn.Conv2d(width, 4, 1)
        nn.init.normal_(self.class_out.weight, std=0.01)
        nn.init.constant_(self.class_out.bias, float(torch.logit(torch.tensor(PRIOR))))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Class logits and box offsets, [B,C,h,w] and [B,4,h,w]."""
        x = self.stem(x)
        return self.class_out(self.class_tower(x)), self.box_out(self.box_tower(x))


class StreetNet(nn.Module):
    """BGR picture 0..255, float [B,3,H,W] -> logits [B,N,C] and boxes [B,N,4] (x1,y1,x2,y2 in pixels)."""

    def __init__(self, classes: int, width: int = 16) -> None:
        super().__init__()
        w = width
        self.stem = Unit(3, w, 6, 2)
        self.dark2 = nn.Sequential(separable(w, 2 * w, 2), Csp(2 * w, 2 * w, 1, add=True))
        self.dark3 = nn.Sequential(separable(2 * w, 4 * w, 2), Csp(4 * w, 4 * w, 3, add=True))
        self.dark4 = nn.Sequential(separable(4 * w, 8 * w, 2), Csp(8 * w, 8 * w, 3, add=True))
        self.dark5 = nn.Sequential(separable(8 * w, 16 * w, 2), Pyramid(16 * w), Csp(16 * w, 16 * w, 1, add=False))
        self.enlarge = nn.Upsample(scale_factor=2.0, mode="nearest")
        self.lateral5 = Unit(16 * w, 8 * w)
        self.top4 = Csp(16 * w, 8 * w, 1, add=False)
        self.lateral4 = Unit(8 * w, 4 * w)
        self.top3 = Csp(8 * w, 4 * w, 1, add=False)
        self.down3 = separable(4 * w, 4 * w, 2)
        self.bottom4 = Csp(8 * w, 8 * w, 1, add=False)
        self.down4 = separable(8 * w, 8 * w, 2)
        self.bottom5 = Csp(16 * w, 16 * w, 1, add=False)
        self.heads = nn.ModuleList(Head(c * w, 4 * w, classes) for c in (4, 8, 16))

    def features(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Three maps at strides 8, 16 and 32."""
        c3 = self.dark3(self.dark2(self.stem(x)))
        c4 = self.dark4(c3)
        p5 = self.lateral5(self.dark5(c4))
        p4 = self.lateral4(self.top4(torch.cat((self.enlarge(p5), c4), 1)))
        n3 = self.top3(torch.cat((self.enlarge(p4), c3), 1))
        n4 = self.bottom4(torch.cat((self.down3(n3), p4), 1))
        n5 = self.bottom5(torch.cat((self.down4(n4), p5), 1))
        return n3, n4, n5

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        logits, boxes = [], []
        for stride, head, feature in zip(STRIDES, self.heads, self.features(x), strict=True):
            cls, box = head(feature)
            logits.append(cls.flatten(2).transpose(1, 2))
            boxes.append(decode(box, stride))
        return torch.cat(logits, 1), torch.cat(boxes, 1)


def decode(offsets: Tensor, stride: int) -> Tensor:
    """Offsets [B,4,h,w] of one scale -> boxes [B,h*w,4] in pixels of the input."""
    height, width = offsets.shape[2:]
    cell = grid(height, width, offsets.device)
    flat = offsets.flatten(2).transpose(1, 2)
    centre = (flat[..., :2] + cell) * stride
    half = flat[..., 2:].clamp(max=5.0).exp() * (stride / 2)
    return torch.cat((centre - half, centre + half), -1)


def grid(height: int, width: int, device: torch.device | str = "cpu") -> Tensor:
    """Column and row of every cell, row by row."""
    rows, columns = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )
    return torch.stack((columns, rows), -1).reshape(-1, 2).float()
