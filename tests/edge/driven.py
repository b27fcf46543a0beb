# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A rendered drive through all stages, with the truth's boxes in place of the model and places that are asked for."""

from __future__ import annotations

from pathlib import Path

from benchmarks.simulated_drive import TrueBoxes, config_for
from edge import assembly
from edge.asked import AskedPlaces
from edge.asked_view import Eye
from edge.clock import UtcClock
from edge.config import VehicleConfig
from edge.defects.revisions import Revisions
from edge.defects.tracker import Tracker, TrackerSettings
from edge.delivery.port import Delivery
from edge.judging import Judge
from edge.looking import Looking
from edge.pipeline import Pipeline, Stages, Timing
from edge.ports import Detector, EndOfRecording
from edge.sampling.coverage import CoverageLog
from edge.sampling.quality import Limits
from edge.simulator.truth import load
from edge.sources import Sources, open_sources
from edge.telling import Identity
from messages.types import ModelRef


class Drive:
    """One drive over a rendered road; what it sends goes into `delivery`. `detector`: instead of the truth."""

    def __init__(self, folder: Path, delivery: Delivery, places: AskedPlaces, detector: Detector | None = None) -> None:
        self.config: VehicleConfig = config_for(folder)
        self._sources: Sources = open_sources(self.config)
        self._boxes = TrueBoxes(load(folder / "truth.json"))
        calibration = self._sources.calibration
        assert calibration is not None
        seen = assembly.road_view(self.config, calibration)
        model = ModelRef(name="truth", version="1", sha256="0" * 64)
        tracker = Tracker(TrackerSettings(), calibration)
        judge = Judge("road", model, detector or self._boxes, tracker, CoverageLog(view_m=seen), Limits())
        self.pipeline = Pipeline(
            Stages(
                positions=self._sources.positions,
                positioner=assembly.positioner(self.config),
                sampler=assembly.sampler(self.config, seen),
                surroundings=assembly.surroundings(self.config),
                judges={"street": (judge,), "tunnel": (judge,)},
                revisions=Revisions(),
                roughness=None,
                delivery=delivery,
                looking=Looking(places, Eye(calibration, None, self.config.defects.max_range_m)),
            ),
            identity=Identity("wegewart-edge test", calibration.id),
            clock=UtcClock(delivery.boot, quality="replay"),
            calibration=calibration,
            timing=Timing(lookahead_s=2.0),
        )

    def run(self) -> Pipeline:
        """To its end."""
        while True:
            try:
                frame = self._sources.camera.read()
            except EndOfRecording:
                break
            self._boxes.frame = Path(frame.name).name
            self.pipeline.take(frame)
        self.pipeline.finish()
        return self.pipeline
