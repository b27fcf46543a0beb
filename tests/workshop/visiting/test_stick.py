# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A bundle on a USB stick: whole and read back, or not there at all."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop.errors import WorkshopError
from workshop.visiting import stick
from workshop.visiting.cli import main
from workshop.visiting.parcel import read


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    for name, content in (
        ("metadata/timestamp.json", b"{}"),
        (f"targets/wheels/{'a' * 64}.app-1.0+g12-py3-none-any.whl", os.urandom(300_000)),
        ("bundle.json", b'{"release":"2026.11.7"}'),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 1 MB."""
    if os.getuid() != 0:
        pytest.skip("only root may mount")
    folder = tmp_path / "media"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("this container may not mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_stick_holds_exactly_the_bundle_and_an_older_one_is_gone(bundle: Path, tmp_path: Path) -> None:
    media = tmp_path / "media"
    for left in ("wegewart-update/old", "wegewart-update.new/cut", "photos/holiday.jpg"):
        (media / left).parent.mkdir(parents=True)
        (media / left).write_bytes(b"x")
    said: list[int] = []
    written = stick.write(read(bundle), media, said.append)
    assert content(written) == content(bundle)
    assert said[-1] == read(bundle).size
    assert sorted(path.name for path in media.iterdir()) == ["photos", "wegewart-update"]


def test_a_stick_that_gives_back_other_bytes_is_found_out(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lossy(source: Path, copy: Path) -> None:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        if source.suffix == ".whl":
            copy.write_bytes(bytes(source.stat().st_size))

    monkeypatch.setattr(stick, "_copy", lossy)
    with pytest.raises(WorkshopError, match="take another stick"):
        stick.write(read(bundle), tmp_path)
    assert not (tmp_path / "wegewart-update").exists()
    assert not (tmp_path / "wegewart-update.new").exists()


def test_a_stick_that_is_pulled_out_leaves_nothing_that_a_vehicle_would_take(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pulled(source: Path, copy: Path) -> None:
        raise OSError(5, "Input/output error", str(copy))

    monkeypatch.setattr(stick, "_copy", pulled)
    with pytest.raises(OSError, match="Input/output"):
        stick.write(read(bundle), tmp_path)
    assert not (tmp_path / "wegewart-update").exists()


def test_a_real_file_system_is_written_and_a_full_one_refused(
    bundle: Path, mounted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(mounted), "--bundle", str(bundle)]) == 0
    assert "geschrieben und zurückgelesen" in capsys.readouterr().out
    assert content(mounted / "wegewart-update") == content(bundle)
    (mounted / "photos").write_bytes(bytes(700_000))
    assert main([str(mounted), "--bundle", str(bundle), "--lang", "en"]) == 0
    shutil.rmtree(mounted / "wegewart-update")
    (mounted / "more").write_bytes(bytes(100_000))
    assert main([str(mounted), "--bundle", str(bundle), "--lang", "en"]) == 1
    assert "MB are needed" in capsys.readouterr().err


def test_a_folder_where_nothing_is_mounted_is_no_stick(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--bundle", str(bundle)]) == 1
    assert "hier ist kein Stick eingehängt" in capsys.readouterr().err
    assert not (tmp_path / "wegewart-update").exists()


@pytest.mark.parametrize("name", ["targets/$(reboot)", "targets/a b", "-rf", "targets/a'b", "a..b"])
def test_a_name_that_means_something_to_a_shell_is_in_no_bundle(bundle: Path, name: str) -> None:
    (bundle / name).write_bytes(b"x")
    with pytest.raises(WorkshopError, match="does not belong into a bundle"):
        read(bundle)


@pytest.mark.parametrize(
    ("gone", "why"), [("bundle.json", "is no bundle"), ("metadata/timestamp.json", "has no metadata")]
)
def test_half_a_bundle_is_refused_with_what_to_do(bundle: Path, gone: str, why: str) -> None:
    (bundle / gone).unlink()
    with pytest.raises(WorkshopError, match=f"{why}.*scripts/release REPO bundle") as caught:
        read(bundle)
    assert "\n" not in str(caught.value)
