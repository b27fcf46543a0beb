# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Stages that say to `Liveness` when they are at work, so that one that never returns can be named."""

from __future__ import annotations

from collections.abc import Sequence

from edge.delivery.commands import Order
from edge.delivery.port import Counts, Delivery, Record
from edge.liveness import Liveness
from edge.ports import Camera, Detector
from edge.types import Detection, Frame, Picture
from messages.types import Health


class WatchedCamera:
    """A camera as stage `camera`."""

    def __init__(self, camera: Camera, liveness: Liveness) -> None:
        self._camera, self._liveness = camera, liveness

    @property
    def dropped(self) -> int:
        """See `Camera.dropped`."""
        return self._camera.dropped

    @property
    def bad(self) -> int:
        """See `Camera.bad`."""
        return self._camera.bad

    def read(self) -> Frame:
        """See `Camera.read`."""
        with self._liveness.working("camera"):
            return self._camera.read()

    def close(self) -> None:
        """See `Camera.close`."""
        with self._liveness.working("camera"):
            self._camera.close()


class WatchedDetector:
    """A model as stage `inference`."""

    def __init__(self, detector: Detector, liveness: Liveness) -> None:
        self._detector, self._liveness = detector, liveness

    def detect(self, picture: Picture) -> Sequence[Detection]:
        """See `Detector.detect`."""
        with self._liveness.working("inference"):
            return self._detector.detect(picture)


class WatchedDelivery:
    """A delivery as stage `store`. Closing is not watched: a drain may last as long as it was told to.

    All of these need the store's lock, so each also finds out that another thread hangs on the disk and holds it.
    """

    def __init__(self, delivery: Delivery, liveness: Liveness) -> None:
        self._delivery, self._liveness = delivery, liveness

    @property
    def boot(self) -> str:
        """See `Delivery.boot`."""
        return self._delivery.boot

    def confirm(self, message: Record, picture: bytes | None = None) -> str:
        """See `Delivery.confirm`."""
        with self._liveness.working("store"):
            return self._delivery.confirm(message, picture)

    def publish_health(self, health: Health) -> None:
        """See `Delivery.publish_health`."""
        with self._liveness.working("store"):
            self._delivery.publish_health(health)

    def commands(self) -> list[Order]:
        """See `Delivery.commands`."""
        with self._liveness.working("store"):
            return self._delivery.commands()

    def reply(self, order: str, *, ok: bool, text: str) -> None:
        """See `Delivery.reply`."""
        with self._liveness.working("store"):
            self._delivery.reply(order, ok=ok, text=text)

    def counts(self) -> Counts:
        """See `Delivery.counts`. Called now and then, it shows that the store moves where nothing is stored."""
        with self._liveness.working("store"):
            return self._delivery.counts()

    def counters(self) -> dict[str, int]:
        """See `Delivery.counters`."""
        with self._liveness.working("store"):
            return self._delivery.counters()

    def faults(self) -> tuple[str, ...]:
        """See `Delivery.faults`."""
        with self._liveness.working("store"):
            return self._delivery.faults()

    def close(self, drain_s: float = 0.0) -> bool:
        """See `Delivery.close`."""
        return self._delivery.close(drain_s)
