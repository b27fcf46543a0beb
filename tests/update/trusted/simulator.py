# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A repository of updates that can be made to say anything, signed with keys that are really its own."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from messages.release import ISSUED, File, Model, Release, Variant

NOW = datetime.now(timezone.utc).replace(microsecond=0)
RELEASE = "2027.1.1"
WHEELS = ("wheels/wegewart-1.0-py3-none-any.whl", "wheels/numpy-2.2-cp311-aarch64.whl")
OTHER_WHEEL = "wheels/numpy-2.2-cp311-x86_64.whl"
MODEL = "models/street-1-0123abcd.tar.gz"
TOP = ("root", "timestamp", "snapshot", "targets")


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Repository:
    """`files` is what it serves: names below its address and their bytes. Versions that were served stay.

    Root: 2 of 3 keys. `hashes`: whether timestamp and snapshot give hashes and lengths.
    """

    def __init__(self, *, hashes: bool = True, consistent: bool = True, root_keys: int = 3, threshold: int = 2) -> None:
        self.hashes = hashes
        self.issued: datetime | None = NOW - timedelta(hours=1)
        until = NOW + timedelta(days=30)
        self.root = Root(expires=until, consistent_snapshot=consistent)
        self.targets, self.snapshot, self.timestamp = (
            Targets(expires=until),
            Snapshot(expires=until),
            Timestamp(expires=until),
        )
        self.roles: dict[str, Any] = {
            "root": self.root, "targets": self.targets, "snapshot": self.snapshot, "timestamp": self.timestamp,
        }  # fmt: skip
        self.signers: dict[str, list[CryptoSigner]] = {role: [] for role in TOP}
        for role in TOP:
            for _ in range(root_keys if role == "root" else 1):
                self.add_key(role)
        self.root.roles["root"].threshold = threshold
        self.files: dict[str, bytes] = {}
        self.served: dict[str, list[bytes]] = {}
        self.publish(*reversed(TOP))

    def add_key(self, role: str, signer: CryptoSigner | None = None) -> CryptoSigner:
        signer = signer or CryptoSigner.generate_ed25519()
        self.root.add_key(signer.public_key, role)
        self.signers[role].append(signer)
        return signer

    def rotate(self, role: str) -> None:
        """New keys as many as there were; nothing is published yet. For root, the old ones go on signing."""
        old = list(self.signers[role])
        for keyid in list(self.root.roles[role].keyids):
            self.root.revoke_key(keyid, role)
        self.signers[role] = []
        for _ in old:
            self.add_key(role)
        if role == "root":
            self.signers[role] += old

    def publish(self, *roles: str, bump: bool = True) -> None:
        """Sign and serve roles in this order; each version one above the last served, the first is 1."""
        for role in roles:
            signed = self.roles[role]
            if bump and role in self.served:
                signed.version += 1
            if role == "timestamp" and self.issued is not None:
                signed.unrecognized_fields[ISSUED] = stamp(self.issued)
            self.serve(role, self.sign(role))

    def publish_all(self) -> None:
        self.publish("targets", "snapshot", "timestamp")

    def sign(self, role: str) -> bytes:
        metadata = Metadata(self.roles[role])
        for signer in self.signers[role]:
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def serve(self, role: str, content: bytes) -> None:
        """Serve bytes as a role's newest, and name them in the role above."""
        signed = self.roles[role]
        self.served.setdefault(role, []).append(content)
        self.files[self.name(role, signed.version)] = content
        meta = MetaFile.from_data(signed.version, content, ["sha256"]) if self.hashes else MetaFile(signed.version)
        if role == "snapshot":
            self.timestamp.snapshot_meta = meta
        elif role not in TOP or role == "targets":
            self.snapshot.meta[f"{role}.json"] = meta

    def name(self, role: str, version: int) -> str:
        versioned = role == "root" or (self.root.consistent_snapshot and role != "timestamp")
        return f"metadata/{f'{version}.' if versioned else ''}{quote(role, '')}.json"

    def add(
        self, path: str, content: bytes, *, role: str = "targets", algorithms: tuple[str, ...] = ("sha256",)
    ) -> File:
        """A target, served and listed; nothing is published yet."""
        target = TargetFile.from_data(path, content, list(algorithms))
        self.roles[role].targets[path] = target
        place = target.get_prefixed_paths()[0] if self.root.consistent_snapshot else path
        self.files[f"targets/{place}"] = content
        if not path.startswith(("wheels/", "models/")):
            return File(target="wheels/none", sha256="0" * 64, bytes=1)
        return File(target=path, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))

    def add_release(
        self, release: str = RELEASE, *, size: int = 1000, models: int = 1, publish: bool = True
    ) -> Release:
        """A release for Python 3.11 on aarch64 and x86_64, published."""
        files = [self.add(path, _filler(f"{path} {release}", size)) for path in (*WHEELS, OTHER_WHEEL)]
        model = self.add(MODEL, _filler(MODEL, size))
        made = Release(
            id=release,
            number=models,
            software="1.0",
            boards=("pc", "raspberry_pi_5"),
            variants=(
                Variant(machine="aarch64", python="3.11", wheels=(files[0], files[1])),
                Variant(machine="x86_64", python="3.11", wheels=(files[0], files[2])),
            ),
            models=(Model(name="street", version="1", file=model),),
        )
        self.add(f"releases/{release}.json", msgspec.json.encode(made))
        if publish:
            self.publish_all()
        return made

    def delegate(self, parent: str, role: str, paths: tuple[str, ...] = ("*",), *, terminating: bool = False) -> None:
        """A role below targets; nothing is published yet."""
        delegator = self.roles[parent]
        if delegator.delegations is None:
            delegator.delegations = Delegations({}, roles={})
        delegator.delegations.roles[role] = DelegatedRole(role, [], 1, terminating, paths=list(paths))
        signer = CryptoSigner.generate_ed25519()
        delegator.add_key(signer.public_key, role)
        self.signers.setdefault(role, []).append(signer)
        self.roles.setdefault(role, Targets(expires=NOW + timedelta(days=30)))

    def bundle(self, folder: Path) -> Path:
        """All that is served now, as on a stick."""
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (folder / "bundle.json").write_text(json.dumps({"release": RELEASE}))
        return folder

    @property
    def first_root(self) -> bytes:
        return self.served["root"][0]


def _filler(name: str, size: int) -> bytes:
    """Bytes that differ everywhere."""
    return hashlib.shake_128(name.encode()).digest(size)
