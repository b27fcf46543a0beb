# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A power cut takes what was not on the disk yet: the order of writes, syncs, marks and renames, as the kernel saw it.

python -m tests.update.test_order FOLDER        installs two releases; run by the test under strace
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import need
from tests.update.world import Depot, Vehicle

ROOT = Path(__file__).parents[2]
_CALLS = "openat,write,rename,renameat,renameat2,symlink,symlinkat,mkdir,mkdirat,sync,fsync"
_NAMES = re.compile(r'"([^"]*)"')
_OPENED = re.compile(r"^\w+\(\d+<([^>]*)>")


@dataclass(frozen=True)
class Call:
    name: str
    path: str
    other: str = ""


def read(log: Path) -> list[Call]:
    calls = []
    for line in log.read_text(errors="replace").splitlines():
        match = re.search(r"(\w+)\((.*)\)\s+= (-?\d+)", line)
        if match is None or int(match[3]) < 0:
            continue
        name, names = match[1].removesuffix("at2").removesuffix("at"), _NAMES.findall(match[2])
        opened = _OPENED.match(match[0])
        if name == "open" and "O_WRONLY" not in match[2] and "O_RDWR" not in match[2]:
            continue
        if name in ("write", "fsync"):
            calls.append(Call(name, opened[1] if opened else ""))
        else:
            calls.append(Call(name, *names[:2]) if names else Call(name, ""))
    return calls


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Call]]:
    folder = tmp_path_factory.mktemp("order")
    command = [need("strace"), "-f", "-y", "-s", "300", "-e", f"trace={_CALLS}", "-o", str(folder / "log")]
    program = [sys.executable, "-m", "tests.update.test_order", str(folder)]
    done = subprocess.run([*command, *program], cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "vehicle" / "opt", read(folder / "log")


def where(calls: list[Call], wanted: Call) -> list[int]:
    return [number for number, call in enumerate(calls) if call == wanted]


@pytest.mark.integration
def test_everything_in_a_folder_is_on_the_disk_before_its_mark(calls: tuple[Path, list[Call]]) -> None:
    _, said = calls
    marks = [
        (at, call.other.removesuffix("/COMPLETE"))
        for at, call in enumerate(said)
        if call.name == "rename" and call.other.endswith("/COMPLETE")
    ]
    assert len(marks) == 2 + 2 + 1, "two releases, two applications, one model"
    for number, folder in marks:
        inside = [
            at
            for at, call in enumerate(said[:number])
            if call.name in ("open", "write", "mkdir", "rename")
            and call.path.startswith(f"{folder}/")
            and not call.path.endswith("/COMPLETE.new")
        ]
        assert inside
        assert any(said[at].name == "sync" for at in range(max(inside), number)), folder
        after = said[number : number + 6]
        assert Call("fsync", folder) in after
        assert Call("fsync", str(Path(folder).parent)) in after


@pytest.mark.integration
def test_what_is_written_is_on_the_disk_before_it_gets_its_name(calls: tuple[Path, list[Call]]) -> None:
    root, said = calls
    renames = [(at, call) for at, call in enumerate(said) if call.name == "rename" and call.path.startswith(str(root))]
    files = [
        (at, call) for at, call in renames if Path(call.other).suffix in (".json", ".py") or "COMPLETE" in call.other
    ]
    assert len(files) > 15
    for at, call in files:
        assert where(said[:at], Call("fsync", call.path)), call
        assert where(said[at : at + 4], Call("fsync", str(Path(call.other).parent))), call


@pytest.mark.integration
def test_the_switch_comes_after_the_journal_and_is_durable_before_the_restart(calls: tuple[Path, list[Call]]) -> None:
    root, said = calls
    switch = where(said, Call("rename", f"{root}/current.new", f"{root}/current"))[-1]
    journal = f"{root}/update/journal.json"
    trial = max(at for at in where(said, Call("rename", f"{journal}.new", journal)) if at < switch)
    assert where(said[trial:switch], Call("fsync", f"{root}/update"))
    restart = next(at for at in range(switch, len(said)) if said[at].path.endswith("/vehicle/running"))
    assert where(said[switch:restart], Call("fsync", str(root)))


if __name__ == "__main__":
    home = Path(sys.argv[1])
    made = Vehicle(home / "vehicle", Depot(home / "bundles"))
    assert made.install(made.depot.publish("2026.1.1", 1)) == 0
    made.daemon.boot()
    made.daemon.pause(30)
    assert made.install(made.depot.publish("2026.2.1", 2)) == 0
