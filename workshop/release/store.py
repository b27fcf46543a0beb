# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The folder of an update repository.

metadata/    N.root.json, N.targets.json, N.snapshot.json, timestamp.json       served
targets/     releases/, wheels/, models/, each file named SHA256.NAME           served
draft/       root.json, targets.json: what is to be signed and published next   of no use to vehicles

A file in targets/ never changes, and metadata with a number in its name never changes once the timestamp leads to it.
So the one rename of timestamp.json is the switch, and root.json of the next number that of the keys.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from messages.release import File, Release
from workshop.errors import WorkshopError
from workshop.files import sync_folder, write

S = TypeVar("S", Root, Timestamp, Snapshot, Targets)


@dataclass(frozen=True)
class Published:
    """What the timestamp leads to."""

    timestamp: Metadata[Timestamp]
    snapshot: Metadata[Snapshot]
    targets: Metadata[Targets]


class Store:
    """One repository. `anchor`: the first root.json as known from elsewhere; without it the folder is believed."""

    def __init__(self, folder: Path, anchor: bytes | None = None) -> None:
        """Open it.

        Raises:
            WorkshopError: there is none, or its roots do not follow from each other.
        """
        self.folder = folder
        self.metadata = folder / "metadata"
        self.targets = folder / "targets"
        self.draft = folder / "draft"
        if not (self.metadata / "timestamp.json").is_file():
            raise WorkshopError(f"{folder}: holds no update repository; begin with: scripts/release {folder} init")
        self.roots = self._chain(anchor)

    @property
    def root(self) -> Metadata[Root]:
        """The newest one that is published."""
        return self.roots[-1]

    def current(self) -> Published:
        """What is published now; not asked here is whether it has expired.

        Raises:
            WorkshopError: something is missing or wrongly signed.
        """
        timestamp = self._read(self.metadata / "timestamp.json", Timestamp)
        version = timestamp.signed.snapshot_meta.version
        snapshot = self._read(self.metadata / f"{version}.snapshot.json", Snapshot)
        version = snapshot.signed.meta["targets.json"].version
        targets = self._read(self.metadata / f"{version}.targets.json", Targets)
        self._check_signed(timestamp)
        self._check_signed(snapshot)
        self._check_signed(targets)
        return Published(timestamp, snapshot, targets)

    def draft_root(self) -> Metadata[Root] | None:
        """The next root, signed or not yet."""
        path = self.draft / "root.json"
        draft = self._read(path, Root) if path.is_file() else None
        # One that a cut left behind after it was published.
        return draft if draft is not None and draft.signed.version == self.root.signed.version + 1 else None

    def draft_targets(self) -> Metadata[Targets] | None:
        """The next targets, signed or not yet."""
        path = self.draft / "targets.json"
        draft = self._read(path, Targets) if path.is_file() else None
        now = self.current().targets.signed.version
        return draft if draft is not None and draft.signed.version == now + 1 else None

    def read_release(self, target: TargetFile) -> Release:
        """A release's manifest among the targets. Raises WorkshopError."""
        path = self.file(target.path, target.hashes["sha256"])
        try:
            content = path.read_bytes()
            target.verify_length_and_hashes(content)
            return msgspec.json.decode(content, type=Release)
        except (OSError, RepositoryError, msgspec.DecodeError) as error:
            raise WorkshopError(f"{path}: {error}; bring it back from a backup, or build and revoke") from None

    def file(self, target: str, sha256: str) -> Path:
        """Where a target's file lies."""
        folder, _, name = target.rpartition("/")
        return self.targets / folder / f"{sha256}.{name}"

    def put(self, source: Path, target: str) -> File:
        """Take a file over among the targets; nobody sees it before it is published. Raises OSError."""
        sha256 = sha256_of(source)
        size = source.stat().st_size
        path = self.file(target, sha256)
        if not path.is_file() or path.stat().st_size != size:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.new")
            shutil.copyfile(source, fresh)
            with fresh.open("rb") as written:
                os.fsync(written.fileno())
            fresh.replace(path)
            sync_folder(path.parent)
        return File(target=target, sha256=sha256, bytes=size)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One command at a time; released with the process."""
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _chain(self, anchor: bytes | None) -> list[Metadata[Root]]:
        first = self.metadata / "1.root.json"
        chain = [_decode(anchor, first, Root) if anchor is not None else self._read(first, Root)]
        while (path := self.metadata / f"{chain[-1].signed.version + 1}.root.json").is_file():
            following = self._read(path, Root)
            check_root(chain[-1], following, path)
            chain.append(following)
        return chain

    def _check_signed(self, metadata: Metadata[Any]) -> None:
        """By the published root, or by the next one where publishing it was cut short."""
        for root in (self.root, self.draft_root()):
            if root is None or (root is not self.root and not root_is_signed(self.root, root)):
                continue
            try:
                root.signed.verify_delegate(metadata.signed.type, metadata.signed_bytes, metadata.signatures)
            except RepositoryError:
                continue
            return
        raise WorkshopError(
            f"{self.metadata}: {metadata.signed.type} version {metadata.signed.version} is not signed by its keys"
        )

    @staticmethod
    def _read(path: Path, kind: type[S]) -> Metadata[S]:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise WorkshopError(f"{path}: {error.strerror}") from None
        return _decode(content, path, kind)


def save(path: Path, metadata: Metadata[Any]) -> bytes:
    """Write metadata whole or not at all; returns the bytes. Raises OSError."""
    content = metadata.to_bytes(JSONSerializer())
    write(path, content)
    return content


def root_is_signed(old: Metadata[Root], new: Metadata[Root]) -> bool:
    """Whether enough keys of both signed it."""
    return bool(new.signed.get_root_verification_result(old.signed, new.signed_bytes, new.signatures).verified)


def check_root(old: Metadata[Root], new: Metadata[Root], path: Path) -> None:
    """Raises WorkshopError: `new` does not follow from `old`."""
    if new.signed.version != old.signed.version + 1 or not root_is_signed(old, new):
        raise WorkshopError(f"{path}: is not signed by enough keys of root {old.signed.version} and its own")


def _decode(content: bytes, path: Path, kind: type[S]) -> Metadata[S]:
    try:
        metadata = Metadata[S].from_bytes(content)
    except RepositoryError as error:
        raise WorkshopError(f"{path}: {error}") from None
    if not isinstance(metadata.signed, kind):
        raise WorkshopError(f"{path}: is no {kind.type} metadata")
    return metadata


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
