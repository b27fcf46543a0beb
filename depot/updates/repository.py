# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the update repository offers, read from its metadata as plain JSON.

Nothing is verified here but that files fit the hashes that the metadata names: the depot only shows what it serves.
Who may say what a vehicle runs is decided on the vehicle, by the fleet's keys (The Update Framework).
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from depot.roads.projections import moment
from messages.release import Release
from messages.topics import SHA256_PATTERN

#: The roles whose keys the server holds, which must be renewed often, and those whose keys lie in a safe.
ONLINE, OFFLINE = ("timestamp", "snapshot"), ("root", "targets")
_MOST_BYTES = 16_000_000
_MOST_ROOTS = 10_000
_RELEASE = re.compile(r"releases/[A-Za-z0-9._-]{1,100}\.json")


@dataclass(frozen=True)
class Offer:
    """The releases of a repository, the newest first. `expires_utc`: when each role's metadata ends.

    `problem`: why it cannot be shown, None where it can. `unreadable`: releases that cannot be read, and why.
    """

    releases: tuple[Release, ...] = ()
    expires_utc: dict[str, str] | None = None
    version: int | None = None
    problem: str | None = None
    unreadable: dict[str, str] | None = None

    def release(self, name: str) -> Release | None:
        """The release of this name."""
        return next((release for release in self.releases if release.id == name), None)

    def number(self, name: str | None) -> int | None:
        """The number of a release; None where it is not known."""
        found = None if name is None else self.release(name)
        return None if found is None else found.number

    def days_left(self, roles: tuple[str, ...], now_utc: str) -> float | None:
        """Days until the first of these roles' metadata expires, below 0 after that; None where nothing is known."""
        now = moment(now_utc)
        ends = [moment(utc) for role, utc in (self.expires_utc or {}).items() if role in roles]
        left = [(end - now).total_seconds() / 86_400 for end in ends if end is not None and now is not None]
        return min(left) if left else None

    def hindrance(self, release: str, now_utc: str) -> str | None:
        """Why no vehicle could take this release now: one line, or None."""
        if self.problem is not None:
            return self.problem
        if self.release(release) is None:
            return f"the repository has no release {release} (any more)"
        left = self.days_left((*ONLINE, *OFFLINE), now_utc)
        if left is not None and left <= 0:
            return "the repository's metadata has expired: sign it anew with scripts/release"
        return None


class Repository:
    """A repository's folder; None: there is none. Read anew when its timestamp has changed."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._known: tuple[object, Offer] | None = None

    def offer(self) -> Offer:
        """What it offers now; never an exception."""
        if self.folder is None:
            return Offer(problem="no update repository is set (updates.repository)")
        stamp = _stamp(self.folder)
        with self._lock:
            if self._known is None or self._known[0] != stamp or self._known[1].problem is not None:
                try:
                    found = _read(self.folder)
                except (_UnreadableError, OSError) as error:
                    found = Offer(problem=str(error))
                self._known = (stamp, found)
            return self._known[1]


class _UnreadableError(Exception):
    """One line: which file, and why."""


def _stamp(folder: Path) -> object:
    """Something that differs once the repository was published anew; a new root comes without a new timestamp."""
    found = []
    for path in (folder / "metadata" / "timestamp.json", folder / "metadata"):
        try:
            about = path.stat()
        except OSError:
            return None
        found.append((about.st_ino, about.st_mtime_ns, about.st_size))
    return tuple(found)


def _read(folder: Path) -> Offer:
    metadata = folder / "metadata"
    if not (metadata / "timestamp.json").is_file():
        raise _UnreadableError(
            f"{folder}: there is no metadata/timestamp.json; make the repository with scripts/release"
        )
    timestamp = _signed(metadata / "timestamp.json")
    snapshot = _signed(metadata / f"{_version(timestamp, 'snapshot.json')}.snapshot.json")
    targets = _signed(metadata / f"{_version(snapshot, 'targets.json')}.targets.json")
    roles = {"timestamp": timestamp, "snapshot": snapshot, "targets": targets, "root": _newest_root(metadata)}
    told = {role: signed.get("expires") for role, signed in roles.items()}
    expires_utc = {role: utc for role, utc in told.items() if isinstance(utc, str) and moment(utc) is not None}
    releases, unreadable = [], {}
    listed = targets.get("targets")
    for name, about in sorted(listed.items() if isinstance(listed, dict) else ()):
        if _RELEASE.fullmatch(name) is None:
            continue
        try:
            releases.append(_release(folder, name, about))
        except (_UnreadableError, OSError) as error:
            unreadable[name] = str(error)
    releases.sort(key=lambda release: release.number, reverse=True)
    return Offer(tuple(releases), expires_utc, _number(targets.get("version")), None, unreadable)


def _signed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else "is no JSON"
        raise _UnreadableError(f"{path}: {why}") from None
    signed = found.get("signed") if isinstance(found, dict) else None
    if not isinstance(signed, dict):
        raise _UnreadableError(f"{path}: is no metadata of The Update Framework")
    return signed


def _version(signed: dict[str, Any], name: str) -> int:
    meta = signed.get("meta")
    about = meta.get(name) if isinstance(meta, dict) else None
    version = _number(about.get("version")) if isinstance(about, dict) else None
    if version is None:
        raise _UnreadableError(f"the repository's metadata names no {name}")
    return version


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _newest_root(metadata: Path) -> dict[str, Any]:
    newest = 1
    while newest < _MOST_ROOTS and (metadata / f"{newest + 1}.root.json").is_file():
        newest += 1
    return _signed(metadata / f"{newest}.root.json")


def _release(folder: Path, name: str, about: Any) -> Release:
    hashes = about.get("hashes") if isinstance(about, dict) else None
    sha256 = hashes.get("sha256") if isinstance(hashes, dict) else None
    base = name.removeprefix("releases/")
    if not isinstance(sha256, str) or re.fullmatch(SHA256_PATTERN, sha256) is None:
        raise _UnreadableError(f"{name}: the metadata gives no hash of it")
    path = folder / "targets" / "releases" / f"{sha256}.{base}"
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _UnreadableError(f"{path}: its bytes do not have the hash that the metadata gives")
    try:
        release = msgspec.json.decode(content, type=Release)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _UnreadableError(f"{path}: {error}") from None
    if f"{release.id}.json" != base:
        raise _UnreadableError(f"{path}: calls itself {release.id}")
    return release


def bytes_of(release: Release, before: Release | None = None) -> int:
    """What a vehicle loads for it at most; `before`: the release whose files it has already."""
    had = set() if before is None else {file.sha256 for variant in before.variants for file in variant.wheels}
    if before is not None:
        had |= {model.file.sha256 for model in before.models}
    models = sum(model.file.bytes for model in release.models if model.file.sha256 not in had)
    return models + max(
        sum(wheel.bytes for wheel in variant.wheels if wheel.sha256 not in had) for variant in release.variants
    )
