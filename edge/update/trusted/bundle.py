# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A bundle folder (`metadata/`, `targets/`, `bundle.json`) that is believed only as far as it is signed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from messages.release import File, Release


class Verified:
    """A bundle whose metadata holds; every target is verified when it is taken."""

    def release(self, release: str) -> Release:
        """The release as it was signed.

        Raises:
            UntrustedError: it is not in the bundle, or not as signed.
        """
        raise NotImplementedError

    def manifest(self, release: str) -> bytes:
        """The bytes of `releases/ID.json` as they were signed; raises as `release` does."""
        raise NotImplementedError

    def fetch(self, file: File) -> Path:
        """The target's verified copy in the cache, named by its SHA-256, durable.

        Raises:
            UntrustedError: it is not in the bundle, not as signed, or not what the release says.
            StoreError: the cache cannot be written.
        """
        raise NotImplementedError


def open_bundle(folder: Path, *, trust: Path, cache: Path, now: datetime | None, root: bytes | None = None) -> Verified:
    """Judge a bundle's metadata and take over what is newer into `trust`.

    Args:
        folder: with `metadata/` and `targets/`; nothing in it is believed, links in it are not followed.
        trust: the store of metadata that was believed last; made where it is not there.
        cache: verified targets, each named by its SHA-256.
        now: the time where somebody trusted told it; None: this computer's clock.
        root: first root of trust, used only where `trust` holds none.

    Raises:
        UntrustedError: refused; `reason` says as what.
        StoreError: `trust` cannot be read or written.
    """
    raise NotImplementedError


def wish(folder: Path) -> str:
    """The release that `bundle.json` names: nobody signed it. Raises UntrustedError."""
    raise NotImplementedError
