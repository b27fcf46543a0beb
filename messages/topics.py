# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""MQTT topics: `wegewart/v1/{vehicle}/{kind}`.

A vehicle may only write below its own name (the broker's ACL says so) and only reads
`ack` and `command` there. A picture travels whole on `picture/{sha256}`, a large one in parts on
`chunk/{sha256}/{bytes of the picture}/{number of the chunk}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "wegewart/v1"
KINDS = (
    "status", "observation", "look", "revision", "clock", "coverage", "roughness", "health", "ack", "command", "reply",
)  # fmt: skip
#: A vehicle's name is one topic level and part of file names: keep it plain.
VEHICLE_PATTERN = r"[a-z0-9][a-z0-9-]{0,62}"
SHA256_PATTERN = r"[0-9a-f]{64}"
#: Sizes and numbers as topics write them: one way only, so that a topic is as good as its parts.
SIZE_PATTERN = r"[1-9][0-9]{0,6}"
NUMBER_PATTERN = r"0|[1-9][0-9]{0,2}"

_TOPIC = re.compile(
    rf"{PREFIX}/(?P<vehicle>{VEHICLE_PATTERN})/"
    rf"(?:(?P<kind>{'|'.join(KINDS)})|picture/(?P<picture>{SHA256_PATTERN})"
    rf"|chunk/(?P<chunk>{SHA256_PATTERN})/(?P<size>{SIZE_PATTERN})/(?P<number>{NUMBER_PATTERN}))"
)


@dataclass(frozen=True)
class Topic:
    """A topic taken apart. `sha256` is set for pictures and chunks, `size` (bytes) and `number` for chunks."""

    vehicle: str
    kind: str
    sha256: str | None = None
    size: int | None = None
    number: int | None = None

    def __str__(self) -> str:
        tail = self.kind
        if self.kind == "picture":
            tail = f"picture/{self.sha256}"
        elif self.kind == "chunk":
            tail = f"chunk/{self.sha256}/{self.size}/{self.number}"
        return f"{PREFIX}/{self.vehicle}/{tail}"


def parse(topic: str) -> Topic | None:
    """Take a topic apart; None where it is not one of ours."""
    match = _TOPIC.fullmatch(topic)
    if match is None:
        return None
    vehicle = match["vehicle"]
    if match["picture"]:
        return Topic(vehicle, "picture", match["picture"])
    if match["chunk"]:
        return Topic(vehicle, "chunk", match["chunk"], int(match["size"]), int(match["number"]))
    return Topic(vehicle, match["kind"])


def is_vehicle_name(name: str) -> bool:
    """Whether `name` may name a vehicle: lower-case letters, digits and hyphens, 63 at most."""
    return re.fullmatch(VEHICLE_PATTERN, name) is not None
