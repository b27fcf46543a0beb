# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What another computer needs, told on this one."""

from __future__ import annotations

import platform
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.tags import sys_tags

from workshop.errors import WorkshopError
from workshop.release.lock import Computer, check_complete, pins

LOCK = """\
# a comment
numpy==2.2.6 ; python_full_version < '3.11' and platform_machine == 'aarch64' \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via x
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:bb
tomli==2.5.0 ; python_full_version < '3.11' \\
    --hash=sha256:cc
windows-thing==1.0 ; sys_platform == 'win32' \\
    --hash=sha256:dd
"""


def wheel(folder: Path, name: str, *asks: str, python: str = ">=3.10") -> Path:
    path = folder / name
    project, version = name.split("-")[:2]
    lines = [f"Requires-Python: {python}", *(f"Requires-Dist: {each}" for each in asks)]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{project}-{version}.dist-info/METADATA", "\n".join(["Metadata-Version: 2.1", *lines, ""]))
    return path


@pytest.mark.parametrize(
    ("computer", "expected"),
    [
        (Computer("aarch64", "3.10"), {"numpy==2.2.6", "tomli==2.5.0"}),
        (Computer("x86_64", "3.10"), {"tomli==2.5.0"}),
        (Computer("aarch64", "3.13"), {"numpy==2.5.5"}),
    ],
)
def test_markers_count_for_the_vehicle_and_not_for_this_computer(computer: Computer, expected: set[str]) -> None:
    assert {pin.line().partition(" --hash")[0] for pin in pins(LOCK, computer)} == expected


def test_every_hash_of_the_lock_reaches_pip() -> None:
    (numpy, _) = pins(LOCK, Computer("aarch64", "3.10"))
    assert numpy.line() == "numpy==2.2.6 --hash=sha256:aa --hash=sha256:ab"


@pytest.mark.parametrize(
    ("line", "why"),
    [("a==1", "hashes"), ("a>=1 --hash=sha256:aa", "exact version"), ("=== --hash=sha256:aa", "lock: '==='")],
)
def test_a_lock_that_leaves_something_open_is_refused(line: str, why: str) -> None:
    with pytest.raises(WorkshopError, match=why):
        pins(line, Computer("aarch64", "3.13"))


def test_two_versions_of_one_thing_are_refused() -> None:
    with pytest.raises(WorkshopError, match="two versions"):
        pins("a==1 --hash=sha256:aa\nA==2 --hash=sha256:bb\n", Computer("aarch64", "3.13"))


def test_an_unknown_computer_is_refused() -> None:
    with pytest.raises(WorkshopError, match="known are"):
        Computer("armv7l", "3.13")


def test_what_is_complete_is_accepted(tmp_path: Path) -> None:
    some = [
        wheel(tmp_path, "app-1.0-py3-none-any.whl", "fast>=2; extra == 'edge'", "web; extra == 'depot'"),
        wheel(tmp_path, "fast-2.1-cp313-cp313-manylinux_2_28_aarch64.whl", "old; python_version < '3.11'", "tiny"),
        wheel(tmp_path, "tiny-1-py2.py3-none-any.whl", "app[edge]"),
    ]
    check_complete(some, Computer("aarch64", "3.13"), "app[edge]")


def test_everything_that_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    some = [
        wheel(
            tmp_path, "app-1.0-py3-none-any.whl", "fast>=2; extra == 'edge'", "gone>=1", "new; python_version>'3.12'"
        ),
        wheel(tmp_path, "fast-1.9-cp313-cp313-manylinux_2_28_x86_64.whl"),
        wheel(tmp_path, "new-1-py3-none-any.whl", python=">=3.14"),
    ]
    with pytest.raises(WorkshopError) as caught:
        check_complete(some, Computer("aarch64", "3.13"), "app[edge]")
    said = str(caught.value)
    assert "\n" not in said
    for part in ("gone>=1 for app", "fast>=2 for app", "x86_64.whl does not run there", "asks for Python >=3.14"):
        assert part in said


def test_a_wheel_for_a_newer_c_library_than_the_vehicles_is_refused(tmp_path: Path) -> None:
    late = wheel(tmp_path, "app-1-cp310-cp310-manylinux_2_39_aarch64.whl")
    with pytest.raises(WorkshopError, match="does not run there"):
        check_complete([late], Computer("aarch64", "3.10"), "app")
    soon = wheel(tmp_path, "app-1-cp312-cp312-manylinux_2_39_aarch64.whl")
    check_complete([soon], Computer("aarch64", "3.12"), "app")


def test_platforms_are_those_that_pip_itself_would_name() -> None:
    here = Computer(platform.machine(), f"{sys.version_info[0]}.{sys.version_info[1]}")
    mine = {tag.platform for tag in sys_tags()}
    ours = set(here.platforms())
    assert {name for name in ours if name in mine} >= {f"manylinux_2_17_{here.machine}", f"linux_{here.machine}"}
    named = {name for name in mine if name.startswith("manylinux_2_") and int(name.split("_")[2]) <= 35}
    assert named <= ours
