# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.vision.package import ModelPackageError, load_package
from edge.vision.selftest import draw
from tests.vision.packages import STREET, copy_of_street


def refusal(folder: Path) -> str:
    with pytest.raises(ModelPackageError) as caught:
        load_package(folder)
    text = str(caught.value)
    assert "\n" not in text
    assert isinstance(caught.value, ModelError)
    assert caught.value.exit_code == 4
    return text


def test_the_shipped_package_holds_in_every_precision() -> None:
    for precision in load_package(STREET).precisions:
        package = load_package(STREET, precision=precision)
        assert package.file(precision).expected, "a self test without boxes proves nothing"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("format = 1", "format = 1\nextra = 2"), ["top level", "unknown field", "extra"]),
        (lambda text: text.replace("format = 1", "format = 2"), ["format", "2"]),
        (lambda text: text.replace('task = "road"', ""), ["missing", "task"]),
        (lambda text: text.replace("width = 640", 'width = "640"'), ["input.width", "int"]),
        (lambda text: text.replace("width = 640", "width = 650"), ["input", "32"]),
        (lambda text: text.replace("pothole = 0.", "pothole = 7."), ["thresholds", "<= 1"]),
        (lambda text: text.replace("\npothole = 0.", "\nhole = 0."), ["thresholds", "every class"]),
        (lambda text: text.replace("opset = 17", "opset = 22"), ["opset", "17"]),
        (lambda text: text.replace('"model-int8.onnx"', '"../model-int8.onnx"'), ["onnx[0].file", "regex"]),
        (lambda text: text.replace("[input]", "[input"), ["model.toml", "file"]),
    ],
)
def test_a_manifest_that_is_not_exact_is_refused(
    tmp_path: Path, change: Callable[[str], str], words: list[str]
) -> None:
    text = refusal(copy_of_street(tmp_path, change))
    assert all(word in text for word in ["model.toml", *words]), text


def test_a_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    folder = copy_of_street(tmp_path)
    with (folder / "model-fp32.onnx").open("ab") as file:
        file.write(b"\0")
    text = refusal(folder)
    assert "model-fp32.onnx" in text
    assert "sha256" in text


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    folder = copy_of_street(tmp_path)
    (folder / "model-int8.onnx").unlink()
    assert "model-int8.onnx: file: No such file" in refusal(folder)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "model.toml: file:" in refusal(tmp_path / "none")


def test_a_manifest_that_is_no_text_is_refused(tmp_path: Path) -> None:
    folder = copy_of_street(tmp_path)
    (folder / "model.toml").write_bytes(b"\xff\xfe\x00")
    assert "model.toml: file:" in refusal(folder)


def test_another_input_size_than_the_models_is_refused(tmp_path: Path) -> None:
    folder = copy_of_street(tmp_path, lambda text: text.replace("height = 384", "height = 416"))
    text = refusal(folder)
    assert ": input: " in text
    assert "416" in text


def test_another_number_of_classes_than_the_models_is_refused(tmp_path: Path) -> None:
    def without_person(text: str) -> str:
        text = re.sub(r'\n +"person",', "", text, count=1)
        text = re.sub(r"\nperson = [0-9.]+", "", text)
        return re.sub(r'\n +\[\n +"person",\n +\],', "", text)

    assert "output scores" in refusal(copy_of_street(tmp_path, without_person))


def test_a_file_that_is_no_model_is_refused_although_its_hash_is_right(tmp_path: Path) -> None:
    folder = copy_of_street(tmp_path)
    content = b"this is no model"
    (folder / "model-int8.onnx").write_bytes(content)
    manifest = folder / "model.toml"
    old = hashlib.sha256((STREET / "model-int8.onnx").read_bytes()).hexdigest()
    text = manifest.read_text(encoding="utf-8").replace(old, hashlib.sha256(content).hexdigest())
    manifest.write_text(text, encoding="utf-8")
    assert "cannot load it" in refusal(folder)


def test_a_model_that_finds_something_else_is_refused(tmp_path: Path) -> None:
    def other_seed(text: str) -> str:
        return re.sub(r"seed = \d+", "seed = 987654", text)

    assert ": selftest: " in refusal(copy_of_street(tmp_path, other_seed))


def test_a_precision_that_is_not_there_is_refused(tmp_path: Path) -> None:
    def without_fp32(text: str) -> str:
        head, _, tail = text.partition('[[onnx]]\nprecision = "fp32"')
        return head + tail[tail.index("[[scores]]") :]

    folder = copy_of_street(tmp_path, without_fp32)
    load_package(folder)
    with pytest.raises(ModelPackageError, match="has no fp32 file"):
        load_package(folder, precision="fp32")


def test_the_self_tests_picture_is_the_same_everywhere() -> None:
    digest = hashlib.sha256(draw(7, 640, 384).tobytes()).hexdigest()
    assert digest == "a12b4ba46055ee253d2e968d2e800f3e7d4f1a8668372a872ff84dd8ede7453e"
