# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages that no vehicle sends: random bytes, cut and damaged JSON, wrong types, huge ones, pictures that are none.

Seeded: the same seed gives the same messages. The values that go where others belong are made by hypothesis.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from messages import envelope
from messages.chunks import CHUNK_BYTES
from messages.topics import KINDS, PREFIX
from messages.types import Coverage, Health, ModelRef, Observation, Position, Roughness, Status, Time

_VEHICLES = ("fuzz-1", "fuzz-2", "fuzz-3")
_TIME = Time(boot="5f3c9a", monotonic_s=12.5, quality="gnss", utc="2026-05-04T09:30:12.250Z")
_LARGEST = 1_900_000


def _good() -> dict[str, bytes]:
    observation = Observation(
        defect_class="pothole",
        score=0.87,
        frames_seen=6,
        time=_TIME,
        model=ModelRef(name="street", version="0.1.0", sha256="ab" * 32),
        software="0.1.0",
        calibration="sweeper-front",
        position=Position(lon=6.7623, lat=51.4344, error_m=1.8, method="gnss"),
    )
    said = (
        observation,
        Coverage(path=((6.76, 51.434), (6.7623, 51.4344)), length_m=170.0, frames_judged=80, valid=True, time=_TIME),
        Roughness(rule="rms-10m", reference_speed_mps=13.9, time=_TIME),
        Health(time=_TIME, counters={"frames_judged": 80}, gauges={"temperature_c": 51.0}),
        Status(state="online", boot="5f3c9a", session=1, software="0.1.0"),
    )
    return {
        envelope.kind_of(data): envelope.encode(
            envelope.Event(id="5f3c9a-00000001", source=envelope.source_of(_VEHICLES[0]), data=data)
        )
        for data in said
    }


def values(count: int) -> list[Any]:
    """JSON values of all sorts, as hypothesis makes them."""
    made: list[Any] = []
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=8,
    )

    @seed(1)
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(anything)
    def collect(value: Any) -> None:
        made.append(value)

    collect()
    return made


class Fuzzer:
    """Makes (topic, payload) pairs."""

    def __init__(self, number: int) -> None:
        """`number`: the seed."""
        self._lot = random.Random(number)  # noqa: S311 - no secret
        self._good = _good()
        self._values = values(2000)
        self._ways: tuple[tuple[int, Callable[[], tuple[str, bytes]]], ...] = (
            (20, self._noise),
            (15, self._cut),
            (15, self._damaged),
            (30, self._wrong_value),
            (8, self._wrong_place),
            (4, self._nested),
            (2, self._strange_text),
            (2, self._picture),
            (3, self._chunk),
            (1, self._topic),
        )
        self._weights = [weight for weight, _ in self._ways]

    def messages(self, count: int) -> Iterator[tuple[str, bytes]]:
        """So many of them; one in 5,000 is huge."""
        for number in range(count):
            if number % 5000 == 17:
                yield self._huge()
            else:
                ((_, way),) = self._lot.choices(self._ways, self._weights)
                yield way()

    def _kind(self) -> str:
        return self._lot.choice(list(self._good))

    def _on(self, kind: str, payload: bytes, vehicle: str = _VEHICLES[0]) -> tuple[str, bytes]:
        return f"{PREFIX}/{vehicle}/{kind}", payload

    def _noise(self) -> tuple[str, bytes]:
        return self._on(self._kind(), self._lot.randbytes(self._lot.randrange(300)), self._lot.choice(_VEHICLES))

    def _cut(self) -> tuple[str, bytes]:
        kind = self._kind()
        whole = self._good[kind]
        start, end = sorted((self._lot.randrange(len(whole)), self._lot.randrange(len(whole))))
        return self._on(kind, whole[:end] if self._lot.random() < 0.5 else whole[:start] + whole[end:])

    def _damaged(self) -> tuple[str, bytes]:
        kind = self._kind()
        content = bytearray(self._good[kind])
        for _ in range(self._lot.randrange(1, 6)):
            content[self._lot.randrange(len(content))] = self._lot.randrange(256)
        return self._on(kind, bytes(content))

    def _wrong_value(self) -> tuple[str, bytes]:
        kind = self._kind()
        event = json.loads(self._good[kind])
        place: Any = event
        while True:
            key = self._lot.choice(list(place))
            if not isinstance(place[key], dict) or not place[key] or self._lot.random() < 0.3:
                break
            place = place[key]
        if self._lot.random() < 0.15:
            del place[key]
        else:
            place[key] = self._lot.choice(self._values)
        return self._on(kind, json.dumps(event).encode("utf-8", "surrogatepass"))

    def _wrong_place(self) -> tuple[str, bytes]:
        return self._on(
            self._lot.choice((*self._good, "revision", "clock")), self._good[self._kind()], self._lot.choice(_VEHICLES)
        )

    def _nested(self) -> tuple[str, bytes]:
        opening, depth = self._lot.choice((b"[", b'{"a":')), self._lot.randrange(1, 9000)
        payload = opening * depth
        if self._lot.random() < 0.5:
            payload = b'{"id": "5f3c9a-00000009", "data": ' + payload
        return self._on(self._kind(), payload[: self._lot.randrange(1, 66_000)])

    def _strange_text(self) -> tuple[str, bytes]:
        strange = (b"\\u0000", b"\\ud800", b"\xff\xfe", b"\\u202e", b"\\n", b"1e999", b"NaN", b"9" * 400, b"-0.0")
        kind = self._kind()
        old = self._lot.choice((b"5f3c9a", b"pothole", b"0.87", b"12.5", b"0.1.0", b"sweeper", b"80"))
        return self._on(kind, self._good[kind].replace(old, self._lot.choice(strange)))

    def _picture(self) -> tuple[str, bytes]:
        content = b"\xff\xd8\xff" * self._lot.randrange(2) + self._lot.randbytes(self._lot.randrange(2000))
        right = hashlib.sha256(content).hexdigest()
        name = right if self._lot.random() < 0.5 else hashlib.sha256(right.encode()).hexdigest()
        return self._on(f"picture/{name}", content)

    def _chunk(self) -> tuple[str, bytes]:
        size = self._lot.choice((1, 700, CHUNK_BYTES, CHUNK_BYTES + 1, 100_000, 2_000_000, 9_999_999))
        number = self._lot.randrange(70)
        content = self._lot.choice((b"", b"x", self._lot.randbytes(700), bytes(CHUNK_BYTES)))
        return self._on(f"chunk/{self._lot.randbytes(32).hex()}/{size}/{number}", content)

    def _topic(self) -> tuple[str, bytes]:
        vehicle = self._lot.choice(("UPPER", "", "ä", "a" * 64, "-", "a b", "\u202e", "x" * 1000))
        kind = self._lot.choice((*(kind for kind in KINDS if kind in self._good), "picture/0", "chunk/0/0/0"))
        return f"{PREFIX}/{vehicle}/{kind}", self._good["observation"]

    def _huge(self) -> tuple[str, bytes]:
        size = self._lot.randrange(envelope.MAX_EVENT_BYTES, _LARGEST)
        head = self._lot.choice((b"", b'{"id": "5f3c9a-00000007", "data": "'))
        return self._on(self._kind(), head + b" " * size)
