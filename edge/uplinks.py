# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Opens the delivery that configuration or command line asks for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from edge import __version__
from edge.config import DeliveryConfig, VehicleConfig
from edge.delivery.budget import BudgetLimits
from edge.delivery.jsonl import JsonlSink
from edge.delivery.outbox import Outbox
from edge.delivery.port import Delivery
from edge.delivery.quota import Quota
from edge.delivery.settings import BrokerSettings, Tls, from_url
from edge.delivery.uplink import Birth, Uplink
from edge.errors import BrokerError
from edge.release import running
from messages.types import ModelRef


def open_uplink(
    config: VehicleConfig,
    models: tuple[ModelRef, ...],
    calibration: str,
    *,
    url: str | None = None,
    on_fatal: Callable[[BrokerError], None] | None = None,
    wait_s: float | None = None,
) -> Uplink:
    """Outbox and MQTT uplink of a vehicle.

    Args:
        config: names the broker and the outbox's folder.
        models: part of the birth message.
        calibration: part of the birth message.
        url: broker, instead of the configured one.
        on_fatal: see `Uplink`.
        wait_s: give up when the broker does not answer within this time; None: keep trying for ever.

    Raises:
        ConfigError: password file or certificates cannot be read.
        StoreError: the outbox cannot be opened.
        BrokerError: `wait_s` is over, or the broker refuses the login.
    """
    settings = broker_settings(config) if url is None else from_url(url, config.vehicle)
    release = running()
    birth = Birth(f"wegewart-edge {__version__}", models, calibration, release.name if release else None)
    uplink = Uplink(_outbox(config.delivery), settings, birth, on_fatal=on_fatal)
    if wait_s is not None:
        try:
            uplink.wait_online(wait_s)
        except BrokerError:
            uplink.close()
            raise
    return uplink


def open_jsonl(vehicle: str, out: Path | None) -> Delivery:
    """Events into a file; onto standard output where none is given."""
    return JsonlSink(out if out is not None else sys.stdout, vehicle=vehicle)


def broker_settings(config: VehicleConfig) -> BrokerSettings:
    """The configured broker."""
    delivery = config.delivery
    tls = Tls(delivery.ca, delivery.certificate, delivery.key) if delivery.ca is not None else None
    return BrokerSettings(
        host=delivery.host,
        vehicle=config.vehicle,
        port=delivery.port,
        protocol=delivery.protocol,
        username=delivery.username,
        password_file=delivery.password_file,
        tls=tls,
        budget=budget(delivery),
    )


def budget(delivery: DeliveryConfig) -> BudgetLimits:
    """The bounds for mobile data."""
    return BudgetLimits(delivery.picture_bytes_per_s or None, delivery.bytes_per_day or None)


def _outbox(delivery: DeliveryConfig) -> Outbox:
    quota = Quota(
        pictures_bytes=delivery.pictures_mb << 20,
        free_bytes=delivery.free_mb << 20,
        waiting={"coverage": delivery.coverage_rows, "roughness": delivery.roughness_rows},
        in_memory=delivery.memory_events,
    )
    return Outbox(delivery.data / "outbox.db", grace_s=delivery.grace_h * 3600, quota=quota)
