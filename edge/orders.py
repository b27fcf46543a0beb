# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Carries out what the depot tells the vehicle, and answers each command.

A setting holds until the next start: a value that was a mistake is cured by a restart. A release is only
wished for here: the updater, which believes nothing but the fleet's signatures, takes it in its own time.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from edge.config import VehicleConfig
from edge.delivery.budget import BudgetLimits
from edge.delivery.commands import Order, read_setting
from edge.delivery.port import Delivery
from edge.delivery.uplink import Uplink
from edge.durable import write_durably
from edge.looking import Looking
from edge.sampling.sampler import Sampler
from edge.update.layout import Layout
from messages.release import RELEASE_PATTERN

_log = logging.getLogger(__name__)


class Orders:
    """Asks the delivery for commands. `health_s`: seconds between health messages, as set now.

    `wishes`: the updater's folder; None: there is no updater. `looking`: for places that the depot asks to see.
    """

    def __init__(
        self,
        config: VehicleConfig,
        delivery: Delivery,
        sampler: Sampler,
        *,
        restart: Callable[[], None],
        wishes: Path | None = None,
        looking: Looking | None = None,
    ) -> None:
        self.health_s = config.delivery.health_s
        self._delivery = delivery
        self._sampler = sampler
        self._restart = restart
        self._wishes = wishes
        self._looking = looking
        self._bytes_per_s, self._bytes_per_day = config.delivery.picture_bytes_per_s, config.delivery.bytes_per_day

    def carry_out(self) -> None:
        """Everything that has come since the last call."""
        for order in self._delivery.commands():
            self._answer(order)

    def _answer(self, order: Order) -> None:
        try:
            text = self._do(order)
        except ValueError as error:
            self._delivery.reply(order.id, ok=False, text=str(error))
        else:
            _log.info("the depot's command %s: %s", order.id, text)
            self._delivery.reply(order.id, ok=True, text=text)

    def _do(self, order: Order) -> str:
        command = order.command
        if command.action == "restart":
            self._restart()
            return "restarting"
        if command.action == "set" and command.key is not None and command.value is not None:
            value = read_setting(VehicleConfig, command.key, command.value)
            self._set(command.key, value)
            return f"{command.key} = {value}, until the next start"
        if command.action == "update" and command.value is not None:
            if self._wishes is None:
                raise ValueError("this vehicle's software was put there by hand, it has no updater")
            _wish(command.value, self._wishes)
            return f"{command.value} is fetched, tried and, once parked, taken"
        if command.action == "look":
            if self._looking is None or not self._looking.can_look:
                raise ValueError("without a calibrated camera nobody knows where in a picture a place is")
            return self._looking.places.ask(order.id, command)
        raise ValueError(f"{command.action} without what it needs is not carried out")

    def _set(self, key: str, value: Any) -> None:
        if key == "sampling.every_m":
            self._sampler.every_m = value
        elif key == "delivery.health_s":
            self.health_s = value
        elif not isinstance(self._delivery, Uplink):
            raise ValueError(f"{key}: this vehicle writes into a file, it sends nothing")
        else:
            if key == "delivery.picture_bytes_per_s":
                self._bytes_per_s = value
            else:
                self._bytes_per_day = value
            self._delivery.limit(BudgetLimits(self._bytes_per_s or None, self._bytes_per_day or None))


def _wish(release: str, folder: Path) -> None:
    """Note the depot's wish for the updater; the newest one counts.

    Raises:
        ValueError: one line: not the name of a release, or it cannot be written down.
    """
    if re.fullmatch(RELEASE_PATTERN, release) is None:
        raise ValueError(f"{release!r} is not the name of a release, such as 2026.11.1")
    try:
        write_durably(Layout(incoming=folder).wanted, msgspec.json.encode({"release": release}))
    except OSError as error:
        raise ValueError(f"the wish for {release} cannot be written down: {error.strerror}") from None
