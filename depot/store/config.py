# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The sections `database` and `ingest` of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from depot.sections import Section


class DatabaseConfig(Section, frozen=True):
    """Where the depot keeps what it knows."""

    url: Annotated[
        Annotated[str, Meta(max_length=2000)] | None,
        Meta(
            description="postgresql://USER@HOST/NAME, with PostGIS; not set: the file depot.sqlite in data.folder",
        ),
    ] = None
    password_file: Annotated[
        Path | None, Meta(description="file with the password of PostgreSQL in its first line")
    ] = None


class IngestConfig(Section, frozen=True):
    """How what the vehicles send is taken in."""

    by: Annotated[
        Literal["serve", "processes"],
        Meta(
            description="serve: the process of the page does it. processes: any number of `wegewart-depot ingest`"
            " processes share it, which needs MQTT 5"
        ),
    ] = "serve"
    batch: Annotated[
        int, Meta(ge=1, le=10_000, description="most messages in one transaction, and on their way from the broker")
    ] = 512
