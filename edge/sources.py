# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Opens what the configuration names: camera, receiver, recording, calibration."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.calibration.flow import Step
from edge.calibration.mount import calibrate_mount
from edge.cameras.gstreamer import GstreamerDevice, redacted
from edge.cameras.live import Device, LiveCamera
from edge.cameras.pi import PiDevice
from edge.cameras.replay import open_replay
from edge.cameras.v4l2 import V4l2Device
from edge.config import CameraConfig, VehicleConfig, load_calibration
from edge.geometry import Calibration
from edge.life.reopening import ReopeningCamera
from edge.ports import Camera, EndOfRecording, PositionSource
from edge.positioning.estimator import Estimator
from edge.positioning.replay import ReplayPositions
from edge.positioning.track import Track, overlap_problem
from edge.positioning.tracks import read_track
from edge.sensors import open_sensors

_log = logging.getLogger(__name__)

#: Frame pairs that `calibrate_mount` gets, the way between them in metres, and the turn they may show.
_PAIRS = 24
_WAY_M = (0.8, 6.0)
_TURN_DEG = 1.5


@dataclass(frozen=True)
class Sources:
    """Where frames and positions come from, and the camera's calibration."""

    camera: Camera
    positions: PositionSource
    calibration: Calibration | None
    is_replay: bool


def open_sources(config: VehicleConfig, may_reopen: Callable[[], bool] | None = None) -> Sources:
    """Open camera and positions; `may_reopen`: a live camera that stalls is opened anew where this says yes.

    Raises:
        WegewartError: one of them cannot be opened; one line says which and why.
    """
    path = config.camera.calibration
    if config.camera.kind != "replay":
        calibration = load_calibration(path) if path else None
        camera: Camera = ReopeningCamera(lambda: _live_camera(config.camera), may_reopen or (lambda: False))
        try:
            return Sources(camera, open_sensors(config), calibration, is_replay=False)
        except BaseException:
            camera.close()
            raise
    source = Path(config.camera.source)
    track = Track(fixes=()) if config.position.kind == "none" else recorded_track(source, config.position.track)
    camera = open_replay(source, times=track.frame_times, pace=config.camera.pace or None)
    problem = overlap_problem(track, *camera.span_s, str(source))
    if problem is not None:
        _log.warning("%s; observations will have no position", problem.text)
    if path is None and (source / "calibration.toml").is_file():
        path = source / "calibration.toml"
    calibration = load_calibration(path) if path else mount_from_drive(source, track, config.camera.height_m)
    return Sources(camera, ReplayPositions(track.fixes, track.odometry), calibration, is_replay=True)


def recorded_track(source: Path, given: Path | None) -> Track:
    """The track given, or the one that lies in the recording's folder, or none."""
    own = source / "track.csv"
    path = given or (own if own.is_file() else None)
    if path is None:
        return Track(fixes=())
    odometry = source / "odometry.csv"
    return read_track(path, odometry=odometry if odometry.is_file() else None)


def mount_from_drive(source: Path, track: Track, height_m: float, *, name: str | None = None) -> Calibration | None:
    """Calibrate a recording's camera from its own motion; None where it has no track or does not show enough."""
    if len(track.fixes) < 2 and not track.odometry:
        return None
    found = calibrate_mount(
        straight_steps(source, track), height_m=height_m, calibration_id=name or f"from-drive-height-{height_m:g}m"
    )
    if found is not None and name is None:
        _log.info(
            "no calibration given: from the drive itself focal length %.0f px, pitch %.1f deg, yaw %.1f deg;"
            " the camera's height of %.1f m is assumed, widths are as wrong as it is",
            found.fx,
            found.pitch_deg,
            found.yaw_deg,
            height_m,
        )
    return found


def straight_steps(source: Path, track: Track, most: int = _PAIRS) -> Iterator[Step]:
    """Neighbouring frames of the drive's beginning between which the vehicle went straight ahead."""
    camera = open_replay(source, times=track.frame_times)
    positions, estimator = ReplayPositions(track.fixes, track.odometry), Estimator()
    before, pairs = None, 0
    try:
        while pairs < most:
            frame = camera.read()
            for measurement in positions.until(frame.time_s + 2.0):
                estimator.add(measurement)
            pose = estimator.pose_at(frame.time_s)
            if before is not None:
                way_m = pose.distance_m - before[1].distance_m
                if way_m < _WAY_M[0]:
                    continue
                turn_deg = math.remainder(pose.odom_yaw_deg - before[1].odom_yaw_deg, 360)
                if way_m <= _WAY_M[1] and abs(turn_deg) <= _TURN_DEG and frame.picture.shape == before[0].picture.shape:
                    pairs += 1
                    yield Step(before[0].picture, frame.picture, way_m, turn_deg)
            before = (frame, pose)
    except EndOfRecording:
        return
    finally:
        camera.close()


def open_camera(config: VehicleConfig) -> Camera:
    """The camera alone, as it is configured.

    Raises:
        WegewartError: it cannot be opened; one line says which and why.
    """
    if config.camera.kind == "replay":
        return open_replay(Path(config.camera.source), times=None)
    return _live_camera(config.camera)


def _live_camera(config: CameraConfig) -> Camera:
    width, height, fps = config.width, config.height, config.frames_per_second
    device: Device
    if config.kind == "picamera2":
        device = PiDevice(number=int(config.source), width=width, height=height, fps=fps)
    elif config.kind == "v4l2":
        device = V4l2Device(device=config.source, width=width, height=height, fps=fps)
    else:
        device = GstreamerDevice(pipeline=config.source, width=width, height=height)
    return LiveCamera(device=device, name=f"{config.kind} {redacted(config.source)}", stall_s=config.stall_s)
