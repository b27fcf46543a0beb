# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Drives our client as the public conformance suite does: by its commands, over HTTP, looking at its files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from tuf.api.metadata import Metadata

from edge.update.trusted import clock
from edge.update.trusted.conformance import main
from tests.update.trusted.simulator import NOW, Repository
from tests.update.trusted.web_server import WebServer, serving


class Driven:
    """A client of a repository with one key a role; `at` is this computer's clock."""

    def __init__(self, home: Path, repository: Repository, server: WebServer) -> None:
        self.repository, self.server, self.at = repository, server, NOW
        self.metadata, self.targets = home / "metadata", home / "targets"
        self.metadata.mkdir(parents=True)
        self.targets.mkdir()
        self.root = repository.first_root

    def init(self) -> bool:
        given = self.metadata.with_name("given.json")
        given.write_bytes(self.root)
        return main(["--metadata-dir", str(self.metadata), "init", str(given)]) == 0

    def refresh(self) -> bool:
        return main([*self._common(), "refresh"]) == 0

    def download(self, name: str) -> bool:
        where = ["--target-base-url", f"{self.server.address}targets", "--target-dir", str(self.targets)]
        return main([*self._common(), "--target-name", name, *where, "download"]) == 0

    def versions(self) -> dict[str, int]:
        """Role names as they stand in file names, and what is trusted of them."""
        files = self.metadata.glob("*.json")
        return {file.stem: Metadata.from_bytes(file.read_bytes()).signed.version for file in files}

    def trusted(self, role: str) -> bytes:
        return (self.metadata / f"{role}.json").read_bytes()

    def downloaded(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self.targets.iterdir(), key=lambda path: path.stat().st_mtime_ns)]

    def asked(self) -> list[tuple[str, int | None]]:
        """Roles and versions that were asked for, in order, quoted as they were."""
        found: list[tuple[str, int | None]] = []
        for name in self.server.names():
            if name.startswith("metadata/"):
                version, dot, role = name.removeprefix("metadata/").removesuffix(".json").partition(".")
                found.append((role, int(version)) if dot and version.isdigit() else (f"{version}{dot}{role}", None))
        return found

    def asked_targets(self) -> list[str]:
        return [unquote(name).removeprefix("targets/") for name in self.server.names() if name.startswith("targets/")]

    def later(self, days: int) -> datetime:
        self.at = NOW + timedelta(days=days)
        return self.at

    def _common(self) -> list[str]:
        return ["--metadata-dir", str(self.metadata), "--metadata-url", f"{self.server.address}metadata"]


def make(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
    """A client that knows version 1 of everything; `client` of the test modules."""
    repository = Repository(hashes=False, root_keys=1, threshold=1)
    with serving(repository.files) as server:
        client = Driven(home / "client", repository, server)
        monkeypatch.setattr(clock, "system_now", lambda: client.at)
        yield client
