# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A drive in real time with a real gpsd, which is killed and started again on the way."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

import edge.assembly
import edge.daemon
from benchmarks.matching import compare
from benchmarks.simulated_drive import RADIUS_95, TrueBoxes, config_for, observations
from edge.daemon import Daemon
from edge.delivery.jsonl import JsonlSink
from edge.positioning.gpsd import open_gpsd
from edge.positioning.late import LatePositions
from edge.positioning.merged import MergedPositions
from edge.positioning.replay import ReplayPositions
from edge.simulator import simulate
from edge.simulator.truth import load
from edge.sources import Sources, open_sources, recorded_track
from tests.integration.live_drive import LaterPositions, PacedCamera, Speaker, clocks
from tests.positioning.receiver import gpsd

#: The drive begins when gpsd has got to know its receiver, and gpsd is away for a while on the way.
RUN_UP_S = 3.0
AWAY_S = (6.0, 9.5)


@pytest.mark.integration
def test_a_drive_with_gpsd_killed_and_started_again_places_every_defect_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    drive = tmp_path / "drive"
    simulate(drive, seed=6, km=0.28, scene="street", speed_kmh=36.0, frame_every_m=2.5)
    truth = load(drive / "truth.json")
    boxes = TrueBoxes(truth)
    monkeypatch.setattr(edge.assembly.Detector, "detect", lambda _self, picture: boxes.detect(picture))
    track, start_s = recorded_track(drive, None), time.monotonic() + RUN_UP_S
    # Standing at the start until then, as a bus at its stop.
    waiting = [(fix, clock) for fix, clock in zip(track.fixes, clocks(drive), strict=True)]
    speaker = Speaker(waiting, start_s)

    def show(frame):
        boxes.frame = Path(frame.name).name

    with gpsd(speaker.path) as server:
        receiver = open_gpsd(port=server.port)

        def live(config) -> Sources:
            positions = MergedPositions(
                [LatePositions(receiver, 0.1), LaterPositions(ReplayPositions((), track.odometry), start_s)], hold_s=0.3
            )
            calibration = open_sources(config).calibration
            return Sources(PacedCamera(drive, track, start_s, show), positions, calibration, is_replay=False)

        def interrupt() -> None:
            gone = threading.Event()
            gone.wait(max(0.0, start_s + AWAY_S[0] - time.monotonic()))
            server.kill()
            gone.wait(max(0.0, start_s + AWAY_S[1] - time.monotonic()))
            server.start()

        monkeypatch.setattr(edge.daemon, "open_sources", live)
        interrupter = threading.Thread(target=interrupt)
        interrupter.start()
        try:
            out = tmp_path / "o.jsonl"
            summary = Daemon(config_for(drive), lambda _m, _c: JsonlSink(out, vehicle="v")).run()
        finally:
            interrupter.join()
            receiver.close()
            speaker.close()
    found = observations(out)
    result = compare(truth, found)
    assert receiver.state.counts["connection_lost"] >= 1
    assert result.found_once == len(result.clear) >= 8
    assert (result.repeated, result.false, result.unplaced) == ((), (), ())
    methods = {seen.position.method for seen in found if seen.position}
    assert methods == {"gnss", "dead_reckoned"}
    within = [m.error_m <= RADIUS_95 * m.observation.position.error_m for m in result.matches]
    assert sum(within) >= 0.9 * len(within)
    assert summary.counters["revisions_confirmed"] >= 1
    assert all(seen.time.quality == "gnss" for seen in found[1:])
