# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What outlives a connection, and a courier that got stuck."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.delivery.budget import Budget
from edge.delivery.commands import CommandDesk
from edge.delivery.herald import Herald
from edge.delivery.utc import TrustedUtc

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.delivery.herald import Birth
    from edge.delivery.outbox import Outbox
    from edge.delivery.settings import BrokerSettings


@dataclass(frozen=True)
class Means:
    """Everything that a courier works with. `monotonic`: seconds."""

    outbox: Outbox
    settings: BrokerSettings
    herald: Herald
    monotonic: Callable[[], float]
    utc: TrustedUtc
    budget: Budget
    desk: CommandDesk
    counters: Counter[str]


def means_of(outbox: Outbox, settings: BrokerSettings, birth: Birth, monotonic: Callable[[], float]) -> Means:
    """The means of one start of one vehicle; their files lie beside the outbox."""
    counters: Counter[str] = Counter()

    def count(name: str) -> None:
        counters[name] += 1

    beside = outbox.path.with_name
    return Means(
        outbox=outbox,
        settings=settings,
        herald=Herald(settings.vehicle, outbox.boot, outbox.start, birth),
        monotonic=monotonic,
        utc=TrustedUtc(monotonic),
        budget=Budget(settings.budget, beside(outbox.path.name + ".budget"), monotonic()),
        desk=CommandDesk(beside(outbox.path.name + ".commands"), monotonic, count),
        counters=counters,
    )
