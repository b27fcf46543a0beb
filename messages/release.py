# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A release as its makers signed it: the target `releases/ID.json` of the update repository.

Other targets: `wheels/FILE.whl` (wheels, the project's own and what it needs) and `models/NAME-VERSION-SHA8.tar.gz`
(a model package's folder, SHA8: the first eight digits of the SHA-256 of its model.toml). Targets are named and
verified by The Update Framework; the hashes here tie a release to exactly its own files.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from messages.types import Name, Sha256

RELEASE_PATTERN = r"[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,4}([.-][a-z0-9]{1,20})?"
#: What `Variant.machine` may say, as `platform.machine()` does.
Machine = Literal["aarch64", "x86_64"]
Board = Literal["raspberry_pi_4", "raspberry_pi_5", "jetson_orin_nano", "pc"]
BUNDLE = "bundle.json"
#: In the signed part of the timestamp: when it was signed, "2026-11-01T12:00:00Z"; a vehicle without a clock needs it.
ISSUED = "x-wegewart-issued"


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target that belongs to a release."""

    target: Annotated[str, Meta(pattern=r"^(wheels|models)/[A-Za-z0-9][A-Za-z0-9._+-]{0,199}(?!\n)$")]
    sha256: Sha256
    bytes: Annotated[int, Meta(ge=1, le=2**32)]


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model package."""

    name: Name
    version: Name
    file: File


class Variant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The wheels for one kind of computer. `python`: "3.13", as the system's interpreter says."""

    machine: Machine
    python: Annotated[str, Meta(pattern=r"^3\.[0-9]{1,2}(?!\n)$")]
    wheels: Annotated[tuple[File, ...], Meta(min_length=1, max_length=200)]


class Release(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One application with its models. `number` grows with each: a vehicle never goes to a lower one by itself."""

    format: Literal[1] = 1
    id: Annotated[str, Meta(pattern=rf"^{RELEASE_PATTERN}(?!\n)$")]
    number: Annotated[int, Meta(ge=1, le=2**31)]
    software: Name
    boards: Annotated[tuple[Board, ...], Meta(min_length=1)]
    variants: Annotated[tuple[Variant, ...], Meta(min_length=1, max_length=20)]
    models: Annotated[tuple[Model, ...], Meta(min_length=1, max_length=20)]
    #: One line each language for technician and depot.
    notes_de: Annotated[str, Meta(max_length=500)] = ""
    notes_en: Annotated[str, Meta(max_length=500)] = ""


class Bundle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`bundle.json` beside `metadata/` and `targets/`: which release it was made for. Not signed: a wish, no more."""

    release: Annotated[str, Meta(pattern=rf"^{RELEASE_PATTERN}(?!\n)$")]
