# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Wheel, model packages and releases: the same bytes whenever they are built."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from messages.release import Release
from tests.servers import missing
from tests.workshop.release.desk import DAYS, NOW, add, begin, git, out, vehicle
from workshop.errors import WorkshopError
from workshop.release import building, draft, source
from workshop.release.lock import Computer
from workshop.release.packing import pack
from workshop.release.store import Store
from workshop.release.wheels import download

ROOT = Path(__file__).resolve().parents[3]
STREET = ROOT / "models" / "street"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project's code in a repository of its own, all of it committed."""
    made = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in ("edge", "messages", "settings", "LICENSES"):
        shutil.copytree(ROOT / name, made / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", ".gitignore", source.LOCK):
        (made / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, made / name)
    (made / "models").mkdir()
    shutil.copytree(STREET, made / "models" / "street")
    git(tmp_path, "init", "-q", str(made))
    commit(made)
    return made


def commit(checkout: Path) -> None:
    git(checkout, "add", "--all")
    git(checkout, "commit", "-q", "-m", "as it is")


def order(checkout: Path, **more: object) -> building.Order:
    computers = (Computer("aarch64", "3.11"), Computer("x86_64", "3.11"))
    models = (checkout / "models" / "street",)
    return building.Order(checkout, computers, models, ("raspberry_pi_5", "pc"), **more)  # type: ignore[arg-type]


def index_answers(folder: Path) -> None:
    """Skip where the package index cannot be reached; in CI fail."""
    lock = folder / "small.lock"
    entry = (ROOT / source.LOCK).read_text().split("gpxpy==")[1].split("# via")[0]
    lock.write_text(f"gpxpy=={entry}\n".replace("\n    \n", "\n"))
    try:
        download(lock, Computer("aarch64", "3.11"), folder / "small")
    except WorkshopError as error:
        missing(f"the package index does not answer: {error}")


def test_the_same_commit_gives_the_same_wheel(checkout: Path, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        copy = tmp_path / name / "checkout"
        git(tmp_path, "clone", "-q", str(checkout), str(copy))
        found = source.find(copy, (), dirty=False)
        (tmp_path / name / "wheel").mkdir()
        made.append(source.build(found, tmp_path / name / "wheel"))
    assert made[0].name == made[1].name
    assert made[0].read_bytes() == made[1].read_bytes()


def test_the_wheel_holds_the_vehicle_and_neither_depot_nor_desk(checkout: Path, tmp_path: Path) -> None:
    found = source.find(checkout, (), dirty=False)
    wheel = source.build(found, tmp_path)
    commit = git(checkout, "rev-parse", "HEAD")[:12]
    assert wheel.name.endswith(f"+g{commit}-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entry_points = next(name for name in names if name.endswith("entry_points.txt"))
        commands = archive.read(entry_points).decode()
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"edge", "messages", "settings"}
    assert "edge/py.typed" in names
    assert "wegewart-edge = edge.cli:main" in commands
    assert "wegewart-update = edge.update.cli:main" in commands
    assert "depot" not in commands


def test_a_release_is_dated_by_its_commit_and_a_vehicle_believes_no_time_before_it(
    checkout: Path, tmp_path: Path
) -> None:
    found = source.find(checkout, (), dirty=False)
    with zipfile.ZipFile(source.build(found, tmp_path)) as archive:
        archive.extractall(tmp_path / "vehicle")
    code = (
        "import datetime, edge.update.trusted.clock as clock; begun = datetime.datetime(1970, 1, 1, tzinfo=datetime"
        ".timezone.utc); print(clock.__file__, int(clock.judge_by(begun, None).time.timestamp()))"
    )
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path / "vehicle").stdout.split()
    assert Path(said[0]).is_relative_to(tmp_path / "vehicle")
    assert int(said[1]) == found.epoch == int(git(checkout, "log", "-1", "--format=%ct"))


def test_a_commit_from_the_future_is_refused(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2090-01-01T00:00:00Z")
    (checkout / "edge" / "errors.py").write_text("# new\n")
    commit(checkout)
    with pytest.raises(WorkshopError, match="is from the future, by this computer's clock"):
        source.find(checkout, (), dirty=False)


def test_software_that_would_keep_an_old_date_is_not_built(checkout: Path, tmp_path: Path) -> None:
    clock = checkout / source.CLOCK
    clock.write_text(clock.read_text().replace("BUILT = datetime", "BUILT: datetime = datetime"))
    commit(checkout)
    with pytest.raises(WorkshopError, match="has 0 lines 'BUILT = '"):
        source.build(source.find(checkout, (), dirty=False), tmp_path)


def test_a_new_model_or_readme_leaves_the_wheel_as_it_was(checkout: Path) -> None:
    before = source.find(checkout, (), dirty=False)
    (checkout / "README.md").write_text("new\n")
    (checkout / "models" / "street" / "CARD.md").write_text("new\n")
    commit(checkout)
    assert source.find(checkout, (), dirty=False) == before
    (checkout / "edge" / "errors.py").write_text("# new\n")
    commit(checkout)
    assert source.find(checkout, (), dirty=False).software != before.software


@pytest.mark.parametrize("name", ["edge/errors.py", "edge/forgotten.py", "requirements/edge.lock", "models/street/x"])
def test_what_is_in_no_commit_is_refused_unless_told(checkout: Path, name: str) -> None:
    (checkout / name).write_text("# changed\n")
    street = (checkout / "models" / "street",)
    with pytest.raises(WorkshopError, match=f"1 changes are in no commit .the first: {name}"):
        source.find(checkout, street, dirty=False)
    taken = source.find(checkout, street, dirty=True)
    assert ("+dirty." in taken.software) == name.startswith("edge/")


def test_a_change_elsewhere_does_not_matter(checkout: Path) -> None:
    (checkout / "README.md").write_text("new\n")
    source.find(checkout, (), dirty=False)


def test_a_folder_that_is_no_checkout_is_refused_with_one_line(tmp_path: Path) -> None:
    with pytest.raises(WorkshopError, match="a release is built from a git checkout") as caught:
        source.find(tmp_path, (), dirty=False)
    assert "\n" not in str(caught.value)


def test_a_model_package_gives_the_same_bytes_whatever_its_times_and_modes(tmp_path: Path) -> None:
    copy = tmp_path / "street"
    shutil.copytree(STREET, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700 if path.is_dir() else 0o600)
    packed = pack(copy)
    assert packed.compressed() == pack(STREET).compressed()
    with tarfile.open(fileobj=io.BytesIO(packed.compressed()), mode="r:gz") as archive:
        members = archive.getmembers()
    assert {member.name for member in members} == {
        str(path.relative_to(STREET)) for path in STREET.rglob("*") if path.is_file()
    }
    assert {(member.uid, member.gid, member.mode, member.uname) for member in members} == {(0, 0, 0o644, "")}


def test_a_model_package_whose_files_are_not_its_own_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "street"
    shutil.copytree(STREET, copy)
    (copy / "model-int8.onnx").write_bytes(b"x")
    with pytest.raises(WorkshopError, match=r"model-int8\.onnx: is not the file"):
        pack(copy)
    (copy / "model-int8.onnx").unlink()
    (copy / "model-int8.onnx").symlink_to(STREET / "model-int8.onnx")
    with pytest.raises(WorkshopError, match="plain files only"):
        pack(copy)


def test_a_model_only_release_keeps_the_wheels_and_needs_no_network(tmp_path: Path) -> None:
    begin(tmp_path)
    first = add(tmp_path, 1)
    out(tmp_path)
    wanted = building.Order(tmp_path, (), (STREET,), ("pc",), app_of=first.id)
    made = building.build(Store(tmp_path / "repo"), wanted, NOW, DAYS, lambda _: None)
    assert (made.variants, made.software, made.boards) == (first.variants, first.software, first.boards)
    assert made.models[0].name == "street"
    assert made.number == 2
    assert made.id == f"{NOW.year}.{NOW.month}.{2 if f'{NOW:%Y}.{NOW.month}' == '2026.11' else 1}"
    out(tmp_path)
    assert vehicle(tmp_path).look() == {first.id, made.id}


def test_a_number_is_never_given_twice_even_if_the_release_was_taken_back(tmp_path: Path) -> None:
    begin(tmp_path)
    for number in (1, 7):
        add(tmp_path, number)
    out(tmp_path)
    draft.take_back(Store(tmp_path / "repo"), NOW, DAYS, "2026.11.7")
    out(tmp_path)
    wanted = building.Order(tmp_path, (), (STREET,), ("raspberry_pi_5",), app_of="2026.11.1")
    assert building.build(Store(tmp_path / "repo"), wanted, NOW, DAYS, lambda _: None).number == 8
    wanted = building.Order(tmp_path, (), (STREET,), ("raspberry_pi_5",), id="2026.11.7", app_of="2026.11.1")
    with pytest.raises(WorkshopError, match="was built already"):
        building.build(Store(tmp_path / "repo"), wanted, NOW, DAYS, lambda _: None)


@pytest.mark.integration
def test_real_wheels_for_two_computers_make_a_release_that_is_byte_for_byte_repeatable(
    checkout: Path, tmp_path: Path
) -> None:
    index_answers(tmp_path)
    made, trees = [], []
    for name in ("one", "two"):
        folder = tmp_path / name
        begin(folder)
        made.append(building.build(Store(folder / "repo"), order(checkout), NOW, DAYS, lambda _: None))
        out(folder)
        targets = folder / "repo" / "targets"
        trees.append({path.relative_to(targets): path.read_bytes() for path in targets.rglob("*") if path.is_file()})
    assert trees[0] == trees[1]
    release: Release = made[0]
    assert [(each.machine, each.python) for each in release.variants] == [("aarch64", "3.11"), ("x86_64", "3.11")]
    names = {file.target for file in release.variants[0].wheels}
    assert any("onnxruntime" in name and "aarch64" in name for name in names)
    assert not any("x86_64" in name for name in names)
    shared = names & {file.target for file in release.variants[1].wheels}
    assert any("wegewart" in name for name in shared)
    assert vehicle(tmp_path / "one").look() == {release.id}
    second = building.build(Store(tmp_path / "one" / "repo"), order(checkout), NOW, DAYS, lambda _: None)
    assert second.variants == release.variants
    assert second.number == 2


@pytest.mark.integration
def test_wheels_of_a_release_for_this_computer_start_the_vehicles_program(checkout: Path, tmp_path: Path) -> None:
    index_answers(tmp_path)
    here = Computer("x86_64", "3.11")
    if (os.uname().machine, f"{sys.version_info[0]}.{sys.version_info[1]}") != (here.machine, here.python):
        pytest.skip(f"this is no {here}")
    begin(tmp_path)
    wanted = building.Order(checkout, (here,), (STREET,), ("pc",))
    release = building.build(Store(tmp_path / "repo"), wanted, NOW, DAYS, lambda _: None)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for file in release.variants[0].wheels:
        shutil.copy(Store(tmp_path / "repo").file(file.target, file.sha256), wheels / file.target.partition("/")[2])
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        f"--python={venv / 'bin' / 'python'}",
        "install",
        "--no-index",
        "--no-deps",
        "-q",
    ]
    subprocess.run([*pip, *map(str, wheels.iterdir())], check=True)
    done = subprocess.run([venv / "bin" / "wegewart-edge", "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    checked = "from edge import assembly; from edge.vision.package import load_package as load;"
    checked += "load(assembly.MODELS / 'street')"
    environment = {**os.environ, "WEGEWART_MODELS": str(ROOT / "models")}
    done = subprocess.run([venv / "bin" / "python", "-c", checked], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
