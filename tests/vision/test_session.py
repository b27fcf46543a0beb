# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One ONNX Runtime session on the vehicle's processor."""

from __future__ import annotations

import threading
import time

import numpy as np

from edge.vision.manifest import read_manifest
from edge.vision.session import Session
from tests.vision.packages import STREET

#: By default a second thread spins for some 30 ms after each run.
LATER_S, LITTLE_S = 0.1, 0.014


def test_after_a_run_no_thread_goes_on_at_full_load() -> None:
    manifest = read_manifest(STREET / "model.toml")
    session = Session(STREET / "model-fp32.onnx", manifest, threads=2)
    session.run(np.zeros((manifest.input.height, manifest.input.width, 3), np.uint8))
    before = time.process_time()
    threading.Event().wait(LATER_S)  # nothing happens meanwhile: that is what is asserted
    assert time.process_time() - before < LITTLE_S
