# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Train a model: `scripts/train street`.

The same recipe and data give the same batches: what is drawn at a step depends on seed and step alone. A killed run
goes on from its last checkpoint as if nothing had happened. `--add FOLDER` mixes a city's own cases in, starting from
the shipped weights (recipe: MODEL_add.toml).
"""

from __future__ import annotations

import argparse
import os
import queue
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from models.training.added import NOTE, cut, load_added
from models.training.augment import Example, compose
from models.training.classes import PRIVACY, STREET, TRAINED, Classes
from models.training.correction import calibrate
from models.training.dataset import PictureCache, Sample, load, shared_folder
from models.training.drives import load_drives
from models.training.export import load_average
from models.training.history import ROOT, take_out
from models.training.loss import detection_loss
from models.training.model import StreetNet
from models.training.paste import Donors
from models.training.privacy_net import PrivacyNet, load_coco
from models.training.privacy_teacher import teach as teach_private
from models.training.qat import HIGHS, Quantized
from models.training.recipe import Phase, Recipe, load_recipe
from models.training.start import load_own, load_start
from models.training.teacher import teach

Batch = list[Example]
START_STEPS = 3


class Batches:
    """The batch of any step, made ahead of time by one thread."""

    def __init__(
        self, recipe: Recipe, real: list[Sample], simulated: list[Sample], added: Sequence[Sample] = ()
    ) -> None:
        self._recipe = recipe
        self._pools = (real, simulated, list(added))
        self._cache = PictureCache()
        self._odds = tuple(_odds(pool, recipe) for pool in self._pools)
        self._donors = Donors(real, self._cache)

    def make(self, step: int) -> Batch:
        """The batch of one step; depends on recipe, data and step alone."""
        phase, _ = self._recipe.at(step)
        examples = []
        for place in range(self._recipe.batch):
            rng = np.random.default_rng((self._recipe.seed, step, place))
            number = _pool(phase, rng)
            pool, odds = self._pools[number], self._odds[number]
            count = (1, 2, 4)[rng.choice(3, p=phase.cells)]
            chosen = [pool[index] for index in rng.choice(len(pool), count, p=odds)]
            pictures = [cut(sample, self._cache(sample.path), rng) for sample in chosen]
            if number == 0 and phase.pasted > 0:
                pictures = [self._donors.onto(*one, rng) if rng.random() < phase.pasted else one for one in pictures]
            examples.append(compose(pictures, phase.size, phase.zoom, rng, self._recipe.stretch, weather=phase.weather))
        return examples

    def ahead(self, first: int, last: int, depth: int = 3) -> Iterator[Batch]:
        """Batches of the steps first..last-1, in order."""
        ready: queue.Queue[Batch | BaseException] = queue.Queue(depth)

        def work() -> None:
            try:
                for step in range(first, last):
                    ready.put(self.make(step))
            except BaseException as error:  # noqa: BLE001  (raised again in the loop below)
                ready.put(error)

        threading.Thread(target=work, daemon=True).start()
        for _ in range(first, last):
            batch = ready.get()
            if isinstance(batch, BaseException):
                raise batch
            yield batch


def _pool(phase: Phase, rng: np.random.Generator) -> int:
    """Which pictures: 0 real, 1 simulated, 2 added. A phase without the last two draws nothing."""
    if phase.simulated_share + phase.added_share == 0:
        return 0
    drawn = rng.random()
    if drawn < phase.simulated_share:
        return 1
    return 2 if drawn < phase.simulated_share + phase.added_share else 0


def _odds(pool: list[Sample], recipe: Recipe) -> np.ndarray:
    weights = np.array([recipe.view_weights.get(sample.view, 1.0) for sample in pool], float)
    return weights / weights.sum() if len(pool) else weights


class Average:
    """Exponential moving average of the weights: what is shipped."""

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.state = {key: value.detach().clone() for key, value in net.state_dict().items()}
        self._decay = decay

    @torch.no_grad()
    def update(self, net: nn.Module, step: int) -> None:
        """Move a little towards the network."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for key, value in net.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[key].lerp_(value, 1 - decay)
            else:
                self.state[key].copy_(value)


def to_tensors(batch: Batch, device: torch.device) -> tuple[Tensor, list[tuple[Tensor, Tensor]], Tensor]:
    """Pictures (float, BGR, 0..255), truths and known maps on the device."""
    pictures = torch.from_numpy(np.stack([example.picture for example in batch])).to(device)
    images = pictures.permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)
    truths = [
        (torch.from_numpy(example.boxes).to(device), torch.from_numpy(example.targets).to(device)) for example in batch
    ]
    return images, truths, torch.from_numpy(np.stack([example.known for example in batch])).to(device)


def train(
    recipe: Recipe,
    run: Path,
    drives: Path | None = None,
    classes: Classes = STREET,
    *,
    added: Path | None = None,
    real: list[Sample] | None = None,
) -> None:
    """Run or resume the recipe in the folder `run`. `real`: these pictures instead of all for training."""
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if real is None:
        real = load(classes, "train", _teach(classes, run.parent), open_only=recipe.open_data_only)
        real = [sample for sample in real if sample.sequence not in recipe.left_out]
    batches = Batches(recipe, real, *_mixed_in(recipe, run, drives, added, classes))
    net = PrivacyNet(recipe.width) if classes is PRIVACY else StreetNet(len(classes), recipe.width)
    checkpoint = run / "last.pt"
    if not checkpoint.exists() and recipe.start_weights:
        examples = [example for step in range(START_STEPS) for example in batches.make(step)]
        images, _, _ = to_tensors(examples, torch.device("cpu"))
        start(net, recipe.start_weights, images, classes)
    net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    judge: nn.Module = net  # what learns: in a quantized phase, the network as its INT8 file will be
    saved = torch.load(checkpoint, map_location=device, weights_only=True) if checkpoint.exists() else None
    if saved and HIGHS in saved["net"]:
        judge = Quantized(net)
    optimizer, average = _optimizer(net, recipe), Average(net, recipe.ema_decay)
    first, spent_s = 0, 0.0
    if saved:
        net.load_state_dict(saved["net"])
        optimizer.load_state_dict(saved["optimizer"])
        average.state = saved["average"]
        first, spent_s = saved["step"], saved["spent_s"]
    started = time.monotonic()
    to_learn(net, held=recipe.held)
    bar = tqdm(batches.ahead(first, recipe.steps), initial=first, total=recipe.steps, mininterval=10)
    for step, batch in enumerate(bar, first):
        phase, rate = recipe.at(step)
        images, truths, known = to_tensors(batch, device)
        if phase.quantized == (judge is net):
            net.load_state_dict(average.state)
            judge = _other_mode(net, judge, images)
            optimizer, average = _optimizer(net, recipe), Average(net, recipe.ema_decay)
        for group in optimizer.param_groups:
            group["lr"] = rate
        losses = detection_loss(*judge(images), truths, known)
        optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        nn.utils.clip_grad_norm_(net.parameters(), recipe.gradient_limit)
        optimizer.step()
        average.update(net, recipe.in_a_row(step))
        bar.set_postfix_str(
            f"class {losses.classes:.3f} box {losses.boxes:.3f} positives {losses.positives:.0f}", refresh=False
        )
        if (step + 1) % 20 == 0:
            with (run / "log.csv").open("a", encoding="utf-8") as log:
                log.write(f"{step + 1},{rate:.2e},{losses.classes:.4f},{losses.boxes:.4f},{losses.positives:.1f}\n")
        if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            _save(
                checkpoint,
                net=net.state_dict(),
                optimizer=optimizer.state_dict(),
                average=average.state,
                step=step + 1,
                spent_s=spent_s + time.monotonic() - started,
            )


def _other_mode(net: StreetNet, judge: nn.Module, images: Tensor) -> nn.Module:
    """Quantization comes into the loop, with ranges for these pictures, or leaves it and takes its ranges along."""
    if judge is net:
        quantized = Quantized(net)
        calibrate(quantized, [images])
        return quantized
    delattr(net, HIGHS)
    return net


def to_learn(net: nn.Module, *, held: bool) -> None:
    """Into training. `held`: before the heads neither weights nor the statistics of batch norms change."""
    net.train()
    for name, part in net.named_children():
        if held and name != "heads":
            part.eval().requires_grad_(requires_grad=False)


def _mixed_in(
    recipe: Recipe, run: Path, drives: Path | None, added: Path | None, classes: Classes
) -> tuple[list[Sample], list[Sample]]:
    """Frames of simulated drives and a city's own cases, which are noted beside the run.

    Raises:
        SystemExit: they are not what the recipe wants.
    """
    if not drives and any(phase.simulated_share > 0 for phase in recipe.phases):
        raise SystemExit("the recipe has phases with simulated drives: say --drives DIR (how to make them: the recipe)")
    if (added is None) != all(phase.added_share == 0 for phase in recipe.phases):
        raise SystemExit("--add FOLDER and a recipe with added_share go together (default: MODEL_add.toml)")
    cases = load_added(added, "train", classes) if added else []
    if added and not cases:
        raise SystemExit(f"{added}: holds no picture for training")
    if cases:
        (run / NOTE).write_text(f"{len(cases)} pictures of cases decided at a depot\n", encoding="utf-8")
    return load_drives(drives, classes) if drives else [], cases


def start(net: StreetNet, weights: str, pictures: Tensor, classes: Classes) -> None:
    """Start weights.

    A run (`*.pt`), a model of ours (`models/NAME/FILE`, of an earlier commit `COMMIT:models/NAME/FILE`), or a file in
    WEGEWART_SHARED/weights.
    """
    if weights.endswith(".pt"):
        net.load_state_dict(load_average(Path(weights), classes).state_dict())
    elif isinstance(net, PrivacyNet):
        load_coco(net, shared_folder() / "weights" / weights)
    elif weights.startswith("models/"):
        load_own(net, ROOT / weights, pictures, classes)
    elif ":models/" in weights:
        with tempfile.TemporaryDirectory() as folder:
            load_own(net, take_out(weights, Path(folder)), pictures, classes)
    else:
        load_start(net, shared_folder() / "weights" / weights, pictures, classes)


def _teach(classes: Classes, folder: Path) -> dict[str, Any] | None:
    """What the teacher sees on the pictures: made once, kept in the folder."""
    if classes is PRIVACY:
        return teach_private(folder / "privacy_teacher.json")
    return teach(folder / "teacher.json") if classes.taught else None


def _optimizer(net: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.AdamW(_groups(net, recipe.weight_decay), lr=recipe.phases[0].rate)


def _groups(net: nn.Module, decay: float) -> list[dict[str, object]]:
    """Weight decay for kernels, none for biases and batch norms."""
    kernels = [value for value in net.parameters() if value.ndim > 1]
    others = [value for value in net.parameters() if value.ndim <= 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def _save(path: Path, **state: object) -> None:
    """Write beside, then rename: a kill leaves the old checkpoint or the new one."""
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Train a model; run again to resume.")
    parser.add_argument("model", choices=sorted(TRAINED))
    parser.add_argument(
        "--run", type=Path, help="folder for checkpoints (default: runs/MODEL, with --add runs/MODEL_add)"
    )
    parser.add_argument("--recipe", type=Path, help="default: models/training/MODEL.toml, with --add MODEL_add.toml")
    parser.add_argument("--add", type=Path, help="a city's own cases to mix in, from `wegewart-depot export-training`")
    parser.add_argument("--weights", help="start from these instead of the recipe's, e.g. runs/street/last.pt")
    parser.add_argument("--drives", type=Path, help="folder of simulated drives to mix in")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)  # the network needs the cores more
    name = f"{arguments.model}_add" if arguments.add else arguments.model
    recipe = load_recipe(arguments.recipe or Path(__file__).parent / f"{name}.toml")
    if arguments.weights is not None:
        recipe = replace(recipe, start_weights=arguments.weights)
    run = arguments.run or Path("runs") / name
    train(recipe, run, arguments.drives, TRAINED[arguments.model], added=arguments.add)


if __name__ == "__main__":
    main()
