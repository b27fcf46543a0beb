# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle's sensors and lines in its configuration: receiver, odometer, inertial sensor, lines, tunnels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

CanId = Annotated[int, Meta(ge=0, le=0x1FFFFFFF)]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections."""


class PositionConfig(Section, frozen=True):
    """Where the position comes from."""

    kind: Annotated[
        Literal["gpsd", "nmea", "replay", "none"],
        Meta(description='receiver, or none; with camera.kind = "replay" the recorded track, or none'),
    ] = "gpsd"
    gpsd_host: Annotated[str, Meta(description="gpsd: host")] = "127.0.0.1"
    gpsd_port: Annotated[int, Meta(ge=1, le=65535, description="gpsd: TCP port")] = 2947
    device: Annotated[str, Meta(description="nmea: serial device")] = "/dev/ttyACM0"
    baud: Annotated[int, Meta(ge=1200, le=4_000_000, description="nmea: bits per second")] = 38400
    track: Annotated[Path | None, Meta(description="replay: GPX, NMEA log or CSV; not set: the recording's own")] = None
    latency_s: Annotated[
        float, Meta(ge=0, le=2, description="receiver: seconds from the moment of a fix to its message; see its manual")
    ] = 0.1
    antenna_forward_m: Annotated[
        float, Meta(ge=-30, le=30, description="antenna ahead of the middle of the rear axle (behind: negative), m")
    ] = 0.0
    antenna_left_m: Annotated[
        float, Meta(ge=-5, le=5, description="antenna left of the vehicle's middle line (right: negative), m")
    ] = 0.0


class OdometerConfig(Section, frozen=True):
    """The way rolled. A replay takes it from the recording."""

    kind: Annotated[
        Literal["none", "gpio", "obd", "can"],
        Meta(description="gpio: wheel pulses; obd: speed by OBD-II; can: speed signal on a CAN bus (default: FMS)"),
    ] = "none"
    scale: Annotated[float, Meta(gt=0.5, lt=2, description="obd, can: true speed by shown speed")] = 1.0
    chip: Annotated[str, Meta(description="gpio: chip")] = "/dev/gpiochip0"
    line: Annotated[int, Meta(ge=0, le=1023, description="gpio: line of the pulses")] = 22
    metres_per_pulse: Annotated[float, Meta(gt=0, le=10, description="gpio: way for one pulse, metres")] = 0.1
    edges: Annotated[Literal["rising", "falling", "both"], Meta(description="gpio: which edges count")] = "rising"
    bias: Annotated[
        Literal["as_is", "pull_up", "pull_down", "disabled"], Meta(description="gpio: the chip's own resistor")
    ] = "pull_up"
    debounce_us: Annotated[int, Meta(ge=0, le=100_000, description="gpio: shorter edges are noise, microseconds")] = 0
    direction_line: Annotated[
        Annotated[int, Meta(ge=0, le=1023)] | None,
        Meta(description="gpio: line that is active while rolling backwards; not set: none"),
    ] = None
    direction_active_low: Annotated[bool, Meta(description="gpio: the direction line is active when low")] = False
    can_interface: Annotated[str, Meta(description="obd, can: interface as python-can calls it")] = "socketcan"
    can_channel: Annotated[str, Meta(description="obd, can: channel")] = "can0"
    obd_extended_ids: Annotated[bool, Meta(description="obd: 29 bit identifiers")] = False
    can_id: Annotated[CanId | None, Meta(description="can: frame; not set: FMS speed (PGN 65265)")] = None
    can_mask: Annotated[CanId, Meta(description="can: bits of the identifier that count")] = 0x1FFFFFFF
    can_extended: Annotated[bool, Meta(description="can: 29 bit identifiers")] = False
    can_start_bit: Annotated[int, Meta(ge=0, le=511, description="can: start bit as in a DBC file")] = 0
    can_length: Annotated[int, Meta(ge=1, le=64, description="can: bits of the signal")] = 16
    can_byte_order: Annotated[Literal["little", "big"], Meta(description="can: little (Intel) or big (Motorola)")] = (
        "little"
    )
    can_signed: Annotated[bool, Meta(description="can: the signal has a sign")] = False
    can_factor: Annotated[float, Meta(description="can: km/h per unit")] = 0.01
    can_offset: Annotated[float, Meta(description="can: km/h at 0")] = 0.0
    can_highest_raw: Annotated[int | None, Meta(description="can: larger raw values are no speed")] = None


class ImuConfig(Section, frozen=True):
    """Inertial sensor: turn rate for the heading, vertical acceleration for the roughness."""

    kind: Annotated[Literal["none", "iio"], Meta(description="iio: Linux' industrial I/O")] = "none"
    device: Annotated[str, Meta(description="name of the IIO device; empty: the first that fits")] = ""
    gyro_device: Annotated[
        str, Meta(description="name of a second IIO device for the turn rate; empty: the same device has both")
    ] = ""
    up: Annotated[
        Literal["x", "y", "z", "-x", "-y", "-z"], Meta(description="the sensor's axis that points upwards")
    ] = "z"
    rate_hz: Annotated[float, Meta(ge=80, le=1000, description="samples per second asked of it")] = 100.0
    full_scale_mps2: Annotated[
        float, Meta(ge=10, le=2000, description="the sensor measures at most this, m/s^2 (4 g: 39.2)")
    ] = 39.2
    front_axle_forward_m: Annotated[
        float, Meta(ge=-30, le=30, description="front axle ahead of the antenna (behind: negative), m")
    ] = 2.0
    rear_axle_forward_m: Annotated[
        float, Meta(ge=-30, le=30, description="rear axle ahead of the antenna (behind: negative), m")
    ] = -1.5
    track_width_m: Annotated[float, Meta(gt=0.5, le=4, description="left wheel to right wheel, m")] = 1.7


class LineConfig(Section, frozen=True):
    """Known lines: the axis of a track or road with chainage; for tunnels."""

    file: Annotated[Path | None, Meta(description="GeoJSON or CSV of lines; not set: none")] = None
    error_m: Annotated[float, Meta(gt=0, le=50, description="how well the lines are surveyed, m")] = 1.0
    tracks: Annotated[
        tuple[str, ...], Meta(description='this vehicle runs on these tracks only, each "line/track"')
    ] = ()
    start: Annotated[
        str, Meta(description='known place without any fix at start: "line:chainage:+" or "line:chainage:-"')
    ] = ""


class TunnelConfig(Section, frozen=True):
    """What is different in a tunnel."""

    model: Annotated[str, Meta(description="model package that judges the lining; empty: none")] = ""
    road: Annotated[bool, Meta(description="the street's model goes on judging the road")] = True
    geofence: Annotated[Path | None, Meta(description="GeoJSON polygons that say tunnel or street; not set: none")] = (
        None
    )
    lining: Annotated[
        Literal["none", "cylinder", "box"], Meta(description="shape of the tunnel; none: the lining is not measured")
    ] = "none"
    radius_m: Annotated[float, Meta(gt=0.5, le=30, description="cylinder: radius, m")] = 3.2
    axis_height_m: Annotated[float, Meta(ge=-10, le=20, description="cylinder: axis above road or rail, m")] = 1.8
    axis_left_m: Annotated[float, Meta(ge=-20, le=20, description="cylinder: axis left of the antenna, m")] = 0.0
    left_m: Annotated[float, Meta(gt=0.5, le=30, description="box: antenna to left wall, m")] = 2.5
    right_m: Annotated[float, Meta(gt=0.5, le=30, description="box: antenna to right wall, m")] = 2.5
    crown_m: Annotated[float, Meta(gt=0.5, le=30, description="box: ceiling above road or rail, m")] = 4.8
    error_m: Annotated[float, Meta(gt=0, le=5, description="how well these are known, m")] = 0.2
