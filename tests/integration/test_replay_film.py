# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A film without any position goes through: its observations say that they have none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.cli import main
from messages.envelope import decode
from messages.types import Coverage, Observation


@pytest.mark.data
def test_the_subway_film_runs_through_without_a_position(
    capsys: pytest.CaptureFixture[str], shared: Path, tmp_path: Path
):
    out = tmp_path / "film.jsonl"
    assert main(["replay", str(shared / "drive" / "subway" / "alex1.mp4"), "--out", str(out)]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["frames_seen"] > 300
    assert summary["frames_judged"] >= 20
    records = [decode(line).data for line in out.read_bytes().splitlines()]
    for record in records:
        if isinstance(record, Observation):
            assert (record.position, record.time.utc, record.time.quality) == (None, None, "unset")
        if isinstance(record, Coverage):
            assert record.path == ()
    assert any(isinstance(record, Coverage) for record in records)
