# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Needs PyTorch, which only training needs; elsewhere these are skipped."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)  # small tensors: a second thread costs more than it brings

from models.training.classes import STREET  # noqa: E402
from models.training.loss import assign, cell_centres, detection_loss, giou, iou, spread_known  # noqa: E402
from models.training.model import StreetNet  # noqa: E402

POINTS = cell_centres(12, 20, torch.device("cpu"))


def truth(label: int = STREET.index("pothole")) -> tuple:
    target = torch.zeros((1, len(STREET)), dtype=torch.bool)
    target[0, label] = True
    return torch.tensor([[40.0, 40.0, 72.0, 64.0]]), target


def test_a_class_that_is_not_known_costs_nothing() -> None:
    logits = torch.zeros((1, len(POINTS), len(STREET)))
    logits[..., STREET.crack] = 5.0
    boxes = torch.zeros((1, len(POINTS), 4))
    known = torch.zeros((1, len(STREET), 12, 20), dtype=torch.bool)
    nothing = (torch.zeros((0, 4)), torch.zeros((0, len(STREET)), dtype=torch.bool))
    assert float(detection_loss(logits, boxes, [nothing], known).total) == 0.0
    known[0, STREET.crack, 3, 4] = True
    assert float(detection_loss(logits, boxes, [nothing], known).total) > 1.0


def test_unknown_wins_on_the_coarser_scales() -> None:
    known = torch.ones((1, len(STREET), 12, 20), dtype=torch.bool)
    known[0, STREET.index("pothole"), 5, 7] = False
    unknown = ~spread_known(known)[0, :, STREET.index("pothole")]
    assert [int(part.sum()) for part in unknown.split([240, 60, 15])] == [1, 1, 1]


def test_cells_that_answer_lie_in_the_box_and_the_best_has_its_overlap_as_quality() -> None:
    box, target = truth()
    boxes = box.repeat(len(POINTS), 1) + 4
    cell, owner, quality = assign(torch.zeros((len(POINTS), len(STREET))), boxes, POINTS, box, target)
    assert 1 <= len(cell) <= 10
    assert (owner == 0).all()
    inside = (POINTS[cell] > box[0, :2] - 6) & (POINTS[cell] < box[0, 2:] + 6)
    assert inside.all()
    assert float(quality.max()) == pytest.approx(float(iou(boxes[:1], box)[0, 0]))


def test_a_box_smaller_than_a_cell_still_gets_an_answer() -> None:
    box = torch.tensor([[33.0, 33.0, 37.0, 36.0]])
    _, target = truth()
    boxes = torch.cat((POINTS - 4, POINTS + 4), 1)
    cell, _, _ = assign(torch.zeros((len(POINTS), len(STREET))), boxes, POINTS, box, target)
    assert len(cell) >= 1


def test_giou_is_one_for_the_same_box_and_negative_far_away() -> None:
    box, _ = truth()
    assert float(giou(box, box)) == pytest.approx(1.0)
    assert float(giou(box, box + 500)) < 0


def test_the_network_learns_one_picture() -> None:
    torch.manual_seed(0)
    net = StreetNet(len(STREET), width=8).train()
    picture = 120 + 10 * torch.rand((1, 3, 96, 160))
    picture[:, :, 40:64, 40:72] -= 100
    known = torch.ones((1, len(STREET), 12, 20), dtype=torch.bool)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    fits = []
    for _ in range(80):
        logits, boxes = net(picture)
        loss = detection_loss(logits, boxes, [truth()], known).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        best = int(logits[0, :, STREET.index("pothole")].argmax())
        fits.append(float(iou(boxes[0, best : best + 1].detach(), truth()[0])))
    assert max(fits[:5]) < 0.5 < max(fits[-30:])
