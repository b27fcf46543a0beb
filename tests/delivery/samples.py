# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Records to deliver, and a depot that does nothing but answer."""

from __future__ import annotations

import hashlib

from edge.delivery.port import Record
from messages.types import (
    Anonymised,
    Coverage,
    ModelRef,
    Observation,
    PictureRef,
    Position,
    Revision,
    Roughness,
    RoughSection,
    Time,
)  # fmt: skip

VEHICLE = "truck-7"
MODEL = ModelRef(name="street", version="1", sha256="0" * 64)


def coverage(boot: str = "00001-test") -> Coverage:
    """A stretch that was looked at."""
    return Coverage(
        path=((6.7, 51.4), (6.8, 51.4)),
        length_m=100.0,
        frames_judged=20,
        valid=True,
        time=Time(boot=boot, monotonic_s=1.5, quality="unset"),
    )


def revision(boot: str = "00001-test", number: int = 1) -> Revision:
    """Where the first observation of this boot really lay."""
    return Revision(
        observation=f"{boot}-00000001",
        number=number,
        reason="fix_returned",
        time=Time(boot=boot, monotonic_s=2.5, quality="unset"),
        position=Position(lon=6.7, lat=51.4, error_m=1.5, method="dead_reckoned", since_fix_m=340.0, revised=True),
    )


def roughness(boot: str = "00001-test") -> Roughness:
    """Ten metres of a bad road."""
    section = RoughSection(path=((6.7, 51.4), (6.7001, 51.4)), length_m=10.0, speed_mps=8.0, rms_mps2=1.7)
    return Roughness(
        rule="rms-10m",
        reference_speed_mps=13.9,
        time=Time(boot=boot, monotonic_s=1.5, quality="unset"),
        sections=(section,),
    )


def observation(boot: str = "00001-test", picture: bytes | None = None) -> Observation:
    """A pothole, with its picture described where one is given."""
    described = None
    if picture is not None:
        described = PictureRef(
            sha256=hashlib.sha256(picture).hexdigest(),
            bytes=len(picture),
            width=640,
            height=480,
            box=(1.0, 2.0, 30.0, 40.0),
            anonymised=Anonymised(method="none"),
        )
    return Observation(
        defect_class="pothole",
        score=0.8,
        frames_seen=3,
        time=Time(boot=boot, monotonic_s=1.5, quality="gnss", utc="2026-11-22T12:00:00Z"),
        model=MODEL,
        software="0.1.0",
        calibration="test",
        picture=described,
    )


#: One of each kind of record, in no order of preference.
RECORDS: tuple[Record, ...] = (roughness(), coverage(), revision(), observation())
