# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`scripts/torture` adds up what its parts tell, and a part that says nothing good is not good."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "scripts" / "_torture.py"


@pytest.fixture(scope="module")
def torture():
    spec = importlib.util.spec_from_file_location("_torture", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["_torture"] = module
    spec.loader.exec_module(module)
    return module


JSON = '{"confirmed": 5, "shown": %d, "lost": %d, "twice": 0, "good": true}\n'


@pytest.mark.parametrize(
    ("code", "told", "good", "confirmed"),
    [
        (0, "some line\n" + JSON % (5, 0), True, 5),
        (1, "some line\n" + JSON % (5, 0), False, 5),
        (0, JSON % (4, 1), False, 5),
        (
            0,
            "a: 60 confirmed, 60 drained in 3.4 s, 17/s\n.b: 40 confirmed, 9 drained in 1 s, 9/s\n2 passed\n",
            True,
            100,
        ),
        (1, "a: 60 confirmed, 60 drained in 3.4 s, 17/s\n1 failed\n", False, None),
        (0, "1 passed in 3 s\n", True, None),
        (1, "", False, None),
    ],
)
def test_a_part_is_judged_by_its_exit_and_its_figures(torture, code, told, good, confirmed):
    outcome = torture.outcome(torture.benchmark("x", "kills"), code, told, 1.0)
    assert (outcome.good, outcome.confirmed) == (good, confirmed)


def test_the_table_names_what_broke(torture):
    part = torture.benchmark("daemon killed", "kills")
    outcomes = [torture.outcome(part, 0, JSON % (5, 0), 60.0), torture.outcome(part, 1, "", 60.0)]
    _, first, second, summary = torture.table(outcomes)
    assert first.split() == ["daemon", "killed", "5", "5", "0", "0", "1.0", "held"]
    assert second.endswith("BROKEN")
    assert summary == "torture: 2 parts, 1 broken"


@pytest.mark.parametrize(
    ("arguments", "says"), [(["--kills", "-1"], "must not be negative"), (["--kills", "many"], "invalid int value")]
)
def test_what_makes_no_sense_is_one_line_with_the_option(arguments, says):
    done = subprocess.run([sys.executable, PATH, *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert "--kills" in done.stderr
    assert says in done.stderr
