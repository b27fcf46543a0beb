# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle's configuration: one TOML file, read once, frozen. `wegewart-edge config explain` prints all of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from edge.calibration_file import calibration_text, load_calibration
from edge.config_life import HeatConfig, LifeConfig, PowerConfig
from edge.config_sensors import (
    ImuConfig,
    LineConfig,
    OdometerConfig,
    PositionConfig,
    Section,
    TunnelConfig,
)
from edge.config_update import UpdateConfig
from edge.errors import ConfigError
from messages.topics import VEHICLE_PATTERN
from settings import SettingsError, load

__all__ = [
    "HeatConfig",
    "ImuConfig",
    "LifeConfig",
    "LineConfig",
    "OdometerConfig",
    "PositionConfig",
    "PowerConfig",
    "TunnelConfig",
    "UpdateConfig",
    "VehicleConfig",
    "calibration_text",
    "load_calibration",
    "load_config",
]


#: Facts alone need some of it.
_LEAST_BYTES_PER_DAY = 1_000_000
_TRACK = re.compile(r"[^/]+/[^/]+")
_START = re.compile(r"[^:]+:-?[0-9]{1,7}(\.[0-9]{1,3})?:[+-]")


class CameraConfig(Section, frozen=True):
    """Where pictures come from."""

    kind: Annotated[
        Literal["picamera2", "v4l2", "gstreamer", "replay"],
        Meta(description="picamera2: Raspberry Pi camera; v4l2: USB; gstreamer: Jetson or RTSP; replay: a recording"),
    ] = "picamera2"
    source: Annotated[
        str, Meta(description="v4l2: device; gstreamer: pipeline; replay: folder or video; picamera2: camera number")
    ] = "0"
    width: Annotated[int, Meta(ge=160, le=8000, description="picture width asked of the camera, pixels")] = 1280
    height: Annotated[int, Meta(ge=120, le=6000, description="picture height asked of the camera, pixels")] = 720
    frames_per_second: Annotated[float, Meta(gt=0, le=120, description="frames per second asked of the camera")] = 15.0
    stall_s: Annotated[
        float, Meta(gt=0, le=600, description="seconds without a frame after which the daemon gives up and restarts")
    ] = 10.0
    calibration: Annotated[
        Path | None, Meta(description="calibration file (TOML); not set: places are not measured in metres")
    ] = None
    height_m: Annotated[
        float,
        Meta(gt=0.1, le=10, description="replay without calibration: assumed height of the camera above the road, m"),
    ] = 2.0
    pace: Annotated[float, Meta(ge=0, le=100, description="replay only: times real speed, 0: as fast as judged")] = 0.0


class SamplingConfig(Section, frozen=True):
    """Which frames are judged."""

    every_m: Annotated[float, Meta(gt=0, le=50, description="metres driven between judged frames, at most")] = 2.0
    looks: Annotated[
        int, Meta(ge=1, le=20, description="every metre of road is in so many judged frames; needs a calibration")
    ] = 3
    every_s: Annotated[
        float, Meta(gt=0, le=60, description="seconds between judged frames while no motion is known")
    ] = 0.5
    max_speed_mps: Annotated[
        float, Meta(gt=0, le=60, description="above this speed (m/s) pictures count as too fast to judge")
    ] = 30.0


class VisionConfig(Section, frozen=True):
    """Which models judge."""

    models: Annotated[Path | None, Meta(description="folder of model packages; not set: the ones delivered")] = None
    street: Annotated[str, Meta(description="name of the street model's package")] = "street"
    privacy: Annotated[
        str,
        Meta(description="name of the privacy model's package, used where it is installed; empty: none"),
    ] = "privacy"
    threads: Annotated[int, Meta(ge=1, le=64, description="threads of the inference session")] = 2


class DefectsConfig(Section, frozen=True):
    """When detections become an observation."""

    max_range_m: Annotated[float, Meta(gt=1, le=100, description="farther detections are not placed, metres")] = 25.0
    min_frames: Annotated[int, Meta(ge=1, le=50, description="frames that must have seen a defect")] = 2
    min_certainty: Annotated[
        float, Meta(ge=0, le=1, description="certainty over all frames, 1 - product of (1 - score)")
    ] = 0.7


class DeliveryConfig(Section, frozen=True):
    """Where observations go."""

    data: Annotated[Path, Meta(description="folder of the outbox; on a medium that survives power cuts")] = Path(
        "/var/lib/wegewart"
    )
    host: Annotated[str, Meta(description="broker: host")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="broker: TCP port")] = 1883
    protocol: Annotated[Literal["5", "3.1.1"], Meta(description="MQTT version")] = "5"
    username: Annotated[str | None, Meta(description="broker: user name, if it asks for one")] = None
    password_file: Annotated[Path | None, Meta(description="broker: file that holds the password")] = None
    ca: Annotated[Path | None, Meta(description="TLS: the broker's certificate authority; not set: no TLS")] = None
    certificate: Annotated[Path | None, Meta(description="TLS: this vehicle's certificate")] = None
    key: Annotated[Path | None, Meta(description="TLS: this vehicle's private key")] = None
    drain_s: Annotated[
        float, Meta(ge=0, le=3600, description="seconds that an ending process waits for acknowledgements")
    ] = 5.0
    health_s: Annotated[float, Meta(gt=0, le=3600, description="seconds between health messages")] = 30.0
    picture_bytes_per_s: Annotated[
        float, Meta(ge=0, le=1e8, description="mobile data: pictures at most at this rate, bytes/s; 0: no limit")
    ] = 0.0
    bytes_per_day: Annotated[
        int, Meta(ge=0, le=10**12, description="mobile data: bytes a day, beyond it only facts go; 0: no limit")
    ] = 0
    pictures_mb: Annotated[int, Meta(ge=10, le=1_000_000, description="outbox: pictures keep at most, MiB")] = 4096
    free_mb: Annotated[
        int, Meta(ge=8, le=100_000, description="outbox: with less than this free on the disk pictures go, MiB")
    ] = 32
    coverage_rows: Annotated[int, Meta(ge=1000, le=10**7, description="outbox: waiting coverage stretches kept")] = (
        200_000
    )
    roughness_rows: Annotated[int, Meta(ge=1000, le=10**7, description="outbox: waiting roughness stretches kept")] = (
        200_000
    )
    grace_h: Annotated[
        float, Meta(ge=0, le=720, description="outbox: hours that acknowledged records are kept (operating time)")
    ] = 24.0
    memory_events: Annotated[
        int, Meta(ge=100, le=100_000, description="outbox: records kept in memory while the disk takes none")
    ] = 2000


class VehicleConfig(Section, frozen=True):
    """A vehicle."""

    vehicle: Annotated[
        str,
        Meta(pattern=rf"^{VEHICLE_PATTERN}\Z", description="the vehicle's name: lower-case letters, digits, hyphens"),
    ]
    camera: CameraConfig = CameraConfig()
    position: PositionConfig = PositionConfig()
    odometer: OdometerConfig = OdometerConfig()
    imu: ImuConfig = ImuConfig()
    line: LineConfig = LineConfig()
    tunnel: TunnelConfig = TunnelConfig()
    sampling: SamplingConfig = SamplingConfig()
    vision: VisionConfig = VisionConfig()
    defects: DefectsConfig = DefectsConfig()
    delivery: DeliveryConfig = DeliveryConfig()
    life: LifeConfig = LifeConfig()
    heat: HeatConfig = HeatConfig()
    power: PowerConfig = PowerConfig()
    update: UpdateConfig = UpdateConfig()


def load_config(path: Path) -> VehicleConfig:
    """Read a vehicle's configuration.

    Raises:
        ConfigError: one line that names file, key and reason.
    """
    try:
        config = load(path, VehicleConfig)
    except SettingsError as error:
        raise ConfigError(str(error)) from None
    delivery = config.delivery
    if (delivery.certificate is None) != (delivery.key is None):
        raise ConfigError(f"{path}: delivery.certificate and delivery.key: set both or none")
    if delivery.certificate is not None and delivery.ca is None:
        raise ConfigError(f"{path}: delivery.ca: is missing, a certificate is only used with TLS")
    if 0 < delivery.bytes_per_day < _LEAST_BYTES_PER_DAY:
        raise ConfigError(f"{path}: delivery.bytes_per_day: must be 0 (no limit) or at least {_LEAST_BYTES_PER_DAY}")
    if config.camera.kind == "picamera2" and not config.camera.source.isdecimal():
        raise ConfigError(f"{path}: camera.source: {config.camera.source!r} is no camera number, as picamera2 needs")
    if config.camera.kind != "replay" and config.position.kind == "replay":
        raise ConfigError(f'{path}: position.kind: a recorded track needs camera.kind = "replay"')
    if config.power.most_s < config.power.delay_s:
        raise ConfigError(f"{path}: power.most_s: must not be below power.delay_s")
    if config.imu.front_axle_forward_m - config.imu.rear_axle_forward_m < 0.5:
        raise ConfigError(f"{path}: imu.front_axle_forward_m: must be at least 0.5 m ahead of imu.rear_axle_forward_m")
    if config.tunnel.lining == "cylinder" and abs(config.tunnel.axis_height_m) >= config.tunnel.radius_m:
        raise ConfigError(f"{path}: tunnel.axis_height_m: must lie within tunnel.radius_m")
    for name, value, pattern, shape in (
        *(("tracks", track, _TRACK, "line/track") for track in config.line.tracks),
        ("start", config.line.start or "a:0:+", _START, "line:chainage:+ or line:chainage:-"),
    ):
        if pattern.fullmatch(value) is None:
            raise ConfigError(f'{path}: line.{name}: {value!r} is not of the form "{shape}"')
    if not config.line.file and (config.line.tracks or config.line.start):
        raise ConfigError(f"{path}: line.file: is missing, line.tracks and line.start name places on its lines")
    return config
