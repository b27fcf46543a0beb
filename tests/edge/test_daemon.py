# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The daemon as a process and with a camera that dies."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import edge.assembly
import edge.daemon
from benchmarks.simulated_drive import config_for, observations
from edge.daemon import Daemon
from edge.delivery.jsonl import JsonlSink
from edge.ports import CameraStalledError, EndOfRecording
from edge.sources import Sources, open_sources
from edge.types import Detection
from messages.envelope import decode
from messages.types import Coverage


class DyingCamera:
    """A recording that ends like a camera whose cable has come off."""

    def __init__(self, camera) -> None:
        self._camera = camera
        self.dropped = self.bad = 0

    def read(self):
        try:
            return self._camera.read()
        except EndOfRecording:
            raise CameraStalledError("no frame for 10 s") from None

    def close(self) -> None:
        self._camera.close()


def test_when_the_camera_stalls_what_was_seen_is_still_confirmed(
    small_drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def dying(config) -> Sources:
        sources = open_sources(config)
        return Sources(DyingCamera(sources.camera), sources.positions, sources.calibration, is_replay=True)

    monkeypatch.setattr(edge.daemon, "open_sources", dying)
    crack = Detection("longitudinal_crack", 0.9, (450, 250, 520, 440))
    monkeypatch.setattr(edge.assembly.Detector, "detect", lambda _self, _picture: (crack,))
    out = tmp_path / "o.jsonl"
    daemon = Daemon(config_for(small_drive), lambda _m, _c: JsonlSink(out, vehicle="v"))
    with pytest.raises(CameraStalledError):
        daemon.run()
    assert any(isinstance(decode(line).data, Coverage) for line in out.read_bytes().splitlines())
    assert observations(out)


@pytest.mark.integration
def test_sigterm_ends_the_process_cleanly_after_ready_and_says_what_it_did(small_drive: Path, tmp_path: Path):
    notify = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(notify))
        listener.settimeout(60)
        command = [Path(sys.executable).parent / "wegewart-edge", "replay", small_drive, "--pace", "0.2"]
        process = subprocess.Popen(
            [*command, "--out", tmp_path / "o.jsonl"],
            env={**os.environ, "NOTIFY_SOCKET": str(notify)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert listener.recv(1000).startswith(b"READY=1")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
        assert listener.recv(1000) == b"STOPPING=1"
    assert process.returncode == 0
    summary = json.loads(output)
    assert 1 <= summary["frames_seen"] < 40
    assert summary["events_confirmed"] >= 1  # the coverage of the stretch that was begun
