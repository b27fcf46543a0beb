# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""docs/tuf_conformance.md names each case once with a test that is there, and forgets none."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = (HERE.parents[2] / "docs" / "tuf_conformance.md").read_text()
PREFIXES = {"test_new_targets_", "test_new_snapshot_"}


def test_the_table_and_the_tests_name_each_other() -> None:
    modules = [HERE / f"test_conformance_{part}.py" for part in ("basic", "trust", "targets")]
    text = "".join(module.read_text() for module in modules)
    written = re.findall(r'def (test_\w+)\([^)]*\) -> None:\n    """(.*?)"""', text, re.DOTALL)
    rows = re.findall(r"^\| (.*?) \| `(test_\w+)` \| \d+ \| passed \|$", TABLE, re.MULTILINE)
    assert {test for test, _ in written} == {test for _, test in rows}
    named = {(case, test) for case, test in rows}
    for test, told in written:
        for case in set(re.findall(r"test_\w+", told)) - PREFIXES:
            assert any(case in label and test == other for label, other in named), case
