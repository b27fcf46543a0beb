# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The README's demo, as a stranger runs it: everything that was confirmed is shown."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import missing

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.integration


def demo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "_demo.py", "--once", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        cwd="/",
    )


def rows(output: str) -> dict[str, int]:
    return {name.strip(): int(value) for name, value in re.findall(r"^  (\S.*?)  +(\d+)$", output, re.MULTILINE)}


def check(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all agree" in done.stdout
    told = rows(done.stdout)
    assert told["frames judged"] > 0
    assert told["observations confirmed"] == told["observations stored by the depot"] == told["shown as cases"]
    assert told["records confirmed (with coverage)"] == told["records acknowledged by the depot"] > 0
    return told


@pytest.mark.parametrize("kind", ["mosquitto", "iotcore"])
def test_the_demo_shows_all_that_was_confirmed_with_either_broker(kind: str, small_drive: Path):
    if kind == "mosquitto" and not (shutil.which("mosquitto") or Path("/usr/sbin/mosquitto").exists()):
        missing("mosquitto")
    check(demo(small_drive, "--broker", kind))


@pytest.mark.data
def test_the_demo_runs_on_the_real_highway_drive(shared: Path):
    drive = shared / "drive" / "br386_a"
    told = check(demo(drive, "--track", drive / "track.csv"))
    assert told["frames seen"] == 148


def test_a_recording_that_is_not_there_is_one_line_and_3(tmp_path: Path):
    done = demo(tmp_path / "nothing")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert str(tmp_path / "nothing") in done.stderr


def test_a_recording_that_cannot_be_read_ends_the_demo_with_the_vehicles_reason(tmp_path: Path):
    (tmp_path / "film.mp4").write_text("no film")
    done = demo(tmp_path / "film.mp4")
    assert done.returncode == 3
    assert "film.mp4" in done.stderr
    assert "Traceback" not in done.stderr
