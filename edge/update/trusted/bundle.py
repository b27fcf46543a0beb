# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A bundle folder (`metadata/`, `targets/`, `bundle.json`) that is believed only as far as it is signed.

The folder may lie on a stick, be written by another user and change at any moment: each metadata file is read once,
each target is copied into the cache and the copy is what is verified.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec
from tuf.api.exceptions import DownloadHTTPError, LengthOrHashMismatchError
from tuf.api.metadata import TargetFile

from edge.errors import StoreError
from edge.update.trusted.client import Client
from edge.update.trusted.disk import move_durably, plain_file, read_plain
from edge.update.trusted.refusal import UntrustedError
from messages.release import BUNDLE, Bundle, File, Release

MANIFEST_MAX = 1 << 20
_CHUNK = 1 << 20


class Verified:
    """A bundle whose metadata holds; every target is verified when it is taken."""

    def __init__(self, folder: Path, client: Client, cache: Path) -> None:
        self._folder, self._client, self._cache = folder, client, cache

    def release(self, release: str) -> Release:
        """The release as it was signed.

        Raises:
            UntrustedError: it is not in the bundle, or not as signed.
        """
        return release_in(self.manifest(release), release, str(self._folder))

    def manifest(self, release: str) -> bytes:
        """The bytes of `releases/ID.json` as they were signed; raises as `release` does."""
        target = manifest_of(self._client, release)
        content = read_plain(self._folder, self._place(target), target.length)
        check(target, content, f"{self._folder}: {target.path!r}")
        return content

    def fetch(self, file: File) -> Path:
        """The target's verified copy in the cache, named by its SHA-256, durable.

        A copy that is there is hashed again; the bundle need not hold the file then.

        Raises:
            UntrustedError: it is not in the bundle, not as signed, or not what the release says.
            StoreError: the cache cannot be written.
        """
        target = agreed(self._client, file)
        path = self._cache / file.sha256
        try:
            if _is(path, target):
                return path
            # Gone even if the bundle lacks it: whoever fetches takes what lies here for held.
            path.unlink(missing_ok=True)
            self._cache.mkdir(parents=True, exist_ok=True)
            with plain_file(self._folder, self._place(target)) as source:
                copy = _copied(
                    source, path.with_name(path.name + ".part"), file.bytes, f"{self._folder}: {file.target}"
                )
            with copy.open("rb") as content:
                check(target, content, f"{self._folder}: {file.target!r}")
            move_durably(copy, path)
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}: the target cannot be kept; free space") from error
        return path

    def _place(self, target: TargetFile) -> str:
        return f"targets/{self._client.place(target)}"


def open_bundle(folder: Path, *, trust: Path, cache: Path, now: datetime | None, root: bytes | None = None) -> Verified:
    """Judge a bundle's metadata and take over what is newer into `trust`.

    By which time it is judged: `edge.update.trusted.clock`.

    Args:
        folder: with `metadata/` and `targets/`; nothing in it is believed, links in it are not followed.
        trust: the store of metadata that was believed last; made where it is not there.
        cache: verified targets, each named by its SHA-256.
        now: the time where somebody trusted told it, with its zone; None: this computer's clock.
        root: first root of trust, used only where `trust` holds none that can be read.

    Raises:
        UntrustedError: refused; `reason` says as what.
        StoreError: `trust` cannot be read or written.
    """

    def read(name: str, most: int) -> bytes:
        try:
            return read_plain(folder, f"metadata/{name}", most)
        except UntrustedError as error:
            if error.reason == "missing":
                raise DownloadHTTPError("not there", 404) from error
            raise

    client = Client(read, where=str(folder), trust=trust, now=now, root=root)
    client.refresh()
    return Verified(folder, client, cache)


def wish(folder: Path) -> str:
    """The release that `bundle.json` names: nobody signed it.

    Raises:
        UntrustedError: there is no such file, or it says something else.
    """
    try:
        return msgspec.json.decode(read_plain(folder, BUNDLE, 4096), type=Bundle).release
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UntrustedError("bad_metadata", f"{folder / BUNDLE}: {error}; copy the bundle anew") from error


def release_in(manifest: bytes, release: str, where: str) -> Release:
    """Read a manifest that was verified. Raises UntrustedError: signed, but not this release or no release."""
    try:
        found = msgspec.json.decode(manifest, type=Release)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UntrustedError(
            "bad_metadata", f"{where}: release {release}: {error}; this software may be too old"
        ) from error
    if found.id != release:
        raise UntrustedError("mix_and_match", f"{where}: asked for release {release}, signed is {found.id}")
    return found


def manifest_of(client: Client, release: str) -> TargetFile:
    """What was signed about a release's manifest. Raises UntrustedError."""
    target = client.target(f"releases/{release}.json")
    if target.length > MANIFEST_MAX or "sha256" not in target.hashes:
        raise UntrustedError("endless", f"{client.where}: {target.path!r}: no manifest of at most {MANIFEST_MAX} bytes")
    return target


def agreed(client: Client, file: File) -> TargetFile:
    """What was signed about a file, if it is what the release says. Raises UntrustedError."""
    target = client.target(file.target)
    if target.length != file.bytes or target.hashes.get("sha256") != file.sha256:
        raise UntrustedError(
            "mix_and_match", f"{client.where}: {file.target!r} was signed otherwise than in the release"
        )
    return target


def check(target: TargetFile, content: bytes | BinaryIO, where: str) -> None:
    """Compare content with what was signed. Raises UntrustedError."""
    length = len(content) if isinstance(content, bytes) else os.fstat(content.fileno()).st_size
    if length < target.length:
        raise UntrustedError("truncated", f"{where}: {length} bytes of {target.length}; copy it anew")
    if length > target.length:
        raise UntrustedError("endless", f"{where}: longer than the {target.length} bytes it has; copy it anew")
    try:
        target.verify_length_and_hashes(content)
    except LengthOrHashMismatchError as error:
        raise UntrustedError("signature", f"{where}: is not what was signed; copy it anew") from error


def _copied(source: BinaryIO, copy: Path, length: int, where: str) -> Path:
    """Copy at most one byte more than there may be, durably. Raises OSError, UntrustedError: the source broke off."""
    copy.unlink(missing_ok=True)
    left = length + 1
    with copy.open("xb") as out:
        while left:
            try:
                chunk = source.read(min(_CHUNK, left))
            except OSError as error:
                raise UntrustedError("missing", f"{where}: cannot be read: {error.strerror}; copy it anew") from error
            if not chunk:
                break
            out.write(chunk)
            left -= len(chunk)
        out.flush()
        os.fsync(out.fileno())
    return copy


def _is(path: Path, target: TargetFile) -> bool:
    """Whether a file that was verified once still is what was signed. Raises OSError."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as content:
        try:
            target.verify_length_and_hashes(content)
        except LengthOrHashMismatchError:
            return False
    return True
