# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A rendered drive through all stages with the truth's boxes in place of the model."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.matching import compare
from benchmarks.simulated_drive import observations, run_perfect
from edge.cameras.replay import open_replay
from edge.clock import UtcClock
from edge.defects.revisions import Revisions
from edge.defects.tracker import Tracker, TrackerSettings
from edge.delivery.jsonl import JsonlSink
from edge.judging import Judge
from edge.pipeline import Pipeline, Stages
from edge.ports import EndOfRecording
from edge.positioning.estimator import Estimator
from edge.positioning.positioner import Positioner
from edge.positioning.replay import ReplayPositions
from edge.sampling.coverage import CoverageLog
from edge.sampling.quality import Limits
from edge.sampling.sampler import Sampler
from edge.sampling.surroundings import SurroundingsWatch
from edge.simulator.truth import load
from edge.telling import Identity
from edge.types import Detection
from messages.types import ModelRef


def test_every_true_defect_in_clear_view_becomes_exactly_one_observation(small_drive: Path, tmp_path: Path):
    truth = load(small_drive / "truth.json")
    counters = run_perfect(small_drive, truth, tmp_path / "events.jsonl")
    found = observations(tmp_path / "events.jsonl")
    result = compare(truth, found)
    assert len(result.clear) >= 3
    assert result.found_once == len(result.clear)
    assert (result.repeated, result.false, result.unplaced) == ((), (), ())
    assert counters["observations_confirmed"] == len(found)
    for seen in found:
        assert seen.position is not None
        assert seen.size is not None
        assert seen.time.utc is not None
        assert seen.picture is not None
        jpeg = (tmp_path / "events.jsonl.pictures" / f"{seen.picture.sha256}.jpg").read_bytes()
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape[:2] == (seen.picture.height, seen.picture.width)


class Boxes:
    """Finds the same boxes in every picture."""

    def __init__(self, *detections: Detection) -> None:
        self._detections = detections

    def detect(self, _picture):
        return self._detections


def run(folder: Path, detector, out: Path) -> Pipeline:
    delivery = JsonlSink(out, vehicle="test")
    model = ModelRef(name="m", version="1", sha256="0" * 64)
    judge = Judge("road", model, detector, Tracker(TrackerSettings(), None), CoverageLog(), Limits())
    pipeline = Pipeline(
        Stages(
            positions=ReplayPositions(()),
            positioner=Positioner(Estimator()),
            sampler=Sampler(every_m=2.0, fallback_s=0.05),
            surroundings=SurroundingsWatch(),
            judges={"street": (judge,), "tunnel": (judge,)},
            revisions=Revisions(),
            roughness=None,
            delivery=delivery,
        ),
        identity=Identity("test", "none"),
        clock=UtcClock("b", quality="replay"),
        calibration=None,
    )
    camera = open_replay(folder, fps=10)
    try:
        while True:
            pipeline.take(camera.read())
    except EndOfRecording:
        pipeline.finish()
    delivery.close()
    return pipeline


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(8):
        noise = cv2.GaussianBlur(rng.integers(0, 256, (240, 320, 3), dtype=np.uint8), (0, 0), 1.0)
        cv2.imwrite(str(folder / f"{index:03d}.png"), noise)
    return folder


def test_without_a_track_observations_have_no_position_and_no_time(pictures: Path, tmp_path: Path):
    run(pictures, Boxes(Detection("pothole", 0.8, (100, 150, 160, 200))), tmp_path / "o.jsonl")
    (seen,) = observations(tmp_path / "o.jsonl")
    assert (seen.position, seen.size, seen.time.utc, seen.time.quality) == (None, None, None, "unset")
    assert seen.frames_seen == 8


def test_a_stain_on_a_car_is_no_defect_and_the_car_is_counted_in_the_picture(pictures: Path, tmp_path: Path):
    car = Detection("vehicle", 0.4, (90, 100, 200, 210))
    on_car = Detection("pothole", 0.8, (100, 150, 160, 200))
    beside = Detection("pothole", 0.8, (195, 190, 250, 230))
    run(pictures, Boxes(car, on_car, beside), tmp_path / "o.jsonl")
    (seen,) = observations(tmp_path / "o.jsonl")
    assert seen.picture is not None
    assert seen.picture.anonymised.vehicles == 1


def test_black_pictures_are_refused_with_a_reason_and_told_in_the_coverage(pictures: Path, tmp_path: Path):
    for path in sorted(pictures.iterdir())[2:5]:
        cv2.imwrite(str(path), np.zeros((240, 320, 3), np.uint8))
    pipeline = run(pictures, Boxes(), tmp_path / "o.jsonl")
    assert pipeline.counters["frames_refused_dark"] == 3
    assert pipeline.counters["frames_judged"] == 5
    assert b'"reason":"dark"' in (tmp_path / "o.jsonl").read_bytes()


def test_a_truncated_picture_is_skipped_and_the_drive_goes_on(pictures: Path, tmp_path: Path):
    broken = pictures / "003.png"
    broken.write_bytes(broken.read_bytes()[:500])
    pipeline = run(pictures, Boxes(), tmp_path / "o.jsonl")
    assert pipeline.counters["frames_judged"] == 7
