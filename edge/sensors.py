# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Opens what tells a driving vehicle of its motion: receiver, odometer, inertial sensor, as one source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge.config import ImuConfig, OdometerConfig, PositionConfig, VehicleConfig
from edge.positioning.can_bus import CanPlace
from edge.positioning.can_speed import FMS_SPEED, CanSignal, open_can_speed
from edge.positioning.gpsd import open_gpsd
from edge.positioning.iio import open_iio
from edge.positioning.iio_device import IioPlace
from edge.positioning.late import LatePositions
from edge.positioning.live import LivePositions
from edge.positioning.merged import MergedPositions
from edge.positioning.obd import open_obd
from edge.positioning.serial_nmea import open_serial_nmea
from edge.positioning.wheel_pulses import PulseLine, open_wheel_pulses
from edge.types import Measurement

#: A fix arrives this much later than its latency says, at times: the receiver was busy, the serial line full.
_JITTER_S = 0.1


@dataclass(frozen=True)
class LiveSensors:
    """A vehicle's sensors as one `PositionSource`; `by_name` for what health says of each."""

    merged: MergedPositions
    by_name: dict[str, LivePositions[Any]]

    def until(self, time_s: float) -> Sequence[Measurement]:
        """See `PositionSource`."""
        return self.merged.until(time_s)

    def close(self) -> None:
        """Close all."""
        self.merged.close()

    def counts(self) -> Counter[str]:
        """What was wrong with measurements, by sensor and name."""
        counts = Counter({f"merged_{name}": n for name, n in self.merged.counts.items()})
        for sensor, source in self.by_name.items():
            counts.update({f"{sensor}_{name}": n for name, n in source.state.counts.items()})
        return counts

    def faults(self) -> tuple[str, ...]:
        """What is silent now, one line each."""
        return tuple(f"{name}: not connected" for name, source in self.by_name.items() if not source.state.connected)


def open_sensors(config: VehicleConfig) -> LiveSensors:
    """Open all that the configuration names.

    Raises:
        ConfigError: a library that one of them needs is not installed.
    """
    by_name: dict[str, LivePositions[Any]] = {}
    try:
        receiver = _receiver(config.position)
        if receiver is not None:
            by_name["receiver"] = receiver
        odometer = _odometer(config.odometer)
        if odometer is not None:
            by_name["odometer"] = odometer
        by_name |= _imu(config.imu)
    except BaseException:
        for source in by_name.values():
            source.close()
        raise
    latency_s = config.position.latency_s if "receiver" in by_name else 0.0
    sources = [LatePositions(source, latency_s) if name == "receiver" else source for name, source in by_name.items()]
    return LiveSensors(MergedPositions(sources, hold_s=latency_s + _JITTER_S), by_name)


def _receiver(config: PositionConfig) -> LivePositions[Any] | None:
    if config.kind == "gpsd":
        return open_gpsd(host=config.gpsd_host, port=config.gpsd_port)
    if config.kind == "nmea":
        return open_serial_nmea(device=config.device, baud=config.baud)
    return None


def _odometer(config: OdometerConfig) -> LivePositions[Any] | None:
    place = CanPlace(config.can_interface, config.can_channel)
    if config.kind == "gpio":
        return open_wheel_pulses(
            PulseLine(
                chip=config.chip,
                line=config.line,
                metres_per_pulse=config.metres_per_pulse,
                edges=config.edges,
                bias=config.bias,
                debounce_us=config.debounce_us,
                direction_line=config.direction_line,
                direction_active_low=config.direction_active_low,
            )
        )
    if config.kind == "obd":
        return open_obd(place=place, extended_ids=config.obd_extended_ids, scale=config.scale)
    if config.kind == "can":
        return open_can_speed(place=place, signal=_signal(config), scale=config.scale)
    return None


def _signal(config: OdometerConfig) -> CanSignal:
    if config.can_id is None:
        return FMS_SPEED
    return CanSignal(
        can_id=config.can_id,
        mask=config.can_mask,
        extended=config.can_extended,
        start_bit=config.can_start_bit,
        length=config.can_length,
        byte_order=config.can_byte_order,
        signed=config.can_signed,
        factor=config.can_factor,
        offset=config.can_offset,
        highest_raw=config.can_highest_raw,
    )


def _imu(config: ImuConfig) -> dict[str, LivePositions[Any]]:
    if config.kind == "none":
        return {}
    if not config.gyro_device:
        return {"imu": open_iio(IioPlace(config.device, up=config.up, rate_hz=config.rate_hz))}
    # Many sensors show themselves to Linux as two devices.
    return {
        "imu": open_iio(IioPlace(config.device, up=config.up, rate_hz=config.rate_hz, kinds=("accel",))),
        "gyro": open_iio(IioPlace(config.gyro_device, up=config.up, rate_hz=config.rate_hz, kinds=("anglvel",))),
    }
