# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The learning curve: what is compared has to be comparable."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import learning_curve
from models.training.classes import STREET
from models.training.dataset import Sample


def samples() -> list[Sample]:
    """Two sources: one of 40 places with three pictures each, and one video of 200."""
    every = np.ones(len(STREET), bool)
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    one = Sample(Path("a"), "v", "places", "", every, every, *nothing, *nothing)
    places = [
        replace(one, path=Path(f"{place}-{number}"), sequence=f"p{place}") for place in range(40) for number in range(3)
    ]
    video = [replace(one, path=Path(f"v{number:03}"), source="video", sequence="film") for number in range(200)]
    return places + video


def test_every_share_holds_the_smaller_ones_and_cuts_at_most_one_place_of_a_source() -> None:
    pytest.importorskip("torch")
    from models.training.curve import nested

    found = {share: {sample.path for sample in nested(samples(), share)} for share in (0.1, 0.25, 0.5, 1.0)}
    assert found[0.1] < found[0.25] < found[0.5] < found[1.0]
    assert [len(paths) for paths in found.values()] == [32, 80, 160, 320]
    for paths in found.values():
        counts: dict[str, int] = {}
        for path in paths:
            if not path.name.startswith("v"):
                place = path.name.split("-")[0]
                counts[place] = counts.get(place, 0) + 1
        assert sum(count < 3 for count in counts.values()) <= 1
    film = sorted(path.name for path in found[0.25] if path.name.startswith("v"))
    assert film == [f"v{number:03}" for number in range(50)]


def result(f1: float) -> dict[str, Any]:
    scores = {key: {"f1": f1, "ap50": f1 / 2, "boxes": 9} for key in learning_curve.COLUMNS["street"]}
    return {"pictures": 10, "minutes": 1.0, "scores": scores}


def test_what_is_done_so_far_is_told_and_drawn(tmp_path: Path) -> None:
    for name, f1 in (("share 10 %", 0.1), ("share 100 %", 0.4), ("320x192", 0.3)):
        folder = learning_curve.folder_of(tmp_path, name)
        folder.mkdir()
        (folder / "result.json").write_text(json.dumps(result(f1)))
    found = learning_curve.results(tmp_path)
    assert list(found) == ["share 100 %", "share 10 %", "320x192"]
    assert "| share 10 % | 10 | 1.0 | 0.100 (0.050) |" in learning_curve.table(found)
    pytest.importorskip("matplotlib")
    learning_curve.draw(found, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("group", learning_curve.POINTS)
def test_no_two_points_share_a_folder_and_each_differs_from_the_first(group: str) -> None:
    points = learning_curve.POINTS[group]
    assert len({learning_curve.folder_of(Path(), name) for name in points}) == len(points)
    first, *others = points.values()
    assert all(other != first for other in others)


def test_what_is_held_is_the_same_after_a_step_and_the_heads_are_not() -> None:
    torch = pytest.importorskip("torch")
    from models.training.model import StreetNet
    from models.training.train import to_learn

    torch.manual_seed(1)
    net = StreetNet(2, 8)
    to_learn(net, held=True)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.1, weight_decay=0.1)
    logits, boxes = net(torch.rand(2, 3, 64, 64) * 255)
    (logits.square().sum() + boxes.sum()).backward()
    optimizer.step()
    changed = {key for key, value in net.state_dict().items() if not torch.equal(value, before[key])}
    assert changed
    assert all(key.startswith("heads.") for key in changed)
