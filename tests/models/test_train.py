# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Needs PyTorch, which only training needs; elsewhere these are skipped."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.training import train as training  # noqa: E402
from models.training.classes import STREET  # noqa: E402
from models.training.dataset import Sample  # noqa: E402
from models.training.export import export, load_average  # noqa: E402
from models.training.recipe import Phase, Recipe, load_recipe  # noqa: E402

PHASE = Phase(steps=2, size=(64, 64), zoom=(0.8, 1.2), cells=(1, 0, 0), rate=1e-3, last_rate=1e-4, simulated_share=0)
RECIPE = Recipe(
    seed=1,
    batch=2,
    weight_decay=0.01,
    ema_decay=0.9,
    gradient_limit=10,
    warmup_steps=1,
    open_data_only=False,
    start_weights="",
    view_weights={},
    phases=(PHASE, PHASE),
    save_every=1,
)


class KilledError(Exception):
    pass


@pytest.fixture
def one_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    every = np.ones(len(STREET), bool)
    one = Sample(
        path,
        "forward",
        "test",
        "",
        every,
        every,
        np.array([[10, 10, 40, 40]], np.float32),
        np.array([0]),
        np.zeros((0, 4), np.float32),
        np.zeros(0, np.int64),
    )
    monkeypatch.setattr(training, "teach", lambda _: {})
    monkeypatch.setattr(training, "load", lambda *_, **__: [one])


@pytest.mark.usefixtures("one_picture")
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training.train(RECIPE, tmp_path / "whole")
    save = training._save

    def save_then_die(path: Path, **state: object) -> None:
        save(path, **state)
        if state["step"] == 3:
            raise KilledError

    monkeypatch.setattr(training, "_save", save_then_die)
    with pytest.raises(KilledError):
        training.train(RECIPE, tmp_path / "killed")
    monkeypatch.setattr(training, "_save", save)
    training.train(RECIPE, tmp_path / "killed")
    whole, killed = (load_average(tmp_path / run / "last.pt").state_dict() for run in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    assert all(torch.equal(whole[key], killed[key]) for key in whole)


@pytest.mark.usefixtures("one_picture")
def test_the_exported_file_says_what_the_network_says(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    training.train(RECIPE, tmp_path)
    export(tmp_path / "last.pt", tmp_path / "model.onnx", (96, 64))
    picture = np.random.default_rng(1).integers(0, 255, (1, 64, 96, 3), np.uint8)
    boxes, scores = onnxruntime.InferenceSession(str(tmp_path / "model.onnx")).run(None, {"image": picture})
    with torch.no_grad():
        logits, expected = load_average(tmp_path / "last.pt")(torch.from_numpy(picture).permute(0, 3, 1, 2).float())
    assert np.allclose(boxes, expected.numpy(), atol=1e-3)
    assert np.allclose(scores, logits.sigmoid().numpy(), atol=1e-5)


def test_the_rate_falls_within_a_phase_and_the_steps_add_up() -> None:
    assert RECIPE.steps == 4
    rates = [RECIPE.at(step)[1] for step in range(4)]
    assert rates == pytest.approx([1e-3, 5.5e-4, 1e-3, 5.5e-4])
    with pytest.raises(IndexError):
        RECIPE.at(4)


def test_the_shipped_recipe_is_read() -> None:
    recipe = load_recipe(Path(training.__file__).parent / "street.toml")
    assert recipe.steps > 0
    assert all(phase.size[0] % 32 == 0 and phase.size[1] % 32 == 0 for phase in recipe.phases)
    assert all(sum(phase.cells) == pytest.approx(1) for phase in recipe.phases)
