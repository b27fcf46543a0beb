# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings `[reports]`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from depot.sections import Section


class ReportsConfig(Section, frozen=True):
    """Photos of citizens and of crews."""

    on_people: Annotated[
        Literal["refuse", "mosaic"],
        Meta(
            description="a person in the picture: refuse it, or make the person unrecognisable; one at the defect is"
            " refused in any case"
        ),
    ] = "refuse"
    most_megabytes: Annotated[int, Meta(ge=1, le=50, description="largest photo in megabytes")] = 15
    most_megapixels: Annotated[int, Meta(ge=1, le=200, description="largest photo in megapixels")] = 60
    blocks: Annotated[
        int, Meta(ge=4, le=40, description="mosaic blocks in a photo's width; a face that fills a third has a third")
    ] = 12
    accuracy_m: Annotated[
        float,
        Meta(ge=1, le=500, description="metres within which a place lies (68 %), where the sender does not say it"),
    ] = 8.0
    detector: Annotated[
        tuple[str, ...],
        Meta(description='program that judges photos; empty: "wegewart-edge" beside our own Python (extra "edge")'),
    ] = ()
    model: Annotated[str, Meta(min_length=1, max_length=500, description="model package: a name or a folder")] = (
        "street"
    )
    at_once: Annotated[int, Meta(ge=1, le=16, description="photos judged at the same time")] = 1
    wait_s: Annotated[float, Meta(ge=0, le=300, description="seconds a photo waits for its turn; then: 503")] = 20.0
    timeout_s: Annotated[float, Meta(ge=1, le=600, description="seconds for judging one photo")] = 60.0
    memory_megabytes: Annotated[
        int,
        Meta(ge=500, le=64_000, description="address space of the judging process; 2000 is enough for 60 megapixels"),
    ] = 2_000
