# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The section `pictures` of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from depot.sections import Section, Url


class S3Config(Section, frozen=True):
    """An S3-compatible store."""

    endpoint: Annotated[Url | None, Meta(description="address of the store, e.g. https://s3.example.org")] = None
    bucket: Annotated[str, Meta(max_length=63, description="must be there already")] = ""
    region: Annotated[str, Meta(max_length=100, description="as the store calls it; many do not care")] = "us-east-1"
    prefix: Annotated[
        str, Meta(pattern=r"^([A-Za-z0-9._-]+/)*$", max_length=200, description="put before each name, ends with /")
    ] = ""
    access_key: Annotated[Annotated[str, Meta(max_length=200)] | None, Meta(description="not set: anonymous")] = None
    secret_key_file: Annotated[Path | None, Meta(description="file with the secret key in its first line")] = None


class PicturesConfig(Section, frozen=True):
    """Where the pictures lie."""

    store: Annotated[Literal["folder", "s3"], Meta(description="folder: `pictures` in data.folder")] = "folder"
    s3: S3Config = S3Config()
