# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Builds the stages between the sensors and the delivery from the configuration."""

from __future__ import annotations

from collections.abc import Callable

from edge import ports
from edge.asked import AskedPlaces
from edge.asked_view import Eye
from edge.config import VehicleConfig
from edge.defects.tracker import Tracker, TrackerSettings
from edge.delivery.port import Delivery
from edge.delivery.uplink import Uplink
from edge.errors import ConfigError
from edge.geometry import Calibration
from edge.judging import Judge, Surface
from edge.lining import Lining
from edge.looking import Looking
from edge.positioning.estimator import Estimator
from edge.positioning.line import Line
from edge.positioning.line_course import LineSettings, Start
from edge.positioning.line_file import read_lines
from edge.positioning.mounting import Mounting
from edge.positioning.positioner import Positioner
from edge.privacy.guard import Guard
from edge.release import delivered_models
from edge.roughness.meter import RoughnessMeter
from edge.roughness.settings import RoughnessSettings
from edge.sampling.coverage import CoverageLog
from edge.sampling.geofence import Geofence
from edge.sampling.geofence_file import read_geofence
from edge.sampling.quality import Limits
from edge.sampling.sampler import Sampler
from edge.sampling.surroundings import SurroundingsWatch, limits_for
from edge.sampling.view import View, view
from edge.types import Surroundings
from edge.vision.detector import Detector
from edge.vision.installed import installed
from edge.vision.package import load_package
from messages.types import ModelRef

MODELS = delivered_models()


def positioner(config: VehicleConfig) -> Positioner:
    """The estimator with the vehicle's known lines.

    Raises:
        InputError: the file of lines cannot be used.
        ConfigError: a track or place is on no line of that file.
    """
    mounting = Mounting(config.position.antenna_forward_m, config.position.antenna_left_m)
    lines = known_lines(config)
    return Positioner(Estimator(mounting=mounting), lines, settings=_line_settings(config, lines))


def known_lines(config: VehicleConfig) -> tuple[Line, ...]:
    """The lines of the configured file; none without one.

    Raises:
        InputError: the file cannot be used.
    """
    return read_lines(config.line.file) if config.line.file is not None else ()


def geofence(config: VehicleConfig) -> Geofence | None:
    """The areas of the configured file; None without one.

    Raises:
        InputError: the file cannot be used.
    """
    return read_geofence(config.tunnel.geofence) if config.tunnel.geofence is not None else None


def _line_settings(config: VehicleConfig, lines: tuple[Line, ...]) -> LineSettings:
    tracks = tuple((line, track) for line, _, track in (name.partition("/") for name in config.line.tracks))
    known = {(line.name, line.track or "") for line in lines}
    for line, track in tracks:
        if (line, track) not in known:
            raise ConfigError(f"line.tracks: {config.line.file} has no track {track!r} of a line {line!r}")
    start = None
    if config.line.start:
        name, chainage, sign = config.line.start.rsplit(":", 2)
        if all(line.name != name for line in lines):
            raise ConfigError(f"line.start: {config.line.file} has no line {name!r}")
        only = [track for line, track in tracks if line == name]
        start = Start(name, float(chainage), forward=sign == "+", track=only[0] if len(only) == 1 else None)
    return LineSettings(line_error_m=config.line.error_m, tracks=tracks, start=start)


def sampler(config: VehicleConfig, seen: View | None) -> Sampler:
    """Which frames are judged."""
    sampling = config.sampling
    return Sampler(every_m=sampling.every_m, looks=sampling.looks, view_m=seen, fallback_s=sampling.every_s)


def road_view(config: VehicleConfig, calibration: Calibration | None) -> View | None:
    """The road that a picture shows well enough; None where it is not known."""
    return None if calibration is None else view(calibration, config.defects.max_range_m)


def surroundings(config: VehicleConfig) -> SurroundingsWatch:
    """Street or tunnel.

    Raises:
        InputError: the geofence cannot be used.
    """
    return SurroundingsWatch(geofence(config))


def looking(
    config: VehicleConfig, calibration: Calibration | None, delivery: Delivery, guard: Guard | None = None
) -> Looking:
    """What the depot asks to see; where there is no depot (a replay into a file), nobody asks."""
    places = AskedPlaces(config.delivery.data / "asked.json" if isinstance(delivery, Uplink) else None)
    eye = None if calibration is None else Eye(calibration, lining(config), config.defects.max_range_m)
    return Looking(places, eye, guard=guard)


def roughness(config: VehicleConfig) -> RoughnessMeter | None:
    """The roughness meter, where a vehicle has an inertial sensor."""
    imu = config.imu
    if imu.kind == "none":
        return None
    return RoughnessMeter(
        RoughnessSettings(
            front_axle_forward_m=imu.front_axle_forward_m,
            rear_axle_forward_m=imu.rear_axle_forward_m,
            axles_left_m=-config.position.antenna_left_m,
            track_width_m=imu.track_width_m,
            full_scale_mps2=imu.full_scale_mps2,
        )
    )


def detectors(config: VehicleConfig) -> dict[Surface, Detector]:
    """The models that judge road and lining.

    Raises:
        ModelError: a package is refused.
    """
    names: dict[Surface, str] = {"road": config.vision.street}
    if config.tunnel.model:
        names["lining"] = config.tunnel.model
    folder, threads = config.vision.models or MODELS, config.vision.threads
    return {surface: Detector(load_package(folder / name, threads=threads), threads) for surface, name in names.items()}


def privacy_detector(config: VehicleConfig) -> Detector | None:
    """The model that finds people and vehicles in pictures that are kept; None where none is installed.

    Raises:
        ModelError: a package is there and is refused. Going on without it would show what it was installed to hide.
    """
    return installed(config.vision.models or MODELS, config.vision.privacy, config.vision.threads)


def judges(
    config: VehicleConfig,
    found: dict[Surface, Detector],
    calibration: Calibration | None,
    seen: View | None,
    watched: Callable[[ports.Detector], ports.Detector] = lambda detector: detector,
) -> dict[Surroundings, tuple[Judge, ...]]:
    """Who judges what in street and tunnel; `watched` wraps each model, so that one that hangs can be named."""
    settings = TrackerSettings(
        max_range_m=config.defects.max_range_m,
        min_frames=config.defects.min_frames,
        min_certainty=config.defects.min_certainty,
    )
    street = Limits(max_speed_mps=config.sampling.max_speed_mps)
    road = Judge(
        "road",
        model_ref(found["road"]),
        watched(found["road"]),
        Tracker(settings, calibration),
        # A defect needs so many frames: road that fewer have shown was not looked at.
        CoverageLog(view_m=seen, looks=min(config.defects.min_frames, config.sampling.looks)),
        street,
    )
    if config.tunnel.road and "lining" not in found:
        return {"street": (road,), "tunnel": (road,)}
    wall = Judge(
        "lining",
        model_ref(found["lining"]) if "lining" in found else road.model,
        watched(found["lining"]) if "lining" in found else None,
        Tracker(settings, calibration, lining(config)),
        CoverageLog(),
        limits_for("tunnel", street),
    )
    return {"street": (road,), "tunnel": (road, wall) if config.tunnel.road else (wall,)}


def lining(config: VehicleConfig) -> Lining | None:
    """The tunnel's shape; None where it is not told."""
    tunnel = config.tunnel
    if tunnel.lining == "none":
        return None
    return Lining(
        tunnel.lining,
        radius_m=tunnel.radius_m,
        axis_height_m=tunnel.axis_height_m,
        axis_left_m=tunnel.axis_left_m,
        left_m=tunnel.left_m,
        right_m=tunnel.right_m,
        crown_m=tunnel.crown_m,
        error_m=tunnel.error_m,
    )


def model_ref(detector: Detector) -> ModelRef:
    """How messages name a model."""
    manifest = detector.package.manifest
    return ModelRef(
        name=manifest.name, version=manifest.version, sha256=detector.package.file(detector.precision).sha256
    )
