# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The section `retention` of the configuration."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from depot.sections import Section

_Days = Annotated[int, Meta(ge=1, le=36_500)]


class RetentionConfig(Section, frozen=True):
    """When pictures go. What was seen, where and when, stays; only the picture's bytes are taken away."""

    rejected_days: Annotated[
        _Days | None, Meta(description="days after a case was rejected; not set: its pictures stay")
    ] = 30
    repaired_days: Annotated[
        _Days | None, Meta(description="days after a case was repaired; not set: its pictures stay")
    ] = 730
    #: More than a vehicle's outbox holds: the observation may still come.
    unused_days: Annotated[
        Annotated[int, Meta(ge=31, le=36_500)] | None,
        Meta(description="days after the arrival of a picture that no case shows; not set: it stays"),
    ] = 180
