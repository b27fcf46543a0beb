# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A small update repository, really signed, with releases that nobody could install."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from messages.release import File, Model, Release, Variant

#: Far away: the tests' clocks stand still.
FAR = datetime(2036, 1, 1, tzinfo=timezone.utc)


def release(
    name: str, number: int, *, wheel: bytes = b"wheel", model: bytes = b"model"
) -> tuple[Release, dict[str, bytes]]:
    """A release and its files by target path."""
    files = {"wheels/wegewart-1-py3-none-any.whl": wheel, "models/street-0.3.0-3f3f3f3f.tar.gz": model}
    of = {
        path: File(target=path, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        for path, content in files.items()
    }
    made = Release(
        id=name,
        number=number,
        software=f"0.{number}.0",
        boards=("raspberry_pi_5", "pc"),
        variants=(Variant(machine="aarch64", python="3.13", wheels=(of["wheels/wegewart-1-py3-none-any.whl"],)),),
        models=(Model(name="street", version="0.3.0", file=of["models/street-0.3.0-3f3f3f3f.tar.gz"]),),
        notes_de=f"Stand {number}",
        notes_en=f"Release {number}",
    )
    return made, {**files, f"releases/{name}.json": msgspec.json.encode(made)}


class MadeRepository:
    """Written to `folder` as `scripts/release` does: numbered metadata, targets named by hash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._signer = CryptoSigner.generate_ed25519()
        self._version = 0
        self._targets = Targets(expires=FAR)
        root = Root(expires=FAR, consistent_snapshot=True)
        for role in ("root", "timestamp", "snapshot", "targets"):
            root.add_key(self._signer.public_key, role)
        self._write(root, "1.root.json")

    def add(self, name: str, number: int, **contents: bytes) -> Release:
        """Put a release in; `publish` shows it."""
        made, files = release(name, number, **contents)
        for path, content in files.items():
            about = TargetFile.from_data(path, content, ["sha256"])
            self._targets.targets[path] = about
            place = self.folder / "targets" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.with_name(f"{about.hashes['sha256']}.{place.name}").write_bytes(content)
        return made

    def remove(self, name: str) -> None:
        """Take a release back."""
        del self._targets.targets[f"releases/{name}.json"]

    def publish(self, *, expires: datetime = FAR) -> None:
        """A new snapshot of all. `expires`: of the timestamp."""
        self._version += 1
        self._targets.version = self._version
        self._write(self._targets, f"{self._version}.targets.json")
        snapshot = Snapshot(version=self._version, expires=FAR, meta={"targets.json": MetaFile(self._version)})
        self._write(snapshot, f"{self._version}.snapshot.json")
        timestamp = Timestamp(version=self._version, expires=expires, snapshot_meta=MetaFile(self._version))
        self._write(timestamp, "timestamp.json")

    def _write(self, signed: Root | Targets | Snapshot | Timestamp, name: str) -> None:
        metadata = Metadata(signed)
        metadata.sign(self._signer)
        path = self.folder / "metadata" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{name}.new")
        metadata.to_file(str(fresh))
        fresh.replace(path)


def repository(folder: Path, *names: str) -> MadeRepository:
    """One with these releases, numbered from 1, published."""
    made = MadeRepository(folder)
    for number, name in enumerate(names or ("2026.11.1",), 1):
        made.add(name, number, wheel=b"wheel" * number)
    made.publish()
    return made


def soon(days: float, now: datetime) -> datetime:
    return (now + timedelta(days=days)).replace(microsecond=0)
