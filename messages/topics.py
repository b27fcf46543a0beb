# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""MQTT topics: `wegewart/v1/{vehicle}/{kind}`.

A vehicle may only write below its own name (the broker's ACL says so) and only reads
`ack` and `command` there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "wegewart/v1"
KINDS = ("status", "observation", "revision", "coverage", "roughness", "health", "ack", "command")
#: A vehicle's name is one topic level and part of file names: keep it plain.
VEHICLE_PATTERN = r"[a-z0-9][a-z0-9-]{0,62}"
SHA256_PATTERN = r"[0-9a-f]{64}"

_TOPIC = re.compile(
    rf"{PREFIX}/(?P<vehicle>{VEHICLE_PATTERN})/"
    rf"(?:(?P<kind>{'|'.join(KINDS)})|picture/(?P<sha256>{SHA256_PATTERN}))"
)


@dataclass(frozen=True)
class Topic:
    """A topic taken apart. `sha256` is set for pictures only."""

    vehicle: str
    kind: str
    sha256: str | None = None

    def __str__(self) -> str:
        tail = f"picture/{self.sha256}" if self.kind == "picture" else self.kind
        return f"{PREFIX}/{self.vehicle}/{tail}"


def parse(topic: str) -> Topic | None:
    """Take a topic apart; None where it is not one of ours."""
    match = _TOPIC.fullmatch(topic)
    if match is None:
        return None
    sha256 = match["sha256"]
    return Topic(match["vehicle"], "picture" if sha256 else match["kind"], sha256)


def is_vehicle_name(name: str) -> bool:
    """Whether `name` may name a vehicle: lower-case letters, digits and hyphens, 63 at most."""
    return re.fullmatch(VEHICLE_PATTERN, name) is not None
