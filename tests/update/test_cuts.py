# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A cut at any step leaves a device that starts.

WEGEWART_CUTS=all takes every step, as benchmarks/update_cuts.py does; otherwise it is one of so many.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EVERY = 1 if os.environ.get("WEGEWART_CUTS") == "all" else 25


@pytest.mark.integration
@pytest.mark.timeout(3600 if EVERY == 1 else 300)
@pytest.mark.parametrize("scene", ["first", "update", "model", "ill", "blind"])
def test_a_cut_at_any_step_leaves_a_device_that_starts_and_goes_on(scene: str) -> None:
    command = [sys.executable, "-m", "tests.update.cutting", "--scenes", scene, "--every", str(EVERY)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout.splitlines()[-1])
    print(counts)
    assert counts["bricks"] == []
    assert counts["cuts"] >= counts["steps"][scene] // EVERY > 0
    assert counts["second_cuts"] > 0
    assert counts["starts"] > 0
