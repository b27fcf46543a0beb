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
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from edge import __version__, assembly, heartbeat
from edge.clock import UtcClock
from edge.config import VehicleConfig
from edge.defects.revisions import Revisions
from edge.delivery.port import Counts, Delivery
from edge.delivery.uplink import Uplink
from edge.errors import ConfigError, InputError
from edge.geometry import Calibration
from edge.judging import Surface
from edge.keeper import Keeper
from edge.life.watched import WatchedCamera, WatchedDelivery, WatchedDetector
from edge.life.watcher import Watcher
from edge.liveness import Liveness, Notifier, hang_limit_s, watchdog_period_s
from edge.looking import Looking
from edge.orders import Orders
from edge.pipeline import Pipeline, Stages, Timing
from edge.ports import EndOfRecording
from edge.privacy.guard import Guard
from edge.pulse import Pulse
from edge.release import Running, incoming, running
from edge.sensors import LiveSensors
from edge.sources import Sources, open_sources
from edge.standby import TELL_S, standing_by
from edge.system_update import system_update
from edge.telling import Identity
from edge.types import Frame
from edge.vision.detector import Detector
from messages.types import FixQuality, Health, ModelRef

_log = logging.getLogger(__name__)

#: A recording knows the future: so far ahead fixes are read, so that poses are interpolated. A live receiver with a fix
#: a second is waited for a little longer than that, so that no pose is made up from the newest fix.
_REPLAY = Timing(lookahead_s=2.0)
_LIVE = Timing(settle_s=1.5)

#: As a number in health: the better the higher.
_QUALITIES: tuple[FixQuality, ...] = ("dead_reckoning", "autonomous", "differential", "rtk_float", "rtk_fixed")

#: Seconds between looks at commands, store and ignition.
_ROUND_S = 1.0

OpenDelivery = Callable[[tuple[ModelRef, ...], str], Delivery]
"""Opens the delivery once models and calibration are known (they are part of the birth message)."""


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
    """One vehicle, running. `run` may be called once. `keeper`: of a real vehicle; a replay has none."""

    config: VehicleConfig
    open_delivery: OpenDelivery
    progress: Callable[[Pipeline, Delivery], None] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    monotonic: Callable[[], float] = time.monotonic
    keeper: Keeper | None = None
    _delivered: bool = field(default=False, init=False)

    def run(self) -> Summary:
        """Drive until the recording ends or `stop` is set, then hand over what is left.

        Raises:
            WegewartError: configuration, model or recording cannot be used.
            CameraStalledError: a live camera gave no frame in time.
        """
        liveness = Liveness(
            ("camera", "pipeline", "store"), notifier=Notifier(), period_s=watchdog_period_s(), clock=self.monotonic
        )
        if self.keeper is None:
            return self._drive(liveness)
        limit_s = hang_limit_s()
        with ExitStack() as stack:
            self._rest(self.keeper, liveness)
            if limit_s is not None:
                stack.callback(Watcher(liveness, limit_s=limit_s, stalled=self.keeper.life.stalled).close)
            stack.callback(self.keeper.close)
            try:
                return self._drive(liveness)
            except Exception as error:
                if not self._delivered:
                    self._tell(self.keeper, str(error) or type(error).__name__)
                raise

    def _rest(self, keeper: Keeper, liveness: Liveness) -> None:
        """Restarts and boots did not help: try seldom, let the computer rest, and tell the depot meanwhile."""
        if not keeper.life.start.rest_s:
            return
        next_health_s, until_s = self.monotonic(), self.monotonic() + keeper.life.start.rest_s
        with standing_by(self._open_idle, keeper, drain_s=0.0, clock=self.monotonic) as standby:
            while self.monotonic() < until_s and not self.stop.is_set():
                liveness.resting(f"resting after failures, tries again in {until_s - self.monotonic():.0f} s")
                if self.monotonic() >= next_health_s:
                    next_health_s = self.monotonic() + self.config.delivery.health_s
                    standby.tell()
                self.stop.wait(1.0)

    def _tell(self, keeper: Keeper, fault: str) -> None:
        """The run could not begin: the depot learns why, and what waits in the outbox is sent."""
        with standing_by(
            self._open_idle, keeper, drain_s=self.config.delivery.drain_s, clock=self.monotonic
        ) as standby:
            standby.wait_online(TELL_S)
            standby.tell(fault)

    def _open_idle(self) -> Delivery:
        return self.open_delivery((), "none")

    def _drive(self, liveness: Liveness) -> Summary:
        config, keeper = self.config, self.keeper
        detectors = assembly.detectors(config)
        private = assembly.privacy_detector(config)
        if private is None:
            _log.warning("no privacy model: people and vehicles are found by the street model alone")
        models = tuple(map(assembly.model_ref, (*detectors.values(), *([] if private is None else [private]))))
        sources = open_sources(config) if keeper is None else open_sources(config, keeper.life.camera_may_reopen)
        camera = WatchedCamera(sources.camera, liveness)
        with closing(sources.camera), closing(sources.positions):
            try:
                first = camera.read()
            except EndOfRecording:
                raise InputError(f"{config.camera.source}: holds no readable picture") from None
            calibration = _fitting(sources.calibration, first)
            delivery = self.open_delivery(models, calibration.id if calibration else "none")
            self._delivered = True
            try:
                if keeper is not None:
                    keeper.watch(delivery)
                watched = WatchedDelivery(delivery, liveness)
                guard = Guard(None if private is None else WatchedDetector(private, liveness))
                looking = assembly.looking(config, calibration, delivery, guard)
                pipeline = self._pipeline(
                    sources, calibration, detectors, watched, liveness, looking=looking, guard=guard
                )
                try:
                    with liveness.working("loop"):
                        self._loop(first, camera, pipeline, delivery, self._beside(sources, liveness))
                finally:
                    pipeline.finish()  # also when the camera has stalled: what was seen often enough is confirmed
            finally:
                if keeper is not None:
                    keeper.close()
                drained = delivery.close(config.delivery.drain_s)
        return Summary(dict(pipeline.counters), delivery.counts(), drained)

    def _beside(self, sources: Sources, liveness: Liveness) -> _Beside:
        release = running()
        runtime = None if self.keeper is None else heartbeat.folder()
        return _Beside(sources, liveness, release, Pulse(runtime, release.name if release else None, self.monotonic))

    def _pipeline(
        self,
        sources: Sources,
        calibration: Calibration | None,
        detectors: dict[Surface, Detector],
        delivery: Delivery,
        liveness: Liveness,
        *,
        looking: Looking,
        guard: Guard,
    ) -> Pipeline:
        config = self.config
        seen = assembly.road_view(config, calibration)
        earlier = () if self.keeper is None else self.keeper.life.undated(delivery.boot)
        return Pipeline(
            Stages(
                positions=sources.positions,
                positioner=assembly.positioner(config),
                sampler=assembly.sampler(config, seen),
                surroundings=assembly.surroundings(config),
                judges=assembly.judges(
                    config, detectors, calibration, seen, lambda detector: WatchedDetector(detector, liveness)
                ),
                revisions=Revisions(),
                roughness=assembly.roughness(config),
                delivery=delivery,
                looking=looking,
                guard=guard,
            ),
            identity=Identity(f"wegewart-edge {__version__}", calibration.id if calibration else "none"),
            clock=UtcClock(delivery.boot, quality="replay" if sources.is_replay else "gnss", earlier=earlier),
            calibration=calibration,
            timing=_REPLAY if sources.is_replay else _LIVE,
        )

    def _loop(
        self, first: Frame, camera: WatchedCamera, pipeline: Pipeline, delivery: Delivery, beside: _Beside
    ) -> None:
        liveness, keeper, pulse = beside.liveness, self.keeper, beside.pulse
        orders = Orders(
            self.config, delivery, pipeline.sampler, restart=self.stop.set, wishes=incoming(), looking=pipeline.looking
        )
        frame: Frame | None = first
        next_health_s = next_round_s = self.monotonic()
        while frame is not None and not self.stop.is_set():
            began_s = self.monotonic()
            with liveness.working("pipeline"):
                looked = pipeline.take(frame, may_look=keeper is None or keeper.may_look())
            if looked:
                # Also after a frame that was too dark to judge: a bus that starts in its hall is well.
                liveness.ready(f"looking at the road for {self.config.vehicle}")
                pulse.looked()
            if keeper is not None and looked:
                keeper.looked(began_s)
            pipeline.counters["frames_bad"], pipeline.counters["frames_dropped"] = camera.bad, camera.dropped
            if self.monotonic() >= next_round_s:
                next_round_s = self.monotonic() + _ROUND_S
                self._round(pipeline, delivery, orders, liveness)
                _beat(pulse, pipeline, delivery)
            if self.monotonic() >= next_health_s:
                next_health_s = self.monotonic() + orders.health_s
                with liveness.working("store"):
                    delivery.publish_health(_health(pipeline, delivery, beside, keeper, frame))
            if self.progress is not None:
                self.progress(pipeline, delivery)
            try:
                frame = camera.read()
            except EndOfRecording:
                frame = None
        delivery.publish_health(_health(pipeline, delivery, beside, keeper, frame or first))
        liveness.stopping()

    def _round(self, pipeline: Pipeline, delivery: Delivery, orders: Orders, liveness: Liveness) -> None:
        """What is done once a second and not for each frame."""
        with liveness.working("store"):
            delivery.counts()  # the store's sign of life where nothing is stored
            orders.carry_out()
        keeper = self.keeper
        if keeper is None:
            return
        with liveness.working("store"):
            keeper.drives(pipeline.pose.speed_mps if pipeline.pose is not None else None)
        if pipeline.tell_time(keeper.network.newest):
            keeper.life.dated()
        if keeper.is_to_switch_off:
            self.stop.set()


@dataclass(frozen=True)
class _Beside:
    """What the loop needs beside the line of stages."""

    sources: Sources
    liveness: Liveness
    release: Running | None
    pulse: Pulse


def _beat(pulse: Pulse, pipeline: Pipeline, delivery: Delivery) -> None:
    pose = pipeline.pose
    pulse.beat(
        frames=pipeline.counters["frames_seen"],
        speed_mps=None if pose is None else pose.speed_mps,
        moved_m=0.0 if pose is None else pose.distance_m,
        online=isinstance(delivery, Uplink) and delivery.state.name == "online",
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


def _health(pipeline: Pipeline, delivery: Delivery, beside: _Beside, keeper: Keeper | None, frame: Frame) -> Health:
    counts = delivery.counts()
    sensors = beside.sources.positions if isinstance(beside.sources.positions, LiveSensors) else None
    return Health(
        time=pipeline.time_at(frame.time_s),
        counters={
            **pipeline.counts(),
            **(sensors.counts() if sensors else {}),
            **(keeper.counters() if keeper else {}),
            **delivery.counters(),
            "events_confirmed": counts.confirmed,
            "events_acknowledged": counts.acknowledged,
            "events_pending": counts.pending,
            "pictures_pending": counts.pictures_pending,
        },
        gauges=_gauges(pipeline)
        | (keeper.gauges() if keeper else {})
        | (delivery.gauges() if isinstance(delivery, Uplink) else {}),
        faults=(
            *delivery.faults(),
            *(sensors.faults() if sensors else ()),
            *(keeper.faults() if keeper else ()),
            *pipeline.faults(frame.time_s),
        ),
        update=beside.release.update() if beside.release else None,
        system=system_update(),
    )


def _gauges(pipeline: Pipeline) -> dict[str, float]:
    gauges = {"memory_peak_mb": _peak_memory_mb()}
    pose = pipeline.pose
    if pose is not None:
        gauges["distance_m"] = round(pose.distance_m, 1)
        known = {
            "speed_mps": pose.speed_mps,
            "position_error_m": pose.error_m,
            "fix_quality": None if pose.quality is None else float(_QUALITIES.index(pose.quality)),
        }
        gauges.update({name: round(value, 2) for name, value in known.items() if value is not None})
    return gauges


def _peak_memory_mb() -> float:
    """Largest resident set so far, MB (Linux counts in KiB)."""
    scale = 1024 if sys.platform.startswith("linux") else 1024 * 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale, 1)
