# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A new model takes the old one's place only if it is nowhere worse and somewhere better, and that is proven."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest

from edge.vision.package import MANIFEST, load_package
from models.training import gate
from models.training.dataset import load_road, shared_folder
from models.training.gate import checked, compare, open_key, passes, sign, sign_off
from models.training.metric import Count
from tests.vision.packages import STREET


def pictures(right: int, wrong: int, missed: int, of: int = 50) -> np.ndarray:
    """Counts spread over pictures."""
    rows = np.zeros((of, 3), np.int64)
    for column, count in enumerate((right, wrong, missed)):
        np.add.at(rows[:, column], np.arange(count) % of, 1)
    return rows


def verdict(old: np.ndarray, new: np.ndarray, label: str = "pothole", recall_of: tuple[str, ...] = ()) -> str:
    (line,) = compare({("all", label): old}, {("all", label): new}, recall_of)
    return line.verdict


def test_a_hundredth_is_worse_or_better_and_less_is_not() -> None:
    old = pictures(500, 200, 500)
    assert verdict(old, pictures(500, 200, 500)) == "same"
    assert verdict(old, pictures(492, 200, 508)) == "same"  # 0.588 -> 0.582
    assert verdict(old, pictures(480, 200, 520)) == "worse"
    assert verdict(old, pictures(520, 200, 480)) == "better"
    assert Count(500, 200, 500).f1 - Count(492, 200, 508).f1 < 0.01 < Count(500, 200, 500).f1 - Count(480, 200, 520).f1


def test_with_a_hundred_boxes_a_single_one_cannot_decide() -> None:
    for right in (30, 50, 70):
        old = pictures(right, right // 2, 100 - right)
        assert verdict(old, pictures(right - 1, right // 2, 101 - right)) in ("same", "worse")
    assert verdict(pictures(70, 30, 30), pictures(69, 30, 31)) == "same"


def test_few_boxes_are_worse_only_if_chance_is_no_excuse() -> None:
    assert verdict(pictures(30, 10, 20), pictures(28, 10, 22)) == "same"
    assert verdict(pictures(30, 10, 20), pictures(5, 10, 45)) == "worse"
    assert verdict(pictures(5, 10, 45), pictures(30, 10, 20)) == "same"
    assert verdict(pictures(10, 0, 0), pictures(0, 10, 10)) == "too few boxes"


def test_samples_of_the_pictures_say_how_sure_a_gain_is() -> None:
    same, more = pictures(60, 20, 40), pictures(62, 20, 38)
    assert not gate.gains(same, same).any()
    low, high = np.percentile(gate.gains(same, more), [2.5, 97.5])
    assert low < Count(62, 20, 38).f1 - Count(60, 20, 40).f1 < high
    assert gate.gains(same, pictures(95, 5, 5)).min() > 0


def test_of_people_recall_counts_and_false_boxes_do_not() -> None:
    old, new = pictures(90, 10, 20), pictures(90, 400, 20)
    assert verdict(old, new, "person") == "worse"
    assert verdict(old, new, "person", ("person",)) == "same"
    assert verdict(old, pictures(85, 10, 25), "person", ("person",)) == "worse"


def test_one_worse_class_or_nothing_better_does_not_pass() -> None:
    same, worse, better = pictures(500, 200, 500), pictures(400, 200, 600), pictures(600, 200, 400)
    assert not passes(compare({("all", "a"): same}, {("all", "a"): same}))
    assert passes(compare({("all", "a"): same, ("all", "b"): same}, {("all", "a"): same, ("all", "b"): better}))
    assert not passes(compare({("all", "a"): same, ("all", "b"): same}, {("all", "a"): worse, ("all", "b"): better}))


class Packages:
    """An old and a new package, a key, and a result that lets the new one pass."""

    def __init__(self, folder: Path) -> None:
        self.old, self.new, self.key_file = folder / "old", folder / "new", folder / "gate.key"
        for package in (self.old, self.new):
            package.mkdir()
            (package / MANIFEST).write_text(package.name)
            (package / "model-int8.onnx").write_bytes(package.name.encode())
        (self.old / "CARD.md").write_text("card")
        self.key = open_key(self.key_file)

    def result(self, *, passed: bool = True, split: str = "test") -> None:
        content = {
            "old": gate.fingerprint(self.old),
            "new": gate.fingerprint(self.new),
            "data": {"split": split},
            "passed": passed,
            "lines": [{"label": "pothole", "view": "all", "old": 0.5, "new": 0.4, "verdict": "worse"}],
        }
        (self.new / gate.RESULT).write_text(sign(content, self.key))

    def refused(self) -> str:
        with pytest.raises(SystemExit) as raised:
            sign_off(self.new, self.old, self.key_file)
        assert (self.old / MANIFEST).read_text() == "old"
        text = str(raised.value)
        assert "\n" not in text
        return text


@pytest.fixture
def packages(tmp_path: Path) -> Packages:
    return Packages(tmp_path)


def test_what_the_gate_let_pass_takes_the_old_ones_place(packages: Packages) -> None:
    packages.result()
    of_the_old_self_test = packages.old / "selftest" / "gone.jpg"
    of_the_old_self_test.parent.mkdir(exist_ok=True)
    of_the_old_self_test.touch()
    sign_off(packages.new, packages.old, packages.key_file)
    assert not of_the_old_self_test.exists()
    assert (packages.old / MANIFEST).read_text() == "new"
    assert (packages.old / "model-int8.onnx").read_bytes() == b"new"
    assert (packages.old / "CARD.md").read_text() == "card"


def test_without_a_result_or_with_another_one_nothing_is_signed_off(packages: Packages, tmp_path: Path) -> None:
    assert "run scripts/gate first" in packages.refused()
    packages.result(passed=False)
    assert "worse: pothole (all) 0.500 -> 0.400" in packages.refused()
    packages.result(split="val")
    assert "only test decides" in packages.refused()
    packages.result()
    (packages.new / "model-int8.onnx").write_bytes(b"trained further")
    assert "other packages" in packages.refused()
    packages.result()
    (packages.old / MANIFEST).write_text("old")  # the same words: still good
    file = packages.new / gate.RESULT
    for changed in (
        file.read_text().replace('"passed": true', '"passed": 1'),
        file.read_text().replace("0.4", "0.6"),
        "{}",
        "[]",
        "\x00",
        json.dumps({"content": {}, "signature": "zz"}),
    ):
        file.write_text(changed)
        assert "not signed" in packages.refused()
    packages.key = open_key(tmp_path / "other.key")
    packages.result()
    assert "not signed by this key" in packages.refused()


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "runs" / "gate.key"
    assert open_key(file).private_bytes_raw() == open_key(file).private_bytes_raw()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("nonsense")
    with pytest.raises(SystemExit, match="cannot be used"):
        open_key(file)


@pytest.mark.data
def test_a_real_model_is_no_better_than_itself_and_worse_where_it_is_made_deaf(tmp_path: Path) -> None:
    if not (shared_folder() / "data" / "road").exists():
        reason = "the pictures are missing: WEGEWART_SHARED does not lead to data/road"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    samples = load_road("val")[::3]
    shipped = gate.counts(load_package(STREET), samples)
    assert not passes(compare(shipped, shipped))
    deaf = tmp_path / "deaf"
    shutil.copytree(STREET, deaf)
    text = (deaf / MANIFEST).read_text()
    assert text.count("\ncrack = 0.") == 1
    before, after = text.split("\ncrack = 0.", 1)
    lines = after.split("\n", 1)[1]
    (deaf / MANIFEST).write_text(f"{before}\ncrack = 0.79\n{lines}")
    worse = compare(shipped, gate.counts(load_package(deaf), samples))
    assert ("all", "crack", "worse") in {(line.view, line.label, line.verdict) for line in worse}
    content = gate.result("test", STREET, deaf, samples, worse)
    (deaf / gate.RESULT).write_text(sign(content, open_key(tmp_path / "key")))
    with pytest.raises(SystemExit, match="worse: "):
        checked(deaf, STREET, open_key(tmp_path / "key"))
