# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Builds the stages from the configuration and drives frames through them until told to stop.

The only module that knows all stages. The loop: read a frame, give it to the pipeline, say how we are.
"""

from __future__ import annotations

import logging
import resource
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from edge import __version__
from edge.clock import UtcClock
from edge.config import VehicleConfig
from edge.defects.tracker import Tracker, TrackerSettings
from edge.delivery.port import Counts, Delivery
from edge.errors import ConfigError, InputError
from edge.geometry import Calibration
from edge.liveness import Liveness, Notifier, watchdog_period_s
from edge.pipeline import Identity, Pipeline, Stages
from edge.ports import Camera, EndOfRecording
from edge.positioning.estimator import Estimator
from edge.sampling.coverage import CoverageLog
from edge.sampling.quality import Limits
from edge.sampling.sampler import Sampler
from edge.sources import Sources, open_sources
from edge.types import Frame
from edge.vision.detector import Detector
from edge.vision.package import load_package
from messages.types import Health, ModelRef

_log = logging.getLogger(__name__)

#: The model packages that are delivered with the software.
MODELS = Path(__file__).resolve().parent.parent / "models"
#: A recording knows the future: so far ahead fixes are read, so that poses are interpolated.
_REPLAY_LOOKAHEAD_S = 2.0

OpenDelivery = Callable[[ModelRef, str], Delivery]
"""Opens the delivery once model and calibration are known (they are part of the birth message)."""


@dataclass(frozen=True)
class Summary:
    """What a run did."""

    counters: dict[str, int]
    delivery: Counts
    drained: bool

    def as_dict(self) -> dict[str, int | bool]:
        """Flat, for the last line of a run."""
        return {
            "frames_seen": 0,
            "frames_judged": 0,
            "observations_confirmed": 0,
            **self.counters,
            "events_confirmed": self.delivery.confirmed,
            "events_published": self.delivery.published,
            "events_acknowledged": self.delivery.acknowledged,
            "events_refused": self.delivery.refused,
            "pictures_acknowledged": self.delivery.pictures_acknowledged,
            "drained": self.drained,
        }


@dataclass
class Daemon:
    """One vehicle, running. `run` may be called once."""

    config: VehicleConfig
    open_delivery: OpenDelivery
    progress: Callable[[Pipeline, Delivery], None] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    monotonic: Callable[[], float] = time.monotonic

    def run(self) -> Summary:
        """Drive until the recording ends or `stop` is set, then hand over what is left.

        Raises:
            WegewartError: configuration, model or recording cannot be used.
            CameraStalledError: a live camera gave no frame in time.
        """
        config = self.config
        detector = Detector(load_package(_model_folder(config), threads=config.vision.threads), config.vision.threads)
        model = model_ref(detector)
        sources = open_sources(config)
        with closing(sources.camera), closing(sources.positions):
            try:
                first = sources.camera.read()
            except EndOfRecording:
                raise InputError(f"{config.camera.source}: holds no readable picture") from None
            calibration = _fitting(sources.calibration, first)
            delivery = self.open_delivery(model, calibration.id if calibration else "none")
            try:
                pipeline = self._pipeline(sources, calibration, detector, model, delivery)
                try:
                    self._loop(first, sources.camera, pipeline, delivery)
                finally:
                    pipeline.finish()  # also when the camera has stalled: what was seen often enough is confirmed
            finally:
                drained = delivery.close(config.delivery.drain_s)
        return Summary(dict(pipeline.counters), delivery.counts(), drained)

    def _pipeline(
        self,
        sources: Sources,
        calibration: Calibration | None,
        detector: Detector,
        model: ModelRef,
        delivery: Delivery,
    ) -> Pipeline:
        config = self.config
        settings = TrackerSettings(
            max_range_m=config.defects.max_range_m,
            min_frames=config.defects.min_frames,
            min_certainty=config.defects.min_certainty,
        )
        return Pipeline(
            Stages(
                positions=sources.positions,
                estimator=Estimator(),
                sampler=Sampler(every_m=config.sampling.every_m, fallback_s=config.sampling.every_s),
                coverage=CoverageLog(),
                detector=detector,
                tracker=Tracker(settings, calibration),
                delivery=delivery,
            ),
            identity=Identity(model, f"wegewart-edge {__version__}", calibration.id if calibration else "none"),
            clock=UtcClock(delivery.boot, quality="replay" if sources.is_replay else "gnss"),
            calibration=calibration,
            limits=Limits(max_speed_mps=config.sampling.max_speed_mps),
            lookahead_s=_REPLAY_LOOKAHEAD_S if sources.is_replay else 0.0,
        )

    def _loop(self, first: Frame, camera: Camera, pipeline: Pipeline, delivery: Delivery) -> None:
        liveness = Liveness(
            ("camera", "pipeline"), notifier=Notifier(), period_s=watchdog_period_s(), clock=self.monotonic
        )
        frame: Frame | None = first
        next_health_s = self.monotonic()
        while frame is not None and not self.stop.is_set():
            liveness.moved("camera")
            if pipeline.take(frame):
                # Also after a frame that was too dark to judge: a bus that starts in its hall is well.
                liveness.ready(f"looking at the road for {self.config.vehicle}")
            liveness.moved("pipeline")
            pipeline.counters["frames_bad"], pipeline.counters["frames_dropped"] = camera.bad, camera.dropped
            if self.monotonic() >= next_health_s:
                next_health_s = self.monotonic() + self.config.delivery.health_s
                delivery.publish_health(_health(pipeline, delivery, frame))
            if self.progress is not None:
                self.progress(pipeline, delivery)
            try:
                frame = camera.read()
            except EndOfRecording:
                frame = None
        delivery.publish_health(_health(pipeline, delivery, frame or first))
        liveness.stopping()


def _model_folder(config: VehicleConfig) -> Path:
    return (config.vision.models or MODELS) / config.vision.street


def model_ref(detector: Detector) -> ModelRef:
    """How messages name a model."""
    manifest = detector.package.manifest
    return ModelRef(
        name=manifest.name, version=manifest.version, sha256=detector.package.file(detector.precision).sha256
    )


def _fitting(calibration: Calibration | None, frame: Frame) -> Calibration | None:
    """The calibration at the size of the camera's frames."""
    if calibration is None:
        return None
    height, width = frame.picture.shape[:2]
    try:
        return calibration.scaled(width, height)
    except ValueError as error:
        raise ConfigError(f"camera.calibration: {error}; calibrate the camera at the size that it runs at") from None


def _health(pipeline: Pipeline, delivery: Delivery, frame: Frame) -> Health:
    counts = delivery.counts()
    return Health(
        time=pipeline.time_at(frame.time_s),
        counters={
            **pipeline.counters,
            **delivery.counters(),
            "events_confirmed": counts.confirmed,
            "events_acknowledged": counts.acknowledged,
            "events_pending": counts.pending,
            "pictures_pending": counts.pictures_pending,
        },
        gauges=_gauges(pipeline),
        faults=delivery.faults(),
    )


def _gauges(pipeline: Pipeline) -> dict[str, float]:
    gauges = {"memory_peak_mb": _peak_memory_mb()}
    pose = pipeline.pose
    if pose is not None:
        gauges["distance_m"] = round(pose.distance_m, 1)
        known = {"speed_mps": pose.speed_mps, "position_error_m": pose.error_m}
        gauges.update({name: round(value, 2) for name, value in known.items() if value is not None})
    return gauges


def _peak_memory_mb() -> float:
    """Largest resident set so far, MB (Linux counts in KiB)."""
    scale = 1024 if sys.platform.startswith("linux") else 1024 * 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale, 1)
