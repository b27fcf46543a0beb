# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Needs PyTorch, which only training needs; elsewhere these are skipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from models.training import quantize as quantizing  # noqa: E402
from models.training import train as training  # noqa: E402
from models.training.classes import STREET  # noqa: E402
from models.training.correction import calibrate, correct  # noqa: E402
from models.training.dataset import Sample  # noqa: E402
from models.training.export import export, load_average  # noqa: E402
from models.training.model import StreetNet, Unit  # noqa: E402
from models.training.qat import HIGHS, Quantized, Round, convolved, learnt_ranges, ranges  # noqa: E402
from models.training.start import load_own  # noqa: E402
from tests.models.test_train import PHASE, RECIPE, KilledError  # noqa: E402
from tests.vision.packages import STREET as STREET_FOLDER  # noqa: E402

SIZE = (96, 64)
PHASES = (PHASE, replace(PHASE, quantized=True))


def pictures(count: int = 2) -> torch.Tensor:
    random = np.random.default_rng(5).integers(0, 255, (count, 3, SIZE[1], SIZE[0]), np.uint8)
    return torch.from_numpy(random).float()


@pytest.fixture
def net() -> StreetNet:
    return random_net(3)


def random_net(seed: int) -> StreetNet:
    """A network that says something: random weights, batch norms that fit them, no class near zero."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    net = StreetNet(len(STREET))
    for head in net.heads:
        torch.nn.init.normal_(head.class_out.weight, std=0.3)
        torch.nn.init.zeros_(head.class_out.bias)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, Unit):
                module.norm.momentum = None
        net.train()(pictures(8))
    return net.eval()


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    every = np.ones(len(STREET), bool)
    box = np.array([[10, 10, 40, 40]], np.float32)
    none = np.zeros((0, 4), np.float32)
    return Sample(path, "forward", "test", "", every, every, box, np.array([0]), none, np.zeros(0, np.int64))


def test_the_int8_file_says_what_the_network_in_training_says(tmp_path: Path) -> None:
    """With weights that know something: noise grows in random ones until nothing agrees with anything."""
    onnxruntime = pytest.importorskip("onnxruntime")
    stored = [cv2.resize(cv2.imread(str(path)), (320, 192)) for path in sorted((STREET_FOLDER / "selftest").iterdir())]
    images = torch.from_numpy(np.stack(stored)).permute(0, 3, 1, 2).float()
    net = StreetNet(len(STREET))
    load_own(net, STREET_FOLDER / "model-fp32.onnx", images, STREET)
    judge = Quantized(net.eval())
    calibrate(judge, [images])
    torch.save({"average": net.state_dict()}, tmp_path / "last.pt")
    export(tmp_path / "last.pt", tmp_path / "fp32.onnx", (320, 192))
    highs = learnt_ranges(tmp_path / "last.pt")
    quantizing.quantize(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", highs, (320, 192))
    session = onnxruntime.InferenceSession(str(tmp_path / "int8.onnx"))
    scores = np.concatenate([session.run(["scores"], {"image": picture[None]})[0] for picture in stored])
    with torch.no_grad():
        apart = np.abs(scores - judge(images)[0].sigmoid().numpy()).mean()
        apart_fp32 = np.abs(scores - net(images)[0].sigmoid().numpy()).mean()
    assert scores.max() > 0.3
    assert apart < 0.4 * apart_fp32


def test_the_int8_file_has_the_learnt_ranges_and_no_others(net: StreetNet, tmp_path: Path) -> None:
    calibrate(Quantized(net.eval()), [pictures()])
    with torch.no_grad():
        net.get_parameter(HIGHS).add_(torch.linspace(-0.01, 0.01, len(net.get_parameter(HIGHS))))
    torch.save({"average": net.state_dict()}, tmp_path / "last.pt")
    export(tmp_path / "last.pt", tmp_path / "fp32.onnx", SIZE)
    highs = learnt_ranges(tmp_path / "last.pt")
    quantizing.quantize(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", highs, SIZE)
    model = onnx.load(str(tmp_path / "int8.onnx"))
    values = {value.name: onnx.numpy_helper.to_array(value) for value in model.graph.initializer}
    scales = {values[node.input[1]].item() for node in model.graph.node if node.op_type == "QuantizeLinear"}
    assert sorted(scales) == pytest.approx(sorted(high / 255 for high in highs), rel=1e-5)


def test_ranges_of_another_network_are_refused(net: StreetNet, tmp_path: Path) -> None:
    torch.save({"average": net.state_dict()}, tmp_path / "last.pt")
    export(tmp_path / "last.pt", tmp_path / "fp32.onnx", SIZE)
    assert learnt_ranges(tmp_path / "last.pt") == []
    with pytest.raises(ValueError, match="zip"):
        quantizing.overrides(tmp_path / "fp32.onnx", [1.0, 2.0])


def test_weights_have_seven_bits_and_activations_eight(net: StreetNet) -> None:
    unit = net.dark3[0][1]
    x = torch.rand(1, unit.conv.in_channels, 8, 8)
    seen: list[torch.Tensor] = []
    original = torch.nn.functional.conv2d
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.functional, "conv2d", lambda *given: seen.append(given[1]) or original(*given))
        convolved(unit, x, rounded=True)
    for channel in seen[0]:
        steps = channel / (channel.abs().max() / 64)
        assert torch.allclose(steps, steps.round(), atol=1e-3)
    rounded = Round.apply(torch.tensor([-1.0, 0.0, 0.999, 1.01, 5.0]), torch.tensor(2.55))
    assert torch.allclose(rounded, torch.tensor([0.0, 0.0, 1.0, 1.01, 2.55]), atol=1e-6)


def test_a_range_grows_when_what_it_cuts_is_missed() -> None:
    high = torch.tensor(1.0, requires_grad=True)
    x = torch.tensor([0.5, 4.0], requires_grad=True)
    (Round.apply(x, high) - torch.tensor([0.5, 4.0])).square().sum().backward()
    assert high.grad is not None
    assert high.grad < 0
    assert x.grad is not None
    assert x.grad[1] == 0


@pytest.mark.parametrize("died_at", [3, 4, 5])
def test_a_killed_quantized_run_goes_on_as_if_nothing_had_happened(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, died_at: int
) -> None:
    recipe = replace(RECIPE, phases=(*PHASES, *PHASES))
    training.train(recipe, tmp_path / "whole", real=[sample])
    save = training._save

    def save_then_die(path: Path, **state: object) -> None:
        save(path, **state)
        if state["step"] == died_at:
            raise KilledError

    monkeypatch.setattr(training, "_save", save_then_die)
    with pytest.raises(KilledError):
        training.train(recipe, tmp_path / "killed", real=[sample])
    monkeypatch.setattr(training, "_save", save)
    training.train(recipe, tmp_path / "killed", real=[sample])
    whole, killed = (torch.load(tmp_path / run / "last.pt")["average"] for run in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    assert all(torch.equal(whole[key], killed[key]) for key in whole)


def test_a_quantized_phase_begins_with_the_averaged_weights_and_keeps_the_batch_norms(
    sample: Sample, tmp_path: Path
) -> None:
    training.train(replace(RECIPE, phases=PHASES[:1]), tmp_path, real=[sample])
    before = load_average(tmp_path / "last.pt").state_dict()
    still = replace(PHASES[1], rate=0.0, last_rate=0.0)
    training.train(replace(RECIPE, phases=(PHASE, still)), tmp_path, real=[sample])
    after = load_average(tmp_path / "last.pt").state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert len(learnt_ranges(tmp_path / "last.pt")) == len(ranges(torch.load(tmp_path / "last.pt")["net"][HIGHS]))


def test_a_phase_without_quantization_after_one_with_it_leaves_no_ranges(sample: Sample, tmp_path: Path) -> None:
    training.train(replace(RECIPE, phases=(*PHASES, PHASE)), tmp_path, real=[sample])
    assert learnt_ranges(tmp_path / "last.pt") == []
    load_average(tmp_path / "last.pt")


def test_steps_count_anew_when_quantization_comes_and_goes() -> None:
    long = replace(PHASE, steps=3)
    recipe = replace(RECIPE, phases=(long, replace(long, steps=1), replace(long, quantized=True), long))
    assert [recipe.in_a_row(step) for step in range(10)] == [0, 1, 2, 3, 0, 1, 2, 0, 1, 2]


def test_corrected_biases_take_back_what_rounding_shifts() -> None:
    """Of several networks: what the last layers of one make of small shifts differs from processor to processor."""
    seen, before, after = pictures(4), 0.0, 0.0
    for seed in range(6):
        net = random_net(seed)
        judge = Quantized(net)
        calibrate(judge, [seen])
        with torch.no_grad():
            plain = net(seen)[0].mean((0, 1))
            before += float((judge(seen)[0].mean((0, 1)) - plain).abs().mean())
            correct(judge, seen)
            after += float((judge(seen)[0].mean((0, 1)) - plain).abs().mean())
    assert after < 0.75 * before
