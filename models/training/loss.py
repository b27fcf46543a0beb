# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which cell answers for which box, and what its answer costs.

Assignment is task aligned (TOOD, arXiv:2108.07755): the cells inside a box whose class probability and overlap are
best together. The class loss is the quality focal loss (arXiv:2006.04388) towards the overlap, the box loss is GIoU.
Entries of the class loss that are not known (see `augment.compose`) cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  (its usual name)
from torch import Tensor

from models.training.model import STRIDES, grid

CANDIDATES = 10
SCORE_POWER = 0.5
OVERLAP_POWER = 4.0
BOX_WEIGHT = 2.0


@dataclass(frozen=True)
class Losses:
    """Mean cost per positive cell."""

    total: Tensor
    classes: float
    boxes: float
    positives: float


def detection_loss(logits: Tensor, boxes: Tensor, truths: list[tuple[Tensor, Tensor]], known: Tensor) -> Losses:
    """Cost of a batch.

    Args:
        logits: [B,N,C].
        boxes: [B,N,4] in pixels.
        truths: per picture boxes [G,4] and targets [G,C] (bool).
        known: [B,C,H/8,W/8] (bool).
    """
    points = cell_centres(known.shape[2], known.shape[3], known.device)
    judged = spread_known(known)
    wanted = torch.zeros_like(logits)
    box_cost = logits.new_zeros(())
    weight_sum = logits.new_zeros(())
    for index, (truth, targets) in enumerate(truths):
        if not len(truth):
            continue
        cell, owner, quality = assign(logits[index].detach(), boxes[index].detach(), points, truth, targets)
        wanted[index, cell] = targets[owner] * quality[:, None]
        judged[index, cell] |= targets[owner]
        overlap = giou(boxes[index, cell], truth[owner])
        box_cost = box_cost + ((1 - overlap) * quality).sum()
        weight_sum = weight_sum + quality.sum()
    distance = (wanted - logits.sigmoid()).abs().square()
    cost = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * distance
    class_cost = (cost * judged).sum()
    norm = weight_sum.clamp(min=1.0)
    total = (class_cost + BOX_WEIGHT * box_cost) / norm
    return Losses(total, float((class_cost / norm).detach()), float((box_cost / norm).detach()), float(weight_sum))


def cell_centres(rows8: int, columns8: int, device: torch.device) -> Tensor:
    """Centre of every cell of the three scales, in pixels [N,2]."""
    per_scale = []
    for stride in STRIDES:
        step = stride // STRIDES[0]
        per_scale.append((grid(rows8 // step, columns8 // step, device) + 0.5) * stride)
    return torch.cat(per_scale)


def spread_known(known: Tensor) -> Tensor:
    """Known at stride 8 -> known per cell of every scale [B,N,C]; unknown wins."""
    unknown = (~known).float()
    scales = []
    for stride in STRIDES:
        step = stride // STRIDES[0]
        scales.append(F.max_pool2d(unknown, step).flatten(2).transpose(1, 2) == 0)
    return torch.cat(scales, 1)


@torch.no_grad()
def assign(
    logits: Tensor, boxes: Tensor, points: Tensor, truth: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Cells that answer, the box each answers for, and how well it fits (0..1)."""
    weights = targets.float()
    score = logits.sigmoid() @ (weights / weights.sum(1, keepdim=True)).T  # [N,G]
    overlap = iou(boxes, truth)
    inside = _inside(points, truth)
    metric = (score.clamp(min=1e-6) ** SCORE_POWER) * overlap.clamp(min=1e-6) ** OVERLAP_POWER * inside
    best, rows = metric.topk(min(CANDIDATES, len(points)), 0)
    chosen = torch.zeros_like(metric).scatter_(0, rows, (best > 0).float()) * metric
    value, owner = chosen.max(1)  # a cell inside several boxes answers for the best one
    cell = value.nonzero().squeeze(1)
    owner = owner[cell]
    top_metric = chosen.max(0).values[owner]
    top_overlap = (overlap * (chosen > 0)).max(0).values[owner]
    quality = value[cell] / top_metric * top_overlap.clamp(min=0.1)
    return cell, owner, quality


def _inside(points: Tensor, truth: Tensor) -> Tensor:
    """Cells whose centre is in the box [N,G]; for a box between all centres the nearest ones."""
    x, y = points[:, :1], points[:, 1:]
    edges = torch.stack((x - truth[:, 0], y - truth[:, 1], truth[:, 2] - x, truth[:, 3] - y))
    inside = edges.amin(0) > 0
    centre = (truth[:, :2] + truth[:, 2:]) / 2
    near = (points[:, None] - centre[None]).abs().amax(2) <= STRIDES[0] * 0.75
    return inside | near


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Overlap of every a with every b [N,G]."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    common = (high - low).clamp(min=0).prod(2)
    return common / (_area(a)[:, None] + _area(b)[None] - common).clamp(min=1e-6)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised overlap of pairs, -1..1."""
    common = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    union = (_area(a) + _area(b) - common).clamp(min=1e-6)
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1).clamp(min=1e-6)
    return common / union - (hull - union) / hull


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1)
