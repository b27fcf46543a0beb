# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The link to the depot while nothing can drive: the depot learns why, and what waits in the outbox still goes out.

Without it a vehicle whose camera is broken would only be "offline", like one in its hall.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from edge.clock import UtcClock
from edge.delivery.port import Delivery
from edge.delivery.uplink import Uplink
from edge.errors import BrokerError, WegewartError
from edge.system_update import system_update
from messages.types import Health

#: How long a start that failed waits for the broker, so that it can say why.
TELL_S = 15.0


class Known(Protocol):
    """What is known of the vehicle although nothing drives: `edge.keeper.Keeper`."""

    def counters(self) -> dict[str, int]:
        """For the health message."""

    def faults(self) -> tuple[str, ...]:
        """What is wrong, one line each."""


class Standby:
    """Delivery without stages. Where it cannot be opened either, nothing is told and nothing raised."""

    def __init__(self, delivery: Delivery | None, known: Known | None, clock: Callable[[], float]) -> None:
        self._delivery = delivery
        self._known = known
        self._clock = clock

    def tell(self, *faults: str) -> None:
        """Say what is wrong, beside what is known."""
        if self._delivery is None:
            return
        time = UtcClock(self._delivery.boot, quality="gnss").at(self._clock())
        counts = self._delivery.counts()
        self._delivery.publish_health(
            Health(
                time=time,
                counters={
                    **(self._known.counters() if self._known else {}),
                    **self._delivery.counters(),
                    "events_pending": counts.pending,
                    "pictures_pending": counts.pictures_pending,
                },
                faults=tuple(
                    fault[:500]
                    for fault in (
                        *faults,
                        *self._delivery.faults(),
                        *(self._known.faults() if self._known else ()),
                    )
                ),
                system=system_update(),
            )
        )

    def wait_online(self, wait_s: float) -> None:
        """Wait for the broker, at most so long."""
        if isinstance(self._delivery, Uplink):
            with contextlib.suppress(BrokerError):
                self._delivery.wait_online(wait_s)


@contextmanager
def standing_by(
    open_delivery: Callable[[], Delivery], known: Known | None, *, drain_s: float, clock: Callable[[], float]
) -> Iterator[Standby]:
    """A link for a while; at its end what waits gets `drain_s` to go out."""
    try:
        delivery = open_delivery()
    except WegewartError:  # the run itself meets it, too, and says so
        yield Standby(None, known, clock)
        return
    try:
        yield Standby(delivery, known, clock)
    finally:
        delivery.close(drain_s)
