# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Files of the desk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workshop.files import append


def test_lines_are_added(tmp_path: Path) -> None:
    for line in (b"one", b"two"):
        append(tmp_path / "lines", line)
    assert (tmp_path / "lines").read_bytes() == b"one\ntwo\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_a_file_begun_with_sudo_can_be_gone_on_with_without(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1235)
    append(tmp_path / "cards.jsonl", b"{}")
    made = (tmp_path / "cards.jsonl").stat()
    assert (made.st_uid, made.st_gid) == (1234, 1235)
