# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A repository, and a vehicle that has taken its first release."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata

from edge.update.trusted import Verified, open_bundle
from tests.update.trusted.simulator import NOW, RELEASE, Repository


@dataclass
class Vehicle:
    """`told`: the trusted time, None: none."""

    home: Path
    root: bytes
    told: datetime | None = field(default=NOW)

    @property
    def trust(self) -> Path:
        return self.home / "trust"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    def open(self, folder: Path) -> Verified:
        return open_bundle(folder, trust=self.trust, cache=self.cache, now=self.told, root=self.root)

    def take(self, folder: Path, release: str = RELEASE) -> list[bytes]:
        """Open a bundle and take all of a release for aarch64; the contents."""
        verified = self.open(folder)
        found = verified.release(release)
        files = [*found.variants[0].wheels, *(model.file for model in found.models)]
        return [verified.fetch(file).read_bytes() for file in files]

    def versions(self) -> dict[str, int]:
        """What is believed."""
        return {
            path.stem: Metadata.from_bytes(path.read_bytes()).signed.version
            for path in sorted(self.trust.glob("*.json"))
        }


@pytest.fixture
def repository() -> Repository:
    made = Repository()
    made.add_release()
    return made


@pytest.fixture
def vehicle(tmp_path: Path, repository: Repository) -> Vehicle:
    return Vehicle(tmp_path / "vehicle", repository.first_root)


@pytest.fixture
def stick(tmp_path: Path, repository: Repository) -> Path:
    return repository.bundle(tmp_path / "stick")
