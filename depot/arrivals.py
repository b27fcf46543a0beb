# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What has come from the network and waits for the writer: bounded in number and in bytes."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Arrival:
    """One message as the network gave it. `token` lets the network confirm it to the broker."""

    topic: str
    payload: bytes
    token: object = None


class Arrivals:
    """One puts, one takes. Full means that the one who puts waits, so that the network slows down."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._waiting: deque[Arrival] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, arrival: Arrival) -> bool:
        """Queue a message; waits while there is no room. False: closed."""
        with self._changed:
            self._changed.wait_for(self._has_room)
            if self._closed:
                return False
            self._waiting.append(arrival)
            self._bytes += len(arrival.payload)
            self._changed.notify_all()
            return True

    def _has_room(self) -> bool:
        return self._closed or (len(self._waiting) < self._most and self._bytes < self._most_bytes)

    def take(self, most: int, most_bytes: int) -> list[Arrival]:
        """Wait for a message, then all that is there, at least one and within the bounds. Empty: closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return []
            batch = [self._pop()]
            size = len(batch[0].payload)
            while self._waiting and len(batch) < most and size + len(self._waiting[0].payload) <= most_bytes:
                batch.append(self._pop())
                size += len(batch[-1].payload)
            self._changed.notify_all()
            return batch

    def _pop(self) -> Arrival:
        arrival = self._waiting.popleft()
        self._bytes -= len(arrival.payload)
        return arrival

    def close(self) -> None:
        """Let both go; what still waits was not acknowledged and will come again."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
