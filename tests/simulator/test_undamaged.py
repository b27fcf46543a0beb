# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.simulator import simulate
from edge.simulator.scenario import plan
from edge.simulator.truth import Truth, load
from edge.simulator.undamaged import LINING_DECOYS_PER_KM, undamaged


@pytest.fixture(scope="module")
def tunnel(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("undamaged") / "tunnel"
    simulate(folder, seed=5, km=0.06, frame_every_m=6.0, scene="tunnel", undamaged=True)
    return folder, load(folder / "truth.json")


def test_an_undamaged_road_keeps_everything_but_its_defects() -> None:
    whole = plan(9, 400.0, "street")
    sound = undamaged(whole)
    assert whole.defects
    assert not sound.defects
    assert (sound.decoys, sound.uprights, sound.crossings) == (whole.decoys, whole.uprights, whole.crossings)


def test_an_undamaged_tunnel_has_what_stands_beside_cracks(tunnel: tuple[Path, Truth]) -> None:
    folder, truth = tunnel
    assert truth.defects == ()
    on_lining = [decoy for decoy in truth.decoys if decoy.surface == "lining"]
    assert {decoy.label for decoy in on_lining} == set(LINING_DECOYS_PER_KM)
    boxes = json.loads((folder / "instances.json").read_text())["annotations"]
    assert {box["category_id"] for box in boxes} <= {5, 6}, "people and vehicles alone"


def test_a_ruler_is_painted_where_the_truth_says(tunnel: tuple[Path, Truth]) -> None:
    """Its yellow is nowhere else on a grey wall."""
    folder, truth = tunnel
    checked = 0
    for ruler in (decoy for decoy in truth.decoys if decoy.label == "ruler"):
        for seen in (one for one in ruler.frames if one.distance_m < 10 and one.visible_share > 0.9):
            picture = cv2.imread(str(folder / "frames" / seen.frame)).astype(int)
            x1, y1, x2, y2 = (round(value) for value in seen.box)
            part = picture[y1 : y2 + 1, x1 : x2 + 1]
            assert np.quantile(part[..., 2] - part[..., 0], 0.9) > 15, seen
            checked += 1
    assert checked


def test_without_the_option_nothing_stands_on_the_lining() -> None:
    assert {decoy.surface for decoy in plan(9, 400.0, "tunnel").decoys} == {"road"}
