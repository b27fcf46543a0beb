# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Start weights of earlier versions come out of the repository's history."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edge.vision.package import MANIFEST
from models.training import history
from models.training.recipe import load_recipe

RECIPES = Path(history.__file__).parent
FROM_HISTORY = [path for path in sorted(RECIPES.glob("*.toml")) if ":" in load_recipe(path).start_weights]


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repository"
    (root / "models/street").mkdir(parents=True)
    git(root, "init", "--quiet")
    for version in ("old", "new"):
        (root / "models/street/model-fp32.onnx").write_text(f"weights, {version}")
        (root / "models/street" / MANIFEST).write_text(f"classes, {version}")
        git(root, "add", ".")
        git(root, "-c", "user.name=t", "-c", "user.email=t@t.example", "commit", "--quiet", "-m", version)
    monkeypatch.setattr(history, "ROOT", root)
    return root


def test_weights_of_an_earlier_commit_come_with_the_manifest_of_that_commit(repository: Path, tmp_path: Path) -> None:
    old = git(repository, "rev-parse", "HEAD~1")
    taken = history.take_out(f"{old}:models/street/model-fp32.onnx", tmp_path / "out")
    assert taken.read_text() == "weights, old"
    assert taken.with_name(MANIFEST).read_text() == "classes, old"


def test_a_commit_that_is_not_there_is_one_clear_line(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"00:models/street/model-fp32.onnx: not in this checkout's history") as raised:
        history.take_out(f"{40 * '0'}:models/street/model-fp32.onnx", tmp_path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("recipe", FROM_HISTORY, ids=lambda path: path.stem)
def test_what_the_shipped_recipes_start_from_is_in_the_history(recipe: Path, tmp_path: Path) -> None:
    if not (history.ROOT / ".git").exists() or git(history.ROOT, "rev-parse", "--is-shallow-repository") == "true":
        pytest.skip("no history here, or not all of it: git fetch --unshallow")
    taken = history.take_out(load_recipe(recipe).start_weights, tmp_path)
    assert taken.stat().st_size > 1_000_000
    assert 'name = "street"' in taken.with_name(MANIFEST).read_text()
